"""Matchers as processes: started, watched, stopped, woken; each with failpoints of its own."""

import asyncio
import itertools
import json
import os
import signal
import socket
import sys
from asyncio.subprocess import PIPE, Process
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

TESTS = Path(__file__).resolve().parents[1]


@dataclass(eq=False)
class Matcher:
    """One process. `code` is set when it has ended (negative: by a signal)."""

    pid: int
    log: Path
    output: Path
    rules: str
    code: int | None = None
    ended: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def owner(self) -> str:
        """Its name among the partitions' owners and the group's members."""
        return f"{socket.gethostname()}-{self.pid}"

    @property
    def alive(self) -> bool:
        return self.code is None

    def fired(self) -> list[str]:
        """`KIND PLACE` of each failpoint that acted."""
        try:
            lines = self.log.read_text(encoding="utf-8").splitlines()
        except FileNotFoundError:
            return []
        return [f"{words[1]} {words[0]}" for line in lines if len(words := line.split()) == 3]

    @property
    def stopped(self) -> bool:
        """Whether it stands still (SIGSTOP)."""
        try:
            text = Path(f"/proc/{self.pid}/stat").read_text(encoding="utf-8")
        except FileNotFoundError:
            return False
        return text.rpartition(")")[2].split()[0] == "T"

    @property
    def started(self) -> bool:
        """Whether it has come so far that it can be told to stop; before that a signal just ends it."""
        return self.output.exists() and b'"matcher started"' in self.output.read_bytes()

    def signal(self, number: signal.Signals) -> None:
        if self.alive:
            os.kill(self.pid, number)

    def said(self) -> str:
        """The end of its output."""
        text = self.output.read_text(encoding="utf-8", errors="replace") if self.output.exists() else ""
        return text[-3000:]

    async def end(self, within_s: float) -> int:
        """Its exit code. Raises TimeoutError."""
        async with asyncio.timeout(within_s):
            await self.ended.wait()
        assert self.code is not None
        return self.code


class Stable:
    """Starts matchers by fork from a process that has imported everything."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._numbers = itertools.count(1)
        self._starting: dict[int, tuple[asyncio.Future[Matcher], str]] = {}
        self._running: dict[int, Matcher] = {}
        self._process: Process
        self._reader: asyncio.Task[None]

    async def __aenter__(self) -> Self:
        """Ready to fork."""
        paths = [path for path in sys.path if path]
        self._process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "faults.stable",
            stdin=PIPE,
            stdout=PIPE,
            cwd=TESTS,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(paths), "OPENBLAS_NUM_THREADS": "1"},
        )
        assert self._process.stdout is not None
        assert "ready" in json.loads(await self._process.stdout.readline())
        self._reader = asyncio.create_task(self._read())
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        """Ended, and every matcher with it."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        await self._process.wait()
        await self._reader

    async def _read(self) -> None:
        assert self._process.stdout is not None
        async for line in self._process.stdout:
            told: dict[str, Any] = json.loads(line)
            if "pid" in told:
                future, rules = self._starting.pop(told["number"])
                matcher = Matcher(told["pid"], *self._files(told["number"]), rules)
                self._running[matcher.pid] = matcher
                future.set_result(matcher)
            elif told["exit"] in self._running:
                ended = self._running.pop(told["exit"])
                ended.code = told["code"]
                ended.ended.set()

    async def start(self, environment: dict[str, str], rules: str = "") -> Matcher:
        """A new matcher. `rules`: failpoints, as STAYAWAY_FAILPOINTS says them."""
        number = next(self._numbers)
        log, output = self._files(number)
        extra = {"STAYAWAY_FAILPOINTS_LOG": str(log)}
        if rules:
            extra["STAYAWAY_FAILPOINTS"] = rules
        future: asyncio.Future[Matcher] = asyncio.get_running_loop().create_future()
        self._starting[number] = future, rules
        wanted = {"number": number, "environment": {**environment, **extra}, "output": str(output)}
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(wanted).encode() + b"\n")
        await self._process.stdin.drain()
        return await future

    def _files(self, number: int) -> tuple[Path, Path]:
        return self._folder / f"{number}.fired", self._folder / f"{number}.out"
