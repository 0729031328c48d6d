"""The live stream: what changed since a page's cursor, as server-sent events.

The outbox's sequence is the truth; NOTIFY only wakes us. A named `tick` every few seconds lets a
page see that the stream lives, and its id lets a browser go on where it was cut.
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
from stayaway.platform.postgres import UNREACHABLE, Pool, load_queries

_SQL = load_queries("stayaway.alerts", "review.sql")
TICK_S: Final = 5.0
_POLL_S: Final = 1.0
_MOST_CHANGES: Final = 2_000
"""A page further behind than this loads itself again instead."""
_RETRY_MS: Final = 2_000


class Outbox:
    """Follows the outbox's sequence for all streams of this process, over one connection."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool
        self._moved = asyncio.Condition()
        self._hint = asyncio.Event()
        self.sequence = 0
        self.stopping = False

    async def run(self) -> None:
        """Until cancelled; a database that goes away is asked again each second."""
        while True:
            with suppress(*UNREACHABLE, TimeoutError):
                await self._follow()
            await asyncio.sleep(_POLL_S)

    async def _follow(self) -> None:
        async with self._pool.acquire() as conn:
            await conn.add_listener(OUTBOX_CHANNEL, self._on_notify)
            try:
                while True:
                    await self.publish(await conn.fetchval(_SQL.outbox_sequence))
                    with suppress(TimeoutError):
                        await asyncio.wait_for(self._hint.wait(), _POLL_S)
                    self._hint.clear()
            finally:
                with suppress(*UNREACHABLE):
                    await conn.remove_listener(OUTBOX_CHANNEL, self._on_notify)

    def _on_notify(self, _conn: Any, _pid: int, _channel: str, _payload: object) -> None:
        self._hint.set()

    async def catch_up(self) -> None:
        """Read the sequence now, so that a new stream never starts behind its page."""
        await self.publish(await self._pool.fetchval(_SQL.outbox_sequence))

    async def publish(self, sequence: int) -> None:
        """The outbox has reached `sequence`: wake whoever waits."""
        if sequence != self.sequence:
            async with self._moved:
                self.sequence = sequence
                self._moved.notify_all()

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
    tick: Callable[[], Awaitable[Any]],
) -> AsyncIterator[bytes]:
    """Events from `cursor` on: `changes` (None: nothing to say), `tick`, `reload` when too far behind."""
    yield f"retry: {_RETRY_MS}\n\n".encode()
    loop = asyncio.get_running_loop()
    next_tick = loop.time()
    while not outbox.stopping:
        try:
            reached = outbox.sequence
            if not 0 <= reached - cursor <= _MOST_CHANGES:
                yield event("reload", {}, reached)
                return
            if reached != cursor:
                data = await changes(cursor, reached)
                cursor = reached
                if data is not None:
                    yield event("changes", data, cursor)
            if loop.time() >= next_tick:
                yield event("tick", await tick(), cursor)
                next_tick = loop.time() + TICK_S
        except (*UNREACHABLE, asyncpg.PostgresError):
            return  # the browser comes back with its cursor; silence makes the page say so
        await outbox.wait_for_change(cursor, max(next_tick - loop.time(), 0.01))
