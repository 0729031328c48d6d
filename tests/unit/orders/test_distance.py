"""A distance as a polygon: never beyond it, hardly short of it, by GeographicLib's geodesics."""

import math
import os
import subprocess
import sys
from pathlib import Path

import pytest
import shapely
from geographiclib.geodesic import Geodesic
from hypothesis import example, given, settings
from hypothesis import strategies as st

import stayaway
from stayaway.kernel.shape import Shape
from stayaway.orders.distance import METRES, DistanceError, circle

ELLIPSOID = Geodesic.WGS84
ON_EDGE = (0.0, 0.25, 0.5, 0.75)
GRID_STEP_M = 0.0112
EXACT_M = 1e-6

longitudes = st.one_of(st.floats(-180, 180), st.floats(179.99, 180), st.floats(-180, -179.99))
latitudes = st.floats(-85, 85)


def _shortfalls(lon: float, lat: float, distance_m: float, shape: Shape) -> list[float]:
    """How far vertices and points on edges stay within the distance; the cut at 180 is no edge."""
    return [
        distance_m
        - ELLIPSOID.Inverse(lat, lon, y1 + share * (y2 - y1), x1 + share * (x2 - x1), Geodesic.DISTANCE)[
            "s12"
        ]
        for part in shape.parts
        for (x1, y1), (x2, y2) in zip(part[0], part[0][1:], strict=False)
        if not x1 == x2 in (180.0, -180.0)
        for share in ON_EDGE
    ]


@pytest.mark.parametrize(
    ("distance_m", "allowed_m"),
    [(91.44, 0.05), (3218.688, 0.5), (500.0, 0.25), (304.8, 0.1524), (25.0, 0.0125)],
)
@pytest.mark.parametrize("lat", [0.0, 33.4, -52.5, 85.0])
def test_common_distances_keep_both_promises(distance_m: float, allowed_m: float, lat: float) -> None:
    """5 cm at 100 yards, 50 cm at 2 miles, at vertices and on edges, up to 85 degrees."""
    short = _shortfalls(-111.9, lat, distance_m, circle(-111.9, lat, distance_m))
    assert min(short) >= -EXACT_M
    assert max(short) <= min(allowed_m, 0.0005 * distance_m)


@settings(max_examples=60, deadline=None)
@given(longitudes, latitudes, st.floats(math.log(25), math.log(20_000)).map(math.exp))
@example(180.0, 10.0, 91.44)
@example(-180.0, 0.0, 91.44)
@example(179.9999999, -85.0, 3218.688)
def test_any_place_and_distance_keep_both_promises(lon: float, lat: float, distance_m: float) -> None:
    """Never beyond the distance; short by at most 0.05 % or 50 cm, also across 180 degrees."""
    short = _shortfalls(lon, lat, distance_m, circle(lon, lat, distance_m))
    assert min(short) >= -EXACT_M
    assert max(short) <= min(0.0005 * distance_m, 0.5)


def test_places_of_geodtest_keep_both_promises(shared_data: Path) -> None:
    """100 yards around places of the geodesic test set, north and south."""
    rows = (shared_data / "conformance/geodesic/GeodTest-100.dat").read_text().splitlines()
    tried = 0
    for row in rows[::5]:
        lat, lon = (float(word) for word in row.split()[:2])
        if lat > 85:
            continue
        tried += 1
        lat = lat if tried % 2 else -lat
        short = _shortfalls(lon, lat, 91.44, circle(lon, lat, 91.44))
        assert -EXACT_M <= min(short) <= max(short) <= 0.0005 * 91.44
    assert tried > 10


@settings(max_examples=40, deadline=None)
@given(longitudes, latitudes, st.floats(0.1, 25))
def test_small_distances_fall_short_by_the_vertex_grid_at_most(
    lon: float, lat: float, distance_m: float
) -> None:
    """Below 25 m the grid of 1e-7 degree is what limits; the distance is still never exceeded."""
    short = _shortfalls(lon, lat, distance_m, circle(lon, lat, distance_m))
    assert min(short) >= -EXACT_M
    assert max(short) <= 0.0005 * distance_m + 2 * GRID_STEP_M


@settings(max_examples=60, deadline=None)
@given(longitudes, latitudes, st.floats(math.log(0.1), math.log(50_000)).map(math.exp))
def test_polygons_are_valid_rounded_and_turn_left(lon: float, lat: float, distance_m: float) -> None:
    """Rounding and orienting again changes nothing; GEOS finds nothing wrong; no edge over 180."""
    shape = circle(lon, lat, distance_m)
    assert Shape.from_parts(shape.to_coordinates()) == shape
    assert shapely.MultiPolygon([(part[0], part[1:]) for part in shape.parts]).is_valid
    for part in shape.parts:
        assert all(-180 <= x <= 180 for x, _ in part[0])
        assert all(abs(x1 - x2) <= 180 for (x1, _), (x2, _) in zip(part[0], part[0][1:], strict=False))


def test_a_zone_over_the_180th_meridian_is_cut_there() -> None:
    """Two parts that meet at 180 and -180 with the same latitudes, so that no gap is left."""
    shape = circle(179.9999, 10.0, 91.44)
    assert len(shape.parts) == 2
    touching = [sorted(y for x, y in part[0][:-1] if abs(x) == 180.0) for part in shape.parts]
    assert touching[0] == touching[1]
    assert len(touching[0]) == 2


@pytest.mark.parametrize(
    ("lat", "distance_m"),
    [(89.9999, 91.44), (-89.9, 20_000.0), (90.0, 1.0), (82.0, 1_000_000.0), (-85.0, 600_000.0)],
)
def test_a_distance_that_reaches_a_pole_is_refused(lat: float, distance_m: float) -> None:
    """Around a pole no ring in lon/lat goes."""
    with pytest.raises(DistanceError, match="pole"):
        circle(10.0, lat, distance_m)


@pytest.mark.parametrize(
    ("lat", "distance_m"), [(80.0, 500_000.0), (89.9, 91.44), (0.0, 1_000_000.0), (60.0, 1e6)]
)
def test_long_distances_and_high_latitudes_keep_both_promises(lat: float, distance_m: float) -> None:
    """Where edges straight in lon/lat bend away from geodesics, there are more of them."""
    short = _shortfalls(10.0, lat, distance_m, circle(10.0, lat, distance_m))
    assert min(short) >= -EXACT_M
    assert max(short) <= min(0.0005 * distance_m, 0.5)


@pytest.mark.parametrize("distance_m", [0.0, -5.0, 0.05, 1_000_001.0, math.inf, math.nan])
def test_a_distance_that_cannot_be_drawn_is_refused(distance_m: float) -> None:
    """Too small for the grid, too large, or no number."""
    with pytest.raises(DistanceError, match="cannot be drawn"):
        circle(0.0, 0.0, distance_m)


def test_units_are_the_international_ones() -> None:
    """WIRE.md: 1 YD = 0.9144 m, 1 FT = 0.3048 m."""
    assert METRES == {"YD": 0.9144, "FT": 0.3048, "M": 1.0}


@pytest.mark.parametrize(
    ("lon", "lat", "distance_m", "sha256"),
    [
        (-111.9, 33.4, 91.44, "c98df34f938322663d0a8363d28c69546ae1e5429cfa16318b91ee93bd570323"),
        (179.9999, -45.0, 30.48, "2e8538724cf64378cd1347d98a21742aa776979fa479a6873166b204c6350774"),
    ],
)
def test_a_circle_is_the_same_on_every_machine(
    lon: float, lat: float, distance_m: float, sha256: str
) -> None:
    """Pinned: an order's content hash holds this digest, so it must not move unseen."""
    assert circle(lon, lat, distance_m).sha256 == sha256


DIGESTS = """
import hashlib, random
from stayaway.orders.distance import circle
random.seed(7)
digest = hashlib.sha256()
for _ in range(400):
    place = random.uniform(-180, 180), random.uniform(-85, 85)
    digest.update(circle(*place, 10 ** random.uniform(0.5, 4)).sha256.encode())
print(digest.hexdigest())
"""


def test_circles_do_not_depend_on_the_processors_features() -> None:
    """Without FMA in the C library and without AVX in NumPy the same 400 circles come out."""
    features = {
        "plain": {},
        "no fma": {"GLIBC_TUNABLES": "glibc.cpu.hwcaps=-FMA,-AVX2,-FMA4"},
        "no avx": {"NPY_DISABLE_CPU_FEATURES": "AVX512F AVX512CD AVX512_SKX AVX2 FMA3"},
    }
    service = str(Path(stayaway.__file__).parent.parent)
    printed = {
        name: subprocess.run(
            [sys.executable, "-W", "ignore", "-c", DIGESTS],
            env={**os.environ, "PYTHONPATH": service, **variables},
            check=True,
            capture_output=True,
            text=True,
        ).stdout
        for name, variables in features.items()
    }
    assert len(set(printed.values())) == 1, printed
