"""`stayaway demo` as a user runs it: the day through Kafka and Postgres equals what the oracle expects."""

import asyncio
import json
import os
import signal
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from threading import Thread

import psutil
import pytest

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
        return self.process.wait(20)


@contextmanager
def running_demo(state: Path, *options: str | Path) -> Iterator[Demo]:
    """`stayaway demo`; killed at the end if it still runs."""
    process = subprocess.Popen(
        [*STAYAWAY, "demo", *map(str, options)],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        env=plain_environment(XDG_STATE_HOME=str(state)),
    )
    demo = Demo(process, state)
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


async def check_that_others_left_no_trace(dsn: str) -> None:
    """Promise 6: no plate of a read that matched nothing is anywhere in the database, also not as bytes."""
    matched = {line["line"] for line in DAY.expected() if "line" in line}
    numbered = enumerate(DAY.event_lines(), start=1)
    others = {
        json.loads(line)["plate"]
        for number, line in numbered
        if number < 20_000 and number not in matched and line.startswith(b'{"schema":"plate_read.v1"')
    }
    others = {plate for plate in others if len(plate) >= 6}
    assert len(others) > 500
    dump = ""
    for table in await fetch(dsn, TABLES):
        rows = await fetch(dsn, f"SELECT t::text AS row FROM {table['name']} t")
        dump += "\n".join(row["row"].upper() for row in rows)
    assert [plate for plate in others if plate in dump or plate.encode().hex().upper() in dump] == []


def gone(processes: list[psutil.Process]) -> bool:
    return not any(process.is_running() and process.status() != psutil.STATUS_ZOMBIE for process in processes)


async def test_the_day_on_servers_equals_the_oracle(tmp_path: Path) -> None:
    summary = DAY.expected_summary()
    with running_demo(tmp_path, "--json") as demo:
        dsn, page = demo.address("database"), demo.address("page")
        await wait_until_read(dsn, summary["read"])
        assert await stored_differences(dsn, DAY.expected()) == []
        await check_that_others_left_no_trace(dsn)
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


def test_after_a_kill_the_next_run_cleans_up(tmp_path: Path) -> None:
    read = json.dumps({**PLATE_READ, "event_id": "late"}).encode()
    files = write_example(tmp_path / "files", read)
    with running_demo(tmp_path, *files.options()) as demo:
        demo.address("database")
        left = demo.children()
        os.kill(demo.process.pid, signal.SIGKILL)
        demo.process.wait()
    env = plain_environment(XDG_STATE_HOME=str(tmp_path))
    done = run_stayaway("demo", *files.options(), "--exit-when-done", "--json", env=env)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout.splitlines()[-1])["read"] == 3
    assert gone(left)
    assert list((tmp_path / "stayaway" / "demo").iterdir()) == []
