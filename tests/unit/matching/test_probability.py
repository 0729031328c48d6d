"""The probability of being inside against Monte Carlo on the ellipsoid, within 0.01."""

import math
import random
from dataclasses import replace

import numpy as np
import pytest
import shapely
from pyproj import Geod

from stayaway.kernel.edges import Edges
from stayaway.kernel.geodesy import degree_lengths_m
from stayaway.kernel.shape import Shape
from stayaway.matching.decision import relate
from stayaway.matching.probability import inside_probability
from stayaway.sightings.wire import parse_sighting
from support.changing_orders import POLICY, example_zone, fix

Point = tuple[float, float]
GEOD = Geod(ellps="WGS84")
DRAWS = 60_000
"""Standard deviation of a share: at most 0.002."""


def box(west: float, south: float, east: float, north: float) -> list[Point]:
    return [(west, south), (east, south), (east, north), (west, north), (west, south)]


@pytest.mark.parametrize(
    ("lon", "lat", "expected"), [(0.01, 0, 0.5), (0.01, 0.01, 0.25), (0, 0, 1.0), (0.03, 0, 0.0)]
)
def test_at_edges_and_corners(lon: float, lat: float, expected: float) -> None:
    shape = Shape.from_parts([[box(-0.01, -0.01, 0.01, 0.01)]])
    assert inside_probability(shape, lon, lat, 100.0) == pytest.approx(expected, abs=0.001)


def astray(seed: int, lon: float, lat: float, *radii_m: float) -> tuple[np.ndarray, np.ndarray]:
    """True places for one measured: geodesics of random direction, 95 % within each radius in turn."""
    rng = np.random.default_rng(seed)
    lons, lats = np.full(DRAWS, lon), np.full(DRAWS, lat)
    for radius_m in radii_m:
        away_m = radius_m * np.sqrt(np.log(1.0 - rng.random(DRAWS)) / math.log(0.05))
        lons, lats, _ = GEOD.fwd(lons, lats, rng.uniform(0, 360, DRAWS), away_m)
    return lons, lats


def share_inside(shape: Shape, lons: np.ndarray, lats: np.ndarray) -> float:
    """By GEOS; a zone over 180 degrees is cut there, and so are the places."""
    polygons = shapely.MultiPolygon([(part[0], list(part[1:])) for part in shape.parts])
    assert polygons.is_valid, "the comparison needs a zone that both read alike"
    return float(shapely.contains_xy(polygons, (lons + 180.0) % 360.0 - 180.0, lats).mean())


class Drawing:
    """Zones in units of the accuracy circle's radius, laid around a measured place."""

    def __init__(self, seed: int) -> None:
        self.rng = random.Random(seed)
        self.lon, self.lat = self.rng.uniform(-170, 170), self.rng.uniform(-85, 85)
        # From a good fix to 50 km, far over any cap that a policy should set.
        self.radius_m = 10 ** self.rng.uniform(0, 4.7)
        self.scale = [float(length[0]) / self.radius_m for length in degree_lengths_m(np.array([self.lat]))]

    def ring(self, spots: list[Point]) -> list[Point]:
        """On the map; far ones are drawn in to the world."""
        east, north = self.scale
        closed = [*spots, spots[0]]
        return [
            (max(-180.0, min(180.0, self.lon + x / east)), max(-90.0, min(90.0, self.lat + y / north)))
            for x, y in closed
        ]

    def star(self, size: float, corners: int) -> list[Point]:
        """Concave, the measured place within or beside it."""
        off_x, off_y = self.rng.uniform(-1, 1), self.rng.uniform(-1, 1)
        turns = [2 * math.pi * (n + self.rng.uniform(-0.4, 0.4)) / corners for n in range(corners)]
        radii = [size * self.rng.uniform(0.2, 1) for _ in turns]
        return [(off_x + r * math.cos(a), off_y + r * math.sin(a)) for r, a in zip(radii, turns, strict=True)]

    def shape(self, kind: str) -> Shape:
        rng = self.rng
        if kind == "concave":
            return Shape.from_parts(
                [[self.ring(self.star(10 ** rng.uniform(-0.5, 0.7), rng.randint(5, 30)))]]
            )
        x, y = rng.uniform(-0.7, 0.7), rng.uniform(-0.7, 0.7)
        if kind == "holes":
            outer = [(x - 2, y - 1.5), (x + 1.5, y - 2), (x + 2, y + 1), (x - 1, y + 2)]
            holes = [
                [(x + dx, y + dy), (x + dx, y + dy + s), (x + dx + s, y + dy)]
                for dx, dy, s in ((-0.9, -0.9, 0.8), (0.1, 0.1, rng.uniform(0.1, 0.7)), (-0.9, 0.2, 0.3))
            ]
            return Shape.from_parts([[self.ring(outer), *map(self.ring, holes)]])
        if kind == "thin":
            width, turn = 10 ** rng.uniform(-2.5, -0.3), rng.uniform(0, math.pi)
            along, across = (math.cos(turn), math.sin(turn)), (-math.sin(turn), math.cos(turn))
            corners = [(-9.0, 0.0), (9.0, 0.0), (9.0, width), (-9.0, width)]
            spots = [(x + a * along[0] + b * across[0], y + a * along[1] + b * across[1]) for a, b in corners]
            return Shape.from_parts([[self.ring(spots)]])
        if kind == "large":  # one long straight edge close by, the others far away
            spots = [(x - 30, y), (x + 30, y + rng.uniform(-3, 3)), (x + 30, y + 40), (x - 30, y + 40)]
            return Shape.from_parts([[self.ring(spots)]])
        squares = [(i, j) for i in range(-2, 3) for j in range(-2, 3) if (i + j) % 2 == 0]
        side = rng.uniform(0.1, 0.8)
        corners = [(0, 0), (1, 0), (1, 1), (0, 1)]
        return Shape.from_parts(
            [[self.ring([(x + (i + a) * side, y + (j + b) * side) for a, b in corners])] for i, j in squares]
        )


@pytest.mark.parametrize("kind", ["concave", "holes", "thin", "large", "chequered"])
@pytest.mark.parametrize("seed", range(12))
def test_within_a_hundredth_of_monte_carlo(kind: str, seed: int) -> None:
    drawing = Drawing(seed * 10 + len(kind))
    shape = drawing.shape(kind)
    found = inside_probability(shape, drawing.lon, drawing.lat, drawing.radius_m)
    places = astray(seed, drawing.lon, drawing.lat, drawing.radius_m)
    assert found == pytest.approx(share_inside(shape, *places), abs=0.01)


@pytest.mark.parametrize("lat", [-60.0, 0.0, 70.0])
def test_over_the_meridian_of_180_degrees(lat: float) -> None:
    shape = Shape.from_parts(
        [[box(179.99, lat, 180, lat + 0.02)], [box(-180, lat - 0.01, -179.995, lat + 0.02)]]
    )
    for number, lon in enumerate((179.998, 180.0, -180.0, -179.9952)):
        found = inside_probability(shape, lon, lat + 0.001, 900.0)
        assert found == pytest.approx(share_inside(shape, *astray(number, lon, lat + 0.001, 900.0)), abs=0.01)


@pytest.mark.parametrize("seed", range(8))
def test_the_anchors_own_error_counts_as_well(seed: int) -> None:
    """Two errors, one after the other, against the decision's one circle."""
    drawing = Drawing(seed)
    accuracy_m, anchor_m = POLICY.accuracy_cap_m, drawing.rng.uniform(20, 300)
    drawing.scale = [scale * drawing.radius_m / accuracy_m for scale in drawing.scale]
    zone = example_zone("Z", drawing.shape("concave"), drawing.rng)
    sighting = parse_sighting(fix(0, drawing.lon, drawing.lat, accuracy_m=accuracy_m))
    place = relate(sighting, replace(zone, anchor_accuracy_m=anchor_m), POLICY)  # type: ignore[arg-type]
    assert place is not None
    assert place.probability is not None
    places = astray(seed, drawing.lon, drawing.lat, accuracy_m, anchor_m)
    assert place.probability == pytest.approx(share_inside(zone.shape, *places), abs=0.01)


@pytest.mark.parametrize("seed", range(20))
def test_leaving_far_runs_of_edges_out_changes_nothing(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    drawing = Drawing(seed)
    corners = drawing.star(10 ** drawing.rng.uniform(-0.5, 2.5), 2_000)
    shape = Shape.from_parts([[drawing.ring(corners)]])
    spots = [(drawing.lon, drawing.lat), shape.parts[0][0][5], shape.parts[0][0][900], (180.0, drawing.lat)]
    found = [inside_probability(shape, *spot, drawing.radius_m) for spot in spots]
    monkeypatch.setattr(Edges, "of_runs", lambda edges, _: edges)
    assert [inside_probability(shape, *spot, drawing.radius_m) for spot in spots] == found
