"""An alert that stands but is judged otherwise after its order changed: the log keeps what it said before."""

import copy
import hashlib
import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import asyncpg
import pytest

from stayaway.alerts.order_changes import Imported, import_orders
from stayaway.alerts.review import claim
from stayaway.alerts.review_model import Reviewer
from stayaway.audit.entries import open_entry
from stayaway.audit.store import load_entries, verify_stream
from stayaway.kernel.instants import format_instant
from stayaway.kernel.jsontext import parse_json
from stayaway.platform.postgres import Pool, open_pool
from stayaway.platform.seal import FileSeal
from support.databases import SERVERS
from support.desk import opened_desk
from support.direct_writer import DirectWriter
from support.recording import record
from support.tampering import tamper
from support.wire_examples import CHECK_IN, ORDERS, example_policy

pytestmark = pytest.mark.parametrize("databases", SERVERS, indirect=True)

POLICY = example_policy()
NOW = datetime(2026, 3, 6, 21, 0, tzinfo=UTC)
DESCRIBED = ("source", "event_id", "zone_id", "order_version", "match_kind", "region_match", "description")


def blurred() -> bytes:
    """Version 2: the place that it is measured from is known to 150 m only; who was inside may have been."""
    file = copy.deepcopy(ORDERS)
    file["orders"][0] |= {"version": 2, "recorded_at": format_instant(NOW)}
    file["orders"][0]["zones"][0]["anchor_accuracy_m"] = 150
    file["notices"][0] |= {"order_version": 2, "recorded_at": format_instant(NOW)}
    return json.dumps(file).encode()


async def entries(conn: asyncpg.Connection, seal: FileSeal, entry_type: str) -> list[Mapping[str, Any]]:
    rows = await load_entries(conn, "orders")
    return [open_entry(seal, row).details for row in rows if row.entry_type == entry_type]


async def revise(pool: Pool, seal: FileSeal) -> Imported:
    return await import_orders(pool, seal, blurred(), POLICY, actor="feed", at=NOW)


@pytest.fixture
async def number(conn: asyncpg.Connection, seal: FileSeal) -> int:
    """An open alert of two sightings, claimed."""
    await record(conn, seal, copy.deepcopy(ORDERS))
    writer = DirectWriter(conn, seal, POLICY)
    await writer.load()
    await writer.write([seen_at(30), seen_at(31)])
    found: int = await conn.fetchval("SELECT alert_number FROM alert")
    await claim(conn, seal, found, Reviewer(name="dora", channel="cli"), now=NOW - timedelta(minutes=20))
    return found


def seen_at(minute: int) -> bytes:
    at = format_instant(datetime(2026, 3, 6, 20, minute, tzinfo=UTC))
    return json.dumps({**CHECK_IN, "event_id": f"e{minute}", "observed_at": at, "received_at": at}).encode()


async def test_the_log_keeps_what_a_revised_alert_and_its_decisions_said(
    number: int, database: str, conn: asyncpg.Connection, seal: FileSeal
) -> None:
    """What it was decided on then, and digests of the steps: the rows say only what is so now."""
    before = await conn.fetchrow("SELECT * FROM alert WHERE alert_number = $1", number)
    decided = await conn.fetch("SELECT * FROM decision ORDER BY observed_at")
    details = [seal.unseal("O1", "decision", row["detail_sealed"]) for row in decided]
    async with await open_pool(database, wait_s=5, on_wait=print) as pool:
        imported = await revise(pool, seal)
    after = await conn.fetchrow("SELECT * FROM alert WHERE alert_number = $1", number)
    assert before is not None
    assert after is not None
    assert imported.revised == (after["alert_id"],)
    assert (before["zone_relation"], after["zone_relation"]) == ("INSIDE", "INSIDE_WITHIN_ERROR")

    (entry,) = await entries(conn, seal, "ALERT_REVISED")
    assert (entry["alert_id"], entry["respondent_id"]) == (after["alert_id"], "R1")
    assert entry["registry_sequence"] == 2
    for name in ("order_versions", "zone_ids", "sighting_count", "match_kind", "zone_relation", "cautions"):
        assert (entry["before"][name], entry[name]) == (before[name], after[name]), name
    assert entry["before"]["state"] == "CLAIMED"
    assert len(entry["decisions_before"]) == 2
    for kept, row, detail in zip(entry["decisions_before"], decided, details, strict=True):
        assert [kept[name] for name in DESCRIBED] == [row[name] for name in DESCRIBED]
        assert (kept["zone_relation"], kept["registry_sequence"]) == ("INSIDE", 1)
        assert kept["policy_sha256"] == POLICY.sha256
        assert kept["decided_at"] == format_instant(row["decided_at"])
        assert kept["detail_sha256"] == hashlib.sha256(detail).hexdigest()
        for name in ("order_sha256", "input_sha256"):
            assert kept[name] == parse_json(detail)[name]
    assert await verify_stream(conn, seal, "orders") == []


async def test_a_change_that_changes_nothing_of_an_alert_leaves_no_entry_of_it(
    number: int, database: str, conn: asyncpg.Connection, seal: FileSeal
) -> None:
    async with await open_pool(database, wait_s=5, on_wait=print) as pool:
        await revise(pool, seal)
        again = {"order_id": "O1", "recorded_at": format_instant(NOW), "reason_text": "later"}
        pause = again | {"from_at": "2026-05-01T00:00:00Z", "until_at": "2026-05-02T00:00:00Z"}
        file = {"schema": "orders.v1", "orders": [], "suspensions": [pause]}
        data = json.dumps(file).encode()
        assert (await import_orders(pool, seal, data, POLICY, actor="feed", at=NOW)).revised == ()
    assert len(await entries(conn, seal, "ALERT_REVISED")) == 1


@pytest.mark.parametrize(
    ("recalled_at", "entry_type"),
    [("2026-03-06T20:00:00Z", "ALERT_WITHDRAWN"), ("2026-03-06T20:45:00Z", "ALERT_ORDER_ENDED")],
)
async def test_the_log_keeps_it_too_of_what_is_withdrawn_or_ended(
    number: int, database: str, conn: asyncpg.Connection, seal: FileSeal, recalled_at: str, entry_type: str
) -> None:
    """Their decisions are overwritten as well; one entry an alert says so."""
    recall = {"order_id": "O1", "recorded_at": format_instant(NOW), "recalled_at": recalled_at}
    file = {"schema": "orders.v1", "orders": [], "recalls": [recall | {"reason_text": "court"}]}
    async with await open_pool(database, wait_s=5, on_wait=print) as pool:
        await import_orders(pool, seal, json.dumps(file).encode(), POLICY, actor="feed", at=NOW)
    (entry,) = await entries(conn, seal, entry_type)
    assert entry["before"]["state"] == "CLAIMED"
    assert [kept["zone_relation"] for kept in entry["decisions_before"]] == ["INSIDE", "INSIDE"]
    assert await entries(conn, seal, "ALERT_REVISED") == []


async def test_an_act_that_revises_an_alert_says_so_by_the_same_entry(
    database: str, conn: asyncpg.Connection, seal: FileSeal
) -> None:
    """The notice of an approved version: it was told before the sighting, and decides that now."""
    async with opened_desk(database, seal) as desk:
        await desk.in_force()
        at = desk.clock.now + timedelta(seconds=1)
        number = await desk.open_alert(at, claimed_by="dora")
        second = await desk.draft("ann", case_number="F-2026-00117")
        assert (await desk.approve(second, "cleo")).status_code == 201
        assert await entries(conn, seal, "ALERT_REVISED") == []
        noticed = {"respondent_id": "R1", "kind": "PERSONAL", "noticed_at": format_instant(at)}
        body = {"order_version": 2, **noticed, "unusual_accepted": True}
        done = await desk.send("POST", "orders/O1/notices", "ann", body)
        assert done.status_code == 201, done.text
        alert = await desk.get(f"alerts/{number}")
    named = [entry["alert_id"] for entry in await entries(conn, seal, "ALERT_REVISED")]
    told = done.json()["alerts_revised"]
    assert (named, told) == ([alert["alert_id"]], [alert["alert_id"]])


async def test_a_detail_that_does_not_open_any_more_keeps_no_change_out(
    number: int, database: str, conn: asyncpg.Connection, seal: FileSeal
) -> None:
    """A recall or a new version counts more than to prove what somebody has changed outside."""
    assert await tamper(conn, "UPDATE decision SET detail_sealed = 'x' WHERE event_id = 'e30'")
    async with await open_pool(database, wait_s=5, on_wait=print) as pool:
        assert len((await revise(pool, seal)).revised) == 1
    (entry,) = await entries(conn, seal, "ALERT_REVISED")
    assert [kept["detail_sha256"] is None for kept in entry["decisions_before"]] == [True, False]
