"""The partitions this worker has been given: claimed, verified, held, dropped.

Listeners only note what happened (a long wait in one can deadlock a rebalance); claims are made by
the loop, while a new partition is paused. Reading starts at the last judged record, so that its
digest tells whether the log is still the same one.
"""

import asyncio
import hmac
from bisect import bisect_left
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any, Literal

from aiokafka import AIOKafkaConsumer, TopicPartition

from stayaway.kernel.errors import ConflictError
from stayaway.platform.seal import Seal
from stayaway.worker.batch import record_digest
from stayaway.worker.coverage import SEAL_AFTER, Knowledge, PartitionKey, PartitionState
from stayaway.worker.database import Database
from stayaway.worker.judge import JudgedBatch, Part
from stayaway.worker.observe import Observer
from stayaway.worker.partitions import (
    HoldReason,
    claim,
    hold,
    load_known,
    move_with_entries,
    sealed,
    still_held,
)

FirstPosition = Literal["earliest", "latest"]
# A broker that restarts may show an end that is too low for a moment.
_END_PATIENCE_S = 5.0
_RETRY_S = 0.5
_RECLAIM_S = 3.0
_BATCH_SEALS = timedelta(seconds=2)


@dataclass(slots=True)
class Assignment:
    """States by partition; only the worker's loop changes them, under its lock.

    `reading`: up to where records were taken that are not committed yet.
    """

    consumer: AIOKafkaConsumer
    database: Database
    seal: Seal
    owner: str
    first_position: FirstPosition
    clock: Callable[[], datetime]
    observer: Observer
    states: dict[PartitionKey, PartitionState] = field(default_factory=dict)
    held: dict[PartitionKey, str] = field(default_factory=dict)
    reading: dict[PartitionKey, int] = field(default_factory=dict)
    _pending: dict[PartitionKey, float] = field(default_factory=dict)
    _unverified: set[PartitionKey] = field(default_factory=set)
    _short_since: dict[PartitionKey, float] = field(default_factory=dict)

    # ------------------------------------------------------------ noted by listeners

    def assigned(self, given: Iterable[TopicPartition]) -> None:
        """New partitions: paused at once, claimed by the loop."""
        for where in given:
            self.consumer.seek(where, 0)  # any position: without one the client asks the group's, and fails
            self.consumer.pause(where)
            self.pend((where.topic, where.partition))

    def pend(self, key: PartitionKey, after_s: float = 0.0) -> None:
        """Claim it (again) in the loop, `after_s` seconds from now."""
        self.states.pop(key, None)
        self.held.pop(key, None)
        self.reading.pop(key, None)
        self._unverified.discard(key)
        self._pending[key] = asyncio.get_running_loop().time() + after_s

    def forget(self, keys: Iterable[PartitionKey]) -> None:
        """No longer ours."""
        for key in keys:
            self.states.pop(key, None)
            self.held.pop(key, None)
            self.reading.pop(key, None)
            self._pending.pop(key, None)
            self._short_since.pop(key, None)
            self._unverified.discard(key)

    def lost(self, keys: Iterable[PartitionKey]) -> None:
        """Another owner's epoch was found. If the group still gives it to us, it is claimed again later."""
        keys = list(keys)
        self.observer.lost(keys)
        for key in keys:
            self._pause(key)
            self.pend(key, _RECLAIM_S)

    def _pause(self, key: PartitionKey) -> None:
        where = TopicPartition(*key)
        if where in self.consumer.assignment():
            self.consumer.pause(where)

    # ------------------------------------------------------------ claims

    def due(self) -> list[PartitionKey]:
        """Partitions that wait for their claim."""
        now = asyncio.get_running_loop().time()
        given = self.consumer.assignment()
        for key in [key for key in self._pending if TopicPartition(*key) not in given]:
            self.forget([key])
        return sorted(key for key, at in self._pending.items() if at <= now)

    async def claim_due(self, keys: Sequence[PartitionKey], knowledge: Knowledge) -> None:
        """Claim these partitions, and start reading those that are not held."""
        where = [TopicPartition(*key) for key in keys]
        begins: dict[TopicPartition, int] = await self.consumer.beginning_offsets(where)
        ends: dict[TopicPartition, int] = await self.consumer.end_offsets(where)
        conn = await self.database.connection()
        known = await load_known(conn, keys)
        for key, tp in zip(keys, where, strict=True):
            first = None if key in known else (begins[tp] if self.first_position == "earliest" else ends[tp])
            state = await claim(
                conn,
                self.seal,
                key,
                owner=self.owner,
                at=self.clock(),
                knowledge=knowledge,
                first_offset=first,
                first_position=self.first_position,
            )
            await self._begin(state, begins[tp], ends[tp])

    async def _begin(self, state: PartitionState, begin: int, end: int) -> None:
        """Seek to where the database says; or hold, if the log is not there."""
        key = state.key
        if state.hold_reason is not None:
            self._note_held(key, state.hold_reason)
            return
        if state.next_offset < begin:
            await self.hold(state, "OFFSET_GONE", {"log_begin": begin, "log_end": end})
            return
        if state.next_offset > end:
            await self._wait_for_end(state, begin, end)
            return
        self._short_since.pop(key, None)
        where = TopicPartition(*key)
        if where not in self.consumer.assignment():
            self.forget([key])
            return
        self._pending.pop(key, None)
        self.states[key] = state
        self.observer.claimed(state)
        last = state.last_record_offset
        verify = last is not None and last >= begin
        if verify:
            self._unverified.add(key)
        self.consumer.seek(where, last if last is not None and verify else state.next_offset)
        self.consumer.resume(where)

    async def _wait_for_end(self, state: PartitionState, begin: int, end: int) -> None:
        now = asyncio.get_running_loop().time()
        since = self._short_since.setdefault(state.key, now)
        if now - since < _END_PATIENCE_S:
            self.pend(state.key, _RETRY_S)
        else:
            await self.hold(state, "LOG_ENDS_BEFORE_POSITION", {"log_begin": begin, "log_end": end})

    async def hold(self, state: PartitionState, reason: HoldReason, detail: dict[str, int]) -> None:
        """Stop this partition, audited; it stays ours and paused until a GAP is recorded."""
        try:
            await hold(await self.database.connection(), self.seal, state, reason, detail, self.clock())
        except ConflictError:
            self.lost([state.key])
        else:
            self._note_held(state.key, reason)

    def _note_held(self, key: PartitionKey, reason: str) -> None:
        self.forget([key])
        self._pause(key)
        self.held[key] = reason
        self.observer.held(key, reason)

    # ------------------------------------------------------------ records

    async def take(self, fetched: dict[TopicPartition, list[Any]]) -> list[Part]:
        """The parts to work on. Verifies the overlap of what was claimed just now."""
        parts = []
        for where, records in fetched.items():
            key = (where.topic, where.partition)
            state = self.states.get(key)
            if state is None:
                continue  # revoked, held or lost since: nobody's work here
            if key in self._unverified and not await self._verified(state, records[0]):
                continue
            begun = self.reading.get(key, state.next_offset)
            if begun != state.next_offset:  # what comes before is being committed
                state = replace(state, next_offset=begun)
            offsets = _offsets(records)
            first = bisect_left(offsets, state.next_offset)
            if first < len(offsets):
                values = [record.value for record in records[first:]]
                parts.append(Part(state=state, offsets=offsets[first:], values=values))
                self.reading[key] = offsets[-1] + 1
        return parts

    def standing(self, batch: JudgedBatch) -> JudgedBatch:
        """The parts of `batch` that may be committed. What else of it is still ours is read again."""
        found = batch.standing_at(self.states)
        for key in {item.key for item in batch.judged} - {item.key for item in found.judged}:
            if key in self.states:
                self._pause(key)
                self.pend(key)
        return found

    @property
    def is_unverified(self) -> bool:
        """Whether some partition's overlap has to be looked at before its records count."""
        return bool(self._unverified)

    async def _verified(self, state: PartitionState, record: Any) -> bool:
        """Whether the log's first record is the one judged last."""
        self._unverified.discard(state.key)
        if record.offset != state.last_record_offset:
            await self.hold(state, "LAST_RECORD_GONE", {"found_offset": record.offset})
            return False
        if not hmac.compare_digest(record_digest(self.seal, record.value), state.last_record_digest or b""):
            await self.hold(state, "LAST_RECORD_DIFFERS", {"found_offset": record.offset})
            return False
        return True

    # ------------------------------------------------------------ upkeep

    async def seal_ranges(self, knowledge: Knowledge, *, keys: Iterable[PartitionKey] | None = None) -> None:
        """Close the open ranges that are over a minute old; with `keys`, all of those (handover).

        Where records flow the next batch has closed its ranges itself by then, all in its own transaction.
        """
        at = self.clock()
        chosen = [state for key, state in self.states.items() if keys is None or key in set(keys)]
        for state in sorted(chosen, key=lambda state: state.key):
            old = at - state.coverage.opened_at >= SEAL_AFTER + _BATCH_SEALS
            if state.coverage.from_offset == state.next_offset or not (old or keys is not None):
                continue
            entries, after = sealed(state, at, knowledge)
            conn = await self.database.connection()
            try:
                async with conn.transaction():
                    after = await move_with_entries(conn, self.seal, state, after, entries, at)
            except ConflictError:
                self.lost([state.key])
            else:
                self.states[state.key] = after

    async def look_at_held(self) -> None:
        """A GAP was recorded for some: claim those again."""
        if self.held:
            conn = await self.database.connection()
            for key in self.held.keys() - await still_held(conn, self.held):
                self.pend(key)


def _offsets(records: Sequence[Any]) -> Sequence[int]:
    """Ascending, as the log has them. Where none is missing in between, two of them say it all."""
    first, last = records[0].offset, records[-1].offset
    whole = range(first, last + 1)
    return whole if len(whole) == len(records) else [record.offset for record in records]
