"""How far a point is from the boundary of a shape, in promise 3's arithmetic."""

import math

import numpy as np
import numpy.typing as npt

from stayaway.kernel.edges import Edges, RunBoxes
from stayaway.kernel.geodesy import MIN_DEGREE_LAT_M, degree_lengths_m
from stayaway.kernel.shape import Shape

Floats = npt.NDArray[np.float64]

_SLACK = 1.0 + 1e-9
"""What keeps a bound a bound, whatever its rounding."""


def boundary_distance_m(shape: Shape, lon: float, lat: float, within_m: float) -> float:
    """Metres from the point to the nearest point of the boundary (a cut at 180 degrees is none), where
    that is at most `within_m`; infinity where it is more.

    Right to 2e-6 of the distance within 10 km; farther away it only tells that it is far.
    """
    edges = _within(shape.boundary, lon, lat, within_m)
    if not edges.are_few:
        # No edge farther away than some edge can be the nearest.
        runs = edges.runs
        off = np.maximum(np.maximum(runs.south - lat, lat - runs.north), 0.0)
        off += np.maximum(np.maximum(runs.west - lon, lon - runs.east), 0.0)
        some = edges.of_runs(np.arange(len(off)) == off.argmin())
        edges = _within(edges, lon, lat, min(within_m, _smallest_m(some, lon, lat)))
    distance_m = _smallest_m(edges, lon, lat) if len(edges) else math.inf
    return distance_m if distance_m <= within_m else math.inf


def _within(edges: Edges, lon: float, lat: float, within_m: float) -> Edges:
    """All edges for which `_smallest_m` comes to `within_m` or less, and few others."""
    margin_lat = within_m / MIN_DEGREE_LAT_M * _SLACK
    # A degree of longitude is nowhere shorter than where the margin ends towards the pole.
    farthest = abs(lat) + margin_lat
    margin_lon = within_m / degree_lengths_m(farthest)[0] * _SLACK if farthest < 90.0 else 360.0
    if not edges.are_few:
        edges = edges.of_runs(_meets(edges.runs, lon, lat, margin_lon, margin_lat))
    return edges.take(_meets(edges, lon, lat, margin_lon, margin_lat))


def _meets(
    boxes: Edges | RunBoxes, lon: float, lat: float, margin_lon: float, margin_lat: float
) -> npt.NDArray[np.bool_]:
    """Which boxes come as near as the margins to the point, in degrees; the way round may lie over 180."""
    level = (boxes.south <= lat + margin_lat) & (boxes.north >= lat - margin_lat)
    found = (boxes.west <= lon + margin_lon) & (boxes.east >= lon - margin_lon)
    if abs(lon) + margin_lon >= 180.0:
        for turn in (-360.0, 360.0):
            found |= (boxes.west + turn <= lon + margin_lon) & (boxes.east + turn >= lon - margin_lon)
    return found & level


def _smallest_m(edges: Edges, lon: float, lat: float) -> float:
    start_x, start_y = _offset_degrees(edges, lon), edges.lat1 - lat
    along_x, along_y = edges.lon2 - edges.lon1, edges.lat2 - edges.lat1
    # First in the point's own scale, then in that half way to the point found.
    x, y = _nearest(start_x, start_y, along_x, along_y, *degree_lengths_m(lat))
    scale = degree_lengths_m(lat + y * 0.5)
    x, y = _nearest(start_x, start_y, along_x, along_y, *scale)
    scale_x, scale_y = degree_lengths_m(lat + y * 0.5)
    dx, dy = x * scale_x, y * scale_y
    return float(np.sqrt((dx * dx + dy * dy).min()))


def _offset_degrees(edges: Edges, lon: float) -> Floats:
    """Longitude of each edge's start from the point, the short way round for the edge as a whole."""
    middle = (edges.lon1 + edges.lon2) * 0.5 - lon
    turn = np.where(middle > 180.0, -360.0, np.where(middle < -180.0, 360.0, 0.0))
    return edges.lon1 - lon + turn


def _nearest(
    start_x: Floats,
    start_y: Floats,
    along_x: Floats,
    along_y: Floats,
    scale_x: Floats | float,
    scale_y: Floats | float,
) -> tuple[Floats, Floats]:
    """The nearest point of each edge, in degrees from the point asked about."""
    ax, ay, bx, by = start_x * scale_x, start_y * scale_y, along_x * scale_x, along_y * scale_y
    # A piece of a cut edge may have no length left; then any share of it is its start.
    length2 = bx * bx + by * by
    share = -(ax * bx + ay * by) / np.where(length2 > 0.0, length2, 1.0)
    share = np.minimum(np.maximum(share, 0.0), 1.0)
    return start_x + share * along_x, start_y + share * along_y
