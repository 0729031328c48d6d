"""One order through its whole life over the API; acts, emergencies and what is due."""

import asyncio
import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from stayaway.alerts.order_changes import import_orders as import_file
from stayaway.alerts.order_expiry import mark_ended_orders
from stayaway.audit.entries import open_entry
from stayaway.audit.store import list_streams, load_entries, verify_stream
from stayaway.kernel.instants import format_instant
from stayaway.platform.seal import FileSeal
from support.alert_seed import SeededAlert, read, seed_alert
from support.commands import STAYAWAY, plain_environment
from support.databases import SERVERS
from support.desk import POLICY, START, TYPED, Desk, opened_desk
from support.lives import draft_content
from support.whole_registry import load_registry

pytestmark = pytest.mark.parametrize("databases", SERVERS, indirect=True)

Json = dict[str, Any]


@pytest.fixture
async def desk(database: str, seal: FileSeal) -> AsyncIterator[Desk]:
    async with opened_desk(database, seal) as opened:
        yield opened


async def test_one_order_through_its_whole_life(desk: Desk) -> None:
    """Draft, error, edit, preview, approval, notice, relief, suspension, recall, acknowledgement."""
    content = draft_content()
    content["zones"][0]["distance_unit"] = "YARDS"
    made = await desk.send("POST", "order-drafts", "ann", {"order": content})
    assert (made.status_code, made.headers["location"]) == (201, "/api/v1/order-drafts/1")
    checked = await desk.get("order-drafts/1/check")
    assert [item["pointer"] for item in checked["findings"]] == ["/zones/0/distance_unit"]
    assert (await desk.send("GET", "order-drafts/1/preview", "ann")).status_code == 422

    content["zones"][0]["distance_unit"] = "YD"
    etag = made.headers["etag"]
    edited = await desk.send("PUT", "order-drafts/1", "ann", {"order": content}, if_match=etag)
    assert (edited.status_code, edited.json()["version"]) == (200, 1)
    preview = await desk.get("order-drafts/1/preview")
    assert preview["before"] is None
    assert preview["vertices"] >= 64
    assert {(item["what"], item["subject"]) for item in preview["differences"]} >= {
        ("zone", "Z1"),
        ("vehicle", "R1/V2"),
    }
    assert [question["question_id"] for question in preview["questions"]] == [
        "mutual", "mutual-petition-and-findings", "through-road/Z1", "own-place/Z1",
    ]  # fmt: skip

    draft = edited.json()
    assert (await desk.approve(draft, "ann")).status_code == 403
    assert await desk.outcome(desk.clock.now) == ["NONE"]
    approved = await desk.approve(draft, "bob")
    assert approved.status_code == 201, approved.text
    assert (approved.json()["version"], approved.json()["second_check"]) == (1, None)
    assert await desk.outcome(desk.clock.now) == ["NOT_NOTICED"]
    noticed = {"order_version": 1, "respondent_id": "R1", "kind": "PERSONAL"}
    at = format_instant(desk.clock.now)
    told = await desk.send("POST", "orders/O1/notices", "ann", {**noticed, "noticed_at": at})
    assert told.status_code == 201
    assert await desk.outcome(desk.clock.now) == []
    shown = await desk.get("orders/O1")
    assert (shown["in_force_for"], shown["respondents"][0]["name"]) == (["R1"], "Robin Example")

    # Modified with relief: the work exception binds before anybody is told of it.
    window = {
        "time_zone": "America/Phoenix",
        "start_local": "2026-03-06T00:00:00",
        "end_local": "2026-03-07T00:00:00",
    }
    exception = {
        "exception_id": "E1", "kind": "WORK", "authority": "4", "windows": [window], "place": "WHOLE_ZONE",
    }  # fmt: skip
    relief = await desk.draft(relief=True, status="MODIFIED", exceptions=[exception])
    body = await desk.statement(relief, relief="YES")
    path = f"order-drafts/{relief['draft_number']}/approval"
    assert (await desk.send("POST", path, "bob", body, if_match=relief["etag"])).status_code == 201
    assert await desk.outcome(desk.clock.now) == ["EXCEPTION_APPLIES"]
    later = datetime(2026, 3, 8, 18, 0, tzinfo=UTC)
    desk.clock.now = later
    assert await desk.outcome(later) == []

    pause = {
        "from_at": format_instant(later),
        "until_at": format_instant(later + timedelta(hours=1)),
        "reason_text": "mediation",
    }
    assert (await desk.send("POST", "orders/O1/suspensions", "ann", pause)).status_code == 201
    assert await desk.outcome(later + timedelta(minutes=5)) == ["SUSPENDED"]

    seen_at = later + timedelta(hours=2)
    desk.clock.now = seen_at + timedelta(minutes=1)
    number = await desk.open_alert(seen_at, claimed_by="dora")
    recall = {"recalled_at": format_instant(desk.clock.now), "reason_text": "dismissed by the court"}
    recalled = (await desk.send("POST", "orders/O1/recalls", "ann", recall)).json()
    assert (recalled["alerts_affected"], len(recalled["alerts_ended"]), recalled["alerts_withdrawn"]) == (
        1,
        1,
        [],
    )
    alert = await desk.get(f"alerts/{number}")
    assert (alert["standing"], alert["to_acknowledge_by"]) == ("ORDER_SINCE_ENDED", "dora")
    assert "TO_ACKNOWLEDGE" in [fact["code"] for fact in alert["facts"]]
    assert (await desk.send("POST", f"alerts/{number}/acknowledge", "bob", {})).status_code == 409
    done = await desk.send("POST", f"alerts/{number}/acknowledge", "dora", {})
    assert (done.status_code, done.json()["to_acknowledge_by"]) == (200, None)
    again = await desk.send("POST", f"alerts/{number}/acknowledge", "dora", {})  # who got no answer
    assert (again.status_code, again.json()["to_acknowledge_by"]) == (200, None)
    assert (await desk.send("POST", f"alerts/{number}/acknowledge", "bob", {})).status_code == 409

    history = (await desk.get("orders/O1/history"))["records"]
    assert [(item["kind"], item["applied_by"]) for item in history] == [
        ("VERSION", "bob"), ("NOTICE", "ann"), ("VERSION", "bob"), ("SUSPENSION", "ann"), ("RECALL", "ann"),
    ]  # fmt: skip
    before = await desk.get(
        f"orders/O1?known_at={format_instant(later - timedelta(days=1))}&at={format_instant(seen_at)}"
    )
    assert before["respondents"][0]["reasons"] == []
    now = await desk.get(f"orders/O1?at={format_instant(desk.clock.now)}")
    assert now["respondents"][0]["reasons"] == ["RECALLED"]
    async with desk.pool.acquire() as conn:
        for stream in await list_streams(conn):
            assert await verify_stream(conn, desk.seal, stream) == []


async def test_an_alert_that_should_not_have_been_is_withdrawn_and_acknowledged(desk: Desk) -> None:
    await desk.in_force()
    at = desk.clock.now
    number = await desk.open_alert(at, claimed_by="dora")
    unclaimed = await desk.open_alert(at + timedelta(seconds=1))
    recall = {"recalled_at": format_instant(at), "reason_text": "entered for another case", "void": True}
    answer = (await desk.send("POST", "orders/O1/recalls", "ann", recall)).json()
    assert (answer["alerts_affected"], len(answer["alerts_withdrawn"])) == (2, 2)
    held = await desk.get(f"alerts/{number}")
    assert held["to_acknowledge_by"] == "dora"
    texts = " ".join(fact["text"] for fact in held["facts"])
    assert "the order was not in force when this was read. It was recalled." in texts
    assert "In force when this was read" not in texts
    assert (await desk.get(f"alerts/{unclaimed}"))["to_acknowledge_by"] is None
    assert (await desk.send("POST", f"alerts/{number}/acknowledge", "dora", {})).status_code == 200


async def test_an_act_names_the_alerts_that_stand_but_changed(desk: Desk) -> None:
    """One of two sightings is withdrawn: whoever acted learns which alert changed, though it stands."""
    await desk.in_force()
    first = desk.clock.now
    later = first + timedelta(minutes=2)
    events = [
        read(event_id=name, observed_at=format_instant(at), received_at=format_instant(at))
        for name, at in (("a", first), ("b", later))
    ]
    async with desk.pool.acquire() as conn:
        number = await seed_alert(conn, desk.seal, SeededAlert(events=events))
    desk.clock.now = later + timedelta(minutes=1)
    assert (await desk.send("POST", f"alerts/{number}/claim", "dora", {})).status_code == 200
    before = await desk.get(f"alerts/{number}")
    pause = {
        "from_at": format_instant(first - timedelta(minutes=1)),
        "until_at": format_instant(first + timedelta(minutes=1)),
        "reason_text": "mediation",
    }
    answer = (await desk.send("POST", "orders/O1/suspensions", "ann", pause)).json()
    after = await desk.get(f"alerts/{number}")
    assert answer["alerts_revised"] == [after["alert_id"]]
    assert (answer["alerts_affected"], answer["alerts_withdrawn"], answer["alerts_ended"]) == (1, [], [])
    assert (before["sighting_count"], after["sighting_count"]) == (2, 1)
    unmoved = (await desk.send("POST", "orders/O1/suspensions", "ann", pause)).json()
    assert (unmoved["alerts_affected"], unmoved["alerts_revised"]) == (0, [])


async def test_an_order_that_expires_marks_its_open_alerts_once_somebody_looks(desk: Desk) -> None:
    """Whoever held one must acknowledge; matchers know as much; a second look finds nothing."""
    await desk.in_force(expires_at="2026-03-06T20:00:00Z")
    at = desk.clock.now
    number = await desk.open_alert(at, claimed_by="dora")

    async def look(now: datetime) -> tuple[str, ...]:
        async with desk.pool.acquire() as conn:
            return (await mark_ended_orders(conn, desk.seal, POLICY, actor="timer", at=now)).alert_ids

    async def sequence() -> int:
        async with desk.pool.acquire() as conn:
            found: int = await conn.fetchval("SELECT registry_sequence FROM registry")
            return found

    before = await sequence()
    end = datetime(2026, 3, 6, 20, 0, tzinfo=UTC)
    assert await look(end - timedelta(microseconds=1)) == ()
    assert await sequence() == before
    marked = await look(end)
    alert = await desk.get(f"alerts/{number}")
    assert marked == (alert["alert_id"],)
    assert (alert["standing"], alert["to_acknowledge_by"]) == ("ORDER_SINCE_ENDED", "dora")
    assert await look(end + timedelta(hours=1)) == ()
    assert await sequence() == before + 1
    async with desk.pool.acquire() as conn:
        assert (await load_registry(conn, desk.seal)).known_at == end
        assert await verify_stream(conn, desk.seal, "orders") == []


async def test_looking_again_and_again_by_command(desk: Desk, database: str, tmp_path: Path) -> None:
    """It goes on after it has found something, and an alert that is raised later is found too."""
    await desk.in_force(expires_at="2026-03-06T20:00:00Z")
    (tmp_path / "policy.json").write_text(POLICY.model_dump_json(by_alias=True))
    env = plain_environment(
        STAYAWAY_DATABASE=database,
        STAYAWAY_KEYS_FILE=str(tmp_path / "keys.jsonl"),
        STAYAWAY_POLICY_FILE=str(tmp_path / "policy.json"),
    )
    looking = await asyncio.create_subprocess_exec(
        *STAYAWAY, "orders", "expire", "--every", "1", env=env, stdout=asyncio.subprocess.PIPE
    )
    assert looking.stdout is not None
    try:
        for minutes in (0, 60):
            await desk.open_alert(desk.clock.now + timedelta(minutes=minutes))
            async with asyncio.timeout(30):
                assert await looking.stdout.readline() == b"alerts marked as ended: 1\n"
                assert (await looking.stdout.readline()).startswith(b"- O1/R1/")
    finally:
        looking.terminate()
        await looking.wait()


async def test_a_lapsed_emergency_marks_its_open_alerts(desk: Desk) -> None:
    draft = await desk.draft(kind="EMERGENCY")
    assert (await desk.approve(draft, "ann", emergency_reason_text="night")).status_code == 201
    at = desk.clock.now
    body = {"order_version": 1, "respondent_id": "R1", "kind": "PERSONAL", "noticed_at": format_instant(at)}
    await desk.send("POST", "orders/O1/notices", "ann", body)
    number = await desk.open_alert(desk.clock.now)
    async with desk.pool.acquire() as conn:
        later = at + timedelta(hours=25)
        marked = await mark_ended_orders(conn, desk.seal, POLICY, actor="timer", at=later)
    alert = await desk.get(f"alerts/{number}")
    assert (marked.alert_ids, alert["standing"]) == ((alert["alert_id"],), "ORDER_SINCE_ENDED")


async def test_an_act_sent_twice_is_recorded_once(desk: Desk) -> None:
    await desk.in_force()
    at = format_instant(desk.clock.now)
    recall = {"recalled_at": at, "reason_text": "dismissed"}
    answers = [await desk.send("POST", "orders/O1/recalls", "ann", recall, idempotency_key="r") for _ in "12"]
    assert answers[0].json() == answers[1].json()
    other = await desk.send(
        "POST", "orders/O1/recalls", "ann", recall | {"reason_text": "else"}, idempotency_key="r"
    )
    assert other.status_code == 422
    kinds = [item["kind"] for item in (await desk.get("orders/O1/history"))["records"]]
    assert kinds == ["VERSION", "NOTICE", "RECALL"]


async def test_one_person_alone_for_a_day_then_a_second_or_nothing(desk: Desk) -> None:
    """An emergency entry counts at once, shows NOT SECOND-CHECKED, and lapses without a second person."""
    draft = await desk.draft(kind="EMERGENCY")
    alone = await desk.approve(draft, "ann", emergency_reason_text="night, no judge's clerk on duty")
    assert (alone.status_code, alone.json()["second_check"]) == (201, "NOT SECOND-CHECKED")
    started = desk.clock.now
    body = {
        "order_version": 1,
        "respondent_id": "R1",
        "kind": "PERSONAL",
        "noticed_at": format_instant(started),
    }
    await desk.send("POST", "orders/O1/notices", "ann", body)
    inside, after = started + timedelta(hours=23), started + timedelta(hours=25)
    assert await desk.outcome(inside) == []
    assert await desk.outcome(after) == ["NOT_APPROVED"]
    assert (await desk.get("orders/O1"))["second_check"] == "NOT SECOND-CHECKED"
    alert = await desk.get(f"alerts/{await desk.open_alert(started + timedelta(seconds=1))}")
    assert "NOT_SECOND_CHECKED" in [fact["code"] for fact in alert["facts"]]
    due = (await desk.get("orders-due"))["due"]
    assert [item["kind"] for item in due] == ["EMERGENCY_UNCONFIRMED"]

    path = "orders/O1/versions/1/confirmation"
    assert (await desk.send("POST", path, "ann", TYPED)).status_code == 403
    assert (await desk.send("POST", path, "bob", TYPED | {"expiry": "none"})).status_code == 422
    desk.clock.now = inside
    assert (await desk.send("POST", path, "bob", TYPED)).status_code == 201
    assert (await desk.send("POST", path, "cleo", TYPED)).status_code == 409
    assert await desk.outcome(after) == []
    assert (await desk.get("orders/O1"))["second_check"] is None
    # Before the second person: as it was known then.
    known = format_instant(inside - timedelta(hours=1))
    earlier = await desk.get(f"orders/O1?at={format_instant(after)}&known_at={known}")
    assert earlier["respondents"][0]["reasons"] == ["NOT_APPROVED"]


async def test_a_lapsed_emergency_cannot_be_confirmed_nor_renewed_by_one_person(desk: Desk) -> None:
    """Whoever put it in force alone may ask two others for the next version; alone, never again."""
    draft = await desk.draft(kind="EMERGENCY")
    assert (await desk.approve(draft, "ann", emergency_reason_text="night")).status_code == 201
    started = desk.clock.now
    again = await desk.draft(kind="EMERGENCY")
    for hours in (1, 25):
        desk.clock.now = started + timedelta(hours=hours)
        for person in ("ann", "bob"):
            alone = await desk.approve(again, person, emergency_reason_text="still night")
            assert (alone.status_code, "only put the first version" in alone.text) == (403, True)
    late = await desk.send("POST", "orders/O1/versions/1/confirmation", "bob", TYPED)
    assert late.status_code == 409
    assert [item["kind"] for item in (await desk.get("orders-due"))["due"]] == ["EMERGENCY_LAPSED"]
    assert (await desk.approve(again, "bob")).status_code == 201
    assert (await desk.get("orders/O1"))["second_check"] is None


async def test_what_binds_unconfirmed_shows_beside_a_later_version_that_two_approved(desk: Desk) -> None:
    """Nobody was told of the later one yet, so that the first binds, with one person behind it."""
    draft = await desk.draft(kind="EMERGENCY")
    assert (await desk.approve(draft, "ann", emergency_reason_text="night")).status_code == 201
    at = format_instant(desk.clock.now)
    told = {"order_version": 1, "respondent_id": "R1", "kind": "PERSONAL", "noticed_at": at}
    assert (await desk.send("POST", "orders/O1/notices", "ann", told)).status_code == 201
    assert (await desk.approve(await desk.draft(), "bob")).status_code == 201

    async def shown() -> tuple[Any, Any]:
        listed, one = (await desk.get("orders"))["orders"][0], await desk.get("orders/O1")
        return listed["second_check"], one["second_check"]

    assert await shown() == ("NOT SECOND-CHECKED", "NOT SECOND-CHECKED")
    later = {**told, "order_version": 2, "noticed_at": format_instant(desk.clock.now)}
    assert (await desk.send("POST", "orders/O1/notices", "ann", later)).status_code == 201
    assert await shown() == (None, None)


async def test_one_person_alone_never_replaces_what_two_approved(desk: Desk) -> None:
    """Neither as an emergency, nor as one that only gives relief; what two approved is still watched."""
    await desk.in_force()
    draft = await desk.draft(kind="EMERGENCY", relief=True)
    body = await desk.statement(draft, relief="YES") | {"emergency_reason_text": "night"}
    path = f"order-drafts/{draft['draft_number']}/approval"
    answer = await desk.send("POST", path, "ann", body, if_match=draft["etag"])
    assert answer.status_code == 403
    assert [item["kind"] for item in (await desk.get("orders/O1/history"))["records"]] == [
        "VERSION",
        "NOTICE",
    ]
    assert await desk.outcome(desk.clock.now) == []


async def test_one_person_alone_gives_no_relief(desk: Desk) -> None:
    draft = await desk.draft(kind="EMERGENCY", relief=True)
    answer = await desk.approve(draft, "ann", emergency_reason_text="night")
    assert (answer.status_code, "cannot put relief in force" in answer.text) == (403, True)


async def test_of_two_emergency_entries_of_one_order_at_once_one_counts(desk: Desk) -> None:
    drafts = [await desk.draft(kind="EMERGENCY") for _ in range(4)]
    answers = await asyncio.gather(
        *(desk.approve(draft, "ann", emergency_reason_text="night") for draft in drafts)
    )
    assert sorted(answer.status_code for answer in answers) == [201, 409, 409, 409]
    kinds = [item["kind"] for item in (await desk.get("orders/O1/history"))["records"]]
    assert kinds == ["VERSION", "PROVISIONAL"]


async def test_alone_only_where_the_policy_allows_this_kind(desk: Desk) -> None:
    draft = await desk.draft(kind="FINAL")
    assert (await desk.approve(draft, "ann", emergency_reason_text="hurry")).status_code == 403


async def test_validation_falls_due_and_a_validation_moves_it(desk: Desk) -> None:
    await desk.in_force()
    entered = desk.clock.now
    for days, expected in ((59, []), (61, ["VALIDATION_DUE"]), (91, ["VALIDATION_OVERDUE"])):
        desk.clock.now = entered + timedelta(days=days)
        assert [item["kind"] for item in (await desk.get("orders-due"))["due"]] == expected
    body = {"validated_at": format_instant(desk.clock.now), "source_text": "docket, page 3"}
    assert (await desk.send("POST", "orders/O1/validations", "ann", body)).status_code == 201
    assert (await desk.get("orders-due"))["due"] == []
    desk.clock.now = entered + timedelta(days=91 + 340)
    assert [item["kind"] for item in (await desk.get("orders-due"))["due"]] == ["VALIDATION_DUE"]


async def test_not_served_and_soon_over_are_due(desk: Desk) -> None:
    assert (await desk.approve(await desk.draft(), "bob")).status_code == 201
    assert [item["kind"] for item in (await desk.get("orders-due"))["due"]] == ["NOT_SERVED"]
    desk.clock.now = datetime(2027, 12, 20, tzinfo=UTC)
    kinds = [item["kind"] for item in (await desk.get("orders-due?within_days=20"))["due"]]
    assert kinds == ["VALIDATION_OVERDUE", "NOT_SERVED", "EXPIRING"]


_NOTICE = {"order_version": 1, "respondent_id": "R1", "kind": "MAIL", "noticed_at": "2026-03-01T00:00:00Z"}
_PAUSE = {"from_at": "2026-03-02T00:00:00Z", "until_at": "2026-03-01T00:00:00Z", "reason_text": "x"}


@pytest.mark.parametrize(
    ("path", "body", "pointer"),
    [
        ("notices", _NOTICE | {"order_version": 2}, "/order_version"),
        ("notices", _NOTICE | {"respondent_id": "R7"}, "/respondent_id"),
        ("notices", _NOTICE | {"noticed_at": "2027-03-01T00:00:00Z"}, "/noticed_at"),
        ("suspensions", _PAUSE, "/until_at"),
        ("recalls", {"recalled_at": "2026-03-02T00:00:00Z", "reason_text": " "}, "/reason_text"),
        ("recalls", {"recalled_at": "2026-03-02T00:00:00Z"}, "/reason_text"),
        ("validations", {"validated_at": "2027-03-02T00:00:00Z", "source_text": "docket"}, "/validated_at"),
        ("validations", {"validated_at": "1990-03-02T00:00:00Z", "source_text": "docket"}, "/validated_at"),
        ("validations", {"validated_at": "2026-03-02T00:00:00Z", "source_text": " "}, "/source_text"),
        ("notices", _NOTICE | {"noticed_at": "2016-03-01T00:00:00Z"}, "/noticed_at"),
        ("recalls", {"recalled_at": "1901-03-02T00:00:00Z", "reason_text": "dismissed"}, "/recalled_at"),
    ],
)
async def test_an_act_that_does_not_hold_is_refused_with_its_field(
    desk: Desk, path: str, body: Json, pointer: str
) -> None:
    await desk.in_force()
    answer = await desk.send("POST", f"orders/O1/{path}", "ann", body)
    assert answer.status_code == 422
    assert [item["pointer"] for item in answer.json()["problems"]] == [pointer]
    assert len((await desk.get("orders/O1/history"))["records"]) == 2


async def test_an_unusual_act_is_refused_until_somebody_says_that_it_is_so(desk: Desk) -> None:
    """What it would do is said; with whoever accepted it, that is audited."""
    await desk.in_force()
    recall = {"recalled_at": "2027-03-06T00:00:00Z", "reason_text": "dismissed"}
    refused = await desk.send("POST", "orders/O1/recalls", "ann", recall, idempotency_key="r")
    assert refused.status_code == 422
    (problem,) = refused.json()["problems"]
    assert problem["pointer"] == "/recalled_at"
    assert "the order alerts until then" in refused.text
    assert "unusual_accepted" in refused.text
    accepted = recall | {"unusual_accepted": True}
    answers = [
        await desk.send("POST", "orders/O1/recalls", "ann", accepted, idempotency_key="r") for _ in "12"
    ]
    assert [answer.status_code for answer in answers] == [201, 201]
    assert [item["kind"] for item in (await desk.get("orders/O1/history"))["records"]][2:] == ["RECALL"]
    async with desk.pool.acquire() as conn:
        acts = [e for e in await load_entries(conn, "orders") if e.entry_type == "ORDER_ACTED"]
    (text,) = open_entry(desk.seal, acts[-1]).details["unusual_accepted"]
    assert "the order alerts until then" in text
    assert open_entry(desk.seal, acts[0]).details["unusual_accepted"] == []


async def test_what_is_recalled_is_not_confirmed(desk: Desk) -> None:
    draft = await desk.draft(kind="EMERGENCY")
    assert (await desk.approve(draft, "ann", emergency_reason_text="night")).status_code == 201
    recall = {"recalled_at": format_instant(desk.clock.now), "reason_text": "the judge refused"}
    assert (await desk.send("POST", "orders/O1/recalls", "ann", recall)).status_code == 201
    answer = await desk.send("POST", "orders/O1/versions/1/confirmation", "bob", TYPED)
    assert (answer.status_code, "was recalled" in answer.text) == (409, True)
    kinds = [item["kind"] for item in (await desk.get("orders/O1/history"))["records"]]
    assert "CONFIRMATION" not in kinds


async def test_looks_and_acts_are_audited_and_nothing_of_a_person_stands_in_the_clear(desk: Desk) -> None:
    await desk.in_force()
    await desk.get("orders/O1")
    await desk.get("orders")
    await desk.get("orders/O1/history")
    async with desk.pool.acquire() as conn:
        looks = [entry.entry_type for entry in await load_entries(conn, "web")]
        acts = [entry.entry_type for entry in await load_entries(conn, "orders")]
        rows = [
            str(dict(row))
            for table in (
                "order_draft",
                "order_draft_edit",
                "order_approval",
                "order_request",
                "order_record",
            )
            for row in await conn.fetch(f"SELECT * FROM {table}")
        ]
    assert looks == ["ORDER_DRAFT_VIEWED", "ORDER_VIEWED", "ORDERS_LISTED", "ORDER_VIEWED"]
    assert acts == [
        "ORDER_DRAFTED", "ORDER_RECORDED", "ORDERS_IMPORTED", "ORDER_APPROVED",
        "ORDER_RECORDED", "ORDERS_IMPORTED", "ORDER_ACTED",
    ]  # fmt: skip
    for secret in ("Robin", "F-2026", "XYZ", "bob", "ann"):
        assert not [row for row in rows if secret in row]


async def test_an_orders_file_needs_no_approval_here(desk: Desk) -> None:
    """It is the feed of a court system with an approval of its own."""
    content = {**draft_content(), "version": 1, "recorded_at": "2026-01-05T18:00:00Z"}
    data = json.dumps({"schema": "orders.v1", "orders": [content]}).encode()
    imported = await import_file(desk.pool, desk.seal, data, POLICY, actor="feed", at=START)
    assert not imported.outcome.has_errors
    assert (await desk.get("orders/O1"))["second_check"] is None
    assert (await desk.draft())["version"] == 2
