"""The locks of a batch: what is waited for is read as it is afterwards, and nothing is taken out of turn."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace

import asyncpg
import pytest

from stayaway.alerts.evidence import Judged
from stayaway.kernel.errors import ConflictError
from stayaway.worker.coverage import PartitionState
from stayaway.worker.locks import Locked, lock_batch
from stayaway.worker.partitions import hold
from support.direct_writer import DirectWriter
from support.handed_batches import Matcher
from support.wire_examples import ORDERS
from support.worker_rig import NOW, READS, Rig, check_in, orders_file, read

_IS_WAITING = "SELECT wait_event_type = 'Lock' FROM pg_stat_activity WHERE pid = $1"
_MOVE_HEAD = "UPDATE order_head SET change_number = change_number + 1 WHERE order_id = $1"
_MOVE_FENCE = (
    "UPDATE partition_position SET next_offset = next_offset + 1 WHERE topic = $1 AND partition = $2"
)


class Scene:
    """Two partitions, an event that matches, and a batch of both that is about to lock."""

    def __init__(
        self, states: Sequence[PartitionState], stored: Sequence[Judged], conns: Sequence[asyncpg.Connection]
    ) -> None:
        self.states = states
        self.stored = stored
        self.batch, self.other, self.looker = conns
        self.order_id = stored[0].decision.matches[0].order_id

    @asynccontextmanager
    async def waiting(self) -> "AsyncIterator[asyncio.Task[Locked]]":
        """The batch waits for a lock that somebody else holds; its transaction ends with this."""
        async with self.batch.transaction():
            task = asyncio.create_task(lock_batch(self.batch, self.states, self.stored))
            async with asyncio.timeout(20):
                while not await self.looker.fetchval(_IS_WAITING, self.batch.get_server_pid()):
                    assert not task.done(), "it did not wait"
                    await asyncio.sleep(0)
            yield task

    async def is_head_free(self) -> bool:
        sql = "SELECT FROM order_head WHERE order_id = $1 FOR UPDATE SKIP LOCKED"
        return bool(await self.looker.fetch(sql, self.order_id))


@pytest.fixture
async def scene(rig: Rig) -> AsyncIterator[Scene]:
    conns = [await asyncpg.connect(rig.dsn) for _ in range(3)]
    matcher = Matcher(rig)
    states = [await matcher.claim(0), await matcher.claim(1)]
    writer = DirectWriter(conns[0], rig.seal, rig.policy)
    await writer.load()
    yield Scene(states, writer.judge([read()]), conns)
    for conn in conns:
        await conn.close()


async def test_all_are_locked_until_commit(scene: Scene) -> None:
    async with scene.batch.transaction():
        locked = await lock_batch(scene.batch, scene.states, scene.stored)
        assert locked.mine == {(READS, 0), (READS, 1)}
        assert locked.heads.keys() == {scene.order_id}
        assert not await scene.is_head_free()
    assert await scene.is_head_free()


async def test_a_partition_that_is_elsewhere_is_not_ours(scene: Scene) -> None:
    states = [scene.states[0], replace(scene.states[1], epoch=scene.states[1].epoch - 1)]
    async with scene.batch.transaction():
        assert (await lock_batch(scene.batch, states, [])).mine == {(READS, 0)}
        states = [replace(scene.states[0], next_offset=7), scene.states[1]]
        assert (await lock_batch(scene.batch, states, [])).mine == {(READS, 1)}


async def test_what_moved_no_offset_fences_too(rig: Rig, scene: Scene) -> None:
    """Who was cut off while holding a partition, or closing its range, comes again with what it knew."""
    known = scene.states[0]
    await hold(scene.other, rig.seal, known, "LAST_RECORD_GONE", {"found_offset": 3}, NOW)
    with pytest.raises(ConflictError):
        await hold(scene.other, rig.seal, known, "LAST_RECORD_GONE", {"found_offset": 3}, NOW)
    async with scene.batch.transaction():
        assert (await lock_batch(scene.batch, scene.states, [])).mine == {(READS, 1)}


async def test_an_order_that_changes_while_it_is_waited_for_is_seen_changed(scene: Scene) -> None:
    before = await scene.other.fetchval(
        "SELECT change_number FROM order_head WHERE order_id = $1", scene.order_id
    )
    changing = scene.other.transaction()
    await changing.start()
    await scene.other.execute(_MOVE_HEAD, scene.order_id)
    async with scene.waiting() as task:
        await changing.commit()
        assert (await task).heads == {scene.order_id: before + 1}


async def test_two_batches_with_one_event_id_see_each_others_contents(rig: Rig) -> None:
    """Of two respondents of one order: the second waits for the first, and both sightings are flagged."""
    order, notice = ORDERS["orders"][0], ORDERS["notices"][0]
    another = {"respondent_id": "R2", "devices": [{"device_id": "D10"}]}
    joint = {**order, "order_id": "O7", "respondents": [*order["respondents"], another]}
    told = [{**notice, "order_id": "O7", "respondent_id": name} for name in ("R1", "R2")]
    await rig.import_orders(orders_file(orders=[joint], notices=told))
    conns = [await asyncpg.connect(rig.dsn) for _ in range(3)]
    first, second = (DirectWriter(conn, rig.seal, rig.policy) for conn in conns[:2])
    await first.load()
    await second.load()
    async with first.conn.transaction():
        await first.write_judged(first.judge([check_in(event_id="77", device_id="D9")]))
        writing = asyncio.create_task(second.write([check_in(event_id="77", device_id="D10")]))
        async with asyncio.timeout(20):
            while not await conns[2].fetchval(_IS_WAITING, second.conn.get_server_pid()):
                assert not writing.done(), "it did not wait"
                await asyncio.sleep(0)
    await writing
    flags = await rig.rows("SELECT content_conflict FROM sighting WHERE order_id = 'O7'")
    assert [row["content_conflict"] for row in flags] == [True, True]
    for conn in conns:
        await conn.close()


async def test_a_fence_that_moves_while_it_is_waited_for_is_lost(scene: Scene) -> None:
    moving = scene.other.transaction()
    await moving.start()
    await scene.other.execute(_MOVE_FENCE, READS, 0)
    async with scene.waiting() as task:
        assert await scene.is_head_free(), "locked before the fence"
        await moving.commit()
        assert (await task).mine == {(READS, 1)}


async def test_after_a_wait_for_the_fence_the_order_is_read_as_it_is_then(scene: Scene) -> None:
    """It changed when this statement had begun already."""
    holding = scene.other.transaction()
    await holding.start()
    await scene.other.execute("SELECT FROM partition_position WHERE topic = $1 FOR UPDATE", READS)
    async with scene.waiting() as task:
        await scene.looker.execute(_MOVE_HEAD, scene.order_id)
        await holding.rollback()
        locked = await task
        now = "SELECT change_number FROM order_head WHERE order_id = $1"
        assert locked.heads == {scene.order_id: await scene.looker.fetchval(now, scene.order_id)}
        assert len(locked.mine) == 2
