"""What must be on the disk before it counts, and what a crashed server may lose without harm."""

from typing import Any

import asyncpg

from stayaway.worker.coverage import PartitionState
from support.handed_batches import Matcher
from support.tampering import tamper
from support.worker_rig import READS, Rig, read

_NOTE_HOW = """
CREATE TABLE noted (next_offset bigint, synchronous_commit text);
CREATE FUNCTION note_how() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO noted VALUES (NEW.next_offset, current_setting('synchronous_commit'));
    RETURN NULL;
END $$;
CREATE TRIGGER note_how AFTER UPDATE ON partition_position FOR EACH ROW EXECUTE FUNCTION note_how();
"""
STRANGER = read(plate="ZZZ9999", event_id="stranger")
VAGUE = read(plate="BAK 471", accuracy_m=100_000, event_id="vague")
"""The respondent's plate, and a position known too badly: kept, suppressed."""


async def judged(matcher: Matcher, state: PartitionState, *values: bytes) -> PartitionState:
    after = await matcher.judge(state, list(values))
    assert after is not None
    return after


async def note_how(rig: Rig) -> asyncpg.Connection:
    """From now on each move notes how its transaction commits."""
    conn = await asyncpg.connect(rig.dsn)
    await conn.execute(_NOTE_HOW)
    # The tests' own server waits for no disk.
    name = await conn.fetchval("SELECT current_database()")
    await conn.execute(f'ALTER DATABASE "{name}" SET synchronous_commit = on')
    return conn


async def test_only_a_move_that_tells_nobody_anything_does_not_wait_for_the_disk(rig: Rig) -> None:
    conn = await note_how(rig)
    matcher = Matcher(rig)
    state = await matcher.claim()
    state = await judged(matcher, state, STRANGER, STRANGER)
    state = await judged(matcher, state, read())
    state = await judged(matcher, state, STRANGER)
    state = await judged(matcher, state, VAGUE)
    await judged(matcher, state, VAGUE, read(event_id="again"))
    own = await matcher.database.connection()
    assert await own.fetchval("SHOW synchronous_commit") == "on"
    noted = await conn.fetch("SELECT * FROM noted WHERE next_offset > 0 ORDER BY next_offset")
    expected = [(2, "off"), (3, "on"), (4, "off"), (5, "off"), (7, "on")]
    assert [tuple(row) for row in noted] == expected
    await conn.close()


async def test_a_dead_letter_waits_for_the_disk(rig: Rig) -> None:
    conn = await note_how(rig)
    rig.publish(READS, [b"{}"])
    await rig.run_until(1)
    noted = await conn.fetch("SELECT * FROM noted WHERE next_offset > 0")
    assert {tuple(row) for row in noted} == {(1, "on")}
    await conn.close()


async def test_a_move_that_a_crash_took_back_is_made_again(rig: Rig) -> None:
    """The row as it was, in the place of the one that never reached the disk: what a recovery leaves."""
    matcher = Matcher(rig)
    first = await judged(matcher, await matcher.claim(), read())
    before = await whole_row(rig)
    moved = await judged(matcher, first, STRANGER, STRANGER)
    await put_back(rig, before)

    again = read(event_id="later", observed_at="2026-03-06T20:16:00Z", received_at="2026-03-06T20:16:01Z")
    assert await matcher.judge(moved, [again]) is None, "the position in hand is not the database's"
    assert len(await rig.rows("SELECT FROM sighting")) == 1

    state = await matcher.claim()
    assert state.next_offset == first.next_offset
    state = await judged(matcher, state, STRANGER, STRANGER, again)
    assert state.next_offset == moved.next_offset + 1
    assert [row["sighting_count"] for row in await rig.alerts()] == [2]
    await rig.check_promises()


async def test_suppressed_decisions_that_a_crash_took_back_are_made_again(rig: Rig) -> None:
    """With their evidence and the position, as they stand in one transaction."""
    matcher = Matcher(rig)
    first = await matcher.claim()
    before = await whole_row(rig)
    await judged(matcher, first, STRANGER, VAGUE)
    told = await decided(rig)
    await put_back(rig, before)
    conn = await asyncpg.connect(rig.dsn)
    for table in ("decision", "sighting"):
        await tamper(conn, f"DELETE FROM {table}")
    await conn.close()
    assert await decided(rig) == []

    state = await judged(matcher, await matcher.claim(), STRANGER, VAGUE)
    assert state.next_offset == 2
    assert await decided(rig) == told
    assert [row["outcome"] for row in told] == ["SUPPRESSED"]
    await rig.check_promises()


async def decided(rig: Rig) -> list[dict[str, Any]]:
    """All that the decisions show; what is sealed is never the same twice."""
    rows = await rig.rows("SELECT * FROM decision JOIN sighting USING (order_id, source, event_id)")
    return [{name: value for name, value in row.items() if not name.endswith("_sealed")} for row in rows]


async def whole_row(rig: Rig) -> dict[str, Any]:
    [row] = await rig.rows("SELECT * FROM partition_position WHERE topic = $1", READS)
    return row


async def put_back(rig: Rig, row: dict[str, Any]) -> None:
    names = [name for name in row if name not in ("topic", "partition")]
    settings = ", ".join(f"{name} = ${place}" for place, name in enumerate(names, start=1))
    conn = await asyncpg.connect(rig.dsn)
    await tamper(
        conn,
        f"UPDATE partition_position SET {settings} WHERE topic = ${len(names) + 1}",
        *(row[name] for name in names),
        READS,
    )
    await conn.close()
