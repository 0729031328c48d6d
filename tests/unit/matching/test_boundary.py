"""The distance to the boundary against GeographicLib, and against the same without leaving edges out."""

import math
import random

import pytest
from geographiclib.geodesic import Geodesic

from stayaway.kernel.shape import Shape
from stayaway.matching import boundary
from stayaway.matching.boundary import boundary_distance_m
from stayaway.matching.inside import is_inside
from stayaway.matching.probability import inside_probability

Point = tuple[float, float]


def box(west: float, south: float, east: float, north: float) -> list[Point]:
    return [(west, south), (east, south), (east, north), (west, north), (west, south)]


def test_the_meridian_of_180_degrees_is_one() -> None:
    """Over the cut: inside on both names of the meridian, and the cut is no boundary."""
    shape = Shape.from_parts([[box(179.99, 0, 180, 0.1)], [box(-180, 0.05, -179.99, 0.2)]])
    for lon in (180.0, -180.0):
        assert is_inside(shape, lon, 0.075)
        assert boundary_distance_m(shape, lon, 0.075, 1e6) == pytest.approx(0.01 * 111_319.4, rel=1e-3)
        assert boundary_distance_m(shape, lon, 0.02, 1e6) == 0.0  # only one side there: a real edge
        assert inside_probability(shape, lon, 0.075, 50.0) == 1.0
        assert inside_probability(shape, lon, 0.02, 50.0) == 0.5


@pytest.mark.parametrize("sign", [1.0, -1.0])
def test_a_pole_is_one_point_and_no_edge(sign: float) -> None:
    """A cap from 89 degrees on, as RFC 7946 has it: cut at 180, closed along the pole."""
    ring = [(-180.0, 89 * sign), *((lon, 89 * sign) for lon in (-90.0, 0.0, 90.0)), (180.0, 89 * sign)]
    shape = Shape.from_parts([[[*ring, (180.0, 90 * sign), (-180.0, 90 * sign), ring[0]]]])
    degree_m = Geodesic.WGS84.Inverse(89 * sign, 0.0, 90 * sign, 0.0)["s12"]
    for lon, lat in ((0.0, 90 * sign), (123.4, 89.9999 * sign), (180.0, 89.9999 * sign)):
        assert is_inside(shape, lon, lat)
        away = boundary_distance_m(shape, lon, lat, 1e6)
        assert away == pytest.approx((abs(lat) - 89) * degree_m, rel=1e-4)


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
    assert boundary_distance_m(shape, lon, lat, math.inf) == pytest.approx(expected, rel=1e-6, abs=1e-6)


def rough_ring(rng: random.Random, lon: float, lat: float, size: float, vertices: int) -> list[Point]:
    """A star-shaped ring of many vertices, as a coast is."""
    turns = [2 * math.pi * number / vertices for number in range(vertices)]
    radii = [size * rng.uniform(0.5, 1.0) for _ in turns]
    ring = [
        (max(-180.0, min(180.0, lon + r * math.cos(a))), max(-90.0, min(90.0, lat + r * math.sin(a))))
        for r, a in zip(radii, turns, strict=True)
    ]
    return [*ring, ring[0]]


@pytest.mark.parametrize("seed", range(60))
def test_leaving_far_edges_out_changes_no_bit(seed: int) -> None:
    """Near and far points, at the cut, close to a pole, whatever the zone's size."""
    rng = random.Random(seed)
    lon, lat = rng.choice([(-111.9, 33.4), (179.9, -60.0), (-179.99, 5.0), (20.0, 88.5), (0.0, 0.0)])
    size = 10 ** rng.uniform(-4, 1.5)
    shape = Shape.from_parts([[rough_ring(rng, lon, lat, size, rng.choice([5, 40, 200, 3_000]))]])
    points = [
        (
            (lon + rng.uniform(-2, 2) * size + 180) % 360 - 180,
            max(-90, min(90, lat + rng.uniform(-2, 2) * size)),
        )
        for _ in range(20)
    ]
    points += [shape.parts[0][0][3], (180.0, lat), (-180.0, lat), (0.0, 90.0), (-lon, -lat)]
    whole_m = [boundary._smallest_m(shape.boundary, *point) for point in points]
    for within_m in (math.inf, 0.0, *rng.sample(whole_m, 5), 10 ** rng.uniform(-1, 5)):
        found = [boundary_distance_m(shape, *point, within_m) for point in points]
        assert found == [m if m <= within_m else math.inf for m in whole_m]
    kept = [len(boundary._within(shape.boundary, *point, 100.0)) for point in points]
    assert min(kept) < len(shape.boundary)
