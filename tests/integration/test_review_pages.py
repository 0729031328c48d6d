"""The pages and the JSON interface over HTTP: what is shown, refused, recorded, and streamed."""

import asyncio
import html
import json
import re
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import httpx
import pytest

from stayaway.alerts.order_changes import import_orders as recall_by_file
from stayaway.api.settings import ReviewSettings, StreamStatus
from stayaway.console.app import create_app
from stayaway.console.serve import bind, serve
from stayaway.kernel.errors import SettingsError
from stayaway.platform.postgres import Pool, open_pool
from stayaway.platform.seal import FileSeal
from support.alert_seed import (
    IMAGE,
    IMAGE_SHA256,
    NOW,
    SeededAlert,
    approximate_alert,
    images,
    import_orders,
    order,
    read,
    review_policy,
    seed_alert,
)

ACTOR = {"stayaway-actor": "ann"}


@dataclass
class Site:
    """A served page with its database."""

    base: str
    pool: Pool
    seal: FileSeal
    stop: asyncio.Event
    task: asyncio.Task[None]

    async def seed(self, alert: SeededAlert) -> int:
        async with self.pool.acquire() as conn:
            return await seed_alert(conn, self.seal, alert)


@pytest.fixture
async def site(database: str, seal: FileSeal) -> AsyncIterator[Site]:
    async with await open_pool(database, wait_s=5, on_wait=print) as pool:
        async with pool.acquire() as conn:
            secret = order(confidentiality=["ADDRESS_WITHHELD"], not_monitored=["No firearms"])
            await import_orders(conn, seal, [secret])
        settings = ReviewSettings(
            pool=pool,
            seal=seal,
            policy=review_policy(),
            clock=lambda: NOW,
            wall_clock=lambda: NOW,
            images=images,
            status=lambda: StreamStatus(last_read_s=4, readers_heard=37, readers_known=40),
        )
        stop = asyncio.Event()
        listening: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        task = asyncio.create_task(
            serve(create_app(settings, database), "127.0.0.1", 0, stop, on_listening=listening.set_result)
        )
        base = (await listening).rstrip("/")
        yield Site(base, pool, seal, stop, task)
        stop.set()
        await asyncio.wait_for(task, 5)


@pytest.fixture
async def client(site: Site) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(base_url=site.base) as opened:
        yield opened


def _text(page: httpx.Response) -> str:
    without_tags = re.sub(r"<[^>]+>", " ", page.text)
    return " ".join(html.unescape(without_tags).split())


def _token(page: httpx.Response) -> dict[str, str]:
    fields = dict(re.findall(r'name="(csrf|seen)" value="([0-9a-f]+)"', page.text))
    return {"csrf": fields["csrf"], "seen": fields.get("seen", "")}


async def test_the_empty_list_proves_life(client: httpx.AsyncClient) -> None:
    page = await client.get("/alerts")
    assert "No open alerts in this list. Last read 4 s ago, 37 of 40 readers." in _text(page)


async def test_every_answer_carries_the_strict_headers(client: httpx.AsyncClient) -> None:
    for path in ("/alerts", "/alerts/999", "/static/base.css", "/api/v1/alerts", "/nothing"):
        headers = (await client.get(path)).headers
        policy = headers["content-security-policy"]
        assert policy.startswith("default-src 'none'; script-src 'self'; worker-src 'self'; style-src 'self'")
        assert "unsafe" not in policy
        assert headers["x-content-type-options"] == "nosniff"
        assert "server" not in headers


async def test_the_alert_s_page_says_the_words_first_and_everything_that_speaks_against_it(
    site: Site, client: httpx.AsyncClient
) -> None:
    number = await site.seed(approximate_alert())
    text = _text(await client.get(f"/alerts/{number}"))
    for words in (
        "UNVERIFIED LEAD, read 12 min ago. Vehicle associated with a respondent; driver unknown;",
        "Alone no ground for a stop.",
        "The respondent was not told this address: do not voice it.",
        "+1 555 0100",
        "Another vehicle? colour: camera red, order blue.",
        "Co-registered: somebody else owns this vehicle too.",
        "NOT MONITORED The order also says this, which no zone can watch: No firearms",
        "≈ position 4: camera 8, order B",
        "Inside within error, probability 0.612",
        "(not verified)",
    ):
        assert words in text, words
    assert text.index("UNVERIFIED LEAD") < text.index("Know this first") < text.index("Robin Example")


async def test_two_places_at_once_are_shown_on_the_page_and_in_the_api(
    site: Site, client: httpx.AsyncClient
) -> None:
    """Evidence before all else, in words; the alert stays what it is."""
    number = await site.seed(SeededAlert(events=[read(12), read(11, east_m=20_000)]))
    text = _text(await client.get(f"/alerts/{number}"))
    assert "Know this first Two places at once? vehicle V2 was seen at" in text
    assert "That often means a misread plate or a cloned one" in text
    shown = (await client.get(f"/api/v1/alerts/{number}", headers=ACTOR)).json()
    assert "TWO_PLACES" in [fact["code"] for fact in shown["facts"]]
    plain = await site.seed(SeededAlert(events=[read(308), read(307)]))
    assert "Two places" not in _text(await client.get(f"/alerts/{plain}"))


async def test_the_page_tells_the_steps_that_were_stored(site: Site, client: httpx.AsyncClient) -> None:
    """The same steps as `explain` and the API, numbered, each with what it saw and concluded."""
    number = await site.seed(SeededAlert(events=[read(12)]))
    page = await client.get(f"/alerts/{number}")
    steps = SeededAlert(events=[]).steps
    for at, name, saw, concluded in steps:
        assert f'<li value="{at}">' in page.text
        assert f"{name} : {saw}. concluded {concluded}." in _text(page)
    assert f"stayaway explain {number}" in _text(page)
    shown = (await client.get(f"/api/v1/alerts/{number}", headers=ACTOR)).json()
    assert [tuple(step.values()) for step in shown["evidence"][0]["steps"]] == [tuple(s) for s in steps]


async def test_acts_work_as_plain_forms(site: Site, client: httpx.AsyncClient) -> None:
    number = await site.seed(approximate_alert())
    token = _token(await client.get(f"/alerts/{number}"))
    claimed = await client.post(f"/alerts/{number}/claim", data=token)
    assert (claimed.status_code, claimed.headers["location"]) == (303, f"/alerts/{number}?done=claimed")
    refused = await client.post(f"/alerts/{number}/confirm", data={**token, "second_look": "true"})
    assert refused.status_code == 422
    assert "There is a problem" in refused.text
    assert 'href="#sight"' in refused.text
    assert re.search(r'name="second_look"[^>]* checked', refused.text)
    confirmed = await client.post(
        f"/alerts/{number}/confirm", data={**token, "second_look": "true", "sight": "IMAGE"}
    )
    assert confirmed.status_code == 303
    again = await client.post(f"/alerts/{number}/dismiss", data={**token, "reason_code": "MISREAD"})
    assert again.status_code == 409
    assert "VERIFIED_LEAD" in (await client.get(confirmed.headers["location"])).text


async def test_whoever_held_a_withdrawn_alert_acknowledges_it_on_its_page(
    site: Site, client: httpx.AsyncClient
) -> None:
    number = await site.seed(approximate_alert())
    token = _token(await client.get(f"/alerts/{number}"))
    await client.post(f"/alerts/{number}/claim", data=token)
    recall = {"order_id": "O1", "recalled_at": "2026-03-01T00:00:00Z", "recorded_at": "2026-03-06T20:20:00Z"}
    lists = {"orders": [], "recalls": [recall | {"reason_text": "void", "void": True}]}
    data = json.dumps({"schema": "orders.v1", **lists}).encode()
    await recall_by_file(site.pool, site.seal, data, review_policy(), actor="feed", at=NOW)
    assert "to be acknowledged by desk" in _text(await client.get("/alerts?list=closed"))
    page = await client.get(f"/alerts/{number}")
    assert "who held this alert: it was withdrawn" in _text(page)
    async with httpx.AsyncClient(base_url=site.base) as another:
        other = await another.get(f"/alerts/{number}")
        assert f"/alerts/{number}/acknowledge" not in other.text
        refused = await another.post(f"/alerts/{number}/acknowledge", data=_token(other))
        assert refused.status_code in (403, 409)
    done = await client.post(f"/alerts/{number}/acknowledge", data=token)
    assert done.headers["location"] == f"/alerts/{number}?done=acknowledged"
    after = _text(await client.get(done.headers["location"]))
    assert "Recorded: acknowledged" in after
    assert "To be acknowledged by" not in after


async def test_a_form_without_this_browser_s_token_records_nothing(
    site: Site, client: httpx.AsyncClient
) -> None:
    number = await site.seed(SeededAlert(events=[read()]))
    token = _token(await client.get(f"/alerts/{number}"))
    async with httpx.AsyncClient(base_url=site.base) as other:
        await other.get("/alerts")
        for data in (token, {**token, "csrf": ""}, {**token, "csrf": "é"}):
            answer = await other.post(f"/alerts/{number}/claim", data=data)
            assert answer.status_code == 403
            assert "load the page again" in answer.text
    foreign = await client.post(
        f"/alerts/{number}/claim", data=token, headers={"sec-fetch-site": "cross-site"}
    )
    assert foreign.status_code == 403
    assert await site.pool.fetchval("SELECT count(*) FROM alert_act") == 0


async def test_another_host_name_gets_nothing(site: Site, client: httpx.AsyncClient) -> None:
    await site.seed(SeededAlert(events=[read()]))
    answer = await client.get("/alerts", headers={"host": "rebound.example"})
    assert answer.status_code == 421
    assert "O1" not in answer.text


async def test_the_json_interface_lists_shows_and_acts(site: Site, client: httpx.AsyncClient) -> None:
    number = await site.seed(approximate_alert())
    listed = (await client.get("/api/v1/alerts")).json()
    assert [item["alert_number"] for item in listed["alerts"]] == [number]
    shown = (await client.get(f"/api/v1/alerts/{number}", headers=ACTOR)).json()
    assert shown["plate_differences"] == ["position 4: camera 8, order B"]
    assert shown["words"].startswith("UNVERIFIED LEAD, read 12 min ago.")
    address = f"/api/v1/alerts/{number}"
    claimed = await client.post(f"{address}/claim", json={}, headers=ACTOR)
    assert claimed.json()["claimed_by"] == "ann"
    other = await client.post(f"{address}/claim", json={}, headers={"stayaway-actor": "J%C3%B8rn"})
    assert (other.status_code, other.headers["content-type"]) == (409, "application/problem+json")
    lacking = await client.post(f"{address}/confirm", json={"seen": shown["seen"]}, headers=ACTOR)
    assert [item["pointer"] for item in lacking.json()["problems"]] == ["/sight", "/second_look"]
    stated = {"sight": "IMAGE", "second_look": True, "seen": shown["seen"]}
    assert (await client.post(f"{address}/confirm", json=stated, headers=ACTOR)).json()[
        "state"
    ] == "CONFIRMED"
    acts = (await client.get(address, headers=ACTOR)).json()["acts"]
    assert [(act["act"], act["actor"], act["actor_verified"]) for act in acts] == [
        ("CLAIMED", "ann", False),
        ("CONFIRMED", "ann", False),
    ]


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ("/api/v1/alerts/1/confirm", {"sight": "MAYBE"}, 422),
        ("/api/v1/alerts/1/dismiss", {"reason_code": "MISREAD", "more": 1}, 422),
        ("/api/v1/alerts/1/dismiss", {"reason_code": "BORED"}, 422),
        ("/api/v1/alerts/999999/claim", {}, 404),
        ("/api/v1/alerts/0/claim", {}, 422),
        ("/api/v1/alerts/99999999999999999999/claim", {}, 422),
    ],
)
async def test_bad_requests_are_problems(
    client: httpx.AsyncClient, path: str, body: dict[str, Any], status: int
) -> None:
    answer = await client.post(path, json=body, headers=ACTOR)
    assert (answer.status_code, answer.headers["content-type"]) == (status, "application/problem+json")
    assert answer.json()["status"] == status


async def test_an_image_is_shown_only_under_the_alert_that_it_belongs_to(
    site: Site, client: httpx.AsyncClient
) -> None:
    with_image = await site.seed(approximate_alert())
    without = await site.seed(SeededAlert(events=[read()]))
    shown = await client.get(f"/alerts/{with_image}/images/{IMAGE_SHA256}")
    assert (shown.content, shown.headers["content-type"]) == (IMAGE, "image/png")
    assert (await client.get(f"/alerts/{without}/images/{IMAGE_SHA256}")).status_code == 404
    assert (await client.get(f"/alerts/{with_image}/images/..%2f..%2fkeys")).status_code == 404


async def _events(
    client: httpx.AsyncClient, path: str, headers: dict[str, str]
) -> AsyncIterator[tuple[str, Any, str]]:
    async with client.stream("GET", path, headers=headers) as answer:
        assert answer.headers["content-type"].startswith("text/event-stream")
        name, cursor = "", ""
        async for line in answer.aiter_lines():
            kind, _, value = line.partition(": ")
            if kind == "event":
                name = value
            elif kind == "id":
                cursor = value
            elif kind == "data":
                yield name, json.loads(value), cursor


async def test_the_stream_tells_every_change_once_and_goes_on_where_it_was_cut(
    site: Site, client: httpx.AsyncClient
) -> None:
    first = await site.seed(SeededAlert(events=[read(9)]))
    stream = _events(client, "/alerts/stream?cursor=0", {})
    name, rows, cursor = await anext(stream)
    assert (name, [row["number"] for row in rows]) == ("changes", [first])
    name, tick, _ = await anext(stream)
    assert (name, tick["status"], tick["counts"]["live"]) == (
        "tick",
        "Last read 4 s ago, 37 of 40 readers.",
        1,
    )
    second = await site.seed(SeededAlert(events=[read(8)], cautions=["HISTORICAL"]))
    async with asyncio.timeout(3):
        name, rows, _ = await anext(stream)
    assert [(row["number"], row["list"]) for row in rows] == [(second, "historical")]
    assert "Historical" in rows[0]["html"]
    await stream.aclose()  # type: ignore[attr-defined]
    resumed = _events(client, "/alerts/stream?cursor=0", {"last-event-id": cursor})
    name, rows, _ = await anext(resumed)
    assert [row["number"] for row in rows] == [second]
    await resumed.aclose()  # type: ignore[attr-defined]


async def test_a_page_of_another_database_loads_itself_again(client: httpx.AsyncClient) -> None:
    stream = _events(client, "/alerts/stream?cursor=5000", {})
    name, _, _ = await anext(stream)
    assert name == "reload"
    await stream.aclose()  # type: ignore[attr-defined]


async def test_the_server_stops_within_seconds_while_streams_are_open(
    site: Site, client: httpx.AsyncClient
) -> None:
    stream = _events(client, "/alerts/stream?cursor=0", {})
    await anext(stream)
    site.stop.set()
    started = asyncio.get_running_loop().time()
    await asyncio.wait_for(site.task, 4)
    assert asyncio.get_running_loop().time() - started < 4
    await stream.aclose()  # type: ignore[attr-defined]


async def test_names_and_themes_are_remembered_and_lead_nowhere_else(client: httpx.AsyncClient) -> None:
    token = _token(await client.get("/alerts"))
    answer = await client.post(
        "/desk", data={**token, "name": "  Ann  Øst ", "back": "//evil.example/alerts"}
    )
    assert answer.headers["location"] == "/alerts"
    assert "Ann Øst" in (await client.get("/alerts")).text
    for unreadable in ("Ann Øst\u200b", "\u202eAnn", " "):  # nobody's name: the one before stays
        await client.post("/desk", data={**token, "name": unreadable})
        assert "<b>Ann Øst</b>" in (await client.get("/alerts")).text
    await client.post("/theme", data={**token, "theme": "light"})
    assert 'data-theme="light"' in (await client.get("/alerts")).text


async def test_a_text_that_looks_like_code_is_shown_as_text(site: Site, client: httpx.AsyncClient) -> None:
    event = read(make="<script>alert(1)</script>", colour='"><img src=x>')
    number = await site.seed(SeededAlert(events=[event]))
    page = (await client.get(f"/alerts/{number}")).text
    assert "<script>alert" not in page
    assert "<img src=x" not in page


def test_a_port_in_use_or_another_address_is_refused_in_words() -> None:
    with bind("127.0.0.1", 0) as taken:
        taken.listen()
        with pytest.raises(SettingsError, match="cannot listen"):
            bind("127.0.0.1", taken.getsockname()[1])
    with pytest.raises(SettingsError, match="nobody signs in yet"):
        bind("0.0.0.0", 0)  # noqa: S104
