"""`make bench`: each speed as a figure and as a ratio to a plain loop over rtree in the same run.

The plain loop is what one would write first: json.loads, one rtree query an event, a prepared
polygon test a candidate, a dictionary of plates. It checks next to nothing.
"""

import argparse
import json
import time
from collections.abc import Callable

import numpy as np
import rtree
import shapely

from bench.road import bench_road
from bench.strict import decode_strictly
from bench.workload import Workload, make_workload
from stayaway.access.policy import Policy
from stayaway.matching.engine import Engine
from stayaway.sightings.batch import SightingBatch, decode_batch
from stayaway.sightings.plain_events import decode_plain
from stayaway.worker.judge import JUDGED_SLICES, SLICE

BATCH = SLICE * JUDGED_SLICES
"""As many at once as the matcher judges; it decodes a slice at once."""


def in_slices(values: list[bytes], policy: Policy) -> SightingBatch:
    """Decoded as the matcher does it."""
    return SightingBatch.joined(
        [decode_batch(values[at : at + SLICE], policy) for at in range(0, len(values), SLICE)]
    )


def best_rate(count: int, work: Callable[[], object], runs: int = 5) -> float:
    """Events a second of the fastest of `runs` runs: the noise of a shared machine only slows."""
    fastest = float("inf")
    for _ in range(runs):
        start = time.perf_counter()
        work()
        fastest = min(fastest, time.perf_counter() - start)
    return count / fastest


def each(batches: list[list[bytes]], decode: Callable[[bytes], object]) -> None:
    """Decode all, keeping a slice's at most, as the matcher does: what is kept costs time itself."""
    for batch in batches:
        for at in range(0, len(batch), SLICE):
            [decode(value) for value in batch[at : at + SLICE]]


def plain_loop(workload: Workload, events: list[bytes]) -> Callable[[], int]:
    """The baseline."""
    orders = list(workload.snapshot.orders.values())
    polygons = []
    index = rtree.index.Index()
    for number, order in enumerate(orders):
        ring = order.versions[0].zones[0].shape.parts[0][0]
        polygon = shapely.Polygon(ring)
        shapely.prepare(polygon)
        polygons.append(polygon)
        index.insert(number, polygon.bounds)
    plates = [order.versions[0].respondents[0].vehicles[0].plate for order in orders]

    def run() -> int:
        hits = 0
        for value in events:
            event = json.loads(value)
            lon, lat = event["lon"], event["lat"]
            for number in index.intersection((lon, lat, lon, lat)):
                inside = shapely.intersects_xy(polygons[number], lon, lat)
                hits += bool(inside) and event["plate"] == plates[number]
        return hits

    return run


def bench_engine(zones: int, count: int) -> list[tuple[str, float]]:
    """Rates of decode, index, gates and the whole matcher without servers."""
    workload = make_workload(zones)
    events = workload.events(count)
    start = time.perf_counter()
    engine = Engine(workload.snapshot, workload.policy)
    print(f"  engine over {zones:,} zones built in {time.perf_counter() - start:.2f} s")
    batches = [events[at : at + BATCH] for at in range(0, count, BATCH)]
    decoded = [decode_batch(batch, workload.policy) for batch in batches]
    layers = engine.parts.zones
    bounds = layers.base.index.boxes.bounds
    tree = shapely.STRtree(shapely.box(*bounds.T), node_capacity=16)
    found = [layers.query(batch.lon, batch.lat) for batch in decoded]
    judged = [engine.judge(batch) for batch in decoded]
    candidates = len({(i, row) for i, (rows, _) in enumerate(found) for row in rows.tolist()})
    matches = sum(len(judgement.decisions) for judgement in judged)
    alerts = sum(decision.outcome == "ALERT" for judgement in judged for decision in judgement.decisions)
    shares = [f"{number / count:.2%} {what}" for number, what in
              ((candidates, "of reads in a box"), (matches, "matched"), (alerts, "alert"))]  # fmt: skip
    print(f"  {', '.join(shares)}")
    sample = events[: min(count, 20_000)]

    def judge(batch: SightingBatch) -> int:
        return len(engine.judge(batch).decisions)

    return [
        ("plain rtree loop (baseline)", best_rate(len(sample), plain_loop(workload, sample), runs=3)),
        ("bare strict decoding, patterns too", best_rate(count, lambda: each(batches, decode_strictly))),
        ("bare decoding, types and ranges", best_rate(count, lambda: each(batches, decode_plain))),
        (
            "decode and check every field",
            best_rate(count, lambda: [in_slices(b, workload.policy).n for b in batches]),
        ),
        ("index alone", best_rate(count, lambda: [len(layers.query(b.lon, b.lat)[0]) for b in decoded])),
        (
            "bare STRtree.query",
            best_rate(count, lambda: [tree.query(shapely.points(b.lon, b.lat)).size for b in decoded]),
        ),
        ("index, gates and decisions", best_rate(count, lambda: [judge(b) for b in decoded])),
        (
            "whole matcher without servers",
            best_rate(count, lambda: [judge(in_slices(b, workload.policy)) for b in batches]),
        ),
    ]


def print_table(rates: list[tuple[str, float]], base: float) -> None:
    """Figures and ratios to the plain loop's rate."""
    for name, rate in rates:
        print(f"  {name:34} {rate:12,.0f} events/s {rate / base:8.1f} x")


def main() -> None:
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("--zones", type=int, nargs="+", default=[1_000, 100_000])
    parser.add_argument("--events", type=int, default=100_000)
    parser.add_argument("--no-servers", action="store_true")
    parser.add_argument("--road-zones", type=int, default=10_000)
    parser.add_argument("--backlog", type=int, default=1_000_000)
    arguments = parser.parse_args()
    print(f"numpy {np.__version__}, shapely {shapely.__version__}, {shapely.geos_version_string}")
    base = 0.0
    for zones in arguments.zones:
        print(f"{zones:,} zones, {arguments.events:,} events, one core")
        rates = bench_engine(zones, arguments.events)
        base = base or rates[0][1]
        print_table(rates, rates[0][1])
    if not arguments.no_servers:
        print(f"{arguments.road_zones:,} zones, the whole road on this machine's cores")
        print_table(bench_road(arguments.road_zones, arguments.backlog), base)


if __name__ == "__main__":
    main()
