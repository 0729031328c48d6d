"""`stayaway demo` as a user runs it: the day through Kafka and Postgres equals what the oracle expects."""

import asyncio
import json
import os
import re
import signal
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from threading import Thread

import asyncpg
import psutil
import pytest

from stayaway.alerts.explain import explain_alert
from stayaway.alerts.review_model import Reviewer
from stayaway.platform.seal import FileSeal
from support.commands import STAYAWAY, json_lines, plain_environment, run_stayaway
from support.days import PACKAGED_DAY, DayFolder, write_example
from support.stored import fetch, stored_differences
from support.wire_examples import PLATE_READ

DAY = DayFolder(PACKAGED_DAY)
LIMIT_S = 240.0


@dataclass
class Demo:
    """A running demo and what it has printed on standard output."""

    process: subprocess.Popen[str]
    state: Path
    said: Path
    lines: list[str] = field(default_factory=list)

    def address(self, name: str) -> str:
        """What follows `page:` or `database:`, as soon as it is printed."""
        deadline = time.monotonic() + LIMIT_S
        while time.monotonic() < deadline and self.process.poll() is None:
            for line in list(self.lines):
                if line.startswith(f"{name}: "):
                    return line.split(" ", 1)[1].strip()
            with suppress(subprocess.TimeoutExpired):
                self.process.wait(0.05)
        raise AssertionError(f"no {name} was printed")

    def children(self) -> list[psutil.Process]:
        return psutil.Process(self.process.pid).children(recursive=True)

    def end(self) -> int:
        self.process.send_signal(signal.SIGINT)
        return self.process.wait(10)


@contextmanager
def running_demo(state: Path, *options: str | Path) -> Iterator[Demo]:
    """`stayaway demo`; killed at the end if it still runs."""
    said = state / "stderr"
    with said.open("wb") as stderr:
        process = subprocess.Popen(
            [*STAYAWAY, "demo", *map(str, options)],
            stdout=subprocess.PIPE,
            stderr=stderr,
            text=True,
            env=plain_environment(XDG_STATE_HOME=str(state)),
        )
    demo = Demo(process, state, said)
    assert process.stdout is not None
    reader = Thread(target=demo.lines.extend, args=(process.stdout,), daemon=True)
    reader.start()
    try:
        yield demo
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()
        reader.join(10)
        process.stdout.close()


async def wait_until_read(dsn: str, records: int) -> None:
    """Until the stored positions say that every record was judged."""
    query = "SELECT coalesce(sum(next_offset), 0) AS n FROM partition_position"
    async with asyncio.timeout(LIMIT_S):
        while (await fetch(dsn, query))[0]["n"] < records:  # noqa: ASYNC110 - another process's doing
            await asyncio.sleep(0.2)


TABLES = """SELECT oid::regclass::text AS name FROM pg_class
             WHERE relkind = 'r' AND relnamespace::regnamespace::text !~ '^(pg_|information_schema)'"""

HEX = re.compile(r"[0-9A-F]+")
BYTEA = re.compile(r"\\X[0-9A-F]+")


async def check_that_others_left_no_trace(dsn: str, demo: Demo) -> None:
    """Promise 6: no plate of a read that matched nothing is in a table, also not as bytes, nor in a log."""
    matched = {line["line"] for line in DAY.expected() if "line" in line}
    own_files = "".join(path.read_text() for path in (DAY.orders, DAY.policy)).upper()
    others = {
        json.loads(line)["plate"].upper()
        for number, line in enumerate(DAY.event_lines(), start=1)
        if number not in matched and line.startswith(b'{"schema":"plate_read.v1"')
    }
    # Short ones, and those that could be a piece of a digest, stand somewhere by chance.
    others = {plate for plate in others if len(plate) >= 7 and not HEX.fullmatch(plate)}
    others = {plate for plate in others if plate not in own_files}
    assert len(others) > 4_000
    texts = [path.read_text(errors="replace") for path in demo.state.rglob("*.log")]
    assert texts, "the server's log is where it was looked for"
    texts += [demo.said.read_text(), *demo.lines]
    for table in await fetch(dsn, TABLES):
        rows = await fetch(dsn, f"SELECT t::text AS row FROM {table['name']} t")
        texts += [row["row"] for row in rows]
    dump = "\n".join(texts).upper()
    hexes = "\n".join(BYTEA.findall(dump))
    assert [plate for plate in others if plate in dump or plate.encode().hex().upper() in hexes] == []


async def check_that_every_alert_comes_out_the_same_again(dsn: str, state: Path) -> None:
    """By the policy that the matcher kept and the orders as they were known then."""
    (keys,) = (state / "stayaway" / "demo").rglob("keys")
    numbers = [row["alert_number"] for row in await fetch(dsn, "SELECT alert_number FROM alert")]
    assert len(numbers) >= len(DAY.expected_alerts())
    conn, who = await asyncpg.connect(dsn), Reviewer(name="auditor", channel="cli")
    try:
        for number in numbers:
            found = await explain_alert(conn, FileSeal(keys), number, who, now=datetime.now(UTC))
            assert (found.verdict, found.difference) == ("SAME", None), number
    finally:
        await conn.close()


async def check_that_each_event_is_a_member_once(dsn: str) -> None:
    """The same bytes again are no second member; one id with other bytes is."""
    lines = DAY.event_lines()
    members = {
        (lines[line["line"] - 1], match["order_id"], match["respondent_id"], match["zone_id"])
        for line in DAY.expected()
        for match in line.get("matches", ())
        if not match["reasons"]
    }
    assert (await fetch(dsn, "SELECT count(*) FROM export.sightings_v1"))[0][0] == len(members)


def gone(processes: list[psutil.Process]) -> bool:
    return not any(process.is_running() and process.status() != psutil.STATUS_ZOMBIE for process in processes)


async def test_the_day_on_servers_equals_the_oracle(tmp_path: Path) -> None:
    summary = DAY.expected_summary()
    with running_demo(tmp_path, "--json") as demo:
        dsn, page = demo.address("database"), demo.address("page")
        await wait_until_read(dsn, summary["read"])
        assert await stored_differences(dsn, DAY.expected()) == []
        await check_that_each_event_is_a_member_once(dsn)
        await check_that_others_left_no_trace(dsn, demo)
        await check_that_every_alert_comes_out_the_same_again(dsn, tmp_path)
        with urllib.request.urlopen(page, timeout=10) as answer:  # noqa: S310, ASYNC210 - our own loopback page
            assert answer.status == 200
        children = demo.children()
        assert any("postgres" in child.name() for child in children)
        assert demo.end() == 0
    last = json.loads(demo.lines[-1])
    assert last.pop("elapsed_s") > 0
    assert {name: last[name] for name in summary} == summary
    assert gone(children)
    assert list((tmp_path / "stayaway" / "demo").iterdir()) == []


@pytest.mark.parametrize("seed", [1, 2])
def test_own_files_in_any_order(tmp_path: Path, seed: int) -> None:
    """WIRE.md's example with bad lines: the same alert, and each bad line counted as refused."""
    files = write_example(tmp_path / "files", b"not json", b'{"schema":"plate_read.v9"}', b"\xff\xfe", b"{}")
    lines = files.events.read_bytes().splitlines(keepends=True)
    files.events.write_bytes(b"\n".join(lines[::-1] if seed == 2 else lines))
    env = plain_environment(XDG_STATE_HOME=str(tmp_path))
    done = run_stayaway("demo", *files.options(), "--exit-when-done", "--json", env=env)
    assert done.returncode == 0, done.stderr
    summary = json.loads(done.stdout.splitlines()[-1])
    decided = json_lines(run_stayaway("decide", *files.options()).stdout)[-1]
    assert {name: summary[name] for name in decided} == decided
    assert (summary["read"], summary["refused"], summary["alerts"]) == (6, 4, 1)


async def test_after_a_kill_in_the_middle_the_next_run_cleans_up(tmp_path: Path) -> None:
    read = json.dumps({**PLATE_READ, "event_id": "late"}).encode()
    files = write_example(tmp_path / "files", read)
    with running_demo(tmp_path) as demo:
        await wait_until_read(demo.address("database"), 1_000)
        left = demo.children()
        os.kill(demo.process.pid, signal.SIGKILL)
        demo.process.wait()
    env = plain_environment(XDG_STATE_HOME=str(tmp_path))
    done = run_stayaway("demo", *files.options(), "--exit-when-done", "--json", env=env)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout.splitlines()[-1])["read"] == 3
    assert gone(left)
    assert list((tmp_path / "stayaway" / "demo").iterdir()) == []
