"""The worker's own connection: opened with patience, thrown away after any failure in a transaction."""

from collections.abc import Callable

import asyncpg

from stayaway.platform.postgres import UNREACHABLE, Connection, connect

# A matcher that was stopped inside a transaction must not hold its rows for long: the server ends
# its session, its transaction is rolled back, and the fence does the rest.
IDLE_IN_TRANSACTION_S = 5
_LOCK_WAIT_S = 20
_LIMITS = {
    "idle_in_transaction_session_timeout": f"{IDLE_IN_TRANSACTION_S}s",
    "lock_timeout": f"{_LOCK_WAIT_S}s",
}
# Postgres takes a plan for arrays of any length to be dearer than one for these, so it would plan the largest
# statements anew each time, which takes it as long as running them (PostgreSQL 15, "plan_cache_mode"). But
# what is planned once may have been planned while the tables were empty: so never by reading whole tables.
# Where that cannot be helped its price is so high that Postgres would compile the statement: not that either.
_BY_KEY = {
    "plan_cache_mode": "force_generic_plan",
    "enable_seqscan": "off",
    "enable_hashjoin": "off",
    "enable_mergejoin": "off",
    "jit": "off",
}

PASSING_ERRORS = (
    *UNREACHABLE,
    asyncpg.InsufficientResourcesError,
    asyncpg.TransactionRollbackError,
    asyncpg.IdleInTransactionSessionTimeoutError,
    asyncpg.LockNotAvailableError,
)
"""What a server that stops, starts, is cut off or breaks a tie does to us: try again."""


class Database:
    """One connection at a time, for one task at a time.

    `by_key`: for who finds all rows by their keys: each statement is planned once, to do so by an index.
    """

    def __init__(
        self, dsn: str, *, wait_s: float, on_wait: Callable[[str], None], by_key: bool = False
    ) -> None:
        self._dsn = dsn
        self._wait_s = wait_s
        self._on_wait = on_wait
        self._settings = _LIMITS | (_BY_KEY if by_key else {})
        self._connection: asyncpg.Connection | None = None

    async def connection(self) -> Connection:
        """The connection, opened anew where there is none. Raises UnreachableError after the limit."""
        if self._connection is None or self._connection.is_closed():
            self._connection = await self._open()
        return self._connection

    async def _open(self) -> asyncpg.Connection:
        opened = await connect(
            self._dsn, wait_s=self._wait_s, on_wait=self._on_wait, application="stayaway matcher"
        )
        try:
            await opened.execute(
                "; ".join(f"SET {name} = '{value}'" for name, value in self._settings.items())
            )
        except BaseException:  # cut short, it must not be used without its limits
            opened.terminate()
            raise
        return opened

    def drop(self) -> None:
        """Cut the connection. What it was doing may still commit: ask `reconcile`."""
        if self._connection is not None:
            self._connection.terminate()
            self._connection = None

    async def close(self) -> None:
        """End it in order."""
        if self._connection is not None and not self._connection.is_closed():
            await self._connection.close(timeout=2)
        self._connection = None
