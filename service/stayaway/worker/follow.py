"""The registry that decisions are made on, followed as orders change.

One immutable `Registry` is in use at a time; a change makes another one, which shares with it what
did not change, and puts it in its place between two batches. In touch means: not longer ago than
the limit the registry in use was the database's. A matcher out of touch judges nothing, because an
order may have come that it does not know.
"""

import asyncio
import gc
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime

from stayaway.access.policies import record_policy
from stayaway.access.policy import Policy
from stayaway.alerts.rows import ENGINE_NAME, Basis
from stayaway.matching.engine import Engine, engine_steps
from stayaway.orders.load import load_change
from stayaway.orders.registry import RegistryChange
from stayaway.platform.clock import now
from stayaway.platform.logging import get_logger
from stayaway.platform.postgres import Connection
from stayaway.platform.seal import Seal
from stayaway.platform.settings import REGISTRY_LIMIT_S
from stayaway.worker.coverage import Knowledge
from stayaway.worker.database import Database
from stayaway.worker.latency import Applied
from stayaway.worker.turns import in_turns

_ANSWER_S = 10.0
"""The database sends the next records within this time, or the connection is taken for dead."""
_TOLD_ROWS = 50
_COMPACTION_PAUSE_S = 0.004
_FREEZE_ROWS = 1_000
"""Orders stay. A full collection of garbage looks at all their values, millions of them, and the loop
stands still for as long as that takes: so what so many rows made is taken from the collector's sight."""


@dataclass(frozen=True, slots=True)
class Registry:
    """One registry sequence, ready to judge with."""

    engine: Engine
    policy: Policy
    knowledge: Knowledge

    def basis(self, at: datetime) -> Basis:
        """What decisions made at `at` name."""
        return Basis(
            registry_sequence=self.knowledge.registry_sequence,
            known_at=self.knowledge.known_at,
            policy_sha256=self.knowledge.policy_sha256,
            engine=self.knowledge.engine,
            gap_us=self.policy.seconds_us("episode_gap_s"),
            decided_at=at,
        )


class _Progress:
    """Told of each row that comes; tells of it now and then, because telling costs more than a row."""

    def __init__(self, on_row: Callable[[], None]) -> None:
        self._on_row = on_row
        self._rows = 0

    def row(self) -> None:
        self._rows += 1
        if self._rows % _TOLD_ROWS == 0:
            self._on_row()
        if self._rows % _FREEZE_ROWS == 0:
            gc.freeze()


class RegistryFollower:
    """Holds the registry in use. `reload` and `catch_up` take what changed since.

    `hint`: set when the database may have gone beyond it. `limit_s`: how long the registry in use
    may not have been compared with the database before it counts as out of touch.
    """

    def __init__(
        self,
        database: Database,
        seal: Seal,
        policy: Policy,
        *,
        clock: Callable[[], datetime] = now,
        limit_s: float = REGISTRY_LIMIT_S,
    ) -> None:
        self.hint = asyncio.Event()
        self.loaded = asyncio.Event()
        self._database = database
        self._seal = seal
        self._policy = policy
        self._policy_sha256 = policy.sha256
        self._clock = clock
        self._limit_s = limit_s
        self._lock = asyncio.Lock()
        self._current: Registry | None = None
        self._in_touch_at = 0.0
        self._applied: list[Applied] = []

    @property
    def current(self) -> Registry:
        """The registry in use."""
        assert self._current is not None, "reload() comes first"
        return self._current

    def age_s(self) -> float:
        """Seconds since the registry in use was the database's for certain."""
        return asyncio.get_running_loop().time() - self._in_touch_at

    @property
    def is_out_of_touch(self) -> bool:
        """Whether that is so long ago that nothing may be judged."""
        return self.age_s() > self._limit_s

    def seen(self, registry_sequence: int) -> bool:
        """Whether the registry in use is the one that the database has just shown; else a hint is given."""
        if registry_sequence <= self.current.knowledge.registry_sequence:
            self._in_touch_at = asyncio.get_running_loop().time()
            return True
        self.hint.set()
        return False

    async def reload(self) -> Registry:
        """Take over what changed, with the worker's own connection."""
        await self.catch_up(await self._database.connection())
        return self.current

    async def catch_up(self, conn: Connection) -> None:
        """Take over what changed until now; one at a time, whoever asks.

        Raises StoredOrderError, SealError or what the connection does; then all stays as it was.
        """
        async with self._lock:
            loop = asyncio.get_running_loop()
            asked_at = loop.time()
            if self._current is None:
                await record_policy(conn, self._policy, self._clock())
            previous = None if self._current is None else self._current.engine.snapshot
            async with asyncio.timeout(_ANSWER_S) as limit:
                progress = _Progress(lambda: limit.reschedule(loop.time() + _ANSWER_S))
                change = await load_change(conn, self._seal, previous, on_progress=progress.row)
            if change.snapshot is not previous:
                await self._use(change)
            self._in_touch_at = asked_at

    async def _use(self, change: RegistryChange) -> None:
        """Build beside the registry in use, then put it in its place at once."""
        snapshot, before = change.snapshot, self._current
        if before is None:
            engine = await in_turns(engine_steps(snapshot, self._policy))
        else:
            engine = await in_turns(before.engine.change_steps(snapshot, change.order_ids))
        knowledge = Knowledge(
            registry_sequence=snapshot.registry_sequence,
            known_at=snapshot.known_at,
            policy_sha256=self._policy_sha256,
            engine=ENGINE_NAME,
        )
        self._current = Registry(engine, self._policy, knowledge)
        self.loaded.set()
        if before is not None:
            at = self._clock()
            self._applied += [Applied(sequence, was, at) for sequence, was in change.recorded]
            self.hint.set()  # whoever follows writes it down
        if before is None or len(change.order_ids) > _FREEZE_ROWS:
            gc.freeze()
        get_logger().info(
            "registry applied",
            registry_sequence=knowledge.registry_sequence,
            orders=len(snapshot.orders),
            count=len(change.order_ids),
        )

    def take_applied(self) -> list[Applied]:
        """The changes put in use since the last call, not those of the start."""
        taken, self._applied = self._applied, []
        return taken

    # ------------------------------------------------------------ compaction

    @property
    def is_compaction_due(self) -> bool:
        """Whether so much has changed that `compact` is worth it."""
        return self.current.engine.is_compaction_due

    async def compact(self) -> None:
        """Build a new base beside everything else and put it in use; one at a time."""
        compacted = await in_turns(self.current.engine.compaction_steps(), pause_s=_COMPACTION_PAUSE_S)
        async with self._lock:
            current = self.current
            self._current = replace(current, engine=current.engine.with_compacted(compacted))
        gc.freeze()
        get_logger().info("registry compacted", registry_sequence=self.current.knowledge.registry_sequence)
