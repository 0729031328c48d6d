"""The registry that decisions are made on, followed as orders change.

One immutable `Registry` is in use at a time; a change makes another one, which shares with it what
did not change, and puts it in its place between two batches. In touch means: not longer ago than
the limit the registry in use was the database's. A matcher out of touch judges nothing, because an
order may have come that it does not know. A database that has gone back behind what is in use, or was
replaced by one of another history, ends the matcher: no change would ever say which orders differ.
"""

import asyncio
import gc
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import islice

from stayaway.access.policies import record_policy
from stayaway.access.policy import Policy
from stayaway.alerts.rows import ENGINE_NAME, Basis
from stayaway.kernel.bucketmap import BucketMap
from stayaway.kernel.packed import PackedMap
from stayaway.matching.columns import OrderColumns
from stayaway.matching.engine import Engine, Passed, parts_steps
from stayaway.orders.load import BEGINNING, RegistryPoint
from stayaway.orders.model import CourtOrder
from stayaway.orders.registry import RegistrySnapshot
from stayaway.platform.clock import now
from stayaway.platform.logging import get_logger
from stayaway.platform.postgres import Connection
from stayaway.platform.seal import Seal
from stayaway.platform.settings import REGISTRY_LIMIT_S
from stayaway.platform.turns import in_turns
from stayaway.worker.coverage import Knowledge, Shown
from stayaway.worker.database import PASSING_ERRORS, Database
from stayaway.worker.intake import Intake, take_in
from stayaway.worker.latency import Applied
from stayaway.worker.packs import PACKED_FROM, PackError, load_pack
from stayaway.worker.shelf import OrderSource

_ANSWER_S = 10.0
"""The database sends the next records within this time, or the connection is taken for dead."""
_AT_ONCE_FIRST = 200
"""Orders read between two turns of the event loop at the start: some 20 ms of work."""
_AT_ONCE = 20
"""The same while others use the loop: some 2 ms."""
_PACK_S = 60.0
_COMPACTION_PAUSE_S = 0.004
_PIECE = 500
"""Entries of a mapping changed between two turns of the loop: about 1 ms."""
_FREEZE_ORDERS = 1_000
"""What so many orders left in the engine stays: it is taken from the sight of the collector of garbage, who
would look at all of it each time, while the loop stands still."""


@dataclass(frozen=True, slots=True)
class Registry:
    """One registry sequence, ready to judge with. `source`: where its orders are read from."""

    engine: Engine
    policy: Policy
    knowledge: Knowledge
    source: OrderSource

    async def orders_for(self, passed: Iterable[Passed]) -> Mapping[str, CourtOrder]:
        """The orders that these need, asked for at once. Raises as the source does."""
        order_ids = sorted({order_id for item in passed for order_id in item.order_ids})
        return await self.source.orders(self.engine.snapshot, order_ids)

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


@dataclass(frozen=True, slots=True)
class FirstColumns:
    """What a start began with: columns of all orders at a point. `from_pack`: as a pack has them, so
    that none of those orders has been opened yet.
    """

    point: RegistryPoint
    columns: OrderColumns
    from_pack: bool


class RegistryFollower:
    """Holds the registry in use. `reload` and `catch_up` take what changed since.

    `source`: where the registries have their orders from. `hint`: set when the database may have gone
    beyond the one in use. `limit_s`: how long that may not have been compared with the database before
    it counts as out of touch. `changed`: how many orders were taken in since those that the start
    began with.
    """

    def __init__(
        self,
        database: Database,
        seal: Seal,
        policy: Policy,
        *,
        source: OrderSource,
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
        self.changed = 0
        self._source = source
        self._current: Registry | None = None
        self._held = BEGINNING
        self._first: FirstColumns | None = None
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

    def seen(self, shown: Shown) -> None:
        """What the database showed: if that is not the registry in use, a hint is given.

        A lower sequence is one too: a late answer, or a database that has gone back. Whoever follows asks.
        """
        if shown.registry_sequence == self._held.registry_sequence:
            self._touch(shown.asked_at_s)
        else:
            self.hint.set()

    def _touch(self, asked_at_s: float) -> None:
        """In touch as of then; not of an earlier moment than is known already, as answers may overtake."""
        self._in_touch_at = max(self._in_touch_at, asked_at_s)

    async def reload(self) -> Registry:
        """Take over what changed, with a connection of its own, which is cut by what goes wrong with it."""
        try:
            await self.catch_up(await self._database.connection())
        except (*PASSING_ERRORS, asyncio.CancelledError):
            self._database.drop()
            raise
        return self.current

    async def close(self) -> None:
        """End the connection in order."""
        await self._database.close()

    async def catch_up(self, conn: Connection) -> None:
        """Take over what changed until now; one at a time, whoever asks.

        Raises OtherHistoryError, StoredOrderError, SealError or what the connection does; then all stays as
        it was.
        """
        async with self._lock:
            asked_at_s = asyncio.get_running_loop().time()
            if self._current is None:
                await record_policy(conn, self._policy, self._clock())
                await self._begin(conn)
            else:
                before = self._current
                intake = await self._take_in(conn, self._held, _AT_ONCE)
                if intake.point != self._held:
                    await self._follow(before, intake)
            self._touch(asked_at_s)

    async def _take_in(self, conn: Connection, after: RegistryPoint, at_once: int) -> Intake:
        loop = asyncio.get_running_loop()
        async with asyncio.timeout(_ANSWER_S) as limit:
            return await take_in(
                conn,
                self._seal,
                after,
                at_once=at_once,
                on_progress=lambda: limit.reschedule(loop.time() + _ANSWER_S),
            )

    async def _begin(self, conn: Connection) -> None:
        """The first registry: the pack's orders and what changed since, or else every record opened."""
        pack = await self._load_pack(conn)
        intake = await self._take_in(conn, pack[0] if pack else BEGINNING, _AT_ONCE_FIRST)
        point, columns = pack or (intake.point, intake.columns)
        heads = BucketMap(beneath=PackedMap(columns.order_ids, lambda row: int(columns.head_changes[row])))
        snapshot = RegistrySnapshot(BucketMap(), point.registry_sequence, intake.known_at, heads)
        engine = Engine(snapshot, self._policy, await in_turns(parts_steps(columns, self._policy)))
        if pack is not None:
            engine = await self._changed(engine, intake)
            self.changed = len(intake.columns)
        elif len(columns) >= PACKED_FROM:
            get_logger().warning("started without a registry pack", orders=len(columns))
        self._first = FirstColumns(point, columns, from_pack=pack is not None)
        self._put(engine, intake.point, count=len(columns))

    async def _load_pack(self, conn: Connection) -> tuple[RegistryPoint, OrderColumns] | None:
        try:
            async with asyncio.timeout(_PACK_S):
                pack = await load_pack(conn, self._seal)
        except PackError as error:
            get_logger().error("registry pack refused", exc_info=error)
            return None
        return pack

    async def _follow(self, before: Registry, intake: Intake) -> None:
        """Build beside the registry in use, then put it in its place at once."""
        self._put(await self._changed(before.engine, intake), intake.point, count=len(intake.columns))
        self.changed += len(intake.columns)
        at = self._clock()
        self._applied += [Applied(sequence, was, at) for sequence, was in intake.recorded]
        self.hint.set()  # whoever follows writes it down

    async def _changed(self, engine: Engine, intake: Intake) -> Engine:
        """The engine after what was taken in."""
        columns = intake.columns
        names = (name.decode() for name in columns.order_ids.tolist())
        heads = dict(zip(names, columns.head_changes.tolist(), strict=True))
        snapshot = replace(
            engine.snapshot,
            registry_sequence=intake.point.registry_sequence,
            known_at=intake.known_at,
            head_changes=await _updated(engine.snapshot.head_changes, heads),
        )
        return await in_turns(engine.column_steps(snapshot, columns))

    def _put(self, engine: Engine, point: RegistryPoint, *, count: int) -> None:
        """Use it, which is of `point`, from now on. `count`: of the orders that differ from before."""
        snapshot = engine.snapshot
        knowledge = Knowledge(
            registry_sequence=snapshot.registry_sequence,
            known_at=snapshot.known_at,
            policy_sha256=self._policy_sha256,
            engine=ENGINE_NAME,
        )
        self._current, self._held = Registry(engine, self._policy, knowledge, self._source), point
        if not self.loaded.is_set() or count > _FREEZE_ORDERS:
            gc.freeze()
        self.loaded.set()
        get_logger().info(
            "registry applied",
            registry_sequence=knowledge.registry_sequence,
            orders=len(snapshot.head_changes),
            count=count,
        )

    def take_first(self) -> FirstColumns:
        """What the start began with, once: whoever takes it is the last to hold it."""
        taken, self._first = self._first, None
        assert taken is not None, "reload() comes first, and nobody takes it twice"
        return taken

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


async def _updated(before: Mapping[str, int], changes: Mapping[str, int]) -> BucketMap[int]:
    """With these keys set, a piece at a time: the loop of whoever asks goes on meanwhile."""
    if not before:
        return BucketMap(changes)
    made = before if isinstance(before, BucketMap) else BucketMap(before)
    rest = iter(changes.items())
    while piece := dict(islice(rest, _PIECE)):
        made = made.updated(piece)
        await asyncio.sleep(0)
    return made
