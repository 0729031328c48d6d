"""Keeps a matcher's registry the database's, on a connection of its own, beside the batches.

LISTEN is the hint that makes it quick; the sequence is the truth: it is compared on each hint, on
each new connection and once a second, so that a notice that was lost costs a second and no more.
"""

import asyncio
from collections.abc import Callable
from contextlib import suppress

from stayaway.orders.change import REGISTRY_CHANNEL
from stayaway.platform.logging import get_logger
from stayaway.platform.metrics import Metrics
from stayaway.platform.postgres import Connection
from stayaway.worker.database import PASSING_ERRORS, Database
from stayaway.worker.follow import RegistryFollower
from stayaway.worker.latency import Applied, record_applied
from stayaway.worker.patience import Patience

_POLL_S = 1.0
_ANSWER_S = 5.0


class RegistryWatch:
    """Run once, beside the worker's loop; ends only by an error or by being cancelled."""

    def __init__(
        self,
        follower: RegistryFollower,
        *,
        dsn: str,
        owner: str,
        wait_s: float,
        on_wait: Callable[[str], None],
        metrics: Metrics,
    ) -> None:
        self._follower = follower
        self._database = Database(dsn, wait_s=wait_s, on_wait=on_wait)
        self._owner = owner
        self._wait_s = wait_s
        self._metrics = metrics
        self._unwritten: list[Applied] = []
        self._compaction: asyncio.Task[None] | None = None

    async def run(self) -> None:
        """Follow once the first registry is loaded.

        Raises UnreachableError when the database stays away over the limit, and at once what no
        second try can mend (StoredOrderError, SealError): orders must not be judged without it.
        """
        await self._follower.loaded.wait()
        patience = Patience(self._wait_s)
        try:
            while True:
                try:
                    conn = await self._connect()
                    while True:
                        await self._look(conn)
                        patience = Patience(self._wait_s)
                        await self._wait_for_hint()
                except PASSING_ERRORS as error:
                    self._database.drop()
                    get_logger().warning("registry connection lost", exc_info=error)
                    await patience.pause(error)
        finally:
            if self._compaction is not None:
                self._compaction.cancel()
            self._database.drop()

    async def _connect(self) -> Connection:
        conn = await self._database.connection()
        conn.add_termination_listener(lambda *_: self._follower.hint.set())
        await conn.add_listener(REGISTRY_CHANNEL, lambda *_: self._follower.hint.set())
        return conn

    async def _wait_for_hint(self) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(_POLL_S):
                await self._follower.hint.wait()
        # Before the sequence is read: a hint that comes after that is not lost.
        self._follower.hint.clear()

    async def _look(self, conn: Connection) -> None:
        """Catch up if there is anything, write down what was put in use."""
        self._follower.hint.clear()
        await self._follower.catch_up(conn)
        await self._write_down(conn)
        self._compact()

    async def _write_down(self, conn: Connection) -> None:
        taken = self._follower.take_applied()
        for applied in taken:
            self._metrics.registry_apply_seconds.observe(applied.latency_s)
        self._unwritten += taken
        if self._unwritten:
            async with asyncio.timeout(_ANSWER_S):
                await record_applied(conn, self._owner, self._unwritten)
            self._unwritten = []

    def _compact(self) -> None:
        """Begin a compaction when it is due; an error of the last one is raised here."""
        if self._compaction is not None and self._compaction.done():
            self._compaction.result()
            self._compaction = None
        if self._compaction is None and self._follower.is_compaction_due:
            self._compaction = asyncio.create_task(self._follower.compact())
            self._compaction.add_done_callback(lambda _: self._follower.hint.set())
