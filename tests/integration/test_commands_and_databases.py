"""Commands on a database that does not fit, or that refuses them: in words, and nothing done."""

import asyncio

import asyncpg
import pytest

from support.commands import run_stayaway, says_no_traceback
from support.databases import SERVERS
from support.shell import Shell
from support.tampering import tamper
from support.wire_examples import ORDERS

pytestmark = pytest.mark.parametrize("databases", SERVERS, indirect=True)

COMMANDS = [
    ("orders", "list"),
    ("orders", "latency"),
    ("orders", "expire"),
    ("alerts", "list"),
    ("explain", "1"),
    ("deadletters", "list"),
    ("deadletters", "show", "t/0/1", "--purpose", "complaint 7"),
    ("deadletters", "redrive", "t/0/1", "--purpose", "complaint 7"),
    ("partitions", "list"),
    ("partitions", "gap", "t", "0", "--to", "1", "--reason", "lost"),
    ("web",),
]
BOOTSTRAP = "127.0.0.1:9"


def said(shell: Shell, *arguments: str, database: str | None = None) -> str:
    """What a command that fails says, in one line of its own."""
    env = shell.env | {"STAYAWAY_BOOTSTRAP": BOOTSTRAP, "STAYAWAY_WAIT_S": "1"}
    done = run_stayaway(*arguments, env=env | ({"STAYAWAY_DATABASE": database} if database else {}))
    assert done.returncode in (1, 2)
    assert (done.stdout, says_no_traceback(done)) == (b"", True)
    (line,) = done.stderr.decode().splitlines()
    return line


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_a_database_without_tables_is_said(
    shell: Shell, empty_database: str, command: tuple[str, ...]
) -> None:
    words = "the database has no stayaway tables. Run `stayaway migrate` first."
    assert said(shell, *command, database=empty_database) == words


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
async def test_a_database_of_a_later_version_is_said(
    conn: asyncpg.Connection, shell: Shell, command: tuple[str, ...]
) -> None:
    await tamper(conn, "INSERT INTO schema_migration (name, sha256) VALUES ('9999_later.sql', '')")
    line = await asyncio.to_thread(said, shell, *command)
    assert line.startswith("the database has migrations that this version does not know: 9999_later.sql.")


async def test_an_import_looks_at_the_database_first(shell: Shell, empty_database: str) -> None:
    """And leaves no empty file of advice behind, for which a second try would be refused."""
    file, advice = shell.write(ORDERS), shell.folder / "advice.jsonl"
    importing = ("orders", "import", file, "--advice", str(advice))
    line = await asyncio.to_thread(said, shell, *importing, database=empty_database)
    assert line.startswith("the database has no stayaway tables.")
    assert not advice.exists()
    assert "applied: 1 version" in await asyncio.to_thread(shell.orders, *importing[1:])
    assert advice.exists()


async def test_migrate_without_the_right_to_it_is_said(shell: Shell, empty_database: str) -> None:
    """An account that may connect, and make nothing in the schema."""
    owner = await asyncpg.connect(empty_database)
    try:
        await owner.execute("DROP ROLE IF EXISTS try_nothing; CREATE ROLE try_nothing LOGIN")
        theirs = empty_database.replace("postgresql://postgres@", "postgresql://try_nothing@")
        line = await asyncio.to_thread(said, shell, "migrate", database=theirs)
        assert line.startswith("Postgres does not let this account do that (InsufficientPrivilegeError).")
    finally:
        await owner.execute("DROP ROLE try_nothing")
        await owner.close()


@pytest.mark.parametrize("parameter", ["foo=bar", "datestyle=never"])
def test_a_parameter_that_the_server_does_not_take_is_said(
    shell: Shell, database: str, parameter: str
) -> None:
    for command in (("migrate",), ("deadletters", "list"), ("web",)):
        line = said(shell, *command, database=f"{database}&{parameter}")
        assert "refuses these settings" in line
        assert line.endswith(
            "Check the database address, its name and parameters, the user and the password."
        )
