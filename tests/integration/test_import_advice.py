"""Importing an orders file gives the clerk the same advice as checking it, and records it all the same."""

import asyncio
import json
import subprocess
import sys
from datetime import UTC, datetime

import asyncpg
import pytest

from stayaway.alerts.order_changes import import_orders
from stayaway.orders.cli_support import check_lines
from stayaway.platform.postgres import open_pool
from stayaway.platform.seal import FileSeal
from support.advised import order, orders_file, vehicle
from support.commands import run_stayaway, says_no_traceback
from support.databases import SERVERS
from support.shell import Shell

pytestmark = pytest.mark.parametrize("databases", SERVERS, indirect=True)

NOW = datetime(2026, 3, 6, 20, 15, tzinfo=UTC)


async def test_an_import_returns_the_advice_and_records_the_orders(database: str, seal: FileSeal) -> None:
    """Warnings refuse nothing; terms that cannot be watched are stored, and said."""
    firearms_only = order(2, zones=[], conditions=["07"], not_monitored=["no firearms"])
    record = order(1)
    record["respondents"][0]["vehicles"] = [vehicle(vin="1M8GDM9A1KP042788")]
    data = json.dumps(orders_file(record, firearms_only)).encode()
    async with await open_pool(database, wait_s=5, on_wait=print) as pool:
        imported = await import_orders(pool, seal, data, None, actor="clerk", at=NOW)
    outcome = imported.outcome
    assert dict(outcome.applied) == {"VERSION": 2, "NOTICE": 2}
    assert [finding.as_line() for finding in outcome.findings] == check_lines(data, now=NOW)[0]
    assert [finding.pointer for finding in outcome.findings] == [
        "/orders/0/respondents/0/vehicles/0/vin",
        "/orders/1/zones",
    ]
    assert not outcome.has_errors


FAILING_LOOK = """
import asyncpg
import stayaway.orders.meet as meet
from concurrent.futures.process import BrokenProcessPool
from stayaway.cli import main
from stayaway.kernel.errors import UnreachableError
async def fail(*_, **__):
    raise {raised}
meet.look_at_met = fail
main()
"""


def import_with(shell: Shell, raised: str, *more: str) -> subprocess.CompletedProcess[bytes]:
    """Import what `shell` wrote, by a command whose look for the advice fails so."""
    file = str(shell.folder / "draft.json")
    code = FAILING_LOOK.format(raised=raised)
    return run_stayaway("-c", code, "orders", "import", file, *more, env=shell.env, command=(sys.executable,))


@pytest.mark.parametrize(
    ("raised", "why"),
    [
        ("UnreachableError('Postgres went away.', 'Wait.')", "Postgres went away"),
        ("asyncpg.QueryCanceledError('ZZZ0000')", "Postgres stopped the statement (QueryCanceledError)"),
        ("BrokenProcessPool('ZZZ0000')", "BrokenProcessPool, as the line above says"),
        ("KeyError('ZZZ0000')", "KeyError, as the line above says"),
    ],
)
@pytest.mark.parametrize("refused", [False, True])
async def test_a_recorded_file_stays_recorded_though_its_advice_fails(
    shell: Shell, conn: asyncpg.Connection, raised: str, why: str, refused: bool
) -> None:
    """The exit code is the outcome's: 2 would say that nothing was recorded, and it would be sent again."""
    file = orders_file(order(1))
    if refused:
        file["recalls"] = [{"order_id": "O1"}]
    shell.write(file)
    done = await asyncio.to_thread(import_with, shell, raised)
    assert (done.returncode, says_no_traceback(done)) == (int(refused), True), done.stderr
    assert done.stdout.startswith(b"applied: ")
    words = "NOT CHECKED: No advice on this file could be had, neither by itself nor beside the registry"
    assert f"{words} ({why}" in done.stderr.decode()
    assert b"ZZZ0000" not in done.stderr
    assert await conn.fetchval("SELECT count(*) FROM order_record WHERE record_kind = 'NOTICE'") == 1


@pytest.mark.parametrize("name", ["", "  ", "ann\u202e", "ann\x1b[2J"], ids=ascii)
async def test_nothing_is_recorded_under_a_name_that_is_none(
    shell: Shell, conn: asyncpg.Connection, name: str
) -> None:
    shell.write(orders_file(order(1)))
    importing = ("import", str(shell.folder / "draft.json"), "--as", name)
    assert "Say who acts" in await asyncio.to_thread(shell.orders, *importing, code=2)
    assert await conn.fetchval("SELECT count(*) FROM order_record") == 0


async def test_an_advice_file_that_fills_up_changes_nothing_of_the_outcome(shell: Shell) -> None:
    """Its disk is full by a limit on what one process may write."""
    file, advice = shell.write(orders_file(order(1))), shell.folder / "advice.jsonl"
    code = """
import io
import stayaway.platform.files as files
from stayaway.cli import main
class Full(io.StringIO):
    def writelines(self, lines):
        raise OSError(28, "No space left on device")
files.os.fdopen = lambda *_, **__: Full()
main()
"""
    done = await asyncio.to_thread(
        run_stayaway, "-c", code, "orders", "import", file, "--advice", str(advice), env=shell.env,
        command=(sys.executable,),
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert b"The advice file is not whole: No space left on device. What was recorded stands." in done.stderr
