"""Points of which most lie close to some zone: elsewhere agreement says nothing."""

import math
from fractions import Fraction

import numpy as np
import numpy.typing as npt

from exactness.grid import GRID, HALF_TURN, Ints, ring_edges
from exactness.zones import POLE, Zone

Floats = npt.NDArray[np.float64]

_SHARES = {"box": 0.3, "beside": 0.32, "on edge": 0.08, "corner": 0.06, "level": 0.09, "anywhere": 0.15}
"""Around the box; a few units beside an edge; on it; at corners; level with a corner; in the world."""


def draw_grid_points(rng: np.random.Generator, zones: list[Zone], count: int) -> tuple[Ints, Ints]:
    """x, y as whole numbers of 1e-7 degree, shuffled."""
    per_zone = count * (1.0 - _SHARES["anywhere"]) / len(zones)
    xs, ys = [], []
    for zone in zones:
        for x, y in _around(rng, zone, per_zone):
            xs.append(x)
            ys.append(y)
    some = np.concatenate(xs), np.concatenate(ys)
    rest = count - len(some[0])
    assert rest >= 0
    x = np.concatenate([some[0], rng.integers(-HALF_TURN, HALF_TURN, rest, endpoint=True)])
    y = np.concatenate([some[1], rng.integers(-POLE, POLE, rest, endpoint=True)])
    order = rng.permutation(count)
    return _in_range(rng, x[order], y[order])


def _in_range(rng: np.random.Generator, x: Ints, y: Ints) -> tuple[Ints, Ints]:
    """Round the world and not over the poles; the meridian of 180 degrees by either name."""
    x = np.where(np.abs(x) > HALF_TURN, x - 2 * HALF_TURN * np.sign(x), x)
    on_cut = np.abs(x) == HALF_TURN
    x = np.where(on_cut & (rng.random(len(x)) < 0.5), -x, x)
    return x, np.clip(y, -POLE, POLE)


def _corners(zone: Zone) -> tuple[Ints, Ints]:
    """Starts and ends of all edges: rows of x, y."""
    edges = [edge for part in zone.parts for ring in part for edge in ring_edges(ring)]
    both = np.array(edges, dtype=np.int64)
    return both[:, 0], both[:, 1]


def _around(rng: np.random.Generator, zone: Zone, per_zone: float) -> list[tuple[Ints, Ints]]:
    whole = 1.0 - _SHARES["anywhere"]
    size = {name: int(per_zone * share / whole) for name, share in _SHARES.items()}
    starts, ends = _corners(zone)
    west, south, east, north = zone.box
    margin_x, margin_y = (east - west) // 5 + 3, (north - south) // 5 + 3
    found = [
        (
            rng.integers(west - margin_x, east + margin_x, size["box"], endpoint=True),
            rng.integers(south - margin_y, north + margin_y, size["box"], endpoint=True),
        )
    ]
    edge = rng.integers(0, len(starts), size["beside"])
    share = rng.random((len(edge), 1))
    spot = starts[edge] + np.rint(share * (ends[edge] - starts[edge])).astype(np.int64)
    spot += rng.integers(-2, 2, spot.shape, endpoint=True)
    found.append((spot[:, 0], spot[:, 1]))
    edge = rng.integers(0, len(starts), size["on edge"])
    steps = np.gcd(*np.abs(ends[edge] - starts[edge]).T)
    # Whole steps along the edge end on grid points of it.
    step = rng.integers(0, np.maximum(steps, 1), endpoint=True)[:, np.newaxis]
    spot = starts[edge] + step * ((ends[edge] - starts[edge]) // np.maximum(steps, 1)[:, np.newaxis])
    found.append((spot[:, 0], spot[:, 1]))
    corner = starts[rng.integers(0, len(starts), size["corner"])]
    corner = corner + rng.integers(-1, 1, corner.shape, endpoint=True) * (rng.random((len(corner), 1)) < 0.5)
    found.append((corner[:, 0], corner[:, 1]))
    level = starts[rng.integers(0, len(starts), size["level"]), 1]
    found.append((rng.integers(west - margin_x, east + margin_x, len(level), endpoint=True), level))
    return found


def draw_double_points(rng: np.random.Generator, zones: list[Zone], count: int) -> tuple[Floats, Floats]:
    """lon, lat in degrees: on edges and corners as well as a double can be, and up to 3 ulp away."""
    ends = [_corners(zone) for zone in zones]
    found = []
    for number in rng.integers(0, len(zones), count).tolist():
        starts, stops = ends[number]
        row = int(rng.integers(0, len(starts)))
        one, other = (starts[row] / GRID).tolist(), (stops[row] / GRID).tolist()
        lon, lat = _beside_zero(rng, one, other) if rng.random() < 0.3 else _along(rng, one, other)
        found.append((max(-180.0, min(180.0, lon)), max(-90.0, min(90.0, lat))))
    columns = np.array(found)
    return columns[:, 0], columns[:, 1]


def _along(rng: np.random.Generator, one: list[float], other: list[float]) -> tuple[float, float]:
    share = float(rng.choice([0.0, 1.0, 0.5, 0.25, 1 / 3, rng.random()]))
    lon, lat = (a + share * (b - a) for a, b in zip(one, other, strict=True))
    for _ in range(int(rng.integers(0, 4))):
        lon = math.nextafter(lon, math.inf if rng.random() < 0.5 else -math.inf)
        lat = math.nextafter(lat, math.inf if rng.random() < 0.5 else -math.inf)
    return lon, lat


def _beside_zero(rng: np.random.Generator, one: list[float], other: list[float]) -> tuple[float, float]:
    """Where the edge crosses the equator, as near to it as doubles come: they are densest there."""
    (x1, y1), (x2, y2) = (map(Fraction, end) for end in (one, other))
    if y1 * y2 >= 0:
        return _along(rng, one, other)
    lat = float(rng.choice([-1, 1]) * 10 ** rng.uniform(-19, -6))
    lat = max(float(min(y1, y2)), min(float(max(y1, y2)), lat))
    return float(x1 + (Fraction(lat) - y1) * (x2 - x1) / (y2 - y1)), lat
