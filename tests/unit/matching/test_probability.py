"""The probability of being inside against Monte Carlo."""

import itertools
import math
import random

import numpy as np
import pytest

from stayaway.kernel.geodesy import degree_lengths_m
from stayaway.kernel.shape import Shape
from stayaway.matching.probability import inside_probability

Point = tuple[float, float]


def box(west: float, south: float, east: float, north: float) -> list[Point]:
    return [(west, south), (east, south), (east, north), (west, north), (west, south)]


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
