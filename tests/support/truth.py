"""Distances to outlines by brute force, with GeographicLib's own Python code and nothing of ours.

Edges are straight in lon/lat. An edge is asked at points along it, then the share of the least
distance is narrowed by the golden section; an edge that cannot hold the least one, because no
point of it is nearer than half a step, or because it lies too far north or south, is left out.
"""

import math
from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Any

from geographiclib.geodesic import Geodesic

Position = tuple[float, float]
Edge = tuple[Position, Position]

ELLIPSOID = Geodesic.WGS84
SHORTEST_DEGREE_M = 110_500.0
"""A degree of latitude is longer than that everywhere, and no way north or south is shorter."""
_GOLDEN = (math.sqrt(5) - 1) / 2
_SHARES = 8


def distance_m(one: Position, other: Position) -> float:
    """Metres by geodesic."""
    metres: float = ELLIPSOID.Inverse(one[1], one[0], other[1], other[0], Geodesic.DISTANCE)["s12"]
    return metres


def position_from(origin: Position, azimuth: float, metres: float) -> Position:
    """Where the geodesic from `origin` ends."""
    end = ELLIPSOID.Direct(origin[1], origin[0], azimuth, metres)
    return end["lon2"], end["lat2"]


def edges_of(geometry: dict[str, Any]) -> list[Edge]:
    """All edges of an RFC 7946 line or polygon; those on the 180 degree meridian are left out."""
    return [
        edge
        for line in _lines_of(geometry)
        for edge in pairwise([(float(lon), float(lat)) for lon, lat in line])
        if not abs(edge[0][0]) == abs(edge[1][0]) == 180.0
    ]


def _lines_of(geometry: dict[str, Any]) -> Iterator[Sequence[Sequence[float]]]:
    coordinates = geometry["coordinates"]
    match geometry["type"]:
        case "LineString":
            yield coordinates
        case "MultiLineString" | "Polygon":
            yield from coordinates
        case _:
            for part in coordinates:
                yield from part


def at(edge: Edge, share: float) -> Position:
    """The point of an edge at a share of it."""
    (lon1, lat1), (lon2, lat2) = edge
    return lon1 + share * (lon2 - lon1), lat1 + share * (lat2 - lat1)


def distance_to_edges_m(point: Position, edges: Sequence[Edge]) -> float:
    """Metres to the nearest point of any edge."""
    least = math.inf
    asked: list[tuple[float, float, Edge]] = []
    for gap, edge in sorted((_latitude_gap(point, edge), edge) for edge in edges):
        if gap * SHORTEST_DEGREE_M > least:
            break
        lengths = [distance_m(point, at(edge, index / _SHARES)) for index in range(_SHARES + 1)]
        best = min(range(_SHARES + 1), key=lengths.__getitem__)
        least = min(least, lengths[best])
        asked.append((lengths[best], best / _SHARES, edge))
    return min(
        _narrowed(point, edge, share)
        for length, share, edge in asked
        if length - distance_m(*edge) * 0.51 / _SHARES <= least
    )


def _latitude_gap(point: Position, edge: Edge) -> float:
    """Degrees of latitude between the point and the edge."""
    return max(0.0, min(edge[0][1], edge[1][1]) - point[1], point[1] - max(edge[0][1], edge[1][1]))


def _narrowed(point: Position, edge: Edge, share: float) -> float:
    low, high = max(0.0, share - 1 / _SHARES), min(1.0, share + 1 / _SHARES)
    # Off by 2 cm along the edge is off by 20 micrometres in a distance of 10 m.
    until = 0.02 / max(distance_m(*edge), 0.02)
    one, other = high - _GOLDEN * (high - low), low + _GOLDEN * (high - low)
    at_one, at_other = distance_m(point, at(edge, one)), distance_m(point, at(edge, other))
    while high - low > until:
        if at_one < at_other:
            high, other, at_other = other, one, at_one
            one = high - _GOLDEN * (high - low)
            at_one = distance_m(point, at(edge, one))
        else:
            low, one, at_one = one, other, at_other
            other = low + _GOLDEN * (high - low)
            at_other = distance_m(point, at(edge, other))
    ends = (distance_m(point, at(edge, end)) for end in (low, high))
    return min(at_one, at_other, *ends)
