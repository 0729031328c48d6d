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


async def judged(matcher: Matcher, state: PartitionState, *values: bytes) -> PartitionState:
    after = await matcher.judge(state, list(values))
    assert after is not None
    return after


async def test_only_a_move_without_rows_does_not_wait_for_the_disk(rig: Rig) -> None:
    conn = await asyncpg.connect(rig.dsn)
    await conn.execute(_NOTE_HOW)
    # The tests' own server waits for no disk.
    name = await conn.fetchval("SELECT current_database()")
    await conn.execute(f'ALTER DATABASE "{name}" SET synchronous_commit = on')
    matcher = Matcher(rig)
    state = await matcher.claim()
    state = await judged(matcher, state, STRANGER, STRANGER)
    state = await judged(matcher, state, read())
    await judged(matcher, state, STRANGER)
    own = await matcher.database.connection()
    assert await own.fetchval("SHOW synchronous_commit") == "on"
    noted = await conn.fetch("SELECT * FROM noted WHERE next_offset > 0 ORDER BY next_offset")
    assert [tuple(row) for row in noted] == [(2, "off"), (3, "on"), (4, "off")]
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
