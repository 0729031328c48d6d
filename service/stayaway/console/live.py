"""The live stream: what changed since a page's cursor, as server-sent events.

The outbox's sequence is the truth; NOTIFY only wakes us. A named `tick` every few seconds lets a
page see that the stream lives, and its id lets a browser go on where it was cut. Where the follower
itself sees nothing more, every stream ends: a tick that only proves that the web process runs would
make an old list look alive.
"""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import suppress
from typing import Any, Final

import asyncpg

from stayaway.alerts.model import OUTBOX_CHANNEL
from stayaway.alerts.review_model import AlertRow
from stayaway.alerts.review_rows import alert_row
from stayaway.platform.logging import get_logger
from stayaway.platform.postgres import UNREACHABLE, Connection, Pool, load_queries

_SQL = load_queries("stayaway.alerts", "review.sql")
TICK_S: Final = 5.0
OLD_AFTER_S: Final = 5.0
"""A follower that has seen nothing for so long is old; with a page's own steps it is said within 10 s."""
_POLL_S: Final = 1.0
_LOOK_S: Final = 2.5
"""A look that takes longer hangs: its connection is given up."""
_CHANGES_S: Final = 5.0
_MOST_CHANGES: Final = 2_000
"""A page further behind than this loads itself again instead."""
_RETRY_MS: Final = 2_000

Connect = Callable[[], Awaitable[asyncpg.Connection]]
Facts = dict[str, Any]


class Outbox:
    """Follows the outbox's sequence for all streams of this process.

    Over a connection of its own: the pool's may all be waiting in acts. It alone publishes, in the order
    in which it looks, so the sequence falls only where the database itself has gone back.
    """

    def __init__(self, connect: Connect, facts: Callable[[Connection], Awaitable[Facts]]) -> None:
        self._connect = connect
        self._load_facts = facts
        self._moved = asyncio.Condition()
        self._hint = asyncio.Event()
        self._begun = self._done = 0
        self._looked_at = -OLD_AFTER_S
        self.sequence = 0
        self.facts: Facts = {}
        """What every tick says, as of the last look."""
        self.stopping = False

    @property
    def age_s(self) -> float:
        """Seconds since the last look that was answered."""
        return asyncio.get_running_loop().time() - self._looked_at

    @property
    def is_old(self) -> bool:
        """Whether what it knows proves nothing any more."""
        return not self._done or self.age_s > OLD_AFTER_S

    async def run(self) -> None:
        """Until cancelled. Whatever goes wrong is told and tried again: it must never end by itself."""
        while True:
            try:
                await self._follow()
            except Exception as error:  # noqa: BLE001 - the one place that nothing may pass
                get_logger().error("live follower starts again", exc_info=error)
            await asyncio.sleep(_POLL_S)

    async def _follow(self) -> None:
        conn = await self._connect()
        try:
            async with asyncio.timeout(_LOOK_S):
                await conn.add_listener(OUTBOX_CHANNEL, self._on_notify)
            while True:
                await self._look(conn)
                with suppress(TimeoutError):
                    await asyncio.wait_for(self._hint.wait(), _POLL_S)
        finally:
            conn.terminate()  # closing asks the server, which may be what hangs

    async def _look(self, conn: Connection) -> None:
        self._hint.clear()
        self._begun += 1
        async with asyncio.timeout(_LOOK_S):
            sequence = await conn.fetchval(_SQL.outbox_sequence)
            facts = await self._load_facts(conn)
        async with self._moved:
            self.sequence, self.facts = sequence, facts
            self._done, self._looked_at = self._begun, asyncio.get_running_loop().time()
            self._moved.notify_all()

    def _on_notify(self, _conn: Any, _pid: int, _channel: str, _payload: object) -> None:
        self._hint.set()

    async def catch_up(self) -> None:
        """Wait for a look that begins after now, so that a new stream never starts behind its page."""
        wanted = self._begun + 1
        self._hint.set()
        with suppress(TimeoutError):
            async with asyncio.timeout(OLD_AFTER_S), self._moved:
                await self._moved.wait_for(lambda: self._done >= wanted or self.stopping)

    async def wait_for_change(self, cursor: int, timeout_s: float) -> None:
        """Until the sequence is not `cursor`, the time is over, or the server stops."""
        with suppress(TimeoutError):
            async with asyncio.timeout(timeout_s), self._moved:
                await self._moved.wait_for(lambda: self.sequence != cursor or self.stopping)

    async def stop(self) -> None:
        """End every stream now, so that the server can stop."""
        self.stopping = True
        async with self._moved:
            self._moved.notify_all()


async def load_changed(pool: Pool, after: int, upto: int) -> tuple[AlertRow, ...]:
    """The alerts that the outbox names between the two places, as they stand now."""
    return tuple(alert_row(row) for row in await pool.fetch(_SQL.load_changed, after, upto))


def event(name: str, data: Any, cursor: int) -> bytes:
    """One server-sent event; its id is the place in the outbox that the page has seen."""
    return f"event: {name}\nid: {cursor}\ndata: {json.dumps(data, separators=(',', ':'))}\n\n".encode()


async def follow(
    outbox: Outbox,
    cursor: int,
    *,
    changes: Callable[[int, int], Awaitable[Any]],
    tick: Callable[[], Any],
) -> AsyncIterator[bytes]:
    """Events from `cursor` on: `changes` (None: nothing to say), `tick`, `reload` when too far behind.

    It ends where the follower is old: the page says that it is cut off, and comes back with its cursor.
    """
    yield f"retry: {_RETRY_MS}\n\n".encode()
    loop = asyncio.get_running_loop()
    next_tick = loop.time()
    while not (outbox.stopping or outbox.is_old):
        reached = outbox.sequence
        if not 0 <= reached - cursor <= _MOST_CHANGES:
            yield event("reload", {}, reached)
            return
        if reached != cursor:
            try:
                async with asyncio.timeout(_CHANGES_S):
                    data = await changes(cursor, reached)
            except (*UNREACHABLE, asyncpg.PostgresError, TimeoutError):
                return
            cursor = reached
            if data is not None:
                yield event("changes", data, cursor)
        if loop.time() >= next_tick:
            yield event("tick", tick(), cursor)
            next_tick = loop.time() + TICK_S
        await outbox.wait_for_change(cursor, min(max(next_tick - loop.time(), 0.01), _POLL_S))
