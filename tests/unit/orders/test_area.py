"""The area of a shape on the ellipsoid, against GeographicLib's polygons and test set."""

import math
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import shapely
from geographiclib.geodesic import Geodesic
from hypothesis import given, settings
from hypothesis import strategies as st

from stayaway.kernel.shape import Shape
from stayaway.orders.area import area_m2
from stayaway.orders.distance import circle

ELLIPSOID = Geodesic.WGS84
WHOLE_ELLIPSOID_M2 = 510_065_621_724_088.0
PIECES = 64
"""Geodesics between points so near on a straight edge in lon/lat lie hardly beside it."""


def _geodesic_area(ring: tuple[tuple[float, float], ...]) -> float:
    polygon = ELLIPSOID.Polygon()
    for (lon1, lat1), (lon2, lat2) in pairwise(ring):
        for step in range(PIECES):
            polygon.AddPoint(lat1 + (lat2 - lat1) * step / PIECES, lon1 + (lon2 - lon1) * step / PIECES)
    metres: float = abs(polygon.Compute(reverse=False, sign=True)[2])
    return metres


def _box(west: float, south: float, east: float, north: float) -> list[list[float]]:
    return [[west, south], [east, south], [east, north], [west, north], [west, south]]


@settings(max_examples=40, deadline=None)
@given(
    st.floats(-179, 178),
    st.floats(-85, 84),
    st.lists(st.tuples(st.floats(0.0002, 0.01), st.floats(0.0002, 0.01)), min_size=5, max_size=9),
)
def test_area_is_that_of_many_short_geodesics(
    lon: float, lat: float, radii: list[tuple[float, float]]
) -> None:
    """Irregular outlines of 20 m to 2 km, at any latitude, to a millionth."""
    count = len(radii)
    ring = [
        [lon + x * math.cos(2 * math.pi * i / count), lat + y * math.sin(2 * math.pi * i / count)]
        for i, (x, y) in enumerate(radii)
    ]
    shape = Shape.from_parts([[[*ring, ring[0]]]])
    if not shapely.Polygon(shape.parts[0][0]).is_valid:
        return
    assert area_m2(shape) == pytest.approx(_geodesic_area(shape.parts[0][0]), rel=1e-6, abs=0.02)


def test_holes_are_left_out_and_parts_added() -> None:
    """A box with a hole and a second box, from their areas."""
    outer, inner, other = _box(10, 40, 10.1, 40.1), _box(10.02, 40.02, 10.05, 40.05), _box(11, 41, 11.1, 41.1)
    alone = [area_m2(Shape.from_parts([[ring]])) for ring in (outer, inner, other)]
    together = area_m2(Shape.from_parts([[outer, inner], [other]]))
    assert together == pytest.approx(alone[0] - alone[1] + alone[2], abs=0.02)


def test_a_shape_cut_at_180_degrees_has_the_area_it_has_elsewhere() -> None:
    """The cut takes nothing away."""
    cut = [[_box(179.9, 10, 180, 10.1)], [_box(-180, 10, -179.9, 10.1)]]
    assert area_m2(Shape.from_parts(cut)) == pytest.approx(
        area_m2(Shape.from_parts([[_box(20, 10, 20.2, 10.1)]])), abs=0.02
    )


def test_the_whole_ellipsoid() -> None:
    """Two halves from pole to pole, cut at 0 and 180 degrees."""
    halves = [[_box(-180, -90, 0, 90)], [_box(0, -90, 180, 90)]]
    assert area_m2(Shape.from_parts(halves)) == pytest.approx(WHOLE_ELLIPSOID_M2, rel=1e-12)


@pytest.mark.parametrize("lat", [0.0, 33.4, 85.0])
def test_a_circle_has_nearly_pi_r_squared(lat: float) -> None:
    """0.1 % of the area is what a shortfall of 0.05 % of the radius takes."""
    assert area_m2(circle(-111.9, lat, 91.44)) == pytest.approx(math.pi * 91.44**2, rel=0.0011)


def test_areas_of_geodtest(shared_data: Path) -> None:
    """S12 of GeodTest: the area between a geodesic and the equator, its points taken from GeographicLib."""
    rows = [
        [float(word) for word in line.split()]
        for line in (shared_data / "conformance/geodesic/GeodTest-100.dat").read_text().splitlines()
    ]
    tried = 0
    for lat1, lon1, azimuth, lat2, lon2, _, s12, _, _, area in rows:
        if lon2 - lon1 > 170 or max(abs(lat1), abs(lat2)) > 85:
            continue
        line = ELLIPSOID.Line(lat1, lon1, azimuth)
        points = [line.Position(s12 * step / 1000) for step in range(1001)]
        if max(abs(point["lat2"]) for point in points) > 85:
            continue
        ring = [[point["lon2"], point["lat2"]] for point in points]
        ring += [[lon2, 0.0], [lon1, 0.0], ring[0]]
        # Where the geodesic crosses the equator, signed strips cancel as they do in S12.
        terms = Shape.from_grid([[np.rint(np.array(ring) * 1e7)]])
        assert abs(area_m2(terms)) == pytest.approx(abs(area), rel=1e-4, abs=3e7)
        tried += 1
    assert tried > 20
