"""The worker's own connection: opened with patience, thrown away after any failure in a transaction."""

from collections.abc import Callable

import asyncpg

from stayaway.platform.postgres import Connection, connect

# A matcher that was stopped inside a transaction must not hold its rows for long: the server ends
# its session, its transaction is rolled back, and the fence does the rest.
IDLE_IN_TRANSACTION_S = 5
_LOCK_WAIT_S = 20

PASSING_ERRORS = (
    OSError,
    TimeoutError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,
    asyncpg.PostgresConnectionError,
    asyncpg.OperatorInterventionError,
    asyncpg.InsufficientResourcesError,
    asyncpg.TransactionRollbackError,
    asyncpg.IdleInTransactionSessionTimeoutError,
    asyncpg.LockNotAvailableError,
)
"""What a server that stops, starts, is cut off or breaks a tie does to us: try again.

asyncpg raises InternalClientError after a killed backend, which is neither a PostgresError nor
an InterfaceError.
"""


class Database:
    """One connection at a time, for one task at a time."""

    def __init__(self, dsn: str, *, wait_s: float, on_wait: Callable[[str], None]) -> None:
        self._dsn = dsn
        self._wait_s = wait_s
        self._on_wait = on_wait
        self._connection: asyncpg.Connection | None = None

    async def connection(self) -> Connection:
        """The connection, opened anew where there is none. Raises UnreachableError after the limit."""
        if self._connection is None or self._connection.is_closed():
            self._connection = await connect(
                self._dsn, wait_s=self._wait_s, on_wait=self._on_wait, application="stayaway matcher"
            )
            await self._connection.execute(
                f"SET idle_in_transaction_session_timeout = '{IDLE_IN_TRANSACTION_S}s';"
                f" SET lock_timeout = '{_LOCK_WAIT_S}s'"
            )
        return self._connection

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
