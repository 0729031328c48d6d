"""Commands whose connection is cut: a look that is repeated goes on, an act says what nobody here knows."""

import asyncio
import json
import subprocess
from asyncio.subprocess import Process
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from stayaway.platform.embedded.broker import EmbeddedBroker
from stayaway.platform.seal import FileSeal
from support.commands import STAYAWAY, plain_environment
from support.databases import SERVERS
from support.desk import POLICY, Desk, opened_desk
from support.waiting import backend_that_waits
from support.wire_examples import ORDERS

pytestmark = pytest.mark.parametrize("databases", SERVERS, indirect=True)

EXPIRED = "2026-03-06T20:00:00Z"


@pytest.fixture
async def desk(database: str, seal: FileSeal) -> AsyncIterator[Desk]:
    async with opened_desk(database, seal) as opened:
        yield opened


@pytest.fixture
def env(database: str, seal: FileSeal, tmp_path: Path) -> dict[str, str]:
    policy = tmp_path / "policy.json"
    policy.write_text(POLICY.model_dump_json(by_alias=True))
    return plain_environment(
        STAYAWAY_DATABASE=database,
        STAYAWAY_KEYS_FILE=str(tmp_path / "keys.jsonl"),
        STAYAWAY_POLICY_FILE=str(policy),
    )


async def start(*arguments: str, env: dict[str, str]) -> Process:
    return await asyncio.create_subprocess_exec(
        *STAYAWAY, *arguments, env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )


async def cut(conn: asyncpg.Connection) -> None:
    """End the session that waits for what `conn` holds; return when it has gone."""
    pid = await backend_that_waits(conn)
    assert await conn.fetchval("SELECT pg_terminate_backend($1, 5000)", pid)


async def cancel(conn: asyncpg.Connection) -> None:
    """Stop only the statement of that session."""
    assert await conn.fetchval("SELECT pg_cancel_backend($1)", await backend_that_waits(conn))


ORDERS_FILE = "orders.json"
LOCKED = "LOCK TABLE {} IN ACCESS EXCLUSIVE MODE"
WENT = "Postgres went away meanwhile ("
STOPPED = "Postgres stopped the statement (QueryCanceledError): "
GAP = ("partitions", "gap", "t", "0", "--to", "1", "--reason", "lost")
COMMANDS: list[tuple[tuple[str, ...], str, int]] = [
    (("orders", "import", ORDERS_FILE), "SELECT FROM registry FOR UPDATE", 2),
    (("orders", "check", ORDERS_FILE), LOCKED.format("order_token"), 2),
    (("orders", "latency"), LOCKED.format("registry_applied"), 1),
    (("deadletters", "list"), LOCKED.format("dead_letter"), 1),
    (("deadletters", "show", "t/0/1", "--purpose", "complaint 7"), LOCKED.format("dead_letter"), 1),
    (("deadletters", "redrive", "t/0/1", "--purpose", "complaint 7"), LOCKED.format("dead_letter"), 1),
    (("partitions", "list"), LOCKED.format("partition_position"), 1),
    (GAP, LOCKED.format("partition_position"), 1),
    (("migrate",), LOCKED.format("schema_migration"), 1),
    (("explain", "1"), LOCKED.format("alert"), 2),
]


async def look_that_waits(desk: Desk, conn: asyncpg.Connection, env: dict[str, str]) -> tuple[Any, Process]:
    """A repeated look at an order that has ended, and the transaction of `conn` that it waits for."""
    await desk.in_force(expires_at=EXPIRED)
    await desk.open_alert(desk.clock.now)
    held = conn.transaction()
    await held.start()
    await conn.execute("SELECT FROM registry FOR UPDATE")
    return held, await start("orders", "expire", "--every", "1", env=env)


async def test_a_repeated_look_survives_its_connection_and_says_so_once(
    desk: Desk, conn: asyncpg.Connection, env: dict[str, str]
) -> None:
    """Cut twice inside its transaction: one line. The look after that finds what there is."""
    held, looking = await look_that_waits(desk, conn, env)
    assert looking.stdout is not None
    assert looking.stderr is not None
    try:
        async with asyncio.timeout(60):
            await cut(conn)
            await cut(conn)
            await held.rollback()
            assert await looking.stdout.readline() == b"alerts marked as ended: 1\n"
            lost = (await looking.stderr.readline()).decode()
            assert lost.startswith("Postgres went away meanwhile (")
            assert lost.endswith("). Trying again every 1 s.\n")
            assert await looking.stderr.readline() == b"Postgres answers again.\n"
            assert looking.returncode is None
    finally:
        if looking.returncode is None:
            looking.terminate()
        await looking.communicate()


@pytest.mark.parametrize(
    ("arguments", "held"),
    [
        (("orders", "expire"), "SELECT FROM registry FOR UPDATE"),
        (
            ("orders", "recall", "O1", "--reason", "dismissed", "--recalled-at", "2026-03-06T19:00:00Z"),
            "SELECT FROM registry FOR UPDATE",
        ),
        (("alerts", "claim", "1", "--as", "dora"), "SELECT FROM order_head FOR UPDATE"),
    ],
    ids=["expire", "recall", "claim"],
)
async def test_an_act_cut_inside_its_transaction_says_what_to_look_at(
    desk: Desk, conn: asyncpg.Connection, env: dict[str, str], arguments: tuple[str, ...], held: str
) -> None:
    """One line and exit 1, no traceback: whether it was recorded only the database knows."""
    await desk.in_force(expires_at=EXPIRED)
    assert await desk.open_alert(desk.clock.now) == 1
    async with asyncio.timeout(60), conn.transaction():
        await conn.execute(held)
        acting = await start(*arguments, env=env)
        await cut(conn)
        out, said = await acting.communicate()
    assert (acting.returncode, out) == (1, b"")
    (line,) = said.decode().splitlines()
    assert line.startswith("Postgres went away meanwhile (")
    assert line.endswith("). Look whether the act was recorded before you send it again.")


@pytest.mark.parametrize("how", [cut, cancel])
@pytest.mark.parametrize(
    ("arguments", "held", "code"),
    COMMANDS,
    ids=[" ".join(item[0][:2]) for item in COMMANDS],
)
async def test_every_command_says_that_it_was_cut_or_stopped(
    conn: asyncpg.Connection,
    env: dict[str, str],
    embedded_broker: EmbeddedBroker,
    tmp_path: Path,
    arguments: tuple[str, ...],
    held: str,
    code: int,
    how: Callable[[asyncpg.Connection], Awaitable[None]],
) -> None:
    """One line, and no exit code that would be an answer. What was stopped has not gone away."""
    (tmp_path / ORDERS_FILE).write_text(json.dumps(ORDERS))
    given = [str(tmp_path / part) if part == ORDERS_FILE else part for part in arguments]
    async with asyncio.timeout(60), conn.transaction():
        await conn.execute(held)
        acting = await start(*given, env=env | {"STAYAWAY_BOOTSTRAP": embedded_broker.bootstrap})
        await how(conn)
        out, said = await acting.communicate()
    assert (acting.returncode, out) == (code, b"")
    (line,) = said.decode().splitlines()
    assert line.startswith(WENT if how is cut else STOPPED)
    assert line.endswith("Look whether the act was recorded before you send it again.")


async def test_a_repeated_look_survives_that_somebody_stops_it(
    desk: Desk, conn: asyncpg.Connection, env: dict[str, str]
) -> None:
    held, looking = await look_that_waits(desk, conn, env)
    assert looking.stdout is not None
    try:
        async with asyncio.timeout(60):
            await cancel(conn)
            await held.rollback()
            assert await looking.stdout.readline() == b"alerts marked as ended: 1\n"
    finally:
        looking.terminate()
        _, said = await looking.communicate()
    assert said.decode().startswith(STOPPED)
