"""On assignment the log must be the one that was read: else the partition is held until a gap is recorded."""

import asyncio
from collections.abc import AsyncIterator

import asyncpg
import pytest

from stayaway.kernel.errors import ConflictError
from stayaway.platform.embedded.broker import EmbeddedBroker
from stayaway.worker.partitions import record_gap
from support.worker_rig import NOW, READS, Rig, read, running


@pytest.fixture
async def again(rig: Rig) -> AsyncIterator[Rig]:
    """The topics, empty, on another broker, after two reads of the first one."""
    rig.publish(READS, [read(event_id="1"), read(event_id="2")])
    await rig.run_until(2)
    with EmbeddedBroker() as broker:
        made = Rig(rig.dsn, broker.bootstrap, rig.seal)
        await made.make_topics()
        yield made


async def test_a_topic_made_again_is_held_until_a_gap(rig: Rig, again: Rig) -> None:
    again.publish(READS, [read(event_id=str(n)) for n in range(3, 6)])
    await held(again, "LAST_RECORD_DIFFERS")
    conn = await asyncpg.connect(rig.dsn)
    await record_gap(conn, rig.seal, (READS, 0), 0, actor="op", reason_text="new topic", at=NOW)
    with pytest.raises(ConflictError):
        await record_gap(conn, rig.seal, (READS, 0), 0, actor="op", reason_text="twice", at=NOW)
    await conn.close()
    await again.run_until(3)
    assert [row["sighting_count"] for row in await rig.alerts()] == [5]
    await rig.streams_verify()
    gaps = await rig.payloads("GAP")
    assert [(gap["from"], gap["to"], gap["hold_reason"]) for gap in gaps] == [(2, 0, "LAST_RECORD_DIFFERS")]


async def test_a_log_that_ends_before_the_position_is_held(again: Rig) -> None:
    await held(again, "LOG_ENDS_BEFORE_POSITION")


async def held(rig: Rig, reason: str) -> None:
    """Run a matcher until it holds the first partition."""
    async with running(rig.worker()), asyncio.timeout(15):
        while not await rig.rows("SELECT FROM partition_position WHERE hold_reason = $1", reason):  # noqa: ASYNC110
            await asyncio.sleep(0.05)
    assert [entry["reason"] for entry in await rig.payloads("PARTITION_HELD")] == [reason]
