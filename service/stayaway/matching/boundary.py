"""How far a point is from the boundary of a shape, in promise 3's arithmetic."""

import numpy as np
import numpy.typing as npt

from stayaway.kernel.edges import Edges
from stayaway.kernel.geodesy import MIN_DEGREE_LAT_M, degree_lengths_m
from stayaway.kernel.shape import Shape

Floats = npt.NDArray[np.float64]

_BELOW = 1.0 - 1e-9
"""What keeps a bound a bound, whatever its rounding."""


def boundary_distance_m(shape: Shape, lon: float, lat: float) -> float:
    """Metres from the point to the nearest point of the boundary (a cut at 180 degrees is none).

    Right to 2e-6 of the distance within 10 km; farther away it only tells that it is far.
    """
    edges = shape.boundary
    if not edges.is_one_run:
        at_least_m = _runs_at_least_m(edges, lon, lat)
        nearest_run = np.arange(len(at_least_m)) == at_least_m.argmin()
        # No edge of a run that lies beyond this can be the nearest.
        at_most_m = _smallest_m(edges.of_runs(nearest_run), lon, lat)
        edges = edges.of_runs(nearest_run | (at_least_m <= at_most_m))
    return _smallest_m(edges, lon, lat)


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


def _runs_at_least_m(edges: Edges, lon: float, lat: float) -> Floats:
    """For each run of edges, metres that `_smallest_m` of it cannot fall below: those to its box."""
    runs = edges.runs
    dy = np.maximum(np.maximum(runs.south - lat, lat - runs.north), 0.0)
    # The short way round is one of three: an edge is taken with the longitude nearest the point's.
    ways = [
        np.maximum(np.maximum(runs.west - lon + turn, lon - turn - runs.east), 0.0)
        for turn in (-360.0, 0.0, 360.0)
    ]
    dx = np.minimum(np.minimum(ways[0], ways[1]), ways[2])
    # A degree of longitude is shortest farthest from the equator: nowhere between the two is it shorter.
    farthest = np.maximum(np.maximum(np.abs(runs.south), np.abs(runs.north)), abs(lat))
    dx_m, dy_m = dx * np.maximum(degree_lengths_m(farthest)[0], 0.0), dy * MIN_DEGREE_LAT_M
    at_least_m: Floats = np.sqrt(dx_m * dx_m + dy_m * dy_m) * _BELOW
    return at_least_m


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
