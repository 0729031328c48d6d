"""A matcher without Kafka: batches are put into its hands."""

import asyncio
from typing import Any

from stayaway.platform.metrics import Metrics
from stayaway.worker.batch import BatchRunner
from stayaway.worker.breaker import Breaker
from stayaway.worker.counters import Counters
from stayaway.worker.coverage import PartitionState
from stayaway.worker.database import Database
from stayaway.worker.follow import RegistryFollower
from stayaway.worker.judge import Part
from stayaway.worker.observe import Observer
from stayaway.worker.partitions import claim
from stayaway.worker.shelf import OrderShelf
from support.worker_rig import NOW, READS, Rig


class Matcher:
    """Claims partitions, judges and commits what it is given."""

    def __init__(self, rig: Rig) -> None:
        self.rig = rig
        self.database = self._own_database(by_key=True)
        shelf = OrderShelf(self._own_database(by_key=True), rig.seal, wait_s=10)
        self.follower = RegistryFollower(self._own_database(), rig.seal, rig.policy, source=shelf)
        self.counters = Counters()
        self.runner = BatchRunner(
            database=self.database,
            seal=rig.seal,
            producer=NoProducer(),
            follower=self.follower,
            breaker=Breaker(),
            observer=Observer(self.counters, Metrics()),
            clock=lambda: NOW,
            wait_s=10,
        )

    def _own_database(self, *, by_key: bool = False) -> Database:
        database = Database(self.rig.dsn, wait_s=10, on_wait=lambda _: None, by_key=by_key)
        self.rig.databases.append(database)
        return database

    async def close(self) -> None:
        for opened in self.rig.databases:
            await opened.close()

    async def claim(self, partition: int = 0) -> PartitionState:
        await self.follower.reload()
        conn = await self.database.connection()
        return await claim(
            conn,
            self.rig.seal,
            (READS, partition),
            owner="m",
            at=NOW,
            knowledge=self.follower.current.knowledge,
            first_offset=0,
            first_position="earliest",
        )

    async def judge(self, state: PartitionState, values: list[bytes | None]) -> PartitionState | None:
        """The state afterwards; None if the partition was lost."""
        offsets = list(range(state.next_offset, state.next_offset + len(values)))
        part = Part(state=state, offsets=offsets, values=values)
        result = await self.runner.commit(await self.runner.judge([part]))
        return result.moved.get(state.key)


class NoProducer:
    async def send(self, *_: Any, **__: Any) -> asyncio.Future[None]:
        raise AssertionError("no dead letters in these tests")
