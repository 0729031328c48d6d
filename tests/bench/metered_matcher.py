"""`stayaway matcher` with a meter beside it: `python -m bench.metered_matcher matcher`.

Each second one line of JSON with the longest that its loop stood still: by the wall, and by the thread's own
processor time, which the machine's other work is not in; and what the host took from the machine meanwhile.
"""

import asyncio
import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from bench.road import Road
from stayaway.cli import main
from stayaway.worker.loop import MatcherWorker

_BEAT_S = 0.002
_run_matcher = MatcherWorker.run


async def _run_metered(worker: MatcherWorker, stop: asyncio.Event) -> None:
    metering = asyncio.create_task(_meter(worker))
    try:
        await _run_matcher(worker, stop)
    finally:
        metering.cancel()


async def _meter(worker: MatcherWorker) -> None:
    while not worker.began:  # noqa: ASYNC110 - it tells nobody
        await asyncio.sleep(0.01)
    _say(began=1)
    while True:
        until, wall, own, stolen_s = time.perf_counter() + 1, 0.0, 0.0, _stolen_s()
        while time.perf_counter() < until:
            at, used = time.perf_counter(), time.thread_time()
            await asyncio.sleep(_BEAT_S)
            wall = max(wall, time.perf_counter() - at - _BEAT_S)
            own = max(own, time.thread_time() - used)
        stolen_ms = (_stolen_s() - stolen_s) * 1e3
        _say(at=time.time(), wall_ms=wall * 1e3, own_ms=own * 1e3, stolen_ms=stolen_ms, rss=_resident_bytes())


def _stolen_s() -> float:
    """What the host gave to others, on all cores since its start."""
    with Path("/proc/stat").open() as told:
        return int(told.readline().split()[8]) / os.sysconf("SC_CLK_TCK")


def _resident_bytes() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def _say(**line: float) -> None:
    print(json.dumps(line), flush=True)


@dataclass
class Meter:
    """What a matcher says of itself, a line a second. `began_s`: from its start to its first fetch."""

    process: "subprocess.Popen[str]"
    started: float
    began_s: float = 0.0
    lines: list[dict[str, float]] = field(default_factory=list)
    _is_told: threading.Event = field(default_factory=threading.Event)

    def read(self) -> None:
        assert self.process.stdout is not None
        for text in self.process.stdout:
            line = json.loads(text)
            if "began" in line:
                self.began_s = time.monotonic() - self.started
                self._is_told.set()
            else:
                self.lines.append(line)
        self._is_told.set()  # it has ended

    def wait_until_begun(self, limit_s: float) -> None:
        if not self._is_told.wait(limit_s) or not self.began_s:
            raise TimeoutError("the matcher did not begin")

    def between(self, start: float, stop: float) -> list[dict[str, float]]:
        return [line for line in self.lines if start + 1 < line["at"] <= stop + 0.5]


@contextmanager
def metered_matcher(road: Road) -> Iterator[Meter]:
    """One matcher as its own process, told to stop at the end."""
    command = [sys.executable, "-m", __name__, "matcher"]
    started = time.monotonic()
    process = subprocess.Popen(
        command, env=road.environment, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    )
    meter = Meter(process, started)
    thread = threading.Thread(target=meter.read)
    thread.start()
    try:
        yield meter
    finally:
        process.terminate()
        process.wait()
        thread.join()


if __name__ == "__main__":
    MatcherWorker.run = _run_metered  # type: ignore[method-assign,assignment]
    main()
