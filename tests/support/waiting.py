"""Waiting for something that other processes or tasks bring about, with a limit."""

import asyncio
from collections.abc import Callable

import asyncpg

_LOOK_S = 0.01


async def eventually(condition: Callable[[], bool], within_s: float = 20.0) -> None:
    """Return as soon as `condition()` holds; TimeoutError if it does not within the limit."""
    async with asyncio.timeout(within_s):
        while not condition():  # noqa: ASYNC110 - what is watched has no event
            await asyncio.sleep(_LOOK_S)


async def backend_that_waits(conn: asyncpg.Connection, within_s: float = 30.0) -> int:
    """The process id of the session that waits for a lock which `conn` holds, as soon as there is one."""
    # Not of pg_stat_activity, which shows a transaction what it showed it at first.
    waiting = "SELECT pid FROM pg_locks WHERE NOT granted AND pg_backend_pid() = ANY (pg_blocking_pids(pid))"
    async with asyncio.timeout(within_s):
        while (pid := await conn.fetchval(waiting)) is None:  # noqa: ASYNC110 - nor has this
            await asyncio.sleep(_LOOK_S)
    found: int = pid
    return found
