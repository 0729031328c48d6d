"""A matcher stops in order within 5 seconds, whatever it waits for, and leaves nothing to do again."""

import asyncio
from pathlib import Path

import pytest

from stayaway.platform.embedded.broker import EmbeddedBroker
from stayaway.platform.embedded.postgres import EmbeddedPostgres
from stayaway.platform.migrations import migrate
from stayaway.platform.postgres import connect
from stayaway.platform.seal import FileSeal
from stayaway.worker.watchdog import StuckError
from support.worker_rig import READS, Rig, read, running

STOP_S = 5.0


async def test_a_stop_under_load_leaves_nothing_open(
    database: str, embedded_broker: EmbeddedBroker, seal: FileSeal
) -> None:
    rig = Rig(database, embedded_broker.bootstrap, seal)
    await rig.make_topics()
    await rig.import_orders()
    rig.publish(READS, [read(event_id=str(number)) for number in range(2_000)])
    async with running(rig.worker()):
        await rig.wait_for(1)
    rows = await rig.rows("SELECT next_offset - coverage_from AS open FROM partition_position")
    assert {row["open"] for row in rows} == {0}
    await rig.check_promises()
    await rig.check_log()
    await rig.run_until(2_000)
    assert [row["sighting_count"] for row in await rig.alerts()] == [2_000]


async def test_a_stop_while_postgres_is_away(
    tmp_path: Path, embedded_broker: EmbeddedBroker, seal: FileSeal
) -> None:
    """The batch at hand cannot be recorded: it is left, and the next start reads it again."""
    with EmbeddedPostgres(tmp_path / "postgres") as postgres:
        conn = await connect(postgres.dsn, wait_s=10, on_wait=lambda _: None)
        await migrate(conn)
        await conn.close()
        rig = Rig(postgres.dsn, embedded_broker.bootstrap, seal)
        await rig.make_topics()
        await rig.import_orders()
        rig.publish(READS, [read(event_id="1")])
        worker, stop = rig.worker(), asyncio.Event()
        task = asyncio.create_task(worker.run(stop))
        await rig.wait_for(1)
        postgres.kill()
        rig.publish(READS, [read(event_id="2")])
        stop.set()
        async with asyncio.timeout(STOP_S):
            await task
        postgres.start()
        await rig.run_until(2)
        assert [row["sighting_count"] for row in await rig.alerts()] == [2]
        await rig.check_promises()
        postgres.destroy()


async def test_a_stop_while_kafka_is_waited_for(database: str, seal: FileSeal) -> None:
    stop = asyncio.Event()
    task = asyncio.create_task(Rig(database, "127.0.0.1:1", seal).worker().run(stop))
    await asyncio.sleep(0)
    stop.set()
    async with asyncio.timeout(STOP_S):
        await task


async def test_a_consumer_that_the_group_forgot_ends_the_run(
    database: str, embedded_broker: EmbeddedBroker, seal: FileSeal
) -> None:
    rig = Rig(database, embedded_broker.bootstrap, seal)
    await rig.make_topics()
    worker = rig.worker()
    task = asyncio.create_task(worker.run(asyncio.Event()))
    async with asyncio.timeout(STOP_S):
        while not worker.began:  # noqa: ASYNC110 - the loop has no event for it
            await asyncio.sleep(0.01)
    worker.watchdog._limit_s = -1
    worker.watchdog.without_assignment()
    with pytest.raises(StuckError):
        await asyncio.wait_for(task, STOP_S)
