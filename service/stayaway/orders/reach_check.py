"""A drawn reach measured against its outline, by the inverse geodesic problem.

Of each vertex and each middle of an edge of the result the distance to the nearest point of the
outline is found: first the edges that may be nearest, in a plane, then by geodesics (pyproj.Geod)
whose foot moves along the edge until they meet it at a right angle.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import shapely
from pyproj import Geod

from stayaway.kernel.geodesy import degree_lengths_m
from stayaway.orders.reach_outline import NANO, TURN

_Ints = npt.NDArray[np.int64]
_Floats = npt.NDArray[np.float64]

_GEOD = Geod(ellps="WGS84")
_AT_ONCE = 4_000
"""Points measured together; neighbours in latitude, so that one plane suits them all."""
_FOOT_MOVES = 3
"""Each takes the foot's error to about d tan(latitude) / R of what it was."""
_SETTLED_M2 = 1e-6
_RADIUS_M = 6_371_000.0


@dataclass(frozen=True)
class Extent:
    """The least and the greatest distance from the outline to the boundary drawn, in metres."""

    nearest_m: float
    farthest_m: float


def measure(pieces: Sequence[shapely.Polygon], rings: Sequence[_Ints]) -> Extent:
    """How far vertices and mid-edges of the pieces lie from the rings; cuts are left out."""
    starts = np.concatenate([ring[:-1] for ring in rings]) / NANO
    along = np.concatenate([ring[1:] for ring in rings]) / NANO - starts
    points = np.concatenate(list(_boundary_points(pieces))) / NANO
    points = points[np.argsort(points[:, 1], kind="stable")]
    nearest_m, farthest_m = np.inf, 0.0
    for first in range(0, len(points), _AT_ONCE):
        lengths_m = _distances(points[first : first + _AT_ONCE], starts, along)
        nearest_m = min(nearest_m, float(lengths_m.min()))
        farthest_m = max(farthest_m, float(lengths_m.max()))
    return Extent(nearest_m, farthest_m)


def _boundary_points(pieces: Sequence[shapely.Polygon]) -> Iterator[_Floats]:
    for piece in pieces:
        for ring in (piece.exterior, *piece.interiors):
            vertices = shapely.get_coordinates(ring)
            start, end = vertices[:-1], vertices[1:]
            cut = (start[:, 0] == end[:, 0]) & (start[:, 0] % TURN == TURN // 2)
            yield start[~cut]
            yield ((start + end) / 2)[~cut]


def _distances(points: _Floats, starts: _Floats, along: _Floats) -> _Floats:
    """Metres from each point to the nearest edge."""
    which, edge = _candidates(points, starts, along)
    share, planar_m = _nearest(points[which], starts[edge], along[edge])
    least_m = _least(len(points), which, planar_m)
    # Half way between two points the plane errs by (d tan(latitude) / R)^2 / 24 and little more.
    bend = float((least_m * np.tan(np.radians(np.abs(points[:, 1]))) / _RADIUS_M).max())
    near = planar_m <= least_m[which] * (1 + max(1e-5, bend * bend / 4))
    which, edge, share = which[near], edge[near], share[near]
    return _least(len(points), which, _geodesics(points[which], starts[edge], along[edge], share))


def _candidates(points: _Floats, starts: _Floats, along: _Floats) -> tuple[_Ints, _Ints]:
    """Pairs of a point and an edge that may be its nearest, found in one plane for all points."""
    low, high = float(points[:, 1].min()), float(points[:, 1].max())
    scale = np.stack(degree_lengths_m(np.array([(low + high) / 2])), axis=1)
    tree = shapely.STRtree(shapely.linestrings(np.stack([starts * scale, (starts + along) * scale], axis=1)))
    placed = shapely.points(points * scale)
    planar_m = shapely.distance(placed, tree.geometries[tree.nearest(placed)])
    # The plane's scale is that of one latitude; distances have those half way to the edge.
    spread = (high - low) / 2 + float(planar_m.max()) * 1.1 / 110_000
    bounds = np.clip([(low + high) / 2 - spread, (low + high) / 2 + spread], -89.0, 89.0)
    within = degree_lengths_m(np.append(bounds, 0.0 if bounds[0] < 0.0 < bounds[1] else bounds[0]))
    slack = max(float(lengths.max() / lengths.min()) for lengths in within) * 1.0001
    which, edge = tree.query(placed, predicate="dwithin", distance=planar_m * slack)
    return which, edge


def _least(count: int, which: _Ints, metres: _Floats) -> _Floats:
    least = np.full(count, np.inf)
    np.minimum.at(least, which, metres)
    return least


def _nearest(points: _Floats, starts: _Floats, along: _Floats) -> tuple[_Floats, _Floats]:
    """The share of each edge nearest its point, and how far, in the plane of the latitude half way."""
    share = np.full(len(points), 0.5)
    for _ in range(3):
        off = starts - points
        lon_m, lat_m = degree_lengths_m(points[:, 1] + (off[:, 1] + share * along[:, 1]) / 2)
        ax, ay, bx, by = off[:, 0] * lon_m, off[:, 1] * lat_m, along[:, 0] * lon_m, along[:, 1] * lat_m
        share = np.clip(-(ax * bx + ay * by) / (bx * bx + by * by), 0.0, 1.0)
    return share, np.hypot(ax + share * bx, ay + share * by)


def _geodesics(points: _Floats, starts: _Floats, along: _Floats, share: _Floats) -> _Floats:
    """Metres by geodesic to the nearest point of each edge; never less than the truth."""
    lengths_m = np.full(len(points), np.inf)
    for _ in range(_FOOT_MOVES):
        foot = starts + share[:, np.newaxis] * along
        azimuth, _, metres = _GEOD.inv(foot[:, 0], foot[:, 1], points[:, 0], points[:, 1])
        lengths_m = np.minimum(lengths_m, metres)
        lon_m, lat_m = degree_lengths_m(foot[:, 1])
        east, north = along[:, 0] * lon_m, along[:, 1] * lat_m
        radians = np.radians(azimuth)
        ahead = metres * (np.sin(radians) * east + np.cos(radians) * north)
        square = east * east + north * north
        moved = np.clip(share + ahead / square, 0.0, 1.0)
        # Off by x along the edge is off by x^2 / 2d in the distance.
        if (np.square(moved - share) * square <= _SETTLED_M2).all():
            break
        share = moved
    return lengths_m
