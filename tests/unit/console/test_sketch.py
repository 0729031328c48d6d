"""The map of one alert: its own shapes, in proportion, also across the 180 degree meridian."""

import math
from typing import Any

import pytest

from stayaway.console.sketch import HEIGHT, WIDTH, draw


def _features(*geometries: dict[str, Any]) -> dict[str, Any]:
    return {
        "type": "FeatureCollection",
        "features": [
            {"properties": {"kind": "zone", "number": 1, "is_minor": False}, "geometry": geometry}
            for geometry in geometries
        ],
    }


def _square(lon: float, lat: float, side: float) -> dict[str, Any]:
    ring = [[lon, lat], [lon + side, lat], [lon + side, lat + side], [lon, lat + side], [lon, lat]]
    return {"type": "Polygon", "coordinates": [ring]}


def test_the_drawing_fits_and_a_degree_east_is_shorter_than_one_north() -> None:
    drawing = draw(_features(_square(10, 60, 0.01)))
    pairs = [pair.split() for pair in drawing.shown[0].path.strip("MZ").split("L")]
    xs, ys = [float(x) for x, _ in pairs], [float(y) for _, y in pairs]
    assert min(xs) >= 0
    assert max(xs) <= WIDTH
    assert min(ys) >= 0
    assert max(ys) <= HEIGHT
    ratio = (max(xs) - min(xs)) / (max(ys) - min(ys))
    assert ratio == pytest.approx(math.cos(math.radians(60.005)), abs=0.01)


def test_one_point_alone_is_drawn_in_the_middle() -> None:
    drawing = draw(_features({"type": "Point", "coordinates": [10.0, 60.0]}))
    assert (drawing.shown[0].x, drawing.shown[0].y) == (WIDTH / 2, HEIGHT / 2)
    assert drawing.scale_width > 0


@pytest.mark.parametrize("side", [0.0001, 0.001, 0.01, 0.1, 1.0])
def test_the_scale_is_a_round_length_that_fits(side: float) -> None:
    drawing = draw(_features(_square(10, 40, side)))
    assert str(drawing.scale_m).rstrip("0") in ("1", "2", "5")
    assert 0 < drawing.scale_width <= WIDTH / 4
