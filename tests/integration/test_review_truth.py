"""The page says what is so: of the evidence shown, of what was recorded, and of what is not known."""

import asyncio
import re
from collections.abc import AsyncIterator
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import asyncpg
import httpx
import pytest

from faults.proxy import CuttingProxy
from stayaway.platform.seal import FileSeal
from support.alert_seed import (
    IMAGE_SHA256,
    SeededAlert,
    approximate_alert,
    check_in,
    import_orders,
    order,
    read,
    seed_alert,
)
from support.site import ACTOR, Site, opened_site, text_of, token_of

_MERGE = (
    "UPDATE alert SET state = 'MERGED', merged_into = (SELECT alert_id FROM alert WHERE alert_number = $1)"
    " WHERE alert_number = $2"
)


async def test_the_image_is_of_the_read_whose_characters_are_shown(
    site: Site, client: httpx.AsyncClient
) -> None:
    """Another read's photo would be taken for this one's."""
    exact = await site.seed(SeededAlert(events=[read(20, plate="XYZ-200")], match_kind="EXACT"))
    with_image = await site.seed(approximate_alert())
    await site.pool.execute(_MERGE, exact, with_image)
    page = await client.get(f"/alerts/{exact}")
    assert "All characters equal" in text_of(page)
    assert "<img" not in page.text
    looked = await client.post(f"/alerts/{exact}/confirm", data={**token_of(page), "sight": "IMAGE"})
    assert looked.status_code == 422
    assert "only an officer's sight can stand for it" in text_of(looked)


async def test_an_image_names_its_read(site: Site, client: httpx.AsyncClient) -> None:
    number = await site.seed(SeededAlert(events=[read(20, image_sha256=IMAGE_SHA256, event_id="e-77")]))
    page = await client.get(f"/alerts/{number}")
    assert "<img" in page.text
    assert re.search(r"<figcaption[^>]*>2026-03-06 \d\d:\d\d:\d\d UTC, [\w-]+ / e-77", page.text)


async def test_a_plate_behind_many_check_ins_is_shown_and_asked_for(
    site: Site, client: httpx.AsyncClient
) -> None:
    events = [read(300, image_sha256=IMAGE_SHA256)] + [check_in(280 - minute) for minute in range(201)]
    number = await site.seed(SeededAlert(events=events, match_kind="EXACT"))
    page = await client.get(f"/alerts/{number}")
    assert "No plate was read" not in text_of(page)
    assert "201 of 202 matches are shown: the newest, and the best of each kind." in text_of(page)
    without = await client.post(f"/alerts/{number}/confirm", data=token_of(page))
    assert without.status_code == 422
    assert 'id="sight"' in without.text
    done = await client.post(f"/alerts/{number}/confirm", data={**token_of(page), "sight": "IMAGE"})
    assert done.status_code == 303


async def test_what_was_stated_on_other_evidence_is_not_stated_again(
    site: Site, client: httpx.AsyncClient
) -> None:
    number = await site.seed(approximate_alert())
    form = token_of(await client.get(f"/alerts/{number}"))
    await site.pool.execute("UPDATE alert SET revisions = revisions + 1 WHERE alert_number = $1", number)
    stated = {"sight": "OFFICER_SIGHT", "second_look": "true"}
    refused = await client.post(f"/alerts/{number}/confirm", data={**form, **stated})
    assert refused.status_code == 409
    assert not re.findall(r"<input[^>]* checked", refused.text)
    chosen = await client.post(f"/alerts/{number}/dismiss", data={**form, "reason_code": "MISREAD"})
    assert chosen.status_code == 409
    assert "selected" not in chosen.text


async def test_recorded_is_said_of_what_is_recorded(site: Site, client: httpx.AsyncClient) -> None:
    number = await site.seed(SeededAlert(events=[read()]))
    for done in ("claimed", "confirmed", "dismissed", "acknowledged"):
        assert "Recorded:" not in text_of(await client.get(f"/alerts/{number}?done={done}"))
    claimed = await client.post(
        f"/alerts/{number}/claim", data=token_of(await client.get(f"/alerts/{number}"))
    )
    assert "Recorded: claimed" in text_of(await client.get(claimed.headers["location"]))
    await site.pool.execute("UPDATE alert SET claimed_by = 'bob' WHERE alert_number = $1", number)
    assert "Recorded:" not in text_of(await client.get(claimed.headers["location"]))


async def test_a_decision_sent_again_is_the_same_decision(site: Site, client: httpx.AsyncClient) -> None:
    """Whoever got no answer sends it again; it is nobody else's act."""
    number = await site.seed(SeededAlert(events=[read()]))
    seen = token_of(await client.get(f"/alerts/{number}"))["seen"]
    path, body = f"/api/v1/alerts/{number}/dismiss", {"reason_code": "MISREAD", "seen": seen}
    for sent in (body, body, {"reason_code": "MISREAD"}):
        assert (await client.post(path, json=sent, headers=ACTOR)).status_code == 200
    others = (
        (body | {"reason_code": "EXCEPTION_APPLIES"}, ACTOR),
        (body | {"seen": "0" * len(seen)}, ACTOR),
        (body, {"stayaway-actor": "bob"}),
    )
    for sent, who in others:
        assert (await client.post(path, json=sent, headers=who)).status_code == 409
    assert await site.pool.fetchval("SELECT count(*) FROM alert_act") == 1


@pytest.mark.parametrize(
    ("zone", "dates"),
    [
        ("America/Phoenix", {"effective_at": "0001-01-01T00:00:00Z"}),
        ("Pacific/Guam", {"expires_at": "9999-12-31T23:59:59Z", "expires_on": None}),
    ],
)
async def test_dates_at_the_calendar_s_ends_are_shown(
    site: Site, client: httpx.AsyncClient, zone: str, dates: dict[str, str | None]
) -> None:
    body = order("O2", court={"ori": "AZ007015J", "time_zone": zone})
    body = {name: value for name, value in (body | dates).items() if value is not None}
    async with site.pool.acquire() as conn:
        await import_orders(conn, site.seal, [body])
    number = await site.seed(SeededAlert(events=[read()], order_id="O2"))
    page = await client.get(f"/alerts/{number}")
    assert page.status_code == 200
    assert re.search(r"from .* until .* UTC|from .* UTC until", text_of(page))


async def test_a_page_of_a_refused_act_leads_back_to_its_alert(site: Site, client: httpx.AsyncClient) -> None:
    number = await site.seed(approximate_alert())
    form = token_of(await client.get(f"/alerts/{number}"))
    refused = await client.post(f"/alerts/{number}/confirm", data=form)
    assert refused.status_code == 422
    listed = await client.get("/alerts?list=historical")
    for page, wanted in ((refused, f"/alerts/{number}"), (listed, "/alerts?list=historical")):
        back = re.findall(r'name="back" value="([^"]*)"', page.text)
        assert set(back) == {wanted}
        themed = await client.post("/theme", data={**form, "theme": "dark", "back": back[0]})
        assert themed.headers["location"] == wanted
        assert (await client.get(wanted)).status_code == 200


@pytest.mark.parametrize(
    "path", ["/alerts/1_0", "/alerts/+1", "/alerts?before=1_0", "/alerts/stream?cursor=1.0"]
)
async def test_numbers_are_plain_digits(client: httpx.AsyncClient, path: str) -> None:
    assert (await client.get(path)).status_code == 422


async def test_an_order_that_is_being_changed_holds_up_its_own_acts_only(
    site: Site, client: httpx.AsyncClient, database: str
) -> None:
    number = await site.seed(SeededAlert(events=[read()]))
    changing = await asyncpg.connect(database)
    change = changing.transaction()
    await change.start()
    await changing.execute("SELECT FROM order_head FOR UPDATE")
    path = f"/api/v1/alerts/{number}/claim"
    answers = await asyncio.gather(*(client.post(path, json={}, headers=ACTOR) for _ in range(9)))
    assert {answer.status_code for answer in answers} == {503}
    assert {answer.json()["type"] for answer in answers} == {"urn:stayaway:problem:busy"}
    await change.rollback()
    await changing.close()
    assert (await client.post(path, json={}, headers=ACTOR)).status_code == 200


# ---------------------------------------------------------------- a COMMIT whose answer is lost


@pytest.fixture
async def cut(database: str) -> AsyncIterator[tuple[CuttingProxy, str]]:
    """A proxy before the database, and the address through it."""
    parts = urlsplit(database)
    proxy = CuttingProxy(Path(parse_qs(parts.query)["host"][0]) / ".s.PGSQL.5432")
    proxy.start()
    yield proxy, f"postgresql://postgres@127.0.0.1:{proxy.port}{parts.path}?sslmode=disable"
    proxy.stop()


@pytest.mark.parametrize("way", ["page", "api"])
async def test_what_a_lost_answer_recorded_is_not_called_unrecorded(
    cut: tuple[CuttingProxy, str], conn: asyncpg.Connection, seal: FileSeal, way: str
) -> None:
    proxy, dsn = cut
    await import_orders(conn, seal, [order()])
    number = await seed_alert(conn, seal, SeededAlert(events=[read()]))
    async with opened_site(dsn, seal) as site, httpx.AsyncClient(base_url=site.base, timeout=30) as client:
        form = token_of(await client.get(f"/alerts/{number}"))

        async def dismiss() -> httpx.Response:
            said = {"reason_code": "MISREAD", "seen": form["seen"]}
            if way == "api":
                return await client.post(f"/api/v1/alerts/{number}/dismiss", json=said, headers=ACTOR)
            return await client.post(f"/alerts/{number}/dismiss", data={**form, **said})

        proxy.arm("commit_reply_cut")
        first = await dismiss()
        assert first.status_code == 503
        assert "not known whether this was recorded" in first.text
        assert "nothing was recorded" not in first.text
        assert await conn.fetchval("SELECT state FROM alert WHERE alert_number = $1", number) == "DISMISSED"
        assert (await dismiss()).status_code == (200 if way == "api" else 303)
    assert await conn.fetchval("SELECT count(*) FROM alert_act") == 1
