"""A court-ordered distance from a point as a polygon on the WGS 84 ellipsoid.

The polygon is inscribed: no vertex and no point of an edge lies beyond the ordered distance, and
none falls short of it by more than 0.05 % or 50 cm (5 cm at 100 yards), whichever is less
(WIRE.md, "geometry"). Vertices lie on the 1e-7 degree grid (about 1.1 cm), so below about 10 m
the shortfall is what the grid allows. Geodesics: C. F. F. Karney, "Algorithms for geodesics",
J. Geodesy 87 (2013), as pyproj.Geod has them; edges are straight in lon/lat.
"""

import math

import numpy as np
import numpy.typing as npt
from pyproj import Geod

from stayaway.kernel.errors import StayawayError
from stayaway.kernel.shape import VERTEX_DECIMALS, Shape
from stayaway.orders.model import DistanceUnit

METRES: dict[DistanceUnit, float] = {"YD": 0.9144, "FT": 0.3048, "M": 1.0}
"""Metres in each unit (international yard and foot, exact)."""

MIN_DISTANCE_M = 0.1
"""Nine steps of the vertex grid; below it no polygon is like a circle."""
MAX_DISTANCE_M = 1_000_000.0

_Ints = npt.NDArray[np.int64]
_Floats = npt.NDArray[np.float64]

_GEOD = Geod(ellps="WGS84")
_GRID: int = 10**VERTEX_DECIMALS
_HALF_TURN = 180 * _GRID
_STEP_M = 0.011169
"""The grid's longest step anywhere (a 1e-7 degree of latitude at the poles)."""
_HALF_CELL_M = 0.00785
"""Half the diagonal of a grid cell where it is longest, at the equator."""
_FINE_BELOW_M = 45.0
"""Where rounding would take most of the shortfall allowed: vertices are then chosen on the grid."""
_FINE_BELOW_CUT_M = 75.0
"""The same where the ring may be cut at 180 degrees, which takes one more step."""
_PLAIN_BEND = 0.02
"""distance x tan(latitude) / radius up to which a straight edge in lon/lat is like a straight line."""
_RADIUS_M = 6_371_000.0


class DistanceError(StayawayError):
    """No polygon can stand for this distance here: it reaches a pole, or is too small or large."""


def allowed_shortfall_m(distance_m: float) -> float:
    """How far the polygon may stay within the distance: 0.05 % of it, at most 50 cm."""
    return min(0.0005 * distance_m, 0.5)


def circle(lon: float, lat: float, distance_m: float) -> Shape:
    """The zone of all points within `distance_m` metres of (`lon`, `lat`), from the inside.

    Cut at the 180 degree meridian where it reaches over it. Raises DistanceError.
    """
    _refuse_impossible(lat, distance_m)
    near_cut = _is_near_cut(lon, lat, distance_m)
    if distance_m < (_FINE_BELOW_CUT_M if near_cut else _FINE_BELOW_M):
        ring = _fine_ring(lon, lat, distance_m)
    else:
        ring = _plain_ring(lon, lat, distance_m, _STEP_M if near_cut else 0.0)
    return Shape.from_grid([[[*part, part[0]]] for part in _cut(ring)])


def _refuse_impossible(lat: float, distance_m: float) -> None:
    if not MIN_DISTANCE_M <= distance_m <= MAX_DISTANCE_M:
        raise DistanceError(
            f"A distance of {distance_m:g} m cannot be drawn.",
            f"It must be from {MIN_DISTANCE_M:g} m to {MAX_DISTANCE_M / 1000:g} km;"
            " check the number and its unit.",
        )
    # A degree of latitude is never under 110 km, so the geodesic is asked near a pole only.
    if (90 - abs(lat)) * 110_000 > distance_m:
        return
    _, _, to_pole_m = _GEOD.inv(0.0, lat, 0.0, math.copysign(90.0, lat))
    if to_pole_m <= distance_m * 1.001 + 1:
        raise DistanceError(
            "The distance reaches a pole, around which no polygon in lon/lat goes.",
            "Check the anchor's latitude; draw the zone as a polygon if the place is right.",
        )


# ---------------------------------------------------------------- 45 m and more


def _plain_ring(lon: float, lat: float, distance_m: float, cut_m: float) -> _Ints:
    """Grid vertices, counter-clockwise: geodesic ends half a cell inside the distance, rounded.

    `cut_m`: what a cut at 180 degrees may take of the shortfall allowed.
    """
    sagitta_m = allowed_shortfall_m(distance_m) - 2 * _HALF_CELL_M - cut_m
    bend = distance_m * math.tan(math.radians(min(abs(lat) + distance_m / 110_000, 89.999))) / _RADIUS_M
    count = _vertex_count(distance_m, sagitta_m, bend)
    for _ in range(4):
        ring = _geodesic_ends(lon, lat, distance_m - _HALF_CELL_M, count)
        if bend < _PLAIN_BEND or _is_within(lon, lat, distance_m, ring):
            return ring
        count *= 2
    raise DistanceError(
        "The distance is too long for a polygon so near a pole.",
        "Check the anchor's latitude and the distance; draw the zone as a polygon if both are right.",
    )


def _is_near_cut(lon: float, lat: float, distance_m: float) -> bool:
    reach = distance_m / (110_000 * math.cos(math.radians(min(abs(lat) + distance_m / 110_000, 89.9))))
    return 180 - abs(lon) < reach * 1.01


def _vertex_count(distance_m: float, sagitta_m: float, bend: float) -> int:
    """Vertices, a multiple of 4, of a regular polygon whose edges stay that near its circle.

    sagitta = d (1 - cos(pi / n)) < d pi^2 / (2 n^2); 2 % more for edges that rounding lengthens.
    """
    return 4 * math.ceil(1.02 * math.pi * math.sqrt(distance_m * (1 + bend) / (2 * sagitta_m)) / 4)


def _geodesic_ends(lon: float, lat: float, distance_m: float, count: int) -> _Ints:
    # Half a step off the axes, where mirrored vertices would round by chance.
    azimuths = 360.0 - (np.arange(count) + 0.5) * (360.0 / count)
    lons, lats, _ = _GEOD.fwd(np.full(count, lon), np.full(count, lat), azimuths, np.full(count, distance_m))
    unwrapped = lon + (lons - lon + 540.0) % 360.0 - 180.0
    return _on_grid(unwrapped, lats)


def _on_grid(lons: _Floats, lats: _Floats) -> _Ints:
    grid: _Ints = np.rint(np.stack([lons, lats], axis=1) * _GRID).astype(np.int64)
    return grid


def _is_within(lon: float, lat: float, distance_m: float, ring: _Ints) -> bool:
    """Whether vertices and mid-edges keep both promises, by the inverse geodesic problem."""
    points = ring / _GRID
    points = np.concatenate([points, (points + np.roll(points, -1, axis=0)) / 2])
    count = len(points)
    _, _, lengths = _GEOD.inv(np.full(count, lon), np.full(count, lat), points[:, 0], points[:, 1])
    shortfall = distance_m - lengths
    return bool(shortfall.min() >= 0 and shortfall.max() <= allowed_shortfall_m(distance_m) - _STEP_M)


# ---------------------------------------------------------------- under 45 m

_BLOCKS = np.sin(np.radians(np.linspace(-90.0, 90.0, 121)))
"""Heights, as shares of the radius, that cut each half of the circle into steps of 1.5 degrees."""
_MARGIN_M = 1e-5


def _fine_ring(lon: float, lat: float, distance_m: float) -> _Ints:
    """The convex hull of grid points just within the distance, the best one of each 1.5 degrees.

    On each row of the grid the outermost points are known in closed form from Gauss's
    mid-latitude formula, which is good to 10 micrometres within 45 m.
    """
    rows, east, west, short_east, short_west = _outermost(lon, lat, distance_m - _MARGIN_M)
    # The first and the last row each alone: their edge bounds the shortfall at the north and the south.
    blocks = np.rint((_BLOCKS[:-1] + 1) / 2 * (len(rows) - 1)).astype(np.int64)
    starts = np.unique(np.concatenate([blocks, [1, len(rows) - 1]]))
    chosen_east, chosen_west = _best(short_east, starts), _best(short_west, starts)
    chosen = [
        np.stack([east, rows], axis=1)[chosen_east],
        np.stack([west, rows], axis=1)[chosen_west],
    ]
    # Where the ring will be cut it has vertices on the grid already, so that the cut rounds nothing.
    for meridian in (-_HALF_TURN, _HALF_TURN):
        crossed = rows[(west <= meridian) & (meridian <= east)]
        chosen += [np.array([[meridian, row]]) for row in (*crossed[:1], *crossed[-1:])]
    return _hull(np.concatenate(chosen))


def _outermost(lon: float, lat: float, distance_m: float) -> tuple[_Ints, _Ints, _Ints, _Floats, _Floats]:
    """Grid rows, their outermost columns east and west, and how far these fall short, in metres."""
    sin, cos = math.sin(math.radians(lat)), math.cos(math.radians(lat))
    squared = 1 - _GEOD.es * sin * sin
    meridian = math.radians(_GEOD.a * (1 - _GEOD.es) / (squared * math.sqrt(squared)))
    reach = distance_m / meridian
    rows = np.arange(math.ceil((lat - reach) * _GRID), math.floor((lat + reach) * _GRID) + 1)
    north = rows / _GRID - lat
    parallel = math.radians(_GEOD.a / math.sqrt(squared)) * (cos - sin * np.radians(north) / 2)
    square_left = np.maximum(distance_m**2 - (meridian * north) ** 2, 0.0)
    half = np.sqrt(square_left) / parallel
    columns = np.floor((lon + half) * _GRID), np.ceil((lon - half) * _GRID)
    # d - s = (d^2 - s^2) / (d + s), which keeps its digits.
    short = [
        (square_left - (parallel * (column / _GRID - lon)) ** 2) / (2 * distance_m) for column in columns
    ]
    return rows, columns[0].astype(np.int64), columns[1].astype(np.int64), short[0], short[1]


def _best(short: _Floats, starts: _Ints) -> _Ints:
    """Of each block of rows the one that falls least short, in whole 10 micrometres, the first of equals."""
    whole = np.rint(short * 1e5)
    least = np.repeat(np.minimum.reduceat(whole, starts), np.diff(starts, append=len(whole)))
    reaching = np.flatnonzero(whole == least)
    return reaching[np.searchsorted(reaching, starts)]


def _hull(points: _Ints) -> _Ints:
    """The convex hull in whole grid steps, counter-clockwise (Andrew's monotone chain)."""
    ordered = sorted(set(zip(*points.T.tolist(), strict=True)))
    lower, upper = _chain(ordered), _chain(ordered[::-1])
    return np.array(lower[:-1] + upper[:-1], dtype=np.int64)


def _chain(points: list[tuple[int, int]]) -> list[tuple[int, int]]:
    chain: list[tuple[int, int]] = []
    for x, y in points:
        while len(chain) > 1:
            (x1, y1), (x2, y2) = chain[-2], chain[-1]
            if (x2 - x1) * (y - y1) - (y2 - y1) * (x - x1) > 0:
                break
            chain.pop()
        chain.append((x, y))
    return chain


# ---------------------------------------------------------------- the 180 degree meridian


def _cut(ring: _Ints) -> list[list[tuple[int, int]]]:
    """The ring as one part, or as two that touch 180 and -180; grid steps, not yet closed."""
    points: list[tuple[int, int]] = list(zip(*ring.T.tolist(), strict=True))
    westernmost, easternmost = min(points)[0], max(points)[0]
    if westernmost >= -_HALF_TURN and easternmost <= _HALF_TURN:
        return [points]
    if westernmost < -_HALF_TURN:
        points = [(x + 2 * _HALF_TURN, y) for x, y in points]
    middle = sum(y for _, y in points) // len(points)
    west = _clip(points, middle, keep_west=True)
    east = [(x - 2 * _HALF_TURN, y) for x, y in _clip(points, middle, keep_west=False)]
    return [part for part in (west, east) if len(set(part)) >= 3]


def _clip(points: list[tuple[int, int]], middle: int, *, keep_west: bool) -> list[tuple[int, int]]:
    """The part of a convex ring on one side of 180 degrees (Sutherland and Hodgman, 1974)."""
    sign = 1 if keep_west else -1
    kept: list[tuple[int, int]] = []
    for (x1, y1), (x2, y2) in zip(points, points[1:] + points[:1], strict=True):
        before, after = sign * (_HALF_TURN - x1), sign * (_HALF_TURN - x2)
        if before >= 0:
            kept.append((x1, y1))
        if before * after < 0:
            kept.append((_HALF_TURN, _crossing(x1, y1, x2, y2, middle)))
    return kept


def _crossing(x1: int, y1: int, x2: int, y2: int, middle: int) -> int:
    """The latitude at which an edge meets 180 degrees, on the grid and inside the ring."""
    numerator = y1 * (x2 - x1) + (y2 - y1) * (_HALF_TURN - x1)
    below = numerator // (x2 - x1)
    remainder = numerator % (x2 - x1)
    return below + 1 if remainder and below < middle else below
