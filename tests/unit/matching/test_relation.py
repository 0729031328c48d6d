"""Inside, distance and probability against computations that share nothing with them."""

import itertools
import math
import random
from fractions import Fraction

import numpy as np
import pytest
from geographiclib.geodesic import Geodesic
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from shapely import Polygon

from stayaway.kernel.geodesy import degree_lengths_m
from stayaway.kernel.shape import Shape
from stayaway.matching.relation import boundary_distance_m, inside_probability, is_inside

Point = tuple[float, float]
STEP = 1e-7


def exactly_inside(rings: list[list[Point]], lon: float, lat: float) -> bool:
    """Ray casting in rational numbers, edge by edge; on an edge is inside."""
    x, y = Fraction(lon), Fraction(lat)
    crossings = 0
    for ring in rings:
        exact = [(Fraction(a), Fraction(b)) for a, b in ring]
        for (x1, y1), (x2, y2) in itertools.pairwise(exact):
            turn = (x2 - x1) * (y - y1) - (y2 - y1) * (x - x1)
            within = min(x1, x2) <= x <= max(x1, x2) and min(y1, y2) <= y <= max(y1, y2)
            if turn == 0 and within:
                return True
            if (y1 > y) != (y2 > y) and x < x1 + (y - y1) * (x2 - x1) / (y2 - y1):
                crossings += 1
    return crossings % 2 == 1


@st.composite
def polygons(draw: st.DrawFn) -> Shape:
    """A valid polygon on the 1e-7 grid, small or large, perhaps with a hole."""
    base = draw(st.sampled_from([(-111.9, 33.4), (0.0, 0.0), (179.9, -60.0), (-0.0000003, 89.9)]))
    size = draw(st.sampled_from([3, 50, 100_000]))
    corners = draw(
        st.lists(
            st.tuples(st.integers(-size, size), st.integers(-size, size)), min_size=3, max_size=8, unique=True
        )
    )
    turned = sorted(corners, key=lambda corner: math.atan2(corner[1], corner[0]))
    ring = [(round(base[0] + x * STEP, 7), round(base[1] + y * STEP, 7)) for x, y in turned]
    ring.append(ring[0])
    assume(Polygon(ring).is_valid and Polygon(ring).area > 0)
    return Shape.from_parts([[ring]])


@settings(max_examples=400, deadline=None)
@given(polygons(), st.data())
def test_inside_is_exact_even_one_ulp_off_an_edge(shape: Shape, data: st.DataObject) -> None:
    ring = list(shape.parts[0][0])
    index = data.draw(st.integers(0, len(ring) - 2))
    (x1, y1), (x2, y2) = ring[index], ring[index + 1]
    share = data.draw(st.sampled_from([0.0, 1.0, 0.5, 0.25, 1 / 3, 0.9]))
    lon, lat = x1 + share * (x2 - x1), y1 + share * (y2 - y1)
    for _ in range(data.draw(st.integers(0, 3))):
        lon = math.nextafter(lon, data.draw(st.sampled_from([-math.inf, math.inf])))
        lat = math.nextafter(lat, data.draw(st.sampled_from([-math.inf, math.inf])))
    assume(-180 <= lon <= 180 and -90 <= lat <= 90)
    assert is_inside(shape, lon, lat) == exactly_inside([ring], lon, lat)


@settings(max_examples=200, deadline=None)
@given(polygons(), st.integers(-130_000, 130_000), st.integers(-130_000, 130_000))
def test_inside_anywhere_around(shape: Shape, x: int, y: int) -> None:
    west, south, _, _ = shape.bounds
    lon, lat = west + x * STEP, south + y * STEP
    assume(-180 <= lon <= 180 and -90 <= lat <= 90)
    assert is_inside(shape, lon, lat) == exactly_inside([list(shape.parts[0][0])], lon, lat)


def box(west: float, south: float, east: float, north: float) -> list[Point]:
    return [(west, south), (east, south), (east, north), (west, north), (west, south)]


def test_a_hole_is_outside_and_its_edge_is_inside() -> None:
    shape = Shape.from_parts([[box(0, 0, 4, 4), box(1, 1, 3, 3)]])
    assert not is_inside(shape, 2, 2)
    assert is_inside(shape, 1, 2)
    assert is_inside(shape, 0.5, 2)


def test_parts_that_touch_are_inside_where_they_touch() -> None:
    shape = Shape.from_parts([[box(0, 0, 1, 1)], [box(1, 1, 2, 2)]])
    assert is_inside(shape, 1, 1)
    assert not is_inside(shape, 0.5, 1.5)


def test_the_meridian_of_180_degrees_is_one() -> None:
    """Over the cut: inside on both names of the meridian, and the cut is no boundary."""
    shape = Shape.from_parts([[box(179.99, 0, 180, 0.1)], [box(-180, 0.05, -179.99, 0.2)]])
    for lon in (180.0, -180.0):
        assert is_inside(shape, lon, 0.075)
        assert boundary_distance_m(shape, lon, 0.075) == pytest.approx(0.01 * 111_319.4, rel=1e-3)
        assert boundary_distance_m(shape, lon, 0.02) == 0.0  # only one side there: a real edge
        assert inside_probability(shape, lon, 0.075, 50.0) == 1.0
        assert inside_probability(shape, lon, 0.02, 50.0) == 0.5


def nearest_m(shape: Shape, lon: float, lat: float) -> float:
    """Golden-section search along each edge for the smallest geodesic distance."""
    best = math.inf
    edges = shape.edges
    for x1, y1, x2, y2 in zip(edges.lon1, edges.lat1, edges.lon2, edges.lat2, strict=True):

        def away(share: float, a: float = x1, b: float = y1, c: float = x2, d: float = y2) -> float:
            found: float = Geodesic.WGS84.Inverse(lat, lon, b + share * (d - b), a + share * (c - a))["s12"]
            return found

        low, high = 0.0, 1.0
        for _ in range(80):
            one, other = low + 0.381966 * (high - low), low + 0.618034 * (high - low)
            low, high = (low, other) if away(one) < away(other) else (one, high)
        best = min(best, away((low + high) / 2), away(0.0), away(1.0))
    return best


@pytest.mark.parametrize("seed", range(40))
def test_distance_to_the_boundary_against_geographiclib(seed: int) -> None:
    rng = random.Random(seed)
    lon, lat = rng.uniform(-170, 170), rng.uniform(-85, 85)
    reach_m = 10 ** rng.uniform(0.5, 4)
    ring = []
    for _ in range(3):
        found = Geodesic.WGS84.Direct(lat, lon, rng.uniform(0, 360), reach_m * rng.uniform(0.2, 1))
        ring.append((found["lon2"], found["lat2"]))
    shape = Shape.from_parts([[[*ring, ring[0]]]])
    expected = nearest_m(shape, lon, lat)
    assert boundary_distance_m(shape, lon, lat) == pytest.approx(expected, rel=1e-6, abs=1e-6)


@settings(max_examples=300, deadline=None)
@given(polygons(), st.floats(-2, 2), st.floats(-2, 2), st.floats(0, 3), st.sampled_from([0.0, 1e-9, 0.01]))
def test_a_limit_changes_no_distance_up_to_it(
    shape: Shape, share_x: float, share_y: float, times: float, off_m: float
) -> None:
    """In the same bits, at the limit itself too; beyond it, something beyond it."""
    west, south, east, north = shape.bounds
    lon = min(max(west + (east - west) * share_x, -180.0), 180.0)
    lat = min(max(south + (north - south) * share_y, -90.0), 90.0)
    distance_m = boundary_distance_m(shape, lon, lat)
    for within_m in (distance_m, max(0.0, distance_m - off_m), distance_m + off_m, distance_m * times):
        limited_m = boundary_distance_m(shape, lon, lat, within_m)
        assert limited_m == distance_m if distance_m <= within_m else limited_m > within_m


@pytest.mark.parametrize(
    ("lon", "lat", "expected"), [(0.01, 0, 0.5), (0.01, 0.01, 0.25), (0, 0, 1.0), (0.03, 0, 0.0)]
)
def test_probability_at_edges_and_corners(lon: float, lat: float, expected: float) -> None:
    shape = Shape.from_parts([[box(-0.01, -0.01, 0.01, 0.01)]])
    assert inside_probability(shape, lon, lat, 100.0) == pytest.approx(expected, abs=0.001)


@pytest.mark.parametrize("seed", range(25))
def test_probability_against_monte_carlo(seed: int) -> None:
    rng = random.Random(seed)
    lat = rng.uniform(-70, 70)
    scale_x, scale_y = (float(scale[0]) for scale in degree_lengths_m(np.array([lat])))
    radius_m = 10 ** rng.uniform(0.3, 2.7)
    turns = sorted(rng.uniform(0, 2 * math.pi) for _ in range(rng.randint(3, 20)))
    size_m, off_m = radius_m * 10 ** rng.uniform(-0.8, 0.8), rng.uniform(-1, 1) * radius_m
    ring = [
        (10 + (off_m + size_m * math.cos(a)) / scale_x, lat + size_m * math.sin(a) / scale_y) for a in turns
    ]
    shape = Shape.from_parts([[[*ring, ring[0]]]])
    draws = np.random.default_rng(seed).normal(size=(200_000, 2)) * radius_m / math.sqrt(-2 * math.log(0.05))
    x, y = 10 + draws[:, 0] / scale_x, lat + draws[:, 1] / scale_y
    crossings = np.zeros(len(x), dtype=int)
    closed = shape.parts[0][0]
    for (x1, y1), (x2, y2) in itertools.pairwise(closed):
        if y1 != y2:
            crossings += ((y1 > y) != (y2 > y)) & (x < x1 + (y - y1) * (x2 - x1) / (y2 - y1))
    assert inside_probability(shape, 10.0, lat, radius_m) == pytest.approx((crossings % 2).mean(), abs=0.01)
