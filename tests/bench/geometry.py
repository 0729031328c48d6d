"""What zones cost: their number, overlap, size, and how many reads come close or match.

`python -m bench.geometry PART...` prints the tables of deploy/benchmarks-matching.md; `--svg FILE` draws the
costs against the number of zones.
"""

import argparse
import math
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import shapely

from bench.plot import line_chart
from bench.run import BATCH as JUDGED
from bench.run import in_slices
from bench.workload import Workload, make_workload, one_zone_order
from stayaway.kernel.bucketmap import BucketMap
from stayaway.kernel.shape import Shape
from stayaway.kernel.steps import finish
from stayaway.matching.engine import Engine
from stayaway.matching.index import Boxes, Floats
from stayaway.matching.layers import LayeredIndex
from stayaway.sightings.batch import SightingBatch

BATCH = 5_000
REACH_DEGREES = 0.0018
HOT_VERTICES = 270_000


def best_s(works: list[Callable[[], object]], runs: int = 7) -> list[float]:
    """The fastest of `runs` turns of each: taken in turn, so that a slow moment meets all of them."""
    fastest = [float("inf")] * len(works)
    for _ in range(runs):
        for number, work in enumerate(works):
            start = time.perf_counter()
            work()
            fastest[number] = min(fastest[number], time.perf_counter() - start)
    return fastest


# ---------------------------------------------------------------- the index alone


def clustered_boxes(count: int, rng: np.random.Generator, spread: float = 0.3) -> Floats:
    """Boxes of 100-yard zones with their reach, in 40 clusters, as the workload has them."""
    centres = rng.uniform([-115, 28], [-70, 48], (40, 2))
    places = centres[rng.integers(0, 40, count)] + rng.normal(0, spread, (count, 2))
    return np.column_stack([places - REACH_DEGREES, places + REACH_DEGREES])


def points_among(bounds: Floats, rng: np.random.Generator, near: float, count: int) -> Floats:
    """Points of which the share `near` lies about some box, the others anywhere in the country."""
    anywhere = np.column_stack([rng.uniform(-115, -70, count), rng.uniform(28, 48, count)])
    chosen = bounds[rng.integers(0, len(bounds), count), :2]
    close = chosen + rng.uniform(0, 2 * REACH_DEGREES, (count, 2))
    return np.where((rng.random(count) < near)[:, None], close, anywhere)


def index_rates(zones: int, near: float = 0.29, spread: float = 0.3) -> tuple[float, float, float]:
    """(bare tree's points a second, ours, boxes found a point), ours with 1,000 changes on it."""
    rng = np.random.default_rng(1)
    bounds = clustered_boxes(zones, rng, spread)
    owners = np.arange(zones)
    index = finish(LayeredIndex.empty().change_steps(zones, owners, Boxes(bounds, owners)))
    for number in rng.choice(zones, min(1_000, zones // 2), replace=False):
        changed = np.array([number])
        bounds[changed] += 1e-4
        index = finish(index.change_steps(zones, changed, Boxes(bounds[changed], changed)))
    tree = shapely.STRtree(shapely.box(*bounds.T), node_capacity=16)
    points = points_among(bounds, rng, near, BATCH * 8)
    parts = [tuple(np.ascontiguousarray(part.T)) for part in np.split(points, 8)]
    found = sum(len(index.query(x, y)[0]) for x, y in parts)
    assert found == sum(tree.query(shapely.points(x, y)).shape[1] for x, y in parts)
    bare_s, ours_s = best_s(
        [
            lambda: [tree.query(shapely.points(x, y)) for x, y in parts],
            lambda: [index.query(x, y) for x, y in parts],
        ]
    )
    return len(points) / bare_s, len(points) / ours_s, found / len(points)


def bench_index() -> dict[int, tuple[float, float]]:
    """Against a bare tree; against overlap and the share of points near a zone."""
    rates = {}
    print("index alone, points a second, batches of 5,000, 1,000 changes on it\n")
    print("| zones | points near a zone | boxes a point | bare `STRtree.query` | ours | ratio |")
    print("|---|---|---|---|---|---|")
    cases = [(zones, 0.29, 0.3) for zones in (1_000, 10_000, 100_000, 1_000_000)]
    cases += [(100_000, near, 0.3) for near in (0.0, 0.1, 0.5, 1.0)]
    cases += [(100_000, 0.29, spread) for spread in (0.1, 0.03, 0.01)]
    for zones, near, spread in cases:
        bare, ours, boxes = index_rates(zones, near, spread)
        if (near, spread) == (0.29, 0.3):
            rates[zones] = (bare, ours)
        print(f"| {zones:,} | {near:.0%} | {boxes:.2f} | {bare:,.0f} | {ours:,.0f} | {ours / bare:.2f} |")
    return rates


# ---------------------------------------------------------------- the matcher


def matcher_rates(workload: Workload, count: int = 40_000) -> tuple[float, float, float, float]:
    """(events a second of index, gates and decisions; of all without servers; share of reads in a box;
    share matched).
    """
    engine = Engine(workload.snapshot, workload.policy)
    lines = workload.events(count)
    batches = [lines[at : at + JUDGED] for at in range(0, count, JUDGED)]
    decoded = [in_slices(batch, workload.policy) for batch in batches]
    judged = [engine.judge(batch) for batch in decoded]
    near = sum(int((judgement.candidates > 0).sum()) for judgement in judged) / count
    matched = sum(len(judgement.decisions) for judgement in judged) / count
    judge_s, whole_s = best_s(
        [
            lambda: [engine.judge(batch) for batch in decoded],
            lambda: [engine.judge(in_slices(batch, workload.policy)) for batch in batches],
        ],
        runs=5,
    )
    return count / judge_s, count / whole_s, near, matched


def _matcher_row(what: str, workload: Workload) -> float:
    judge, whole, near, matched = matcher_rates(workload)
    print(f"| {what} | {near:.1%} | {matched:.2%} | {judge:,.0f} | {whole:,.0f} |")
    return whole


def bench_matcher() -> dict[int, float]:
    """Against the number of zones, their overlap, the share of reads near and of those that match."""
    print("\nmatcher without servers, events a second\n")
    print("| | reads in a box | matched | index, gates and decisions | with decoding |")
    print("|---|---|---|---|---|")
    rates = {zones: _matcher_row(f"{zones:,} zones", make_workload(zones)) for zones in (1_000, 10_000)}
    for spread in (0.03, 0.01):
        _matcher_row(f"10,000 zones in clusters of {spread} degrees", make_workload(10_000, 1, spread))
    plain = make_workload(10_000)
    for near in (0.0, 0.5, 0.9):
        _matcher_row(f"10,000 zones, {near:.0%} of reads near one", replace(plain, near_share=near))
    for known in (0.0, 0.02, 0.1):
        _matcher_row(
            f"10,000 zones, {known:.0%} of reads with its plate at a zone", replace(plain, known_share=known)
        )
    rates[100_000] = _matcher_row("100,000 zones", make_workload(100_000))
    return rates


def bench_million() -> None:
    """The same on a million zones: their orders as objects take some 10 GB and minutes to make."""
    _matcher_row("1,000,000 zones", make_workload(1_000_000))


# ---------------------------------------------------------------- one zone of very many vertices


def _country(vertices: int) -> Shape:
    """A zone round all places of the workload, its coast of that many vertices."""
    turns = [2 * math.pi * number / vertices for number in range(vertices)]
    radii = [1 + 0.01 * math.sin(number * 0.7) for number in range(vertices)]
    ring = [
        (-92.5 + 33 * r * math.cos(a), 38 + 17 * r * math.sin(a)) for r, a in zip(radii, turns, strict=True)
    ]
    return Shape.from_parts([[[*ring, ring[0]]]])


def _with_zone(workload: Workload, shape: Shape, plate: str) -> Engine:
    order = one_zone_order(10**6, shape, plate, in_force=True)
    orders = {**workload.snapshot.orders, order.order_id: order}
    return Engine(replace(workload.snapshot, orders=BucketMap(orders)), workload.policy)


def bench_hot(count: int = 40_000) -> None:
    """Every read in the box of one zone, one read in 200 with its order's plate."""
    workload = make_workload(10_000)
    plate = "HQT4171"
    lines = workload.events(count)
    for number in range(0, count, 200):
        start = lines[number].index(b'"plate":"') + len(b'"plate":"')
        lines[number] = lines[number][:start] + plate.encode() + lines[number][start + len(plate) :]
    engines = {
        "without": Engine(workload.snapshot, workload.policy),
        "with, of 64 vertices, its plate never read": _with_zone(workload, _country(64), "NEVER99"),
        "with, of 64 vertices": _with_zone(workload, _country(64), plate),
        f"with, of {HOT_VERTICES:,} vertices, its plate never read": _with_zone(
            workload, _country(HOT_VERTICES), "NEVER99"
        ),
        f"with, of {HOT_VERTICES:,} vertices": _with_zone(workload, _country(HOT_VERTICES), plate),
    }
    batches = [lines[at : at + JUDGED] for at in range(0, count, JUDGED)]

    def whole(engine: Engine) -> Callable[[], list[object]]:
        def run() -> list[object]:
            return [engine.judge(in_slices(batch, workload.policy)) for batch in batches]

        return run

    took = best_s([whole(engine) for engine in engines.values()], runs=5)
    print("\nmatcher without servers, 10,000 zones and one zone round all reads\n")
    print("| zone | matched | events a second | cost |\n|---|---|---|---|")
    for (name, engine), seconds in zip(engines.items(), took, strict=True):
        matched = _matched(engine, [in_slices(batch, workload.policy) for batch in batches])
        print(f"| {name} | {matched:,} | {count / seconds:,.0f} | {1 - took[0] / seconds:.1%} |")


def _matched(engine: Engine, batches: list[SightingBatch]) -> int:
    return sum(len(engine.judge(batch).decisions) for batch in batches)


PARTS = ("index", "hot", "matcher", "million")


def main() -> None:
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("parts", nargs="+", choices=PARTS)
    parser.add_argument("--svg", type=Path, default=None, help="needs the parts index and matcher")
    arguments = parser.parse_args()
    rates = bench_index() if "index" in arguments.parts else {}
    if "hot" in arguments.parts:
        bench_hot()
    wholes = bench_matcher() if "matcher" in arguments.parts else {}
    if "million" in arguments.parts:
        bench_million()
    if arguments.svg:
        series = {
            "index alone": [(float(zones), ours) for zones, (_, ours) in rates.items()],
            "bare STRtree.query": [(float(zones), bare) for zones, (bare, _) in rates.items()],
            "matcher without servers": [(float(zones), rate) for zones, rate in wholes.items()],
        }
        arguments.svg.write_text(line_chart("Speed against zones, one core", "zones", "a second", series))


if __name__ == "__main__":
    main()
