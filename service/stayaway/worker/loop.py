"""The matcher: its servers reached, its registry followed, batch after batch, and how it ends."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from datetime import datetime
from time import monotonic
from typing import Any

from aiokafka import TopicPartition
from aiokafka.errors import KafkaError

from stayaway.access.policy import Policy
from stayaway.orders.keys_check import ensure_keys
from stayaway.platform.clock import now
from stayaway.platform.kafka import make_consumer, make_producer, partition_fetch_bytes
from stayaway.platform.metrics import Metrics
from stayaway.platform.migrations import check_schema
from stayaway.platform.seal import Seal
from stayaway.worker.assignment import Assignment
from stayaway.worker.batch import BatchRunner
from stayaway.worker.batches import Batches
from stayaway.worker.breaker import Breaker
from stayaway.worker.counters import Counters
from stayaway.worker.database import PASSING_ERRORS, Database
from stayaway.worker.follow import RegistryFollower
from stayaway.worker.gauges import show
from stayaway.worker.hold import RegistryHold
from stayaway.worker.keeper import PackKeeper
from stayaway.worker.listener import GroupListener
from stayaway.worker.observe import Observer
from stayaway.worker.patience import Patience
from stayaway.worker.settings import TOPICS, MatcherSettings
from stayaway.worker.shelf import OrderShelf
from stayaway.worker.start import reach_kafka, start_client
from stayaway.worker.watch import RegistryWatch
from stayaway.worker.watchdog import REJOIN_S, Watchdog

__all__ = ["TOPICS", "MatcherSettings", "MatcherWorker"]

# Together under the 5 seconds that a stop in order may take, also while a server is away.
_LAST_TURN_S, _SEAL_S, _CLOSE_S = 1.5, 1.0, 1.5
_LOOK_S = 0.5
_FIRST = asyncio.FIRST_COMPLETED


class MatcherWorker:
    """One matcher; any number of them share a consumer group. `run` until `stop` is set."""

    def __init__(
        self,
        settings: MatcherSettings,
        seal: Seal,
        policy: Policy,
        *,
        clock: Callable[[], datetime] = now,
        on_wait: Callable[[str], None] = lambda _: None,
        breaker: Breaker | None = None,
        metrics: Metrics | None = None,
    ) -> None:
        self.settings = settings
        self.began = False
        self._turned_at = monotonic()
        self.watchdog = Watchdog(max(REJOIN_S, settings.wait_s))
        self._on_wait = on_wait
        self.counters = Counters()
        self.metrics = metrics or Metrics()
        self._seal = seal
        self._clock = clock
        self._database = self._own_database(by_key=True)
        self._shelf = OrderShelf(self._own_database(by_key=True), seal, wait_s=settings.wait_s)
        self._follower = RegistryFollower(
            self._own_database(),
            seal,
            policy,
            source=self._shelf,
            clock=clock,
            limit_s=settings.registry_limit_s,
        )
        self._keeper = PackKeeper(
            self._follower,
            self._own_database(),
            seal,
            on_unopened=self.metrics.unopened_orders.set,
            is_busy=lambda: self.began and self._batches.found_records,
        )
        self._watch = RegistryWatch(
            self._follower,
            dsn=settings.dsn,
            owner=settings.owner,
            wait_s=settings.wait_s,
            on_wait=on_wait,
            metrics=self.metrics,
        )
        self._breaker = breaker or Breaker()
        self.assignment: Assignment
        self._runner: BatchRunner
        self._batches: Batches
        self._consumer: Any = None
        self._producer: Any = None

    def _own_database(self, *, by_key: bool = False) -> Database:
        settings = self.settings
        return Database(settings.dsn, wait_s=settings.wait_s, on_wait=self._on_wait, by_key=by_key)

    async def run(self, stop: asyncio.Event) -> None:
        """Work until `stop`; then seal, leave the group and return, within 5 seconds.

        Raises UnreachableError when a server stays away over the limit, BreakerTrippedError when
        most of the stream is bad, StuckError when the group has forgotten us. Whatever ends it,
        nothing is skipped.
        """
        work = asyncio.create_task(self._work_until(stop))
        beside = {asyncio.create_task(self._watch.run()), asyncio.create_task(self._keeper.run())}
        stopping = asyncio.create_task(stop.wait())
        try:
            watched = {work, stopping, *beside}
            while not (await asyncio.wait(watched, timeout=_LOOK_S, return_when=_FIRST))[0]:
                self.watchdog.check()
            for task in beside:
                if task.done():
                    task.result()  # they end by an error only
            await asyncio.wait({work}, timeout=_LAST_TURN_S)
            if work.done():
                work.result()
            else:
                await self._interrupt(work)
            await self._seal_all()
        finally:
            stopping.cancel()
            for task in beside:
                task.cancel()
            await self._interrupt(work)
            await asyncio.wait(beside)
            await self._close()

    async def _work_until(self, stop: asyncio.Event) -> None:
        await self._start()
        self.began = True
        while not stop.is_set():
            await self._batches.turn()
            self._turned_at = monotonic()
        await self._batches.settle()

    async def _interrupt(self, work: "asyncio.Task[None]") -> None:
        """A turn that waits for a server is not waited for: what it had in hand is read again."""
        if not work.done():
            work.cancel()
            await asyncio.wait({work})
            self._database.drop()

    async def _start(self) -> None:
        settings = self.settings
        await self._until_reached(self._check_database)
        partitions = await reach_kafka(settings, self._on_wait)
        await self._until_reached(self._follower.reload)
        self._producer = await start_client(
            lambda: make_producer(settings.bootstrap, client_id=settings.owner), settings.wait_s
        )
        observer = Observer(self.counters, self.metrics)
        self._runner = BatchRunner(
            database=self._database,
            seal=self._seal,
            producer=self._producer,
            follower=self._follower,
            breaker=self._breaker,
            observer=observer,
            clock=self._clock,
            wait_s=settings.wait_s,
        )
        await start_client(lambda: self._make_consumer(partitions, observer), settings.wait_s)
        if settings.group is None:
            self._take_all(partitions)

    def _make_consumer(self, partitions: dict[str, int], observer: Observer) -> Any:
        """A consumer that joins the group when it is started, and the assignment that goes with it."""
        settings = self.settings
        self._consumer = make_consumer(
            settings.bootstrap,
            settings.group,
            client_id=settings.owner,
            session_timeout_ms=settings.session_timeout_ms,
            max_partition_fetch_bytes=partition_fetch_bytes(
                sum(partitions[topic] for topic in settings.topics)
            ),
        )
        self.assignment = Assignment(
            consumer=self._consumer,
            database=self._database,
            seal=self._seal,
            owner=settings.owner,
            first_position=settings.first_position,
            clock=self._clock,
            observer=observer,
        )
        self._batches = Batches(
            consumer=self._consumer,
            assignment=self.assignment,
            runner=self._runner,
            database=self._database,
            follower=self._follower,
            hold=RegistryHold(self._follower, self.metrics),
            watchdog=self.watchdog,
            show=self.show,
        )
        if settings.group is not None:
            self.watchdog.without_assignment()
            listener = GroupListener(self.watchdog, self._batches.give_up, self.assignment.assigned)
            self._consumer.subscribe(topics=list(settings.topics), listener=listener)
        return self._consumer

    def _take_all(self, partitions: dict[str, int]) -> None:
        everything = [
            TopicPartition(topic, partition)
            for topic in self.settings.topics
            for partition in range(partitions[topic])
        ]
        self._consumer.assign(everything)
        self.assignment.assigned(everything)

    async def _check_database(self) -> None:
        """Raises SchemaError, OtherKeysError or SealError where this version or its keys do not fit it."""
        conn = await self._database.connection()
        await check_schema(conn)
        await ensure_keys(conn, self._seal)

    async def _until_reached(self, ask: Callable[[], Awaitable[object]]) -> None:
        """Ask the database; a connection that breaks meanwhile is no reason to give up a start."""
        patience = Patience(self.settings.wait_s)
        while True:
            try:
                await ask()
            except PASSING_ERRORS as error:
                self._database.drop()
                await patience.pause(error)
            else:
                return

    def show(self) -> None:
        """The gauges, as of this moment."""
        if self.began:
            show(self.metrics, self._follower, self.assignment)

    def registry_age_s(self) -> float:
        """Seconds since the registry in use was the database's for certain."""
        return self._follower.age_s()

    @property
    def is_out_of_touch(self) -> bool:
        """Whether that is longer than the limit, so that reads wait."""
        return self._follower.is_out_of_touch

    def since_turn_s(self) -> float:
        """Seconds since the loop last went round."""
        return monotonic() - self._turned_at

    async def _seal_all(self) -> None:
        if self.began:
            with suppress(TimeoutError):
                async with asyncio.timeout(_SEAL_S):
                    await self._batches.seal(list(self.assignment.states))

    async def _close(self) -> None:
        clients = [closing for closing in (self._consumer, self._producer) if closing is not None]
        await asyncio.gather(*(self._close_client(closing) for closing in clients))
        databases = (
            self._database.close(),
            self._shelf.close(),
            self._follower.close(),
            self._keeper.close(),
        )
        await asyncio.gather(*map(self._close_database, databases))

    @staticmethod
    async def _close_database(closing: Awaitable[None]) -> None:
        with suppress(*PASSING_ERRORS):
            await closing

    @staticmethod
    async def _close_client(closing: Any) -> None:
        # In a task of its own: aiokafka lets the CancelledError of a task that it ended early escape.
        with suppress(TimeoutError, KafkaError, asyncio.CancelledError):
            async with asyncio.timeout(_CLOSE_S):
                await closing.stop()
