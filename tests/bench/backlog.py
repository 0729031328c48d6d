"""A backlog drained with bounded memory: `cd tests && python -m bench.backlog --events 5000000`.

Real Kafka, fsynced Postgres, one matcher as its own process; a share of the messages is malformed.
Prints the rate, the matcher's peak of resident memory and what was refused.
Exit code 1 if the memory limit is passed or a message is missing.
"""

import argparse
import asyncio
import random
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import asyncpg
import psutil

from bench.feed import POOL, renamed
from bench.road import Road, make_road, publish, wait_for
from bench.workload import Workload, make_workload
from support.kafka_server import find_reason_to_skip

_BAD = (b"{", b'{"schema":"plate_read.v1"}', b'{"schema":"other.v9"}', b"\xff\xfe", b"[" * 5_000)


def backlog(workload: Workload, count: int, bad_share: float) -> Iterator[bytes]:
    """`count` messages: a pool of events again and again, each time with other ids."""
    rng = random.Random(7)
    for number, event in enumerate(renamed(workload.events(min(count, POOL)), count, "r")):
        yield _BAD[number % len(_BAD)] if rng.random() < bad_share else event


@dataclass
class Watch:
    """The resident memory of one process, looked at ten times a second."""

    process: psutil.Process
    stop: threading.Event = field(default_factory=threading.Event)
    peak_bytes: int = 0

    def run(self) -> None:
        while not self.stop.wait(0.1):
            try:
                self.peak_bytes = max(self.peak_bytes, self.process.memory_info().rss)
            except psutil.NoSuchProcess:
                return


@contextmanager
def watched_matcher(road: Road) -> Iterator[Watch]:
    """One matcher, told to stop at the end, with its memory watched."""
    process = subprocess.Popen(road.stayaway("matcher"), env=road.environment, stderr=subprocess.DEVNULL)
    watch = Watch(psutil.Process(process.pid))
    thread = threading.Thread(target=watch.run)
    thread.start()
    try:
        yield watch
    finally:
        process.terminate()
        process.wait()
        watch.stop.set()
        thread.join()


async def refused(road: Road) -> dict[str, int]:
    conn = await asyncpg.connect(road.dsn)
    rows = await conn.fetch("SELECT reason, count(*) AS n FROM dead_letter GROUP BY reason ORDER BY reason")
    await conn.close()
    return {row["reason"]: row["n"] for row in rows}


def main() -> int:
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("--events", type=int, default=5_000_000)
    parser.add_argument("--zones", type=int, default=10_000)
    parser.add_argument("--malformed", type=float, default=0.05)
    parser.add_argument("--limit-mb", type=float, default=1_000)
    wanted = parser.parse_args()
    reason = find_reason_to_skip()
    if reason:
        print(reason)
        return 1
    workload = make_workload(wanted.zones)
    with make_road(workload) as road:
        start = time.perf_counter()
        count = wanted.events
        publish(road, backlog(workload, count, wanted.malformed))
        print(f"  {count:,} messages published in {time.perf_counter() - start:.0f} s")
        with watched_matcher(road) as watch:
            start = time.perf_counter()
            asyncio.run(wait_for(road, count))
            taken = time.perf_counter() - start
        letters = asyncio.run(refused(road))
    rng = random.Random(7)
    expected = sum(rng.random() < wanted.malformed for _ in range(count))
    peak_mb = watch.peak_bytes / 1e6
    print(f"  drained in {taken:.1f} s with the start: {count / taken:,.0f}/s; peak memory {peak_mb:,.0f} MB")
    print(f"  refused {sum(letters.values()):,} of {expected:,} malformed: {letters}")
    good = peak_mb < wanted.limit_mb and sum(letters.values()) == expected
    print("  within its bounds" if good else "  NOT within its bounds")
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
