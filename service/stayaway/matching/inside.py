"""Whether a point lies in a shape: exact for the IEEE doubles given; on the boundary is inside."""

from fractions import Fraction

import numpy as np
import numpy.typing as npt

from stayaway.kernel.edges import Edges
from stayaway.kernel.shape import Shape

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]

# J. R. Shewchuk, "Adaptive Precision Floating-Point Arithmetic", 1997: (3 + 16 eps) eps bounds
# the relative error of the 2-D orientation determinant.
_ORIENTATION_BOUND = (3.0 + 16.0 * 2.0**-53) * 2.0**-53
# Below this the bound does not hold any more, because products underflow.
_SMALLEST_SAFE = 1e-250


def is_inside(shape: Shape, lon: float, lat: float) -> bool:
    """`are_inside` for one point."""
    return bool(are_inside(shape, np.array([lon]), np.array([lat]))[0])


def are_inside(shape: Shape, lon: Floats, lat: Floats) -> Bools:
    """For each point, whether it is in `shape` or on its boundary, exactly.

    Edges are straight in lon/lat; the meridians -180 and 180 are one. Makes a table of points by
    edges: give it points that lie close together, and not many at a time where edges are many.
    """
    inside = _are_inside(shape.edges, lon, lat)
    on_cut = np.flatnonzero(np.abs(lon) == 180.0)
    if on_cut.size:
        inside[on_cut] |= _are_inside(shape.edges, -lon[on_cut], lat[on_cut])
    return inside


def _are_inside(edges: Edges, lon: Floats, lat: Floats) -> Bools:
    if not edges.is_one_run:
        runs = edges.runs
        edges = edges.of_runs(
            (runs.south <= lat.max()) & (lat.min() <= runs.north) & (runs.east >= lon.min())
        )
    x, y = lon[:, np.newaxis], lat[:, np.newaxis]
    point, edge = np.nonzero((edges.south <= y) & (y <= edges.north) & (edges.east >= x))
    inside: Bools = np.zeros(len(lon), dtype=np.bool_)
    if not point.size:
        return inside
    x1, y1, x2, y2 = edges.lon1[edge], edges.lat1[edge], edges.lon2[edge], edges.lat2[edge]
    px, py = lon[point], lat[point]
    side = _sides(x1, y1, x2, y2, px, py)
    upward, downward = (y1 <= py) & (py < y2), (y2 <= py) & (py < y1)
    crosses = (upward & (side > 0)) | (downward & (side < 0))
    inside = np.bincount(point[crosses], minlength=len(lon)) % 2 == 1
    # The edges taken all end east of the point or at it, so that only their western end is asked.
    touches = (side == 0) & (edges.west[edge] <= px)
    inside[point[touches]] = True
    return inside


def _sides(x1: Floats, y1: Floats, x2: Floats, y2: Floats, x: Floats, y: Floats) -> npt.NDArray[np.int8]:
    """Row by row the sign of det(p2 - p1, p - p1): 1 left of the edge, -1 right of it, 0 on its line."""
    left, right = (x2 - x1) * (y - y1), (y2 - y1) * (x - x1)
    determinant, size = left - right, np.abs(left) + np.abs(right)
    side = np.sign(determinant).astype(np.int8)
    doubtful = (np.abs(determinant) <= _ORIENTATION_BOUND * size) | (size < _SMALLEST_SAFE)
    rows = np.flatnonzero(doubtful)
    if rows.size:
        side[rows] = _exact_sides(*(column[rows] for column in (x1, y1, x2, y2, x, y)))
    return side


def _exact_sides(
    x1: Floats, y1: Floats, x2: Floats, y2: Floats, x: Floats, y: Floats
) -> npt.NDArray[np.int8]:
    # A difference has its exact sign in any case, so products of unlike signs need no more than that.
    left, right = np.sign(x2 - x1) * np.sign(y - y1), np.sign(y2 - y1) * np.sign(x - x1)
    side: npt.NDArray[np.int8] = np.sign(left - right).astype(np.int8)
    for i in np.flatnonzero((left == right) & (left != 0.0)).tolist():
        side[i] = _exact_side(*(float(column[i]) for column in (x1, y1, x2, y2, x, y)))
    return side


def _exact_side(x1: float, y1: float, x2: float, y2: float, x: float, y: float) -> int:
    start_x, start_y = Fraction(x1), Fraction(y1)
    left = (Fraction(x2) - start_x) * (Fraction(y) - start_y)
    right = (Fraction(y2) - start_y) * (Fraction(x) - start_x)
    return (left > right) - (left < right)
