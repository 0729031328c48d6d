"""How the statements of a commit find their rows, whatever the tables hold."""

import asyncio

import asyncpg
import pytest

from stayaway.worker.coverage import PartitionState
from support.handed_batches import Matcher
from support.worker_rig import READS, Rig, read

CONNECTED = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'stayaway matcher'"
OF_ONE_ROW = {"registry", "outbox_head"}
RAISED = read(event_id="e1")
EXTENDED = read(event_id="e2", observed_at="2026-03-06T20:16:00Z", received_at="2026-03-06T20:16:01Z")
CHANGED = read(event_id="e1", colour="blue")
"""The first's id with other content: both are flagged, and their alert."""
VAGUE = read(plate="BAK 471", accuracy_m=100_000, event_id="vague")
STRANGER = read(plate="ZZZ9999", event_id="stranger")


async def _read_whole(conn: asyncpg.Connection) -> dict[str, int]:
    """How often each table of any number of rows was read from its beginning to its end."""
    rows = await conn.fetch("SELECT relname, seq_scan FROM pg_stat_user_tables")
    return {row["relname"]: row["seq_scan"] for row in rows if row["relname"] not in OF_ONE_ROW}


async def _judge(matcher: Matcher, state: PartitionState, *values: bytes) -> PartitionState:
    after = await matcher.judge(state, list(values))
    assert after is not None
    own = await matcher.database.connection()
    await own.fetchval("SELECT pg_stat_force_next_flush()")
    return after


@pytest.mark.parametrize("databases", ["embedded", "debian"], indirect=True)
async def test_no_commit_reads_a_whole_table(rig: Rig) -> None:
    """Also where the tables are as good as empty, and reading them whole would seem cheapest."""
    conn = await asyncpg.connect(rig.dsn)
    matcher = Matcher(rig)
    state = await matcher.claim()
    before = await _read_whole(conn)
    for values in ([STRANGER], [RAISED], [EXTENDED, VAGUE], [CHANGED, RAISED], [VAGUE], [STRANGER]):
        state = await _judge(matcher, state, *values)
    assert await _read_whole(conn) == before
    assert await conn.fetchval("SELECT count(*) FROM sighting WHERE content_conflict") == 2
    await conn.close()


async def test_nor_does_a_matcher_on_the_whole_road(rig: Rig) -> None:
    rig.publish(READS, [STRANGER, RAISED, EXTENDED, VAGUE, CHANGED])
    await rig.run_until(5)
    conn = await asyncpg.connect(rig.dsn)
    async with asyncio.timeout(20):  # what a connection counted is there once it has ended
        while await conn.fetchval(CONNECTED):  # noqa: ASYNC110 - what is waited for is in the database
            await asyncio.sleep(0.05)
    whole = await _read_whole(conn)
    assert [whole[name] for name in ("sighting", "decision", "alert")] == [0, 0, 0]
    assert await conn.fetchval("SELECT count(*) FROM decision") == 4
    await conn.close()


@pytest.mark.parametrize("databases", ["embedded", "debian"], indirect=True)
async def test_the_largest_statement_is_planned_once(rig: Rig) -> None:
    matcher = Matcher(rig)
    state = await matcher.claim()
    for minute in range(10):
        at = f"2026-03-06T20:{20 + minute}"
        given = read(event_id=f"m{minute}", observed_at=f"{at}:00Z", received_at=f"{at}:01Z")
        state = await _judge(matcher, state, given)
    own = await matcher.database.connection()
    plans = await own.fetch(
        "SELECT generic_plans, custom_plans FROM pg_prepared_statements"
        " WHERE statement ~ 'UPDATE partition_position' AND statement ~ '^WITH.*INTO decision'"
    )
    assert sum(row["custom_plans"] for row in plans) == 0
    assert sum(row["generic_plans"] for row in plans) == 10
