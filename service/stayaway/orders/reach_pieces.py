"""The neighbourhood of an outline as polygons that cover it together: strips and sectors.

A point outside a parcel is nearest either to the inside of an edge or to a vertex. The first kind
lies in the edge's strip, between the edge and its copy at the distance on the right; the second
kind in the sector of the circle around the vertex, between the strips that end there. Both are
drawn from the inside by geodesics (C. F. F. Karney, "Algorithms for geodesics", J. Geodesy 87,
2013, as pyproj.Geod has them), so their union reaches nowhere beyond the distance.

Directions are whole steps of 1e-7 degree, so that how many vertices a sector has is a matter of
whole numbers and never of a last bit.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import shapely
from pyproj import Geod

from stayaway.kernel.arithmetic import sin_cos_degrees
from stayaway.kernel.geodesy import degree_lengths_m
from stayaway.orders.reach_outline import NANO

_Ints = npt.NDArray[np.int64]
_Floats = npt.NDArray[np.float64]

_GEOD = Geod(ellps="WGS84")
_AZIMUTH = 10**7
_TURN = 360 * _AZIMUTH
_BACK = -180 * _AZIMUTH + 10**4
"""A turn right by (nearly) 180 degrees is one left: a line's end, which needs its half circle."""
_RADIUS_M = 6_371_000.0


@dataclass(frozen=True)
class Plan:
    """How the pieces are drawn: their distance, and how far chords may stray from it, in metres.

    `sagitta_m` is for the chords of a sector, which lie within the circle; `stray_m` for the far
    side of a strip, to either side.
    """

    distance_m: float
    sagitta_m: float
    stray_m: float


@dataclass(frozen=True)
class _Edges:
    """All edges of all rings in columns, in nano-degrees; `after` is the index of each one's next edge."""

    start: _Ints
    end: _Ints
    after: _Ints

    @classmethod
    def of(cls, rings: Sequence[_Ints]) -> "_Edges":
        counts = [len(ring) - 1 for ring in rings]
        firsts = np.concatenate([[0], np.cumsum(counts)[:-1]]).astype(np.int64)
        after = np.arange(1, sum(counts) + 1)
        after[firsts + np.array(counts) - 1] = firsts
        return cls(
            np.concatenate([ring[:-1] for ring in rings]),
            np.concatenate([ring[1:] for ring in rings]),
            after,
        )


def draw_pieces(rings: Sequence[_Ints], plan: Plan) -> list[shapely.Polygon]:
    """Strips and sectors on the right of closed rings, in nano-degrees."""
    edges = _Edges.of(rings)
    counts = _strip_counts(edges, plan)
    owner = np.repeat(np.arange(len(counts)), counts + 1)
    firsts = np.concatenate([[0], np.cumsum(counts + 1)[:-1]])
    rank = np.arange(len(owner)) - firsts[owner]
    share = rank / counts[owner]
    points = (edges.start[owner] + share[:, np.newaxis] * (edges.end - edges.start)[owner]) / NANO
    azimuths = _azimuths((edges.end - edges.start)[owner], points[:, 1])
    ends = _ends(points, azimuths + 90 * _AZIMUTH, plan.distance_m)
    lasts = firsts + counts
    strips = _polygons(
        [
            (np.arange(len(counts)), np.full(len(counts), -1), edges.start),
            (owner, rank, ends),
            (np.arange(len(counts)), counts + 1, edges.end),
        ]
    )
    before, behind = lasts, firsts[edges.after]
    sectors = _sectors(edges.end, azimuths[before], azimuths[behind], (ends[before], ends[behind]), plan)
    return [*strips, *sectors]


def _strip_counts(edges: _Edges, plan: Plan) -> _Ints:
    """Pieces of each edge whose far side is straight in lon/lat to within `stray_m`.

    A point of the far side is p + d n, with p linear along the edge and n the normal in degrees,
    which changes with the latitude alone: |n''| <= 6 / (R cos(latitude))^2 per metre along the
    edge, and a chord of length s strays by s^2 d |n''| / 8.
    """
    lat = np.maximum(np.abs(edges.start[:, 1]), np.abs(edges.end[:, 1])) / NANO
    _, cosine = sin_cos_degrees(lat)
    along = (edges.end - edges.start) / NANO
    # Degrees of longitude are longest where the edge is nearest the equator.
    near = np.minimum(np.abs(edges.start[:, 1]), np.abs(edges.end[:, 1])) / NANO
    lon_m, lat_m = degree_lengths_m(near)
    length_m = np.abs(along[:, 0]) * lon_m + np.abs(along[:, 1]) * lat_m * 1.01
    longest_m = _RADIUS_M * cosine * np.sqrt(8 * plan.stray_m / (6 * plan.distance_m))
    counts: _Ints = np.maximum(1, np.ceil(length_m / longest_m)).astype(np.int64)
    return counts


def _azimuths(along: _Ints, lat: _Floats) -> _Ints:
    """Directions of edges at points of theirs, clockwise from north, in steps of 1e-7 degree."""
    lon_m, lat_m = degree_lengths_m(lat)
    degrees = np.degrees(np.arctan2(along[:, 0] * lon_m, along[:, 1] * lat_m))
    steps: _Ints = np.rint(degrees * _AZIMUTH).astype(np.int64)
    return steps


def _ends(points: _Floats, azimuths: _Ints, distance_m: float) -> _Ints:
    """Where the geodesics end, in nano-degrees, the short way round from their start."""
    lons, lats, _ = _GEOD.fwd(
        points[:, 0], points[:, 1], azimuths / _AZIMUTH, np.full(len(points), distance_m)
    )
    unwrapped = points[:, 0] + (lons - points[:, 0] + 540.0) % 360.0 - 180.0
    steps: _Ints = np.rint(np.stack([unwrapped, lats], axis=1) * NANO).astype(np.int64)
    return steps


def _sectors(
    apexes: _Ints, before: _Ints, behind: _Ints, corners: tuple[_Ints, _Ints], plan: Plan
) -> list[shapely.Polygon]:
    """Sectors where the ring turns left; their first and last ray are the strips' own sides."""
    turns = (before - behind + _TURN // 2) % _TURN - _TURN // 2
    turns = np.where(turns < _BACK, turns + _TURN, turns)
    turning = np.flatnonzero(turns > 0)
    step = _sector_step(np.abs(apexes[:, 1]).max() / NANO, plan)
    counts = -(-turns[turning] // step)
    owner = np.repeat(np.arange(len(turning)), counts - 1)
    firsts = np.concatenate([[0], np.cumsum(counts - 1)[:-1]]).astype(np.int64)
    rank = np.arange(len(owner)) - firsts[owner] + 1
    passed: _Ints = turns[turning][owner] * rank // counts[owner]
    azimuths = before[turning][owner] + 90 * _AZIMUTH - passed
    between = _ends(apexes[turning][owner] / NANO, azimuths, plan.distance_m)
    each = np.arange(len(turning))
    return _polygons(
        [
            (each, np.full(len(turning), -1), apexes[turning]),
            (each, np.zeros(len(turning), dtype=np.int64), corners[0][turning]),
            (owner, rank, between),
            (each, counts, corners[1][turning]),
        ]
    )


def _sector_step(lat: float, plan: Plan) -> int:
    """The widest step in azimuth whose chord stays within `sagitta_m` of its circle.

    sagitta = d (1 - cos(step / 2)) < d step^2 / 8; a chord straight in lon/lat bends from its
    geodesic by as much as d tan(latitude) / R of that.
    """
    sine, cosine = sin_cos_degrees(np.array([min(lat + plan.distance_m / 110_000, 89.9)]))
    bend = plan.distance_m / _RADIUS_M * float(sine[0] / cosine[0])
    radians = float(np.sqrt(8 * plan.sagitta_m / (plan.distance_m * (1 + bend)))) / 1.02
    return int(radians * 57.29577951308232 * _AZIMUTH)


def _polygons(columns: Sequence[tuple[_Ints, _Ints, _Ints]]) -> list[shapely.Polygon]:
    """Polygons from columns of (which polygon, which place in its ring, vertex)."""
    owner, rank, vertices = (np.concatenate(column) for column in zip(*columns, strict=True))
    order = np.lexsort((rank, owner))
    made = shapely.polygons(
        shapely.linearrings(vertices[order].astype(np.float64), indices=_dense(owner[order]))
    )
    # Beside an edge of a few nano-degrees a piece may be a line, or cross itself: its hull is as near.
    crossed = ~shapely.is_valid(made)
    made[crossed] = shapely.convex_hull(made[crossed])
    kept: list[shapely.Polygon] = made[shapely.area(made) > 0].tolist()
    return kept


def _dense(owner: _Ints) -> _Ints:
    return np.unique(owner, return_inverse=True)[1].astype(np.int64)
