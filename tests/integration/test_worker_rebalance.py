"""Matchers that join, leave and vanish on real Kafka: nothing is lost, nothing is judged twice."""

import asyncio
import uuid
from contextlib import suppress

import pytest

from stayaway.platform.seal import FileSeal
from support.kafka_server import KafkaServer
from support.worker_rig import Rig, check_in, running

pytestmark = pytest.mark.real_kafka


@pytest.fixture
async def rig(database: str, real_kafka: KafkaServer, seal: FileSeal) -> Rig:
    name = uuid.uuid4().hex[:8]
    rig = Rig(database, real_kafka.bootstrap, seal, topics=(f"reads-{name}", f"checks-{name}"))
    await rig.make_topics()
    await rig.import_orders()
    return rig


def publish(rig: Rig, numbers: range) -> None:
    """One visit, its members spread over all partitions of both topics."""
    for number in numbers:
        instant = f"2026-03-06T20:{number // 60:02d}:{number % 60:02d}Z"
        value = check_in(event_id=f"c{number}", observed_at=instant, received_at=instant)
        rig.publish(rig.topics[number % 2], [value], partition=number % 4)


async def test_joining_leaving_and_vanishing(rig: Rig) -> None:
    group = uuid.uuid4().hex
    publish(rig, range(40))
    first, second = rig.worker("m1", group=group), rig.worker("m2", group=group)
    vanishing = rig.worker("m3", group=group)
    async with running(first):
        await rig.wait_for(40)
        async with running(second):
            await owners(rig, {"m1", "m2"})
            publish(rig, range(40, 80))
            await rig.wait_for(80)
        publish(rig, range(80, 120))
        await rig.wait_for(120)
        task = asyncio.create_task(vanishing.run(asyncio.Event()))
        await owners(rig, {"m1", "m3"})
        publish(rig, range(120, 160))
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
        await rig.wait_for(160, timeout_s=40)
    alerts = [row for row in await rig.alerts() if row["state"] != "MERGED"]
    assert [row["sighting_count"] for row in alerts] == [160]
    assert len(await rig.rows("SELECT FROM decision")) == 160
    assert second.counters.read > 0
    await rig.check_promises()
    await rig.check_log()


async def owners(rig: Rig, expected: set[str]) -> None:
    """Wait until exactly these own partitions."""
    async with asyncio.timeout(30):
        while {row["owner"] for row in await rig.rows("SELECT owner FROM partition_position")} != expected:  # noqa: ASYNC110
            await asyncio.sleep(0.05)
