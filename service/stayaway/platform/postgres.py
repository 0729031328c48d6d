"""Connections to Postgres: opened with patience, described without their password."""

import asyncio
import random
from collections.abc import Callable
from datetime import UTC, datetime
from typing import TypeAlias
from urllib.parse import parse_qs, urlsplit

import asyncpg
from asyncpg.pool import PoolConnectionProxy

from stayaway.kernel.errors import SettingsError, UnreachableError
from stayaway.kernel.instants import from_us, to_us
from stayaway.platform.queries import Queries, QueryError, load_queries

__all__ = [
    "BUSY",
    "UNREACHABLE",
    "Connection",
    "Pool",
    "Queries",
    "QueryError",
    "connect",
    "describe_dsn",
    "keep_instants_whole",
    "load_queries",
    "open_pool",
]

Pool: TypeAlias = asyncpg.Pool
Connection: TypeAlias = asyncpg.Connection | PoolConnectionProxy

UNREACHABLE = (
    OSError,
    asyncpg.PostgresConnectionError,
    asyncpg.OperatorInterventionError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,
)
"""What an open connection raises when its server stops or is cut off.

A transaction that is left then raises InterfaceError; asyncpg raises InternalClientError after a killed
backend, which is neither that nor a PostgresError.
"""

BUSY = (
    asyncpg.LockNotAvailableError,
    asyncpg.DeadlockDetectedError,
    asyncpg.InsufficientResourcesError,
    asyncpg.SerializationError,
)
"""What a server says that goes on but cannot do this now: the transaction is over, nothing of it recorded.

Too many connections, a full disk and memory are InsufficientResourcesError too.
"""

_CONNECT_TIMEOUT_S = 5.0
_FIRST_PAUSE_S, _LONGEST_PAUSE_S = 0.1, 2.0

# A server that is starting, stopping, full, or not there yet: worth waiting for.
_PASSING = (
    OSError,
    TimeoutError,
    asyncpg.CannotConnectNowError,
    asyncpg.TooManyConnectionsError,
    asyncpg.ConnectionDoesNotExistError,
    asyncpg.ConnectionFailureError,
    asyncpg.AdminShutdownError,
)
# Waiting will not help: the settings are wrong.
_LASTING = (
    ValueError,
    asyncpg.ClientConfigurationError,
    asyncpg.InvalidAuthorizationSpecificationError,
    asyncpg.InvalidCatalogNameError,
    # A parameter of the address that the server does not know, does not take so, or lets nobody set.
    asyncpg.SyntaxOrAccessError,
    asyncpg.DataError,
    asyncpg.CantChangeRuntimeParamError,
)


_SCHEMES = ("postgresql", "postgres")


def describe_dsn(dsn: str) -> str:
    """Host, port and database of `dsn`, for people; never its user or password.

    In an address that was not written as it must be, such as a password with an unescaped "/", the two may
    stand anywhere: nothing of it is shown.
    """
    try:
        parts = urlsplit(dsn)
        if parts.scheme not in _SCHEMES or "@" in f"{parts.path}{parts.query}{parts.fragment}":
            return "the database"
        host = parts.hostname or parse_qs(parts.query).get("host", ["the default host"])[0]
        port = f":{parts.port}" if parts.port else ""
    except ValueError:
        return "the database"
    return f"{host}{port}{parts.path}"


_SERVER_EPOCH_US = to_us(datetime(2000, 1, 1, tzinfo=UTC))


async def keep_instants_whole(conn: Connection) -> None:
    """Every instant comes back as it went in, aware of its zone.

    asyncpg alone writes the calendar's first and last one as infinity, and reads them back without a zone.
    """
    await conn.set_type_codec(
        "timestamptz",
        schema="pg_catalog",
        format="tuple",
        encoder=lambda at: (to_us(at) - _SERVER_EPOCH_US,),
        decoder=lambda stored: from_us(stored[0] + _SERVER_EPOCH_US),
    )


def _server_settings(application: str) -> dict[str, str]:
    return {"application_name": application, "timezone": "UTC"}


async def connect(
    dsn: str, *, wait_s: float, on_wait: Callable[[str], None], application: str = "stayaway"
) -> asyncpg.Connection:
    """One connection; waits up to `wait_s` seconds for a server that does not answer yet.

    `on_wait` gets one line when the waiting starts. Raises UnreachableError when the time is
    over, SettingsError at once where waiting cannot help.
    """
    loop = asyncio.get_running_loop()
    deadline = loop.time() + wait_s
    pause_s, told = _FIRST_PAUSE_S, False
    while True:
        try:
            return await _open(dsn, application)
        except _LASTING as error:
            raise _settings_error(dsn, error) from None  # their text repeats the settings
        except _PASSING as error:
            left_s = deadline - loop.time()
            if left_s <= 0:
                raise _unreachable(dsn, error, wait_s) from None
            if not told:
                on_wait(f"waiting for Postgres at {describe_dsn(dsn)} (up to {wait_s:.0f} s)")
                told = True
        await asyncio.sleep(min(left_s, pause_s * random.uniform(0.5, 1.0)))  # noqa: S311 - no secret
        pause_s = min(2 * pause_s, _LONGEST_PAUSE_S)


async def _open(dsn: str, application: str) -> asyncpg.Connection:
    opened = await asyncpg.connect(
        dsn, timeout=_CONNECT_TIMEOUT_S, server_settings=_server_settings(application)
    )
    try:
        await keep_instants_whole(opened)
    except BaseException:
        opened.terminate()
        raise
    return opened


def _settings_error(dsn: str, error: Exception) -> SettingsError:
    return SettingsError(
        f"Postgres at {describe_dsn(dsn)} refuses these settings ({type(error).__name__}).",
        "Check the database address, its name and parameters, the user and the password.",
    )


def _unreachable(dsn: str, error: Exception, wait_s: float) -> UnreachableError:
    return UnreachableError(
        f"Postgres at {describe_dsn(dsn)} did not answer within {wait_s:.0f} s ({type(error).__name__}).",
        "Start it, or name another with --database.",
    )


async def open_pool(
    dsn: str,
    *,
    wait_s: float,
    on_wait: Callable[[str], None],
    min_size: int = 1,
    max_size: int = 10,
    application: str = "stayaway",
) -> Pool:
    """A pool of connections in UTC, after waiting for the server as `connect` does.

    jsonb travels as text, instants as `keep_instants_whole` says. Close it with `await pool.close()`, or
    use it as `async with`.
    """
    first = await connect(dsn, wait_s=wait_s, on_wait=on_wait, application=application)
    await first.close()
    return await asyncpg.create_pool(
        dsn,
        min_size=min_size,
        max_size=max_size,
        timeout=_CONNECT_TIMEOUT_S,
        server_settings=_server_settings(application),
        init=keep_instants_whole,
    )
