"""A batch is judged in slices: no slice, and no neighbour, changes what a record becomes."""

import asyncio
import random
from collections.abc import Collection, Mapping
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from bench.workload import make_workload
from stayaway.audit.entries import NO_ENTRY_HASH, StreamHead, partition_stream
from stayaway.matching.engine import Engine
from stayaway.orders.model import CourtOrder
from stayaway.orders.registry import RegistrySnapshot
from stayaway.platform import turns
from stayaway.worker import judge
from stayaway.worker.coverage import Coverage, Knowledge, PartitionState
from stayaway.worker.follow import Registry
from stayaway.worker.judge import JudgedPart, Part, judge_parts

AT = datetime(2026, 3, 6, tzinfo=UTC)
KNOWLEDGE = Knowledge(registry_sequence=1, known_at=AT, policy_sha256="p", engine="e")


def part_of(partition: int, values: list[bytes | None]) -> Part:
    topic = "reads"
    state = PartitionState(
        topic=topic,
        partition=partition,
        epoch=1,
        next_offset=10,
        last_record_offset=None,
        last_record_digest=None,
        head=StreamHead(partition_stream(topic, partition), 0, NO_ENTRY_HASH),
        hold_reason=None,
        coverage=Coverage.opened(10, AT, KNOWLEDGE, b"s" * 32),
    )
    return Part(state=state, offsets=range(10, 10 + len(values)), values=values)


class AtHand:
    """All orders are those of the snapshot. `asked`: how often."""

    asked = 0

    async def orders(
        self, snapshot: RegistrySnapshot, order_ids: Collection[str]
    ) -> Mapping[str, CourtOrder]:
        self.asked += 1
        return {order_id: snapshot.orders[order_id] for order_id in order_ids}


def told(judged: list[JudgedPart]) -> list[object]:
    return [replace(item, ages_us=item.ages_us.tolist()) for item in judged]


@pytest.mark.parametrize("size", [1, 7, 64, 10_000])
async def test_slices_change_nothing(size: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Matches, refusals, tombstones and counts are each part's own, whatever the slice."""
    workload = make_workload(300)
    values: list[bytes | None] = [*workload.events(1_000), None, b"{", b'{"schema":"plate_read.v1"}'] * 2
    random.Random(5).shuffle(values)
    parts = [part_of(0, values[:900]), part_of(1, values[900:901]), part_of(2, values[901:])]
    source = AtHand()
    registry = Registry(Engine(workload.snapshot, workload.policy), workload.policy, KNOWLEDGE, source)
    alone = [(await judge_parts([part], registry))[0] for part in parts]
    monkeypatch.setattr(judge, "SLICE", size)
    source.asked = 0
    together = await judge_parts(parts, registry)
    assert source.asked == 1  # for all orders of all parts
    assert told(together) == told(alone)
    assert sum(item.tally.refused for item in together) == 6
    assert any(item.stored for item in together)


class Heartbeat:
    """Another task, and how many turns it got while a batch of so many events was judged."""

    def __init__(self) -> None:
        self.turns = 0

    async def while_judging(self, events: int) -> int:
        workload = make_workload(10)
        registry = Registry(Engine(workload.snapshot, workload.policy), workload.policy, KNOWLEDGE, AtHand())
        task = asyncio.create_task(self._beat())
        await judge_parts([part_of(0, list(workload.events(events)))], registry)
        task.cancel()
        return self.turns

    async def _beat(self) -> None:
        while True:
            self.turns += 1
            await asyncio.sleep(0)


async def test_other_tasks_go_on_between_slices(monkeypatch: pytest.MonkeyPatch) -> None:
    """A heartbeat waits for one slice, not for the batch."""
    monkeypatch.setattr(judge, "SLICE", 10)
    monkeypatch.setattr(turns, "SLICE_S", 0)
    assert await Heartbeat().while_judging(100) >= 10


async def test_what_takes_no_longer_than_a_turn_is_judged_in_one_stretch(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Its alerts wait for nobody else's turn."""
    monkeypatch.setattr(judge, "SLICE", 10)
    monkeypatch.setattr(turns, "SLICE_S", 60)
    assert await Heartbeat().while_judging(100) == 0
