"""A polygon or multipolygon in lon/lat degrees, materialised once and hashed.

Edges are straight in lon/lat (RFC 7946); vertices are rounded to 1e-7 degree; the meridians
-180 and 180 are one, and where a shape is cut there the cut is no boundary (WIRE.md).
"""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import accumulate, pairwise

import numpy as np
import numpy.typing as npt

from stayaway.kernel.edges import Edges

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]
Ring = tuple[tuple[float, float], ...]

VERTEX_DECIMALS = 7
GRID: int = 10**VERTEX_DECIMALS
PACKED = np.dtype("<i4")
"""Holds 180 degrees: 1.8e9 < 2**31."""
VERTEX_BYTES = 2 * PACKED.itemsize
NEAR_HALF = 1e-5
"""Far above the error of the product, 2**-22 at 180 degrees."""
SAFE_PRODUCTS = 2**61
"""Sums of so much stay within 64 bits, with both terms of each edge."""
_NOWHERE_CUT = np.array([180.0, 90.0, 180.0, 90.0])
"""What a shape has to keep within so that all its edges are boundary."""


class Shape:
    """Parts, each a closed exterior ring (counter-clockwise) followed by its holes (clockwise).

    Immutable. Vertices lie on the grid of 1e-7 degree and are held as whole numbers of it, 8 bytes each:
    a registry has a hundred million of them.
    """

    def __init__(self, packed: tuple[tuple[bytes, ...], ...]) -> None:
        """`packed`: each ring as little-endian 32-bit numbers of 1e-7 degree, lon and lat in turn."""
        self._packed = packed

    @classmethod
    def from_parts(cls, parts: Iterable[Iterable[Sequence[Sequence[float]] | Floats]]) -> "Shape":
        """A shape from RFC 7946 MultiPolygon coordinates, any winding, closed rings.

        Vertices are rounded to 7 decimals; repeated ones are dropped.
        """
        return cls.from_grid(
            [[_oriented(ring, hole=index > 0) for index, ring in enumerate(part)] for part in parts]
        )

    @classmethod
    def from_grid(cls, parts: Iterable[Iterable[Ints | Sequence[tuple[int, int]]]]) -> "Shape":
        """The shape of closed rings of whole numbers of 1e-7 degree, wound as they shall be."""
        return cls(
            tuple(
                tuple(np.asarray(ring).astype(PACKED, copy=False).tobytes() for ring in part)
                for part in parts
            )
        )

    @property
    def packed(self) -> tuple[tuple[bytes, ...], ...]:
        """The rings as `__init__` takes them."""
        return self._packed

    @property
    def parts(self) -> tuple[tuple[Ring, ...], ...]:
        """The rings as positions in degrees, made anew at each call."""
        return tuple(tuple(_positions(ring) for ring in part) for part in self._packed)

    def __eq__(self, other: object) -> bool:
        """Equal where all vertices are, in their order."""
        return self._packed == other._packed if isinstance(other, Shape) else NotImplemented

    def __hash__(self) -> int:
        """Of all vertices."""
        return hash(self._packed)

    def __repr__(self) -> str:
        """The rings in degrees."""
        return f"Shape.from_parts({self.parts!r})"

    def degrees(self) -> list[list[Floats]]:
        """The rings as rows of lon, lat."""
        return [[_degrees(ring) for ring in part] for part in self._packed]

    def to_coordinates(self) -> list[list[list[list[float]]]]:
        """RFC 7946 MultiPolygon coordinates."""
        return [[ring.tolist() for ring in part] for part in self.degrees()]

    @cached_property
    def sha256(self) -> str:
        """Digest of the vertices as IEEE doubles, ring by ring."""
        digest = hashlib.sha256()
        for part in self._packed:
            digest.update(b"part")
            for ring in part:
                digest.update(b"ring")
                digest.update(_degrees(ring).astype("<f8", copy=False).tobytes())
        return digest.hexdigest()

    @cached_property
    def edges(self) -> Edges:
        """All edges of all rings, in ring order (closed contours, cut pieces included)."""
        rings = [ring for part in self.degrees() for ring in part]
        rows = [np.concatenate([ring[:-1], ring[1:]], axis=1) for ring in rings]
        return Edges(rows[0] if len(rows) == 1 else np.concatenate(rows))

    @cached_property
    def boundary(self) -> Edges:
        """The edges that are boundary: all but what lies on both sides of the 180 degree meridian, and but
        what runs along a pole, which is one point.
        """
        edges = self.edges
        if (np.abs(edges.rows) < _NOWHERE_CUT).all():
            return edges
        at_pole = (np.abs(edges.lat1) == 90.0) & (edges.lat1 == edges.lat2)
        if at_pole.any():
            edges = edges.take(~at_pole)
        east = (edges.lon1 == 180.0) & (edges.lon2 == 180.0)
        west = (edges.lon1 == -180.0) & (edges.lon2 == -180.0)
        if not (east.any() and west.any()):
            return edges
        kept = [edges.rows[~(east | west)]]
        spans_east = _spans(edges, east)
        spans_west = _spans(edges, west)
        for lon, mine, other in ((180.0, spans_east, spans_west), (-180.0, spans_west, spans_east)):
            kept += [np.array([[lon, low, lon, high]]) for low, high in _subtract(mine, other)]
        return Edges(np.concatenate(kept))


@dataclass(frozen=True, eq=False)
class Ragged:
    """Many shapes as columns, as GeoArrow has them: the positions of all rings one after the other, and
    where each ring, part and shape begins among positions, rings and parts (one more at the end).
    """

    positions: Floats
    rings: Ints
    parts: Ints
    shapes: Ints

    @classmethod
    def of(cls, shapes: Iterable[Shape]) -> "Ragged":
        """The columns of these shapes, in their order."""
        packed = [shape.packed for shape in shapes]
        parts = [part for shape in packed for part in shape]
        rings = [ring for part in parts for ring in part]
        return cls(
            _degrees(b"".join(rings)),
            starts_of(map(len, rings)) // VERTEX_BYTES,
            starts_of(map(len, parts)),
            starts_of(map(len, packed)),
        )


def starts_of(counts: Iterable[int]) -> Ints:
    """Where each of so many begins, and where the last one ends."""
    return np.fromiter(accumulate(counts, initial=0), dtype=np.int64)


def to_degrees(grid: npt.NDArray[np.int32]) -> Floats:
    """Whole numbers of 1e-7 degree as the doubles nearest to those decimals."""
    degrees: Floats = grid / GRID
    return degrees


def grid_bounds(shapes: Sequence[Shape]) -> npt.NDArray[np.int32]:
    """For each part of each shape, in order, its lon_min, lat_min, lon_max, lat_max, in whole numbers of 1e-7
    degree.
    """
    outers = [part[0] for shape in shapes for part in shape.packed]
    if not outers:
        return np.zeros((0, 4), dtype=np.int32)
    grid = np.frombuffer(b"".join(outers), dtype=PACKED).reshape(-1, 2)
    starts = starts_of(map(len, outers))[:-1] // VERTEX_BYTES
    low, high = np.minimum.reduceat(grid, starts), np.maximum.reduceat(grid, starts)
    return np.hstack([low, high]).astype(np.int32, copy=False)


def _degrees(ring: bytes) -> Floats:
    # A whole number over 10^7 is the nearest double to that decimal: what round(x, 7) gives.
    degrees: Floats = np.frombuffer(ring, dtype=PACKED).reshape(-1, 2) / GRID
    return degrees


def _positions(ring: bytes) -> Ring:
    columns = _degrees(ring).T.tolist()
    return tuple(zip(columns[0], columns[1], strict=True))


def _oriented(ring: Sequence[Sequence[float]] | Floats, *, hole: bool) -> Ints:
    grid = _on_grid(np.asarray(ring, dtype=np.float64).reshape(-1, 2))
    repeated = np.zeros(len(grid), dtype=np.bool_)
    repeated[1:] = (grid[1:] == grid[:-1]).all(axis=1)
    grid = grid[~repeated]
    clockwise = _signed_area(grid) < 0
    if clockwise != hole:
        grid = grid[::-1]
    return grid


def _on_grid(points: Floats) -> Ints:
    """Each coordinate as the whole number of 1e-7 degree that Python's exact round(x, 7) stands for."""
    scaled = points * GRID
    grid: Ints = np.rint(scaled).astype(np.int64)
    # The product is rounded itself: where it comes near a half, only exact arithmetic knows the side.
    for row, column in zip(*np.nonzero(np.abs(np.abs(scaled - grid) - 0.5) < NEAR_HALF), strict=True):
        grid[row, column] = round(round(float(points[row, column]), VERTEX_DECIMALS) * GRID)
    return grid


def _signed_area(grid: Ints) -> int:
    """Twice the area, in whole squares of 1e-7 degree: exact, so that a sliver's winding is never luck."""
    if len(grid) < 3:
        return 0
    x, y = (grid - grid[0]).T
    if len(grid) * int(np.abs(x).max()) * int(np.abs(y).max()) < SAFE_PRODUCTS:
        return int((x[:-1] * y[1:] - x[1:] * y[:-1]).sum())
    points = list(zip(x.tolist(), y.tolist(), strict=True))
    return sum(x1 * y2 - x2 * y1 for (x1, y1), (x2, y2) in pairwise(points))


def _spans(edges: Edges, mask: Bools) -> list[tuple[float, float]]:
    pairs = zip(edges.lat1[mask].tolist(), edges.lat2[mask].tolist(), strict=True)
    return sorted((min(pair), max(pair)) for pair in pairs)


def _subtract(mine: list[tuple[float, float]], other: list[tuple[float, float]]) -> list[tuple[float, float]]:
    """What of the latitude spans `mine` no span of `other` covers."""
    left: list[tuple[float, float]] = []
    for low, high in mine:
        cursor = low
        for other_low, other_high in other:
            if other_high <= cursor or other_low >= high:
                continue
            if other_low > cursor:
                left.append((cursor, other_low))
            cursor = max(cursor, other_high)
        if cursor < high:
            left.append((cursor, high))
    return left
