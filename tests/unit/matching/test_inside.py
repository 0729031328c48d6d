"""Inside against rational arithmetic that shares nothing with it."""

import itertools
import math
from fractions import Fraction

from hypothesis import assume, given, settings
from hypothesis import strategies as st
from shapely import Polygon

from stayaway.kernel.shape import Shape
from stayaway.matching.inside import is_inside
from support.zone_entries import bounds_of

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
    west, south, _, _ = bounds_of(shape)
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
