"""A polygon or multipolygon in lon/lat degrees, materialised once and hashed.

Edges are straight in lon/lat (RFC 7946); vertices are rounded to 1e-7 degree; the meridians
-180 and 180 are one, and where a shape is cut there the cut is no boundary (WIRE.md).
"""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]
Ring = tuple[tuple[float, float], ...]

VERTEX_DECIMALS = 7


@dataclass(frozen=True, eq=False)
class Edges:
    """Columns over all edges of a shape: from (lon1, lat1) to (lon2, lat2), interior on the left."""

    lon1: Floats
    lat1: Floats
    lon2: Floats
    lat2: Floats


@dataclass(frozen=True)
class Shape:
    """Parts, each a closed exterior ring (counter-clockwise) followed by its holes (clockwise)."""

    parts: tuple[tuple[Ring, ...], ...]

    @classmethod
    def from_parts(cls, parts: Iterable[Iterable[Sequence[Sequence[float]]]]) -> "Shape":
        """A shape from RFC 7946 MultiPolygon coordinates, any winding, closed rings.

        Vertices are rounded to 7 decimals; repeated ones are dropped.
        """
        return cls(
            tuple(tuple(_oriented(ring, hole=index > 0) for index, ring in enumerate(part)) for part in parts)
        )

    def to_coordinates(self) -> list[list[list[list[float]]]]:
        """RFC 7946 MultiPolygon coordinates."""
        return [[[list(position) for position in ring] for ring in part] for part in self.parts]

    @cached_property
    def sha256(self) -> str:
        """Digest of the vertices as IEEE doubles, ring by ring."""
        digest = hashlib.sha256()
        for part in self.parts:
            digest.update(b"part")
            for ring in part:
                digest.update(b"ring")
                digest.update(np.asarray(ring, dtype="<f8").tobytes())
        return digest.hexdigest()

    @cached_property
    def bounds(self) -> tuple[float, float, float, float]:
        """(lon_min, lat_min, lon_max, lat_max) over all parts."""
        edges = self.edges
        return (
            float(edges.lon1.min()),
            float(edges.lat1.min()),
            float(edges.lon1.max()),
            float(edges.lat1.max()),
        )

    @cached_property
    def edges(self) -> Edges:
        """All edges of all rings, in ring order (closed contours, cut pieces included)."""
        rings = [np.asarray(ring, dtype=np.float64) for part in self.parts for ring in part]
        starts = np.concatenate([ring[:-1] for ring in rings])
        ends = np.concatenate([ring[1:] for ring in rings])
        return Edges(*(np.ascontiguousarray(column) for column in (*starts.T, *ends.T)))

    @cached_property
    def boundary(self) -> Edges:
        """The edges that are boundary: all but what lies on both sides of the 180 degree meridian."""
        edges = self.edges
        east = (edges.lon1 == 180.0) & (edges.lon2 == 180.0)
        west = (edges.lon1 == -180.0) & (edges.lon2 == -180.0)
        if not (east.any() and west.any()):
            return edges
        keep = ~(east | west)
        kept = [np.stack([edges.lon1, edges.lat1, edges.lon2, edges.lat2])[:, keep]]
        spans_east = _spans(edges, east)
        spans_west = _spans(edges, west)
        for lon, mine, other in ((180.0, spans_east, spans_west), (-180.0, spans_west, spans_east)):
            for low, high in _subtract(mine, other):
                kept.append(np.array([[lon], [low], [lon], [high]]))
        columns = np.concatenate(kept, axis=1)
        return Edges(*(np.ascontiguousarray(column) for column in columns))


def _oriented(ring: Sequence[Sequence[float]], *, hole: bool) -> Ring:
    rounded = [
        (round(float(lon), VERTEX_DECIMALS) + 0.0, round(float(lat), VERTEX_DECIMALS) + 0.0)
        for lon, lat in ring
    ]
    points = [point for index, point in enumerate(rounded) if index == 0 or point != rounded[index - 1]]
    clockwise = _signed_area(points) < 0
    if clockwise != hole:
        points.reverse()
    return tuple(points)


def _signed_area(points: Sequence[tuple[float, float]]) -> int:
    # Whole numbers of 1e-7 degree: exact, so that a sliver's winding is never a matter of luck.
    grid = [(round(lon * 10**VERTEX_DECIMALS), round(lat * 10**VERTEX_DECIMALS)) for lon, lat in points]
    return sum(x1 * y2 - x2 * y1 for (x1, y1), (x2, y2) in pairwise(grid))


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
