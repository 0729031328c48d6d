"""How a command reaches the database: one way for all of them."""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from stayaway.cli.options import is_of_output, say, settings_with
from stayaway.kernel.errors import SettingsError, UnreachableError

if TYPE_CHECKING:
    import asyncpg

    from stayaway.platform.postgres import Connection, Pool
    from stayaway.platform.seal import FileSeal
    from stayaway.platform.settings import Settings

_T = TypeVar("_T")
_CLOSE_S = 5.0
"""A server that says nothing any more is not waited for: what it was to do has been answered."""
_LOOK = "Look whether the act was recorded before you send it again."


@asynccontextmanager
async def opened_database(
    settings: "Settings",
    seal: "FileSeal | None" = None,
    *,
    on_wait: Callable[[str], None] = say,
    is_migrated: bool = True,
) -> "AsyncIterator[asyncpg.Connection]":
    """A connection to the database of the settings, which was found to fit.

    `seal`: what the command seals and opens with, where it does; one that may make keys makes the first.
    `is_migrated`: False for `migrate` alone, which makes it so. What the server does to the command meanwhile
    is said in words.
    """
    from stayaway.platform.postgres import connect

    conn = await connect(settings.need_database(), wait_s=settings.wait_s, on_wait=on_wait)
    try:
        async with loss_in_words(conn.is_closed):
            if is_migrated:
                await _check_fits(conn, seal)
            yield conn
    finally:
        await _close(conn)


@asynccontextmanager
async def opened_pool(settings: "Settings", seal: "FileSeal | None" = None) -> "AsyncIterator[Pool]":
    """The same for what needs several connections, or takes them in turn."""
    import asyncio

    from stayaway.platform.postgres import open_pool

    pool = await open_pool(settings.need_database(), wait_s=settings.wait_s, on_wait=say)
    try:
        async with loss_in_words(lambda: False):
            async with pool.acquire() as conn:
                await _check_fits(conn, seal)
            yield pool
    finally:
        try:
            await asyncio.wait_for(pool.close(), _CLOSE_S)
        except Exception:  # noqa: BLE001 - what is to be said was said: how it closes changes nothing
            pool.terminate()


async def _check_fits(
    conn: "Connection",
    seal: "FileSeal | None",
) -> None:
    """Whether this version and these keys may work on the database at all. Raises in words."""
    from stayaway.orders.keys_check import check_keys, ensure_keys
    from stayaway.platform.migrations import check_schema

    await check_schema(conn)
    if seal is not None:
        await (check_keys if seal.must_exist else ensure_keys)(conn, seal)


async def _close(conn: "asyncpg.Connection") -> None:
    from stayaway.platform.postgres import UNREACHABLE

    with suppress(TimeoutError, *UNREACHABLE):
        await conn.close(timeout=_CLOSE_S)


async def with_database(
    database: str | None, keys: Path | None, act: Callable[[Any, Any], Awaitable[_T]]
) -> _T:
    """What `act(conn, seal)` returns, with the database and keys named or set.

    For acts on what is there already: a keys file that is not there is refused, never made.
    """
    from stayaway.platform.seal import FileSeal

    settings = settings_with(database=database, keys_file=keys)
    seal = FileSeal(settings.need_keys_file(), must_exist=True)
    async with opened_database(settings, seal) as conn:
        return await act(conn, seal)


@asynccontextmanager
async def loss_in_words(is_closed: Callable[[], bool]) -> AsyncIterator[None]:
    """UnreachableError where the server cuts the connection or stops a statement: nobody here knows what was
    still recorded. SettingsError where the account may not. `is_closed`: whether the connection is known to
    be gone.
    """
    import asyncpg

    from stayaway.platform.postgres import UNREACHABLE

    try:
        yield
    except asyncpg.InsufficientPrivilegeError as error:
        raise SettingsError(
            "Postgres does not let this account do that (InsufficientPrivilegeError).",
            "Connect with an account that may: deploy/roles.sql makes them; `migrate` is the owner's.",
        ) from error
    except asyncpg.QueryCanceledError as error:
        raise UnreachableError(
            "Postgres stopped the statement (QueryCanceledError): somebody cancelled it, or it took longer"
            " than the server allows.",
            _LOOK,
        ) from error
    except UNREACHABLE as error:
        if not (is_closed() or _is_loss(error)):
            raise
        raise UnreachableError(f"Postgres went away meanwhile ({type(error).__name__}).", _LOOK) from error


def _is_loss(error: BaseException) -> bool:
    """Whether it tells that the connection is gone, on one that is not known to be.

    Else it is something else: standard output's reader has gone or its disk is full (`end_with` says so), or
    a call of ours was wrong. What leaves a transaction on a lost connection raises InterfaceError, after the
    loss itself.
    """
    import asyncpg

    from stayaway.platform.postgres import UNREACHABLE

    if isinstance(error, asyncpg.InterfaceError):
        return any(
            isinstance(before, UNREACHABLE) and not isinstance(before, asyncpg.InterfaceError)
            for before in _before(error)
        )
    return not (isinstance(error, OSError) and is_of_output(error))


def _before(error: BaseException) -> Iterator[BaseException]:
    """What led to it, the latest first."""
    cause = error.__cause__ or error.__context__
    while cause is not None:
        yield cause
        cause = cause.__cause__ or cause.__context__
