"""The order registry under load: `cd tests && python -m bench.registry` (needs Java and Maven).

First the index alone, against a bare tree over the same boxes; then, on real Kafka and an fsynced
Postgres: the import of many orders, the start of a matcher on them, and, while reads flow and while
a backlog drains, the time from a change of an order to its use and how long the loop stood still.
"""

import argparse
import asyncio
import gc
import json
import os
import random
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

import asyncpg
import numpy as np
import shapely

from bench.feed import POOL, renamed
from bench.geometry import BATCH, best_s, clustered_boxes, points_among
from bench.metered_matcher import Meter, metered_matcher
from bench.road import Road, make_road, publish, wait_for
from bench.workload import Workload, make_workload, orders_file, random_plate
from stayaway.kernel.steps import Running, Steps, finish
from stayaway.matching.index import Boxes
from stayaway.matching.layers import LayeredIndex
from stayaway.orders.parse import parse_orders_file
from stayaway.orders.store import record_orders
from stayaway.platform.clock import now
from stayaway.platform.seal import FileSeal
from support.kafka_server import find_reason_to_skip

CHANGES_PER_S = 5
APPLIED_LIMIT_S = 10.0
_T = TypeVar("_T")


# ---------------------------------------------------------------- the index alone


def bench_index(zones: int) -> None:
    """Base and 1,000 changes on it, each made by itself, against one bare tree of the same boxes."""
    rng = np.random.default_rng(1)
    bounds = clustered_boxes(zones, rng)
    owners = np.arange(zones)
    start = time.perf_counter()
    index = finish(LayeredIndex.empty().change_steps(zones, owners, Boxes(bounds, owners)))
    built = time.perf_counter() - start
    took, longest = [], 0.0
    for number in rng.choice(zones, 1_000, replace=False):
        changed = np.array([number])
        bounds[changed] += 1e-4
        start = time.perf_counter()
        index, step_s = timed(index.change_steps(zones, changed, Boxes(bounds[changed], changed)))
        took.append(time.perf_counter() - start)
        longest = max(longest, step_s)
    tree = shapely.STRtree(shapely.box(*bounds.T), node_capacity=16)
    points = points_among(bounds, rng, 0.29, BATCH * 4)
    print(
        f"  {zones:,} zones: built in {built:.2f} s; a change takes {np.mean(took) * 1e3:.2f} ms on average,"
    )
    print(f"  at most {max(took) * 1e3:.1f} ms, its longest step {longest * 1e3:.1f} ms")
    for size in (100, 1_000, BATCH):
        parts = [
            (np.ascontiguousarray(part[:, 0]), np.ascontiguousarray(part[:, 1]))
            for part in np.split(points, len(points) // size)
        ]
        bare, ours = best_s(
            [
                lambda parts=parts: [tree.query(shapely.points(x, y)) for x, y in parts],  # type: ignore[misc]
                lambda parts=parts: [index.query(x, y) for x, y in parts],  # type: ignore[misc]
            ]
        )
        print(
            f"  batches of {size:5,}: bare {len(points) / bare:12,.0f}/s, ours {len(points) / ours:12,.0f}/s,"
            f" ratio {bare / ours:.2f}"
        )
    gc.freeze()  # as a matcher does
    _, step_s = timed(index.compaction_steps())
    print(f"  compaction: longest step {step_s * 1e3:.1f} ms")


def timed(steps: Steps[_T]) -> tuple[_T, float]:
    """The result, and the seconds of the longest step."""
    running, longest, goes_on = Running(steps), 0.0, True
    while goes_on:
        start = time.perf_counter()
        goes_on = running.step()
        longest = max(longest, time.perf_counter() - start)
    return running.result, longest


# ---------------------------------------------------------------- on real servers


class Changer:
    """Changes orders at a steady pace, each in a transaction of its own: new ones, new versions, recalls."""

    def __init__(self, road: Road, workload: Workload, file: dict[str, Any]) -> None:
        self._road = road
        self._workload = workload
        self._file = file
        self._rng = random.Random(5)
        self._version = int(time.time()) % 1_000_000  # another run on the same registry has other numbers
        self.committed: dict[int, float] = {}

    def run(self, stop: threading.Event) -> None:
        asyncio.run(self._run(stop))

    async def _run(self, stop: threading.Event) -> None:
        seal = FileSeal(self._road.folder / "keys")
        conn = await asyncpg.connect(self._road.dsn)
        while not stop.is_set():
            parsed = parse_orders_file(json.dumps(self._change()).encode())
            async with conn.transaction():
                outcome = await record_orders(conn, seal, parsed, actor="bench", recorded_now=now())
            if outcome.has_errors:
                raise RuntimeError("a change was refused")
            self.committed[outcome.registry_sequence] = time.time()
            await asyncio.sleep(self._rng.uniform(0.5, 1.5) / CHANGES_PER_S)
        await conn.close()

    def _change(self) -> dict[str, Any]:
        rng, empty = self._rng, {"schema": "orders.v1", "orders": [], "notices": []}
        order = rng.choice(self._file["orders"])
        at = {"recorded_at": now().strftime("%Y-%m-%dT%H:%M:%S.%fZ")}
        kind = rng.random()
        self._version += 1
        if kind < 0.3:
            recall = {**at, "order_id": order["order_id"], "recalled_at": at["recorded_at"]}
            return {**empty, "recalls": [{**recall, "reason_text": f"number {self._version}"}]}
        if kind < 0.6:
            return {**empty, "orders": [{**order, **at, "version": self._version}]}
        new = json.loads(json.dumps({**order, **at, "order_id": f"N-{self._version:06d}"}))
        new["respondents"][0]["vehicles"][0]["plate"] = random_plate(rng)
        return {**empty, "orders": [new]}


@contextmanager
def changing(changer: Changer) -> Iterator[None]:
    stop = threading.Event()
    thread = threading.Thread(target=changer.run, args=(stop,))
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


async def applied(road: Road) -> dict[int, tuple[float, float]]:
    """For each sequence followed live: recorded, in use."""
    conn = await asyncpg.connect(road.dsn)
    rows = await conn.fetch("SELECT registry_sequence, recorded_at, applied_at FROM registry_applied")
    await conn.close()
    return {
        row["registry_sequence"]: (row["recorded_at"].timestamp(), row["applied_at"].timestamp())
        for row in rows
    }


def wait_until_told(road: Road, changer: Changer, meter: Meter, stop: float) -> None:
    """Until what was committed by `stop` is in use and the meter has told of that second; or a while at most:
    the report then says how many are missing.
    """
    wanted = {number for number, at in changer.committed.items() if at <= stop}
    deadline = time.monotonic() + APPLIED_LIMIT_S
    while wanted - asyncio.run(applied(road)).keys() or meter.lines[-1]["at"] < stop:
        if time.monotonic() > deadline:
            break
        time.sleep(0.1)


def report(what: str, road: Road, changer: Changer, meter: Meter, start: float, stop: float) -> None:
    """Latencies of the changes committed in this time, and the stalls of the loop."""
    found = asyncio.run(applied(road))
    chosen = {n: at for n, at in changer.committed.items() if start <= at <= stop}
    known = [(found[n], at) for n, at in chosen.items() if n in found]
    print(f"  {what}: {len(chosen)} changes, {len(chosen) - len(known)} of them not seen in use")
    for name, values in (
        ("recorded → in use", [in_use - recorded for (recorded, in_use), _ in known]),
        ("committed → in use", [in_use - committed for (_, in_use), committed in known]),
    ):
        ms = sorted(1000 * value for value in values)
        if ms:
            print(
                f"    {name}: p50 {ms[len(ms) // 2]:.1f} ms, p99 {ms[int(len(ms) * 0.99)]:.1f} ms,"
                f" longest {ms[-1]:.1f} ms"
            )
    lines = meter.between(start, stop)
    if lines:
        wall, own, stolen = ([line[key] for line in lines] for key in ("wall_ms", "own_ms", "stolen_ms"))
        print(
            f"    loop stood still, longest of {len(lines)} s: {max(wall):.1f} ms by the wall (median of the"
            f" seconds' longest {np.median(wall):.1f}), {max(own):.1f} ms by its own processor time"
            f" (median {np.median(own):.1f}); the host took {max(stolen):.0f} ms of a second at most"
        )
        print(f"    resident {lines[-1]['rss'] / 1e6:,.0f} MB")


def bench_live(zones: int, seconds: int, rate: int, backlog: int) -> None:
    reason = find_reason_to_skip()
    if reason:
        print(f"  real servers were left out: {reason}")
        return
    workload = make_workload(zones)
    with make_road(workload) as road:
        bench_changes(road, workload, seconds, rate, backlog)


def bench_changes(road: Road, workload: Workload, seconds: int, rate: int, backlog: int) -> None:
    """Changes while reads flow for `seconds`, then while `backlog` more are drained."""
    changer = Changer(road, workload, orders_file(workload))
    zones, done = len(workload.plates), rate * seconds
    with metered_matcher(road) as meter:
        meter.wait_until_begun(300)
        print(f"  start of a matcher on {zones:,} zones: {meter.began_s:.1f} s")
        with road.feeding(zones, done, rate, "steady"), changing(changer):
            start = time.time()
            asyncio.run(wait_for(road, done))
            stop = time.time()
            wait_until_told(road, changer, meter, stop)
            report(f"{rate:,} reads/s for {stop - start:.0f} s", road, changer, meter, start, stop)
        with changing(changer):
            start = time.time()
            publish(road, renamed(workload.events(min(backlog, POOL)), backlog, "backlog"))
            asyncio.run(wait_for(road, done + backlog))
            stop = time.time()
        wait_until_told(road, changer, meter, stop)
        what = f"a backlog of {backlog:,}, published and drained in {stop - start:.0f} s"
        report(what, road, changer, meter, start, stop)


def main() -> None:
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("--zones", type=int, default=100_000)
    parser.add_argument("--index-zones", type=int, nargs="*", default=[100_000, 1_000_000])
    parser.add_argument("--seconds", type=int, default=40)
    parser.add_argument("--rate", type=int, default=10_000)
    parser.add_argument("--backlog", type=int, default=1_000_000)
    wanted = parser.parse_args()
    print(f"index alone, one core, pid {os.getpid()}")
    for zones in wanted.index_zones:
        bench_index(zones)
    if wanted.seconds:
        print(f"{wanted.zones:,} zones on real servers")
        bench_live(wanted.zones, wanted.seconds, wanted.rate, wanted.backlog)


if __name__ == "__main__":
    main()
