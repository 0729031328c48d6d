"""Vertices on the 1e-7 degree grid, all of a ring at once, as exact arithmetic has them."""

from fractions import Fraction
from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from stayaway.kernel.shape import Shape

near_halves = st.builds(
    lambda whole, nudge: (whole + 0.5) * 1e-7 + nudge,
    st.integers(-(10**9), 10**9),
    st.sampled_from([0.0, 1e-15, -1e-15, 1e-13, -1e-13]),
).filter(lambda x: abs(x) <= 90)
degrees = st.one_of(st.floats(-90, 90), near_halves, st.sampled_from([-0.0, 0.0, 90.0, -90.0, 1e-8]))


@settings(max_examples=500, deadline=None)
@given(st.lists(st.tuples(degrees, degrees), min_size=3, max_size=12))
def test_vertices_are_rounded_as_python_rounds(points: list[tuple[float, float]]) -> None:
    """Whatever the last bit of a product says; repeated vertices go, a negative zero too."""
    ring = Shape.from_parts([[[*points, points[0]]]]).parts[0][0]
    rounded = [(round(lon, 7) + 0.0, round(lat, 7) + 0.0) for lon, lat in [*points, points[0]]]
    expected = [point for i, point in enumerate(rounded) if i == 0 or point != rounded[i - 1]]
    assert list(ring) in (expected, expected[::-1])
    assert str(list(ring)) in (str(expected), str(expected[::-1]))


@settings(max_examples=500, deadline=None)
@given(st.lists(st.tuples(st.floats(-180, 180), degrees), min_size=3, max_size=8))
def test_outer_rings_are_counter_clockwise_exactly(points: list[tuple[float, float]]) -> None:
    """However thin the sliver, and however large the ring."""
    ring = Shape.from_parts([[[*points, points[0]]]]).parts[0][0]
    exact = [(Fraction(str(lon)), Fraction(str(lat))) for lon, lat in ring]
    assert sum(x1 * y2 - x2 * y1 for (x1, y1), (x2, y2) in pairwise(exact)) >= 0
