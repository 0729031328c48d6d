"""Looking at alerts, claiming, confirming, dismissing: who wins, what is refused, what is recorded."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from stayaway.alerts import review
from stayaway.alerts.review_model import (
    ActRefusedError,
    AlertView,
    Confirmation,
    Dismissal,
    ListName,
    ListQuery,
    Reviewer,
)
from stayaway.audit.store import load_entries, verify_stream
from stayaway.kernel.errors import ConflictError, NotFoundError
from stayaway.platform.postgres import Connection, Pool, open_pool
from stayaway.platform.seal import FileSeal
from support.alert_seed import (
    NOW,
    SeededAlert,
    approximate_alert,
    check_in,
    import_orders,
    order,
    read,
    review_policy,
    seed_alert,
)
from support.databases import SERVERS
from support.tampering import tamper

pytestmark = pytest.mark.parametrize("databases", SERVERS, indirect=True)

ANN = Reviewer(name="ann", channel="web")
BOB = Reviewer(name="bob", channel="cli")
POLICY = review_policy()
LOOKED = Confirmation(sight="IMAGE")


@pytest.fixture
async def pool(database: str) -> AsyncIterator[Pool]:
    async with await open_pool(database, wait_s=5, on_wait=print, max_size=20) as opened:
        yield opened


@pytest.fixture
async def conn(pool: Pool, seal: FileSeal) -> AsyncIterator[Connection]:
    async with pool.acquire() as connection:
        await import_orders(connection, seal, [order(), order("O2")])
        yield connection


async def load(conn: Connection, seal: FileSeal, number: int) -> AlertView:
    return await review.load_alert(conn, seal, number, ANN, policy=POLICY, now=NOW)


async def test_of_many_claims_at_once_exactly_one_wins(pool: Pool, conn: Connection, seal: FileSeal) -> None:
    number = await seed_alert(conn, seal, SeededAlert(events=[read()]))

    async def try_claim(name: str) -> str | None:
        async with pool.acquire() as own:
            try:
                row = await review.claim(own, seal, number, Reviewer(name=name, channel="web"), now=NOW)
            except ConflictError:
                return None
        return row.claimed_by

    won = [name for name in await asyncio.gather(*(try_claim(f"p{n}") for n in range(40))) if name]
    assert len(won) == 1
    assert (await load(conn, seal, number)).row.claimed_by == won[0]
    entries = await load_entries(conn, "web")
    assert [entry.entry_type for entry in entries].count("ALERT_CLAIMED") == 1


async def test_a_claim_ends_after_90_s_unless_its_holder_renews_it(conn: Connection, seal: FileSeal) -> None:
    number = await seed_alert(conn, seal, SeededAlert(events=[read()]))
    await review.claim(conn, seal, number, ANN, now=NOW)
    with pytest.raises(ConflictError, match="ann holds"):
        await review.claim(conn, seal, number, BOB, now=NOW + timedelta(seconds=89))
    renewed = await review.claim(conn, seal, number, ANN, now=NOW + timedelta(seconds=80))
    assert renewed.claimed_until == NOW + timedelta(seconds=170)
    assert renewed.state_at(NOW + timedelta(seconds=171)) == "OPEN"
    taken = await review.claim(conn, seal, number, BOB, now=NOW + timedelta(seconds=171))
    assert taken.claimed_by == "bob"
    acts = (await load(conn, seal, number)).acts
    assert [(act.act, act.actor) for act in acts] == [("CLAIMED", "ann"), ("CLAIMED", "bob")]


async def test_confirming_records_a_verified_lead_and_nothing_more(conn: Connection, seal: FileSeal) -> None:
    number = await seed_alert(conn, seal, SeededAlert(events=[read()]))
    row = await review.confirm(conn, seal, number, LOOKED, ANN, policy=POLICY, has_image=True, now=NOW)
    assert (row.state, row.disposition, row.disposed_by) == ("CONFIRMED", "VERIFIED_LEAD", "ann")
    act = (await load(conn, seal, number)).acts[0]
    assert (act.act, act.reason_code, act.actor_verified) == ("CONFIRMED", "VERIFIED_LEAD", False)
    change = await conn.fetchrow("SELECT * FROM outbox ORDER BY outbox_sequence DESC LIMIT 1")
    assert change is not None
    assert (change["alert_id"], change["change"]) == (row.alert_id, "CONFIRMED")
    assert await verify_stream(conn, seal, "web") == []


async def test_an_approximate_plate_needs_a_statement_and_a_second_look(
    conn: Connection, seal: FileSeal
) -> None:
    number = await seed_alert(conn, seal, approximate_alert())
    for lacking, fields in (
        (Confirmation(), ["sight", "second_look"]),
        (LOOKED, ["second_look"]),
        (Confirmation(second_look=True), ["sight"]),
    ):
        with pytest.raises(ActRefusedError) as refused:
            await review.confirm(conn, seal, number, lacking, ANN, policy=POLICY, has_image=True, now=NOW)
        assert [field for field, _ in refused.value.problems] == fields
    assert (await load(conn, seal, number)).row.state == "OPEN"
    both = Confirmation(sight="OFFICER_SIGHT", second_look=True)
    row = await review.confirm(conn, seal, number, both, ANN, policy=POLICY, has_image=False, now=NOW)
    assert row.state == "CONFIRMED"


async def test_a_device_alone_needs_no_look_at_a_plate_but_a_plate_among_its_evidence_does(
    conn: Connection, seal: FileSeal
) -> None:
    alone = await seed_alert(
        conn, seal, SeededAlert(events=[check_in(5)], match_kind="DEVICE", vehicle_id=None)
    )
    await review.confirm(conn, seal, alone, Confirmation(), ANN, policy=POLICY, has_image=False, now=NOW)
    mixed = await seed_alert(
        conn, seal, SeededAlert(events=[check_in(6), read(7)], match_kind="EXACT", order_id="O2")
    )
    with pytest.raises(ActRefusedError):
        await review.confirm(conn, seal, mixed, Confirmation(), ANN, policy=POLICY, has_image=False, now=NOW)


async def test_evidence_that_changed_since_the_look_is_looked_at_again(
    conn: Connection, seal: FileSeal
) -> None:
    number = await seed_alert(conn, seal, SeededAlert(events=[read()]))
    seen = (await load(conn, seal, number)).row.seen
    await conn.execute("UPDATE alert SET cautions = '{ORDER_SINCE_ENDED}' WHERE alert_number = $1", number)
    with pytest.raises(ConflictError, match="evidence changed"):
        await review.dismiss(conn, seal, number, Dismissal(reason_code="MISREAD", seen=seen), ANN, now=NOW)


@pytest.mark.parametrize("state", ["CONFIRMED", "DISMISSED", "MERGED", "WITHDRAWN"])
async def test_a_closed_alert_is_closed(conn: Connection, seal: FileSeal, state: str) -> None:
    number = await seed_alert(conn, seal, SeededAlert(events=[read()], state=state))
    with pytest.raises(ConflictError):
        await review.claim(conn, seal, number, ANN, now=NOW)
    with pytest.raises(ConflictError):
        await review.dismiss(conn, seal, number, Dismissal(reason_code="MISREAD"), ANN, now=NOW)


async def test_somebody_else_s_claim_keeps_others_from_deciding(conn: Connection, seal: FileSeal) -> None:
    number = await seed_alert(conn, seal, SeededAlert(events=[read()]))
    await review.claim(conn, seal, number, ANN, now=NOW)
    with pytest.raises(ConflictError):
        await review.dismiss(conn, seal, number, Dismissal(reason_code="MISREAD"), BOB, now=NOW)
    row = await review.dismiss(conn, seal, number, Dismissal(reason_code="MISREAD"), ANN, now=NOW)
    assert (row.state, row.disposition) == ("DISMISSED", "MISREAD")


async def test_every_list_holds_its_own_alerts_only(conn: Connection, seal: FileSeal) -> None:
    numbers: dict[ListName, int] = {
        "live": await seed_alert(conn, seal, SeededAlert(events=[read(1)])),
        "historical": await seed_alert(conn, seal, SeededAlert(events=[read(2)], cautions=["HISTORICAL"])),
        "ended": await seed_alert(
            conn, seal, SeededAlert(events=[read(3)], cautions=["HISTORICAL", "ORDER_SINCE_ENDED"])
        ),
        "closed": await seed_alert(conn, seal, SeededAlert(events=[read(4)], state="DISMISSED")),
    }
    for name, number in numbers.items():
        page = await review.list_alerts(conn, seal, ListQuery(list_name=name), ANN, now=NOW)
        assert [row.alert_number for row in page.rows] == [number]
        assert page.open_counts == {"live": 1, "historical": 1, "ended": 1}


@pytest.mark.parametrize(("name", "state"), [("live", "OPEN"), ("closed", "WITHDRAWN")])
async def test_pages_of_a_list_meet_without_gap_or_overlap(
    conn: Connection, seal: FileSeal, name: ListName, state: str
) -> None:
    numbers = [await seed_alert(conn, seal, SeededAlert(events=[read(n)], state=state)) for n in range(5)]
    shown: list[int] = []
    before: int | None = None
    while True:
        query = ListQuery(list_name=name, before=before, limit=2)
        page = await review.list_alerts(conn, seal, query, ANN, now=NOW)
        shown += [row.alert_number for row in page.rows]
        before = page.next_before
        if before is None:
            break
    assert shown == numbers[::-1]


async def test_what_waits_is_found_without_walking_through_the_closed(
    conn: Connection, seal: FileSeal
) -> None:
    """By Postgres' own count of rows; also once it has a plan for any parameters."""
    await seed_alert(conn, seal, SeededAlert(events=[read()], cautions=["HISTORICAL"]))
    await seed_alert(conn, seal, SeededAlert(events=[read(1)], state="DISMISSED"))
    columns = "raised_observed_at, order_id, respondent_id, raised_at, state, order_versions, zone_ids,"
    columns += "first_observed_at, last_observed_at, sighting_count, match_kind, zone_relation, cautions,"
    columns += "registry_sequence, known_at, policy_sha256, engine"
    await conn.execute(
        f"INSERT INTO alert (alert_id, {columns}) SELECT alert_id || number, {columns}"
        " FROM alert, generate_series(1, 5000) AS more (number) WHERE state = 'DISMISSED'"
    )
    await conn.execute("ANALYZE alert")
    await conn.execute("SET plan_cache_mode = force_generic_plan")
    async with conn.transaction():
        query = ListQuery(list_name="historical")
        assert len((await review.list_alerts(conn, seal, query, ANN, now=NOW)).rows) == 1
        fetched = await conn.fetchval(
            "SELECT seq_tup_read + idx_tup_fetch FROM pg_stat_xact_user_tables WHERE relname = 'alert'"
        )
    assert fetched < 10


async def test_every_look_is_audited_with_its_purpose(conn: Connection, seal: FileSeal) -> None:
    number = await seed_alert(conn, seal, SeededAlert(events=[read()]))
    await review.list_alerts(conn, seal, ListQuery(), BOB, now=NOW)
    await load(conn, seal, number)
    assert [entry.entry_type for entry in await load_entries(conn, "cli")] == ["ALERTS_LISTED"]
    viewed = (await load_entries(conn, "web"))[0]
    assert (viewed.entry_type, viewed.order_id) == ("ALERT_VIEWED", "O1")
    assert b"ALERT_REVIEW" in seal.unseal("O1", "audit", viewed.payload_sealed)


async def test_an_alert_shows_what_speaks_against_it(conn: Connection, seal: FileSeal) -> None:
    view = await load(conn, seal, await seed_alert(conn, seal, approximate_alert()))
    assert [fact.code for fact in view.facts] == [
        "DESCRIPTION_CONFLICTS", "CO_REGISTERED", "PLATE_DIFFERS", "POSITION",
    ]  # fmt: skip
    assert view.best_plate is not None
    assert view.best_plate.read.plate_as_read == "8AK-871"
    assert view.best_plate.vehicle.plate_as_entered == "8AK B71"
    assert [zone.zone_id for zone in view.zones] == ["Z1"]


async def test_a_plate_that_another_order_links_to_somebody_else_is_said_without_names(
    conn: Connection, seal: FileSeal
) -> None:
    other = order("O3")
    other["respondents"][0]["respondent_id"] = "R77"
    await import_orders(conn, seal, [other], notices=[])
    view = await load(conn, seal, await seed_alert(conn, seal, SeededAlert(events=[read()])))
    shared = next(fact.text for fact in view.facts if fact.code == "SHARED_VEHICLE")
    assert "2 respondents" in shared
    assert "R77" not in shared


async def test_a_page_reads_its_order_and_those_of_its_plate_alone(conn: Connection, seal: FileSeal) -> None:
    """By Postgres' own count of the rows that it fetched, in a registry of many orders."""
    plates = [f"QQQ{number}" for number in range(50)] + ["XYZ200"]
    bodies = [order(f"P{number}") for number in range(len(plates))]
    for body, plate in zip(bodies, plates, strict=True):
        body["respondents"][0]["vehicles"] = [body["respondents"][0]["vehicles"][1] | {"plate": plate}]
    await import_orders(conn, seal, bodies)
    number = await seed_alert(conn, seal, SeededAlert(events=[read()]))
    async with conn.transaction():
        await conn.execute("SET LOCAL enable_seqscan = off")  # a small table would be read whole anyway
        await load(conn, seal, number)
        fetched = await conn.fetchval(
            "SELECT greatest(seq_tup_read, idx_tup_fetch) FROM pg_stat_xact_user_tables"
            " WHERE relname = 'order_record'"
        )
    assert fetched == 6  # O1, O2 and P50, each a version and a notice
    assert await conn.fetchval("SELECT count(*) FROM order_record") == 106


async def test_two_who_look_while_the_order_changes_both_see_the_change(
    pool: Pool, conn: Connection, seal: FileSeal
) -> None:
    """They have begun, then a version is recorded, judges the evidence again, and the order is recalled."""
    number = await seed_alert(conn, seal, SeededAlert(events=[read()]))
    recall = {"order_id": "O1", "recalled_at": "2026-03-06T20:00:00Z", "reason_text": "dismissed"}

    async def look() -> AlertView:
        async with pool.acquire() as own:
            return await load(own, seal, number)

    async with conn.transaction():
        await conn.execute("LOCK TABLE decision")
        looks = [asyncio.create_task(look()) for _ in range(2)]
        waiting = (
            "SELECT count(*) FROM pg_locks WHERE NOT granted AND database = (SELECT oid FROM pg_database"
        )
        waiting += " WHERE datname = current_database())"
        async with pool.acquire() as watching:
            while await watching.fetchval(waiting) < len(looks):
                pass
        await import_orders(
            conn,
            seal,
            [order(version=2, case_number="F-2", recorded_at="2026-03-06T20:01:00Z")],
            recalls=[recall | {"recorded_at": "2026-03-06T20:02:00Z"}],
        )
        await conn.execute("UPDATE decision SET order_version = 2")
    for view in await asyncio.gather(*looks):
        assert (view.version.version, view.version.case_number) == (2, "F-2")
        assert "ORDER_SINCE_ENDED" in [fact.code for fact in view.facts]
    assert [entry.entry_type for entry in await load_entries(conn, "web")] == ["ALERT_VIEWED"] * 2


async def test_a_damaged_order_of_the_same_plate_hides_no_alert(conn: Connection, seal: FileSeal) -> None:
    number = await seed_alert(conn, seal, SeededAlert(events=[read()]))
    await tamper(conn, "UPDATE order_record SET payload_sealed = 'x' WHERE order_id = 'O2'")
    facts = {fact.code: fact.text for fact in (await load(conn, seal, number)).facts}
    assert facts["LINKS_UNOPENED"].startswith("1 other order that may link this plate could not be opened")


async def test_a_merged_alert_s_sightings_show_under_the_one_it_went_into(
    conn: Connection, seal: FileSeal
) -> None:
    older = await seed_alert(conn, seal, SeededAlert(events=[read(30)]))
    newer = await seed_alert(conn, seal, SeededAlert(events=[read(10)]))
    anew = await seed_alert(conn, seal, SeededAlert(events=[read(9)]))
    ids = {row["alert_number"]: row["alert_id"] for row in await conn.fetch("SELECT * FROM alert")}
    await conn.execute(
        "UPDATE alert SET state = 'MERGED', merged_into = $1 WHERE alert_number = $2", ids[older], newer
    )
    await tamper(conn, "UPDATE alert SET raised_anew_from = $1 WHERE alert_number = $2", ids[newer], anew)
    assert {item.sighting.event_id for item in (await load(conn, seal, older)).evidence} == {"e30-0", "e10-0"}
    view = await load(conn, seal, anew)
    assert {item.sighting.event_id for item in view.evidence} == {"e30-0", "e10-0"}
    assert view.row.raised_anew_from_number == newer


async def test_an_alert_is_found_by_number_or_id(conn: Connection, seal: FileSeal) -> None:
    number = await seed_alert(conn, seal, SeededAlert(events=[read()]))
    alert_id = (await load(conn, seal, number)).row.alert_id
    assert await review.find_alert(conn, str(number)) == number
    assert await review.find_alert(conn, alert_id) == number
    for missing in ("999999", "nothing/like/it", "٣", "9" * 40):
        with pytest.raises(NotFoundError):
            await review.find_alert(conn, missing)
