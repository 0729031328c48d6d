"""The oracle: inside or not in whole numbers, written apart from the engine and sharing nothing with it.

Coordinates are whole numbers of 1e-7 degree; a zone is a list of parts, a part a list of open rings. A ray
to the west is counted (even is outside), a boundary point belongs. The engine judges the doubles nearest
to those decimals, which differ from them by up to 2**-46 degree: where the whole numbers cannot tell
what that does to a determinant, and for points off the grid, the doubles decide as fractions.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise

import numpy as np
import numpy.typing as npt

Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]
Corner = tuple[int, int]
Ring = list[Corner]
Part = list[Ring]

GRID = 10**7
HALF_TURN = 180 * GRID


@dataclass
class Verdict:
    """Numbers of the points of each sort, ascending; those on an edge or a corner are inside too.

    `holed`: outside, but within some ring.
    """

    inside: Ints
    on_edge: Ints
    on_corner: Ints
    holed: Ints
    near: int
    """How many points lie in the zone's box."""
    rational: int
    """How many times fractions were needed."""
    off_by_double: int
    """How many times a point was on an edge as decimals but not as doubles."""


class GridPoints:
    """Points in whole numbers of 1e-7 degree, sorted by latitude; on the meridian of 180 degrees each
    stands twice, under both of its names.
    """

    def __init__(self, x: Ints, y: Ints) -> None:
        on_cut = np.flatnonzero(np.abs(x) == HALF_TURN)
        number = np.concatenate([np.arange(len(x)), on_cut])
        x, y = np.concatenate([x, -x[on_cut]]), np.concatenate([y, y[on_cut]])
        order = np.argsort(y, kind="stable")
        self.number, self.x, self.y = number[order], x[order], y[order]

    def within(self, west: int, south: int, east: int, north: int) -> tuple[Ints, Ints, Ints]:
        """number, x, y of those in the box."""
        part = slice(*np.searchsorted(self.y, [south, north + 1]).tolist())
        rows = np.flatnonzero((west <= self.x[part]) & (self.x[part] <= east)) + part.start
        return self.number[rows], self.x[rows], self.y[rows]


def ring_edges(ring: Ring) -> Iterator[tuple[Corner, Corner]]:
    """The edges of an open ring, the closing one included."""
    return pairwise([*ring, ring[0]])


def distinct(values: Ints) -> Ints:
    """Each value once, ascending (np.unique by hashing takes several times as long)."""
    ascending = np.sort(values)
    once: Ints = ascending[np.diff(ascending, prepend=-1) != 0]
    return once


def judge_grid(parts: list[Part], points: GridPoints) -> Verdict:
    """Which points are in the zone."""
    xs = [x for part in parts for ring in part for x, _ in ring]
    ys = [y for part in parts for ring in part for _, y in ring]
    number, x, y = points.within(min(xs), min(ys), max(xs), max(ys))
    rays = _Rays(x, y)
    for part in parts:
        for ring in part:
            rays.count(ring)
    inside = distinct(number[rays.odd | rays.on_edge])
    return Verdict(
        inside=inside,
        on_edge=distinct(number[rays.on_edge]),
        on_corner=distinct(number[rays.on_corner]),
        holed=np.setdiff1d(number[rays.in_some_ring], inside),
        near=len(x),
        rational=rays.rational,
        off_by_double=rays.off_by_double,
    )


class _Rays:
    """Rays to the west from points sorted by latitude, and the rings they cross."""

    def __init__(self, x: Ints, y: Ints) -> None:
        self.x, self.y = x, y
        self.odd = np.zeros(len(x), dtype=np.bool_)
        self.in_some_ring = np.zeros(len(x), dtype=np.bool_)
        self.on_edge = np.zeros(len(x), dtype=np.bool_)
        self.on_corner = np.zeros(len(x), dtype=np.bool_)
        self.rational = self.off_by_double = 0

    def count(self, ring: Ring) -> None:
        """One ring more."""
        odd = np.zeros(len(self.x), dtype=np.bool_)
        for one, other in ring_edges(ring):
            low, high = (one, other) if one[1] <= other[1] else (other, one)
            start = int(np.searchsorted(self.y, low[1], side="left"))
            stop = int(np.searchsorted(self.y, high[1], side="right"))
            if start < stop:
                self._edge(odd, low, high, start, stop)
        self.odd ^= odd
        self.in_some_ring |= odd

    def _edge(self, odd: Bools, low: Corner, high: Corner, start: int, stop: int) -> None:
        x, y = self.x[start:stop], self.y[start:stop]
        self.on_corner[start:stop] |= ((x == low[0]) & (y == low[1])) | ((x == high[0]) & (y == high[1]))
        west, east = min(low[0], high[0]), max(low[0], high[0])
        if low[1] == high[1]:
            self.on_edge[start:stop] |= (west <= x) & (x <= east)
            return
        right = self._right_of(low, high, x, y)
        self.on_edge[start:stop] |= (right == 0) & (west <= x) & (x <= east)
        # Of an edge's two ends the upper one counts: a ray through a corner meets each edge once.
        odd[start:stop] ^= (right > 0) & (y > low[1])

    def _right_of(self, low: Corner, high: Corner, x: Ints, y: Ints) -> npt.NDArray[np.int8]:
        """1 where the point is east of the upward edge, 0 on its line, -1 west of it."""
        tall, wide = high[1] - low[1], high[0] - low[0]
        across, along = tall * (x - low[0]), wide * (y - low[1])
        right = (across > along).astype(np.int8) - (across < along).astype(np.int8)
        # Each double is within 1.5e-7 of its whole number, so the determinant within 6e-7 of these four
        # lengths. Both products fit in 64 bits (360 by 180 degrees); their difference may wrap round,
        # which at worst asks for a fraction too many.
        reach = tall + abs(wide) + np.abs(x - low[0]) + np.abs(y - low[1])
        unsure = np.flatnonzero(np.abs(across - along) <= reach // 1_000_000)
        for row in unsure.tolist():
            exact = _right_of_nearest_doubles(low, high, (int(x[row]), int(y[row])))
            between = min(low[0], high[0]) <= x[row] <= max(low[0], high[0])
            self.off_by_double += int(right[row] == 0 and exact != 0 and between)
            right[row] = exact
        self.rational += len(unsure)
        return right


def _right_of_nearest_doubles(low: Corner, high: Corner, at: Corner) -> int:
    """As `_right_of`, of the doubles nearest to the decimals."""
    # A double that is not nearer to 0 than 1e-7 has no bit below 2**-76.
    low_x, low_y, high_x, high_y, x, y = (int(value / GRID * 2.0**76) for value in (*low, *high, *at))
    across, along = (high_y - low_y) * (x - low_x), (high_x - low_x) * (y - low_y)
    return (across > along) - (across < along)


def _right_of_double(low: Corner, high: Corner, lon: float, lat: float) -> int:
    """The same of any point in degrees, in fractions."""
    low_x, low_y = Fraction(low[0] / GRID), Fraction(low[1] / GRID)
    across = (Fraction(high[1] / GRID) - low_y) * (Fraction(lon) - low_x)
    along = (Fraction(high[0] / GRID) - low_x) * (Fraction(lat) - low_y)
    return (across > along) - (across < along)


def judge_double(parts: Iterable[Part], lon: float, lat: float) -> tuple[bool, bool]:
    """(inside, on the boundary) for one point in degrees, on the grid or off it."""
    inside, on_edge = _judge_chart(parts, lon, lat)
    if abs(lon) == 180.0:
        mirrored, on_mirrored = _judge_chart(parts, -lon, lat)
        return inside or mirrored, on_edge or on_mirrored
    return inside, on_edge


def _judge_chart(parts: Iterable[Part], lon: float, lat: float) -> tuple[bool, bool]:
    odd = False
    for part in parts:
        for ring in part:
            for one, other in ring_edges(ring):
                low, high = (one, other) if one[1] <= other[1] else (other, one)
                south, north = low[1] / GRID, high[1] / GRID
                if not south <= lat <= north:
                    continue
                west, east = min(low[0], high[0]) / GRID, max(low[0], high[0]) / GRID
                if lon < west:
                    continue
                right = 1 if lon > east else _right_of_double(low, high, lon, lat) if south < north else 0
                if right == 0:
                    return True, True
                odd ^= right > 0 and lat > south
    return odd, False
