"""One batch: decode, judge, dead letters, one transaction; and what follows when that fails.

A lost fence drops that partition only. An order that moved since it was loaded: reload, judge
again. Any failure around the transaction: a new connection is asked where the partitions stand,
because an error on COMMIT says nothing about whether it happened.
"""

import asyncio
import hashlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from aiokafka.errors import KafkaError

from stayaway.alerts.evidence import Judged
from stayaway.alerts.store import Recorded, publication, record_decisions
from stayaway.audit.entries import AuditRow, NewEntry
from stayaway.audit.store import insertion
from stayaway.kernel.steps import Steps
from stayaway.platform.postgres import Connection
from stayaway.platform.seal import SYSTEM_SCOPE, Seal
from stayaway.platform.turns import in_turns, let_others
from stayaway.sightings.dead_letters import Producer, publish_dead_letters, record_dead_letters
from stayaway.worker.breaker import Breaker
from stayaway.worker.coverage import PartitionKey, PartitionState, Shown, Step
from stayaway.worker.database import PASSING_ERRORS, Database
from stayaway.worker.failpoints import failpoint
from stayaway.worker.follow import Registry, RegistryFollower
from stayaway.worker.judge import JudgedBatch, JudgedPart, Part, judge_parts
from stayaway.worker.locks import Locked, lock_batch
from stayaway.worker.observe import Observer
from stayaway.worker.partitions import append, move, reconcile, sealed
from stayaway.worker.patience import Patience


class OrdersMovedError(Exception):
    """An order changed between decision and commit; nothing was written."""


@dataclass(slots=True)
class BatchResult:
    """What became of each part. `shown`: how far the registry was, by the last move."""

    moved: dict[PartitionKey, PartitionState] = field(default_factory=dict)
    lost: set[PartitionKey] = field(default_factory=set)
    shown: Shown | None = None


@dataclass(slots=True)
class _Attempt:
    moved: dict[PartitionKey, PartitionState]
    lost: set[PartitionKey]
    again: list[Part] = field(default_factory=list)
    shown: Shown | None = None
    recorded: Recorded = field(default_factory=Recorded)
    rows: Sequence[AuditRow] = ()


_NULL_VALUE = b"\x00null"
"""What stands for a record without a value; no JSON text begins so."""


def record_digest(seal: Seal, value: bytes | None) -> bytes:
    """The keyed digest by which the log's last record is known again."""
    return seal.reference(SYSTEM_SCOPE, hashlib.sha256(_NULL_VALUE if value is None else value).hexdigest())


class BatchRunner:
    """Judges batches and carries them through to their commit, one at a time."""

    def __init__(
        self,
        *,
        database: Database,
        seal: Seal,
        producer: Producer,
        follower: RegistryFollower,
        breaker: Breaker,
        observer: Observer,
        clock: Callable[[], datetime],
        wait_s: float,
    ) -> None:
        self._database = database
        self._seal = seal
        self._producer = producer
        self._follower = follower
        self._breaker = breaker
        self._observer = observer
        self._clock = clock
        self._wait_s = wait_s

    async def judge(self, parts: Sequence[Part]) -> JudgedBatch:
        """Judge on the registry in use. Orders are read by a connection of their own: it may go on beside
        the batch before.
        """
        began_s, registry = asyncio.get_running_loop().time(), self._follower.current
        judged = await judge_parts(parts, registry)
        judge_s = asyncio.get_running_loop().time() - began_s
        return JudgedBatch(judged=judged, registry=registry, began_s=began_s, judge_s=judge_s)

    async def commit(self, batch: JudgedBatch) -> BatchResult:
        """Returns once every part is committed or lost to another owner.

        What was judged on another registry than the one in use is judged again. Raises
        BreakerTrippedError before anything of a bad batch is recorded, UnreachableError when a server
        stays away over the limit or has heads that moved by no change, and whatever no second try can mend.
        """
        result, records = BatchResult(), batch.records
        judge_s, sent, failures = batch.judge_s, set[PartitionKey](), Patience(self._wait_s)
        todo: JudgedBatch | None = batch
        while todo is not None and todo.judged:
            if self._follower.is_out_of_touch:
                await self._reload(failures)
            if not self._is_of_now(todo):
                todo = await self.judge([item.part for item in todo.judged])
                judge_s += todo.judge_s
            judged = todo.judged
            await let_others()  # digests and rows take the loop for some time again
            await failpoint("after_decide")
            self._breaker.check(sum(j.tally.records for j in judged), sum(j.tally.refused for j in judged))
            try:
                await self._send_letters(judged, sent)
                attempt = await self._commit(judged, todo.registry)
            except OrdersMovedError as error:
                self._observer.retry("ORDERS_MOVED")
                await self._reload(failures)
                if self._is_of_now(todo):  # nothing came that says how: it would be refused again at once
                    await failures.pause(error)
                continue
            except (*PASSING_ERRORS, KafkaError) as error:
                self._database.drop()
                self._observer.retry("SERVER", error)
                self._observer.unknown(item.part.state for item in judged)
                await failures.pause(error)
                attempt = await self._ask(judged, failures)
            except BaseException:
                self._database.drop()
                raise
            self._take(attempt, judged, result)
            todo = await self.judge(attempt.again) if attempt.again else None
        self._observer.batch(records, asyncio.get_running_loop().time() - batch.began_s, judge_s)
        return result

    def _is_of_now(self, batch: JudgedBatch) -> bool:
        """Whether it was judged on the registry in use."""
        return batch.registry.knowledge == self._follower.current.knowledge

    async def _reload(self, failures: Patience) -> None:
        while True:
            try:
                await self._follower.reload()
            except PASSING_ERRORS as error:
                await failures.pause(error)
            else:
                return

    def _take(self, attempt: _Attempt, judged: Sequence[JudgedPart], result: BatchResult) -> None:
        result.moved.update(attempt.moved)
        result.lost |= attempt.lost
        result.shown = attempt.shown or result.shown
        self._observer.changes((word for _, word in attempt.recorded.changes), attempt.recorded.alerts_raised)
        self._observer.entries(attempt.rows)
        moved = [item for item in judged if item.key in attempt.moved]
        for item in moved:
            self._breaker.add(item.tally.records, item.tally.refused)
        self._observer.parts(moved, self._clock())

    async def _send_letters(self, judged: Sequence[JudgedPart], sent: set[PartitionKey]) -> None:
        """Acknowledged before the offset commits; a repeat is harmless, but one try is enough."""
        waiting = [item for item in judged if item.letters and item.key not in sent]
        if not waiting:
            return
        await failpoint("before_dead_letters")
        await publish_dead_letters(self._producer, [letter for item in waiting for letter in item.letters])
        sent.update(item.key for item in waiting)
        await failpoint("after_dead_letters")

    # ------------------------------------------------------------ the transaction

    async def _commit(self, judged: Sequence[JudgedPart], registry: Registry) -> _Attempt:
        at = self._clock()
        conn = await self._database.connection()
        plain = not any(
            item.stored or item.letters or item.part.state.seal_due(at, registry.knowledge) for item in judged
        )
        if plain:
            attempt = await self._move_plain(conn, judged, registry, at)
        else:
            attempt = await self._move_with_rows(conn, judged, registry, at)
        await failpoint("after_commit")
        return attempt

    async def _move_plain(
        self, conn: Connection, judged: Sequence[JudgedPart], registry: Registry, at: datetime
    ) -> _Attempt:
        """Nothing to write but the positions: one statement, its own transaction.

        A server that crashes may lose it: then those records are read and judged again, to the same end.
        """
        advanced = await in_turns(self._advance_steps(judged, registry, at))
        steps = [Step(before=item.part.state, after=after) for item, _, after in advanced]
        await failpoint("before_commit")
        moved, shown = await move(conn, steps, at, may_be_lost=True)
        return _Attempt(
            moved={step.after.key: step.after for step in steps if step.after.key in moved},
            lost={item.key for item in judged} - moved,
            shown=shown,
        )

    async def _move_with_rows(
        self, conn: Connection, judged: Sequence[JudgedPart], registry: Registry, at: datetime
    ) -> _Attempt:
        """Rows and positions, all or none. Where nobody is told of anything (suppressed decisions alone, no
        audit entry, alert or dead letter) a server that crashes may lose all of it, as in `_move_plain`.
        """
        async with conn.transaction():
            states = [item.part.state for item in judged]
            locked = await lock_batch(conn, states, [event for item in judged for event in item.stored])
            await failpoint("in_transaction")
            kept = [item for item in judged if item.key in locked.mine]
            lost = {item.key for item in judged} - locked.mine
            if not kept:
                return _Attempt(moved={}, lost=lost)
            stored = [event for item in kept for event in item.stored]
            _check_heads(stored, locked, registry)
            await record_dead_letters(conn, [letter for item in kept for letter in item.letters], at)
            recorded = await record_decisions(conn, self._seal, stored, registry.basis(at))
            steps, rows = await self._close(kept, stored, recorded, registry, at)
            last = [*recorded.to_run, *insertion(rows), *publication(recorded.changes, at)]
            told = bool(rows or recorded.changes or any(item.letters for item in kept))
            moved, shown = await move(conn, steps, at, together_with=last, may_be_lost=not told)
            if moved != locked.mine:
                raise AssertionError("a locked fence moved")
            await failpoint("before_commit")
        after = {step.after.key: step.after for step in steps}
        return _Attempt(moved=after, lost=lost, shown=shown, recorded=recorded, rows=rows)

    async def _close(
        self,
        kept: Sequence[JudgedPart],
        stored: Sequence[Judged],
        recorded: Recorded,
        registry: Registry,
        at: datetime,
    ) -> tuple[list[Step], list[AuditRow]]:
        """The moves with their audit entries, each on its partition's stream."""
        entries: dict[PartitionKey, list[NewEntry]] = {}
        for place, entry in recorded.entries:
            entries.setdefault((stored[place].topic, stored[place].partition), []).append(entry)
        steps, rows = [], list[AuditRow]()
        for item, closing, advanced in await in_turns(self._advance_steps(kept, registry, at)):
            built, after = append(self._seal, advanced, [*closing, *entries.get(item.key, ())])
            rows += built
            steps.append(Step(before=item.part.state, after=after))
        return steps, rows

    def _advance_steps(
        self, judged: Iterable[JudgedPart], registry: Registry, at: datetime
    ) -> Steps[list[tuple[JudgedPart, list[NewEntry], PartitionState]]]:
        """Each part with the state after its records; the open range is closed first where that is due."""
        advanced = []
        for item in judged:
            part, state, closing = item.part, item.part.state, list[NewEntry]()
            if state.seal_due(at, registry.knowledge) or not state.coverage.fits(registry.knowledge):
                closing, state = sealed(state, at, registry.knowledge)
            coverage = yield from state.coverage.record_steps(
                part.offsets[0], part.values, item.tally, registry.knowledge
            )
            after = replace(
                state,
                next_offset=part.to_offset,
                last_record_offset=part.offsets[-1],
                last_record_digest=record_digest(self._seal, part.values[-1]),
                coverage=coverage,
            )
            advanced.append((item, closing, after))
        return advanced

    # ------------------------------------------------------------ after a failure

    async def _ask(self, judged: Sequence[JudgedPart], failures: Patience) -> _Attempt:
        """Where the parts stand in truth: committed after all, still to do, or another's."""
        while True:
            try:
                states = await reconcile(await self._database.connection(), [item.key for item in judged])
            except PASSING_ERRORS as error:
                self._database.drop()
                await failures.pause(error)
            else:
                return _sort_out(judged, states)


def _sort_out(judged: Iterable[JudgedPart], states: dict[PartitionKey, PartitionState]) -> _Attempt:
    attempt = _Attempt(moved={}, lost=set())
    for item in judged:
        state, part = states.get(item.key), item.part
        if state is None or state.epoch != part.state.epoch:
            attempt.lost.add(item.key)
        elif state.next_offset == part.to_offset:
            attempt.moved[item.key] = state
        elif state.next_offset == part.state.next_offset:
            attempt.again.append(replace(part, state=state))
        else:
            attempt.lost.add(item.key)
    return attempt


def _check_heads(stored: Sequence[Judged], locked: Locked, registry: Registry) -> None:
    """Raises OrdersMovedError if an order that rows will belong to changed since it was judged by."""
    known = registry.engine.snapshot.head_changes
    order_ids = {match.order_id for event in stored for match in event.decision.matches}
    if any(locked.heads.get(order_id) != known.get(order_id) for order_id in order_ids):
        raise OrdersMovedError
