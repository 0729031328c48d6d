"""Batch after batch: fetched, judged, committed; partitions claimed before and given up after.

While it is behind, one batch is committed while the next is fetched and judged: judging needs no server
and no state but the registry, committing mostly waits (deploy/adr/0012). Which records are committed after
which is settled by the states alone.
"""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from aiokafka import TopicPartition
from aiokafka.errors import KafkaError, NoOffsetForPartitionError, OffsetOutOfRangeError

from stayaway.platform.turns import let_others
from stayaway.worker.assignment import Assignment
from stayaway.worker.batch import BatchRunner
from stayaway.worker.database import PASSING_ERRORS, Database
from stayaway.worker.failpoints import failpoint
from stayaway.worker.follow import RegistryFollower
from stayaway.worker.hold import RegistryHold
from stayaway.worker.judge import SLICE, JudgedBatch, Part
from stayaway.worker.start import raise_if_lasting
from stayaway.worker.watchdog import Watchdog

_POLL_MS = 50
# Enough that a transaction's fixed cost is small for each record, little enough to begin again after
# a lost fence; the loop stands still for a slice of it only (worker/judge.py).
_BATCH_RECORDS = 10_000
_TAKEN_RECORDS = 1_000
# What the client holds ready it asked for a batch ago. Once that is taken it asks again, and what came
# meanwhile need not wait for the batch after this one. The answer is here in a few ms; where nothing
# came, this is what a read waits for nothing.
_FRESH_MS = 8
_UPKEEP_S = 1.0
_HANDOVER_S = 3.0


@dataclass(slots=True, kw_only=True)
class Batches:
    """One consumer's. `busy`: held by whoever changes states. `show`: called each second, for the gauges."""

    consumer: Any
    assignment: Assignment
    runner: BatchRunner
    database: Database
    follower: RegistryFollower
    hold: RegistryHold
    watchdog: Watchdog
    show: Callable[[], None]
    busy: asyncio.Lock = field(default_factory=asyncio.Lock)
    found_records: bool = False
    """Whether the last look did: what can wait rests longer then."""
    _in_hand: JudgedBatch | None = None
    _upkeep_at: float = 0.0

    async def turn(self) -> None:
        """Fetch and judge, beside that commit the batch in hand; a small batch is committed at once.

        While there is a backlog the loop shall never wait. Where there is none, a batch that is committed
        beside the next one is committed later than alone.
        """
        if self.hold.holds():
            await asyncio.sleep(_POLL_MS / 1000)
            return
        if self.assignment.due():
            await self.settle()  # a claim asks where its partition stands
            await self._claim()
        committing = None if self._in_hand is None else asyncio.create_task(self.settle())
        try:
            judged = await self._fetch_and_judge()
        except BaseException:
            if committing is not None:
                committing.cancel()
                await asyncio.wait({committing})
            raise
        if committing is not None:
            await committing
        self._in_hand = judged
        self.found_records = judged is not None
        if judged is None or judged.records <= SLICE:
            await self.settle()

    async def _fetch_and_judge(self) -> JudgedBatch | None:
        try:
            fetched = await self._fetch()
        except (OffsetOutOfRangeError, NoOffsetForPartitionError):
            self._claim_all_again()
            return None
        except KafkaError as error:
            await self._bear(error)
            return None
        await failpoint("after_fetch")
        if not fetched:
            return None
        try:
            parts = await self._take(fetched)
        except PASSING_ERRORS:
            self.database.drop()
            self._claim_all_again()
            return None
        return await self.runner.judge(parts) if parts else None

    async def _fetch(self) -> dict[TopicPartition, list[Any]]:
        """What waits, a batch at most, with turns for others in between: the client takes records apart
        one by one, in one stretch. Raises what the client does, and then nothing was fetched.
        """
        fetched: dict[TopicPartition, list[Any]] = {}
        count, wait_ms, is_last = 0, _POLL_MS, False
        while count < _BATCH_RECORDS:
            try:
                some = await self.consumer.getmany(timeout_ms=wait_ms, max_records=_TAKEN_RECORDS)
            except KafkaError:
                if not count:
                    raise
                break  # whatever is wrong, the client meets it again
            for where, records in some.items():
                fetched.setdefault(where, []).extend(records)
            taken = sum(map(len, some.values()))
            count += taken
            await let_others()
            if not taken or is_last:
                break
            is_last = taken < _TAKEN_RECORDS
            wait_ms = _FRESH_MS if is_last else 0
        return fetched

    async def _take(self, fetched: dict[TopicPartition, list[Any]]) -> list[Part]:
        """The parts to judge. Where a log may not be the one we know, nothing goes on beside that."""
        if not self.assignment.is_unverified:
            return await self.assignment.take(fetched)
        async with self.busy:
            return await self.assignment.take(fetched)

    async def settle(self) -> None:
        """Commit the batch in hand, and see to what is due each second."""
        try:
            async with self.busy:
                batch, self._in_hand = self._in_hand, None
                if batch is not None:
                    await self._commit(batch)
                await self._upkeep()
        except PASSING_ERRORS:
            # What was fetched may not be recorded: seek again to what the database says.
            self.database.drop()
            self._claim_all_again()

    async def _bear(self, error: KafkaError) -> None:
        """A passing error of the group or the broker: fetch again. Raises UnreachableError for others."""
        raise_if_lasting(error)
        await asyncio.sleep(_POLL_MS / 1000)

    async def _claim(self) -> None:
        due = self.assignment.due()
        if not due:
            return
        await failpoint("on_assign")
        try:
            async with self.busy:
                await self.assignment.claim_due(due, self.follower.current.knowledge)
        except PASSING_ERRORS:
            self.database.drop()
            await asyncio.sleep(_POLL_MS / 1000)
        except KafkaError:
            await asyncio.sleep(_POLL_MS / 1000)

    def _claim_all_again(self) -> None:
        for where in self.consumer.assignment():
            self.consumer.pause(where)
            self.assignment.pend((where.topic, where.partition))

    async def _commit(self, batch: JudgedBatch) -> None:
        standing = self.assignment.standing(batch)
        if not standing.judged:
            return
        result = await self.runner.commit(standing)
        for key, state in result.moved.items():
            if key in self.assignment.states:
                self.assignment.states[key] = state
        self.assignment.lost(result.lost)
        self.watchdog.judged(result.moved, result.lost)
        if result.shown is not None:
            self.follower.seen(result.shown)

    async def _upkeep(self) -> None:
        moment = asyncio.get_running_loop().time()
        if moment < self._upkeep_at:
            return
        self._upkeep_at = moment + _UPKEEP_S
        self.show()
        await self.assignment.seal_ranges(self.follower.current.knowledge)
        await self.assignment.look_at_held()

    # ------------------------------------------------------------ giving up

    async def give_up(self, keys: list[tuple[str, int]]) -> None:
        """The group takes these partitions back: finish the batch at hand, seal, let go.

        If that takes too long they are let go at once: the next owner's epoch fences us and it
        seals what was left open.
        """
        await failpoint("on_revoke")
        with suppress(TimeoutError):
            async with asyncio.timeout(_HANDOVER_S):
                await self.settle()
                await self.seal(keys)
        self.assignment.forget(keys)

    async def seal(self, keys: list[tuple[str, int]]) -> None:
        """Close the open ranges of these partitions; where a server is away whoever comes next does."""
        async with self.busy:
            try:
                await self.assignment.seal_ranges(self.follower.current.knowledge, keys=keys)
            except (*PASSING_ERRORS, asyncio.CancelledError) as error:
                self.database.drop()
                if isinstance(error, asyncio.CancelledError):
                    raise
