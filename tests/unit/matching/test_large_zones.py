"""Very large zones and very many: found and judged as an oracle in whole numbers judges them."""

import math
import random
from dataclasses import replace

import numpy as np
import pytest

from exactness.engine import to_shape
from exactness.grid import GRID, GridPoints, Part, Ring, judge_grid
from stayaway.kernel.bucketmap import BucketMap
from stayaway.matching.engine import Engine
from stayaway.matching.index import ZoneIndex
from stayaway.matching.inside import is_inside
from stayaway.orders.distance import circle
from stayaway.orders.registry import RegistrySnapshot
from stayaway.sightings.batch import decode_batch
from support.changing_orders import AT, POLICY, World, example_zone, fix
from support.zone_entries import ZoneEntry, bounds_of, boxes_of

LON, LAT = -1_119_000_000, 334_000_000


def coast(rng: random.Random, vertices: int) -> list[Part]:
    """A county with a coast of that many vertices."""
    turns = [2 * math.pi * number / vertices for number in range(vertices)]
    radii = [5_000_000 * (1 + 0.2 * math.sin(5 * a)) + rng.uniform(0, 30_000) for a in turns]
    spots = zip(radii, turns, strict=True)
    return [[[(LON + round(r * math.cos(a)), LAT + round(r * math.sin(a))) for r, a in spots]]]


def sieve(rng: random.Random, holes: int) -> list[Part]:
    """A square with that many holes, each a triangle of its own."""
    side = math.isqrt(holes - 1) + 1
    step = 10_000
    found: list[Ring] = []
    for number in range(holes):
        x, y = LON + (number % side) * step, LAT + (number // side) * step
        found.append([(x, y), (x + rng.randint(1, 9_000), y), (x, y + rng.randint(1, 9_000))])
    low_x, low_y, high_x, high_y = LON - step, LAT - step, LON + side * step, LAT + side * step
    return [[[(low_x, low_y), (high_x, low_y), (high_x, high_y), (low_x, high_y)], *found]]


@pytest.mark.parametrize(("kind", "count"), [("coast", 270_000), ("sieve", 1_400)])
def test_a_zone_of_very_many_edges(kind: str, count: int) -> None:
    rng = random.Random(count)
    parts = coast(rng, count) if kind == "coast" else sieve(rng, count)
    shape = to_shape(parts)
    assert len(shape.edges) >= count
    corners = [corner for ring in parts[0] for corner in ring]
    some = [rng.choice(corners) for _ in range(400)]
    spots = [(x + rng.randint(-2, 2), y + rng.randint(-2, 2)) for x, y in some[:250]] + some[250:]
    west, south, east, north = (round(edge * GRID) for edge in bounds_of(shape))
    spots += [(rng.randint(west - 9, east + 9), rng.randint(south - 9, north + 9)) for _ in range(150)]
    x, y = np.array(spots).T
    expected = judge_grid(parts, GridPoints(x, y))
    index = ZoneIndex.of(boxes_of([ZoneEntry(shape, 0.0, 0)]))
    candidates = set(index.query(x / GRID, y / GRID)[0].tolist())
    found = [row for row in sorted(candidates) if is_inside(shape, x[row] / GRID, y[row] / GRID)]
    assert found == expected.inside.tolist()
    assert len(expected.on_corner) > 100
    assert 100 < len(expected.inside) < len(spots) - 20


def test_ten_thousand_zones_over_one_point() -> None:
    """Each is a candidate; who matches is who has the device."""
    world = World(1)
    world.change(["O1"])
    order = world.snapshot.orders["O1"]
    rng = random.Random(2)
    sizes = [rng.uniform(50, 5_000) for _ in range(10_000)]
    orders = {}
    for number, size_m in enumerate(sizes):
        order_id = f"N{number:05d}"
        zone = example_zone("Z", circle(-111.9 + rng.uniform(-2e-4, 2e-4), 33.4, size_m), rng)
        version = replace(
            order.versions[0],
            order_id=order_id,
            zones=(replace(zone, warning_m=None),),
            respondents=tuple(
                replace(r, vehicles=(), device_ids=("D1",) if number % 1_000 == 7 else ())
                for r in order.versions[0].respondents
            ),
        )
        orders[order_id] = replace(order, order_id=order_id, versions=(version,), notices=(), recalls=())
    engine = Engine(RegistrySnapshot(BucketMap(orders), 1, AT, BucketMap()), POLICY)
    lines = [fix(0, -111.9, 33.4, accuracy_m=5), fix(1, -111.9, 33.4, device_id="D8"), fix(2, -100, 40)]
    judgement = engine.judge(decode_batch(lines, POLICY))
    assert judgement.candidates.tolist() == [10_000, 10_000, 0]
    (decision,) = judgement.decisions
    assert [match.order_id for match in decision.matches] == [f"N{n:05d}" for n in range(7, 10_000, 1_000)]
