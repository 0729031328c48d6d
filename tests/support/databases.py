"""One embedded Postgres a session, one migrated template in it, one clone of it a test."""

import asyncio
import itertools
import shutil
from collections.abc import Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Self, TypeVar

import asyncpg

from stayaway.kernel.errors import SettingsError
from stayaway.platform.embedded.postgres import EmbeddedPostgres, reap
from stayaway.platform.migrations import migrate
from support.leftovers import left_folders, own_folder

_T = TypeVar("_T")

_TEMPLATE = "stayaway_template"
_DEBIAN = Path("/usr/lib/postgresql")
_OLDEST_SUPPORTED = 15
SERVERS = ("embedded", "debian")
"""For `parametrize("databases", SERVERS, indirect=True)`: the tests of a module run on both."""
# Only the speed of the tests depends on these: a killed server still recovers, as the machine
# stays up. EmbeddedPostgres itself keeps fsync on.
_FAST = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off", "max_connections": "100"}


def run_apart(work: Coroutine[Any, Any, _T]) -> _T:
    """Run a coroutine to its end in a thread and loop of its own, away from the test's loop."""
    with ThreadPoolExecutor(1) as executor:
        return executor.submit(asyncio.run, work).result()


async def _execute(dsn: str, *statements: str) -> None:
    connection = await asyncpg.connect(dsn)
    try:
        for statement in statements:
            await connection.execute(statement)
    finally:
        await connection.close()


async def _migrate(dsn: str) -> None:
    connection = await asyncpg.connect(dsn)
    try:
        await migrate(connection)
    finally:
        await connection.close()


def find_debian_binaries() -> Path | None:
    """The programs of Debian's package `postgresql`, the oldest version that we support; None without."""
    found = [path for path in _DEBIAN.glob("*/bin/postgres") if int(path.parts[-3]) >= _OLDEST_SUPPORTED]
    return min(found, key=lambda path: int(path.parts[-3])).parent if found else None


class TestDatabases:
    """The session's server and its template."""

    __test__ = False

    def __init__(self, repo: Path, *, binaries: Path | None = None) -> None:
        """`binaries`: another PostgreSQL's than the embedded one's."""
        self._tests = repo / ".state" / ("postgres-tests" if binaries is None else "postgres-tests-debian")
        self.server = EmbeddedPostgres(own_folder(self._tests), settings=_FAST, binaries=binaries)
        self._numbers = itertools.count(1)

    def __enter__(self) -> Self:
        """Started, after clearing up what killed test runs left."""
        for left in left_folders(self._tests):
            with suppress(SettingsError, FileNotFoundError):  # another run clears the same folder up
                reap(left)
                EmbeddedPostgres(left).destroy()
            shutil.rmtree(left, ignore_errors=True)
        self.server.start()
        run_apart(_execute(self.dsn, f"CREATE DATABASE {_TEMPLATE} TEMPLATE template0"))
        run_apart(_migrate(self.server.dsn_of(_TEMPLATE)))
        return self

    def __exit__(self, *exc_info: object) -> None:
        """Stopped, whatever happened inside."""
        self.server.destroy()
        shutil.rmtree(own_folder(self._tests), ignore_errors=True)

    @property
    def dsn(self) -> str:
        """The database `postgres`."""
        return self.server.dsn

    @contextmanager
    def fresh(self, template: str = _TEMPLATE) -> Iterator[str]:
        """The address of a new database, a clone of `template`; dropped at the end."""
        name = f"test_{next(self._numbers)}"
        run_apart(_execute(self.dsn, f"CREATE DATABASE {name} TEMPLATE {template}"))
        try:
            yield self.server.dsn_of(name)
        finally:
            run_apart(_execute(self.dsn, f"DROP DATABASE {name} WITH (FORCE)"))
