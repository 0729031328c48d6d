"""What a distance is not drawn around, in words; the same bytes on any machine."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import stayaway
from stayaway.orders.distance import DistanceError, circle
from stayaway.orders.reach import zone_around
from stayaway.orders.reach_outline import MAX_POSITIONS

LOT = [[10, 50], [10.001, 50], [10.001, 50.001], [10, 50.001], [10, 50]]


def _polygon(*rings: Any) -> dict[str, Any]:
    return {"type": "Polygon", "coordinates": list(rings)}


def test_a_point_has_the_circle() -> None:
    """One rule for a point, wherever it is asked."""
    assert zone_around({"type": "Point", "coordinates": [10, 50]}, 91.44) == circle(10, 50, 91.44)


@pytest.mark.parametrize("distance_m", [0.0, -5.0, 0.9, 50_001.0, float("inf"), float("nan")])
def test_a_distance_that_cannot_be_drawn_is_refused(distance_m: float) -> None:
    """Too small for the grid, too large, or no number."""
    with pytest.raises(DistanceError, match="cannot be drawn"):
        zone_around(_polygon(LOT), distance_m)


@pytest.mark.parametrize(
    ("geometry", "words"),
    [
        ({"type": "GeometryCollection", "geometries": []}, "around a GeometryCollection"),
        ({}, "around a None"),
        ({"type": "Point", "coordinates": [10]}, "point is no position"),
        ({"type": "Point", "coordinates": [10, 91]}, "point is no position"),
        ({"type": "Point", "coordinates": None}, "point is no position"),
        ({"type": "LineString", "coordinates": []}, "not a list of positions"),
        ({"type": "LineString", "coordinates": [[10, 50], [10, 50]]}, "only one position"),
        ({"type": "LineString", "coordinates": [[10, 50, 3], [10, 51, 3]]}, "not a list of positions"),
        ({"type": "LineString", "coordinates": [["a", 50], [10, 51]]}, "not a list of positions"),
        ({"type": "MultiLineString", "coordinates": []}, "no coordinates"),
        ({"type": "LineString", "coordinates": [[10, 50], [10, 95]]}, "outside -180..180"),
        ({"type": "LineString", "coordinates": [[10, 50], [10, float("nan")]]}, "outside -180..180"),
        ({"type": "LineString", "coordinates": [[170, 50], [-170, 50]]}, "spans over 180"),
        (_polygon(LOT[:-1]), "not closed"),
        (_polygon([LOT[0], LOT[1], LOT[0]]), "fewer than three"),
        (_polygon([LOT[0], LOT[2], LOT[1], LOT[3], LOT[0]]), "no valid polygon: Self-intersection"),
        (_polygon([[10, 89.9999], [11, 89.9999], [11, 89.99995], [10, 89.9999]]), "reaches a pole"),
        (_polygon([[-80, 10], [0, 10], [80, 10], [120, 20], [0, 20], [-80, 10]]), "half the globe"),
    ],
)
def test_what_is_no_line_or_parcel_is_refused_with_a_remedy(geometry: dict[str, Any], words: str) -> None:
    """Each in its own words; nothing is repaired."""
    with pytest.raises(DistanceError, match=words) as refusal:
        zone_around(geometry, 91.44)
    assert refusal.value.remedy


def test_a_zone_that_would_break_the_promise_is_refused() -> None:
    """So near a pole that edges straight in lon/lat stray from the circle by more than is allowed."""
    lot = [[170, 89.99], [176, 89.99], [176, 89.991], [170, 89.991], [170, 89.99]]
    with pytest.raises(DistanceError, match="No polygon was found"):
        zone_around(_polygon(lot), 300.0)


def test_an_outline_that_would_take_minutes_is_refused() -> None:
    """A preview must not hang: over 50,000 positions the clerk is asked for a simpler outline."""
    line = [[10 + 1e-6 * step, 50 + 1e-6 * (step % 2)] for step in range(MAX_POSITIONS + 1)]
    with pytest.raises(DistanceError, match="50001 positions"):
        zone_around({"type": "LineString", "coordinates": line}, 91.44)


DIGESTS = """
import math, random, sys
from stayaway.orders.reach import zone_around
from stayaway.orders.area import area_m2
chance = random.Random(7)
def star(lon, lat, size):
    count = chance.randrange(3, 14)
    turns = [(size * chance.uniform(.2, 1), 2 * math.pi * i / count) for i in range(count)]
    points = [[lon + radius * math.cos(turn), lat + radius * math.sin(turn)] for radius, turn in turns]
    return [*points, points[0]]
# A grid of corners at right angles too, where a vertex more or less would be nearest at hand.
steps = [[10, 50], [10.002, 50], [10.002, 50.001], [10.001, 50.001], [10.001, 50.002], [10, 50.002], [10, 50]]
places = [steps] + [star(chance.uniform(-179, 179), chance.uniform(-84, 84), 10 ** chance.uniform(-4, -1.5))
                    for _ in range(60)]
for ring in places:
    for kind, coordinates in (("Polygon", [ring]), ("LineString", ring[:-1])):
        distance_m = chance.choice([9.144, 91.44, 500, 3218.688])
        shape = zone_around({"type": kind, "coordinates": coordinates}, distance_m)
        print(shape.sha256, area_m2(shape))
"""


def test_the_same_bytes_without_fma_or_avx() -> None:
    """Without FMA in the C library and without AVX in NumPy the same 122 zones and areas come out."""
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
    assert printed["plain"].count("\n") == 122
    assert len(set(printed.values())) == 1, printed
