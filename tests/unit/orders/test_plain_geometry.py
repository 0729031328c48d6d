"""What is drawn together is what is drawn one by one: shape for shape, bit for bit, and nothing besides."""

import math
import random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stayaway.kernel.many_shapes import to_shapes
from stayaway.kernel.shape import Ragged, Shape
from stayaway.orders.findings import FindingList
from stayaway.orders.geometry import read_polygons
from stayaway.orders.plain_geometry import draw_plain

Json = dict[str, Any]


def star(rng: random.Random, lon: float, lat: float, size: float, decimals: int) -> list[list[float]]:
    """A closed ring around a point, in either winding; with a vertex twice, or on a half of the grid."""
    count = rng.randint(3, 40)
    turns = [2 * math.pi * k / count for k in range(count)]
    ring = [
        [
            round(lon + size * rng.uniform(0.7, 1) * math.cos(turn), decimals),
            round(lat + size * rng.uniform(0.7, 1) * math.sin(turn), decimals),
        ]
        for turn in turns
    ]
    if rng.random() < 0.3:
        ring.insert(1, list(ring[0]))
    if rng.random() < 0.3:
        ring[1] = [round(ring[1][0], 6) + 5e-8, ring[1][1]]
    if rng.random() < 0.5:
        ring.reverse()
    return [*ring, list(ring[0])]


def drawn_geometry(rng: random.Random) -> Any:
    """A polygon of one or more parts, half of them with a hole, small or large; every second one spoilt."""
    size, decimals = rng.choice([1e-7, 4e-7, 0.001, 0.001, 5.0, 60.0]), rng.choice([5, 7, 7, 9, 15])
    parts = []
    for number in range(rng.choice([1, 1, 1, 2])):
        lon, lat = rng.uniform(-110, 110), rng.uniform(-60, 60) + number * size
        part = [star(rng, lon, lat, size, decimals)]
        if rng.random() < 0.5:
            part.append(star(rng, lon, lat, size * rng.choice([0.2, 0.2, 1.5]), decimals))
        parts.append(part)
    geometry: Json = {"type": "MultiPolygon", "coordinates": parts}
    if len(parts) == 1 and rng.random() < 0.5:
        geometry = {"type": "Polygon", "coordinates": parts[0]}
    return spoilt(rng, geometry, parts[0][0]) if rng.random() < 0.5 else geometry


def spoilt(rng: random.Random, geometry: Json, ring: list[Any]) -> Any:
    """With one thing wrong, or only odd."""
    at = rng.randrange(len(ring))
    put = rng.choice(
        [
            [200.0, 0.0], [0.0, -91], [1e300, 1.0], [math.inf, 0.0], [True, 0.0], ["1", 2.0],
            [1.0], [1.0, 2.0, 3.0], None, 7, [170.0, 0.0], [-170.0, 0.0], [1, 2], [180, 90],
        ]
    )  # fmt: skip
    spoil = rng.randrange(6)
    if spoil < 3:
        ring[at] = put
    elif spoil == 3:
        geometry |= rng.choice([{"bbox": [0, 0, 1, 1]}, {"bbox": 5}, {"crs": None}, {"type": "Point"}])
    elif spoil == 4:
        geometry["coordinates"] = rng.choice([[], [[]], None, "x", [[[1, 2]]], ring, {}])
    else:
        del ring[rng.randrange(len(ring)) :]
    return geometry


@settings(max_examples=300, deadline=None)
@given(seed=st.integers(0, 2**32), count=st.integers(0, 12))
def test_together_or_one_by_one_is_the_same(seed: int, count: int) -> None:
    """Also that nothing which is right is left out, and that a wrong one spoils no other."""
    rng = random.Random(seed)
    geometries = [drawn_geometry(rng) for _ in range(count)]
    drawn = draw_plain(geometries)
    for geometry in geometries:
        findings = FindingList(None)
        closely = read_polygons(geometry, (), findings, {})
        assert drawn.get(id(geometry)) == closely
        assert (closely is None) == findings.has_errors


@settings(max_examples=200, deadline=None)
@given(seed=st.integers(0, 2**32))
def test_shapes_made_together_are_made_singly(seed: int) -> None:
    """The drawing itself, of rings that need not be valid polygons."""
    rng = random.Random(seed)
    rings = [
        [[rng.uniform(-180, 180), rng.uniform(-90, 90)] for _ in range(rng.randint(3, 9))] for _ in range(6)
    ]
    shapes = [Shape.from_parts([[[*ring, ring[0]], [*ring, ring[0]]]]) for ring in rings]
    assert to_shapes(Ragged.of(shapes)) == shapes


@pytest.mark.parametrize("wrong", [None, 5, [], {}, "x", {"type": []}, {"type": "Polygon"}])
def test_what_is_no_geometry_is_passed_over(wrong: Any) -> None:
    assert draw_plain([wrong]) == {}
