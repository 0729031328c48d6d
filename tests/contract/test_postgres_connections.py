"""Opening connections: patient with a server that is not there yet, plain about wrong settings."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import asyncpg
import pytest

from stayaway.kernel.errors import SettingsError, UnreachableError
from stayaway.platform.embedded.postgres import EmbeddedPostgres
from stayaway.platform.postgres import connect, open_pool

SECRET = "hunter2"


def unheard(line: str) -> None:
    raise AssertionError(f"nothing should wait here: {line}")


@pytest.fixture
def stopped(tmp_path: Path) -> Iterator[EmbeddedPostgres]:
    server = EmbeddedPostgres(tmp_path / "postgres")
    server.start()
    server.stop()
    yield server
    server.destroy()


async def test_a_pool_is_in_utc(database: str) -> None:
    async with await open_pool(database, wait_s=5, on_wait=unheard, application="t") as pool:
        assert await pool.fetchval("SHOW timezone") == "UTC"
        assert await pool.fetchval("SHOW application_name") == "t"


async def test_a_server_that_comes_up_is_waited_for(stopped: EmbeddedPostgres) -> None:
    told = asyncio.Event()
    lines: list[str] = []

    def on_wait(line: str) -> None:
        lines.append(line)
        told.set()

    waiting = asyncio.create_task(connect(stopped.dsn, wait_s=30, on_wait=on_wait))
    await told.wait()
    await asyncio.to_thread(stopped.start)
    connection = await waiting
    assert await connection.fetchval("SELECT 1") == 1
    await connection.close()
    assert len(lines) == 1
    assert lines[0].startswith("waiting for Postgres at ")


async def test_a_server_that_stays_away_is_said_after_the_limit() -> None:
    dsn = f"postgresql://ann:{SECRET}@127.0.0.1:1/stayaway"
    lines: list[str] = []
    with pytest.raises(UnreachableError) as caught:
        await open_pool(dsn, wait_s=0.2, on_wait=lines.append)
    assert "127.0.0.1:1/stayaway did not answer within 0 s" in str(caught.value)
    assert caught.value.__cause__ is None
    assert SECRET not in "".join([str(caught.value), *lines])


@pytest.mark.parametrize("change", ["database", "user", "form"])
async def test_wrong_settings_are_said_at_once(database: str, change: str) -> None:
    dsn = {
        "database": database.replace("/test_", "/no_such_"),
        "user": database.replace("postgres@", f"ann:{SECRET}@"),
        "form": f"postgresql://ann:{SECRET}@h:port/x",
    }[change]
    with pytest.raises(SettingsError, match="refuses these settings") as caught:
        await connect(dsn, wait_s=60, on_wait=unheard)
    assert SECRET not in str(caught.value)


async def test_a_full_server_is_waited_for(database: str) -> None:
    """Too many connections pass; once one is given back, the next gets in."""
    admin = await asyncpg.connect(database)
    name = database.split("/")[3].split("?", maxsplit=1)[0]
    await admin.execute("CREATE ROLE guest LOGIN")
    await admin.execute(f"ALTER DATABASE {name} CONNECTION LIMIT 0")
    told = asyncio.Event()
    dsn = database.replace("postgres@", "guest@")
    waiting = asyncio.create_task(connect(dsn, wait_s=30, on_wait=lambda _: told.set()))
    await told.wait()
    await admin.execute(f"ALTER DATABASE {name} CONNECTION LIMIT -1")
    await (await waiting).close()
    await admin.execute("DROP ROLE guest")
    await admin.close()
