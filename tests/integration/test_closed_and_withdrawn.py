"""Alerts, open and closed, whose order turned out not to be in force at some of their sightings or all."""

import json
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import asyncpg
import pytest

from stayaway.alerts.explain import explain_alert
from stayaway.alerts.order_changes import import_orders, rejudge_open_alerts
from stayaway.alerts.review import dismiss, load_alert
from stayaway.alerts.review_model import AlertRow, Dismissal, Reviewer
from stayaway.kernel.errors import ConflictError
from stayaway.kernel.instants import format_instant
from stayaway.platform.postgres import Pool, open_pool
from stayaway.platform.seal import FileSeal
from support.databases import SERVERS
from support.direct_writer import NOW, DirectWriter
from support.wire_examples import ORDERS, PLATE_READ, example_policy

pytestmark = pytest.mark.parametrize("databases", SERVERS, indirect=True)

START = datetime(2026, 3, 6, 20, 0, tzinfo=UTC)
POLICY = example_policy()
PLATE = "BAK-471"
"""As in the order; the example read has 8AK471."""
WHO = Reviewer(name="dispatcher", channel="cli")


def read(minutes: float, **changes: Any) -> bytes:
    at = START + timedelta(minutes=minutes)
    instants = {
        "observed_at": format_instant(at),
        "received_at": format_instant(at + timedelta(seconds=2)),
    }
    return json.dumps({**PLATE_READ, "event_id": f"e{minutes:g}", **instants, **changes}).encode()


def suspended(until_minutes: float) -> bytes:
    """A suspension that was in effect from the start and is recorded only now."""
    record = {
        "order_id": "O1",
        "recorded_at": format_instant(NOW),
        "from_at": format_instant(START - timedelta(hours=1)),
        "until_at": format_instant(START + timedelta(minutes=until_minutes)),
        "reason_text": "as the court ordered",
    }
    return json.dumps({"schema": "orders.v1", "orders": [], "suspensions": [record]}).encode()


@pytest.fixture
async def pool(database: str) -> AsyncIterator[Pool]:
    async with await open_pool(database, wait_s=5, on_wait=print) as opened:
        yield opened


async def closed_and_raised_anew(
    pool: Pool, conn: asyncpg.Connection, seal: FileSeal, state: str
) -> DirectWriter:
    """A lookalike plate's alert, closed by dora; then the plate itself is read there."""
    await import_orders(pool, seal, json.dumps(ORDERS).encode(), POLICY, actor="clerk", at=NOW)
    writer = DirectWriter(conn, seal, POLICY)
    await writer.load()
    await writer.write([read(0)])
    await conn.execute("UPDATE alert SET state = $1, disposition = 'MISREAD', disposed_by = 'dora'", state)
    await writer.write([read(1, plate=PLATE)])
    assert await states(conn) == [state, "OPEN"]
    return writer


async def states(conn: asyncpg.Connection) -> list[str]:
    return [row["state"] for row in await conn.fetch("SELECT state FROM alert ORDER BY alert_number")]


async def all_explain_themselves(conn: asyncpg.Connection, seal: FileSeal) -> None:
    for row in await conn.fetch("SELECT alert_number FROM alert"):
        found = await explain_alert(conn, seal, row["alert_number"], WHO, now=NOW)
        assert (found.verdict, found.difference) == ("SAME", None)


@pytest.mark.parametrize(("state", "told"), [("CONFIRMED", "dora"), ("DISMISSED", None)])
async def test_an_episode_without_a_sighting_has_no_alert_closed_or_not(
    pool: Pool, conn: asyncpg.Connection, seal: FileSeal, state: str, told: str | None
) -> None:
    """Whoever confirmed it must acknowledge; what they said stays. The next sighting is an alert of its own:
    counted to the closed one, it would have been shown to nobody.
    """
    writer = await closed_and_raised_anew(pool, conn, seal, state)
    imported = await import_orders(pool, seal, suspended(2), POLICY, actor="clerk", at=NOW)
    assert await states(conn) == ["WITHDRAWN", "WITHDRAWN"]
    assert len(imported.withdrawn) == 2
    (closed,) = await conn.fetch("SELECT * FROM alert ORDER BY alert_number LIMIT 1")
    assert (closed["to_acknowledge_by"], closed["disposition"], closed["disposed_by"]) == (
        told,
        "MISREAD",
        "dora",
    )
    await all_explain_themselves(conn, seal)
    await writer.load()
    await writer.write([read(3)])
    assert await states(conn) == ["WITHDRAWN", "WITHDRAWN", "OPEN"]
    (latest,) = await conn.fetch("SELECT * FROM alert ORDER BY alert_number DESC LIMIT 1")
    assert (latest["sighting_count"], latest["first_observed_at"]) == (1, START + timedelta(minutes=3))
    await all_explain_themselves(conn, seal)


async def test_a_closed_alert_some_of_whose_sightings_stand_shows_those(
    pool: Pool, conn: asyncpg.Connection, seal: FileSeal
) -> None:
    await closed_and_raised_anew(pool, conn, seal, "DISMISSED")
    await import_orders(pool, seal, suspended(0.5), POLICY, actor="clerk", at=NOW)
    assert await states(conn) == ["DISMISSED", "OPEN"]
    counts = [row["sighting_count"] for row in await conn.fetch("SELECT sighting_count FROM alert")]
    assert counts == [1, 1]
    await all_explain_themselves(conn, seal)


async def test_who_acts_on_a_sighting_that_was_withdrawn_since_is_told_so(
    pool: Pool, conn: asyncpg.Connection, seal: FileSeal
) -> None:
    """The alert shows the same kinds and places as before, on fewer sightings. More of them are no reason."""
    await import_orders(pool, seal, json.dumps(ORDERS).encode(), POLICY, actor="clerk", at=NOW)
    writer = DirectWriter(conn, seal, POLICY)
    await writer.load()
    await writer.write([read(0, plate=PLATE), read(1, plate=PLATE)])
    (number,) = [row["alert_number"] for row in await conn.fetch("SELECT alert_number FROM alert")]

    async def show() -> AlertRow:
        return (await load_alert(conn, seal, number, WHO, policy=POLICY, now=NOW)).row

    shown = (await show()).seen
    await writer.write([read(2, plate=PLATE)])
    assert (await show()).seen == shown

    imported = await import_orders(pool, seal, suspended(0.5), POLICY, actor="clerk", at=NOW)
    assert len(imported.revised) == 1
    row = await show()
    assert (row.state, row.sighting_count) == ("OPEN", 2)
    before_all = suspended(-30)  # judged again, to the same end
    await import_orders(pool, seal, before_all, POLICY, actor="clerk", at=NOW)
    assert (await show()).seen == row.seen
    misread = Dismissal(reason_code="MISREAD", seen=shown)
    with pytest.raises(ConflictError, match="evidence changed"):
        await dismiss(conn, seal, number, misread, WHO, now=NOW)
    await dismiss(conn, seal, number, replace(misread, seen=row.seen), WHO, now=NOW)
    await all_explain_themselves(conn, seal)


async def test_judging_again_takes_no_lock_for_each_respondent(
    pool: Pool, conn: asyncpg.Connection, seal: FileSeal
) -> None:
    """Postgres holds some ten thousand locks in all: a file may change the orders of more open alerts."""
    await closed_and_raised_anew(pool, conn, seal, "DISMISSED")
    async with conn.transaction():
        assert await rejudge_open_alerts(conn, seal, ["O1"], POLICY, actor="clerk", at=NOW)
        held = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND pid = pg_backend_pid()"
        assert await conn.fetchval(held) == 0
