"""Where a point lies to a shape: inside (exactly), how far from the boundary, with what probability.

Inside is decided by the sign of exact determinants over the IEEE doubles given; on the boundary
is inside. Distances and probabilities use promise 3's arithmetic only.
"""

import math
from fractions import Fraction

import numpy as np
import numpy.typing as npt

from stayaway.kernel.arithmetic import normal_density, normal_distribution
from stayaway.kernel.geodesy import DEGREE_M, MIN_DEGREE_LAT_M, degree_lengths_m
from stayaway.kernel.shape import Edges, Shape

Floats = npt.NDArray[np.float64]

# J. R. Shewchuk, "Adaptive Precision Floating-Point Arithmetic", 1997: (3 + 16 eps) eps bounds
# the relative error of the 2-D orientation determinant.
_ORIENTATION_BOUND = (3.0 + 16.0 * 2.0**-53) * 2.0**-53
# Below this the bound does not hold any more, because products underflow.
_SMALLEST_SAFE = 1e-250

# Far above what rounding does to a distance.
_FAR, _FAR_DEGREES = 1.01, 1e-9

# 95 % of a 2-D normal lie within this many standard deviations: sqrt(-2 ln 0.05).
_SIGMAS_AT_95 = 2.447746830680816
# Beyond this many standard deviations lies less than 1e-10 of the mass.
_REACH_SIGMAS = 6.5
_PANELS = 10
# Gauss-Legendre, 4 nodes on [-1, 1] (Abramowitz and Stegun, table 25.4).
_NODES = (-0.8611363115940526, -0.3399810435848563, 0.3399810435848563, 0.8611363115940526)
_WEIGHTS = (0.3478548451374538, 0.6521451548625461, 0.6521451548625461, 0.3478548451374538)
# All nodes of all panels, in half panels from the start less one.
_ABSCISSAS = np.array([2.0 * panel + node for panel in range(_PANELS) for node in _NODES])
_PANEL_WEIGHTS = np.array(_WEIGHTS * _PANELS)


def is_inside(shape: Shape, lon: float, lat: float) -> bool:
    """Whether the point is in `shape` or on its boundary, exactly.

    Edges are straight in lon/lat; the meridians -180 and 180 are one.
    """
    if _is_inside(shape.edges, lon, lat):
        return True
    return abs(lon) == 180.0 and _is_inside(shape.edges, -lon, lat)


def _is_inside(edges: Edges, lon: float, lat: float) -> bool:
    near = np.flatnonzero((edges.south <= lat) & (edges.north >= lat) & (edges.east >= lon))
    if not near.size:
        return False
    x1, y1, x2, y2 = edges.lon1[near], edges.lat1[near], edges.lon2[near], edges.lat2[near]
    side = _sides(x1, y1, x2, y2, lon, lat)
    touches = (side == 0) & (np.minimum(x1, x2) <= lon) & (lon <= np.maximum(x1, x2))
    if touches.any():
        return True
    upward, downward = (y1 <= lat) & (lat < y2), (y2 <= lat) & (lat < y1)
    crossings = int(np.count_nonzero((upward & (side > 0)) | (downward & (side < 0))))
    return crossings % 2 == 1


def _sides(x1: Floats, y1: Floats, x2: Floats, y2: Floats, x: float, y: float) -> npt.NDArray[np.int8]:
    """Sign of the determinant of (p2 - p1, p - p1) for each edge: 1 left of it, -1 right, 0 on its line."""
    left, right = (x2 - x1) * (y - y1), (y2 - y1) * (x - x1)
    determinant, size = left - right, np.abs(left) + np.abs(right)
    side = np.sign(determinant).astype(np.int8)
    doubtful = (np.abs(determinant) <= _ORIENTATION_BOUND * size) | (size < _SMALLEST_SAFE)
    for i in np.flatnonzero(doubtful).tolist():
        side[i] = _exact_side(float(x1[i]), float(y1[i]), float(x2[i]), float(y2[i]), x, y)
    return side


def _exact_side(x1: float, y1: float, x2: float, y2: float, x: float, y: float) -> int:
    start_x, start_y = Fraction(x1), Fraction(y1)
    left = (Fraction(x2) - start_x) * (Fraction(y) - start_y)
    right = (Fraction(y2) - start_y) * (Fraction(x) - start_x)
    return (left > right) - (left < right)


def boundary_distance_m(shape: Shape, lon: float, lat: float, within_m: float = math.inf) -> float:
    """Metres from the point to the nearest point of the boundary (a cut at 180 degrees is none).

    Right to 2e-6 of the distance within 10 km; farther away it only tells that it is far. Infinite,
    or the distance all the same, where that is more than `within_m`.
    """
    edges = _edges_near(shape.boundary, lon, lat, within_m)
    if not edges.lon1.size:
        return math.inf
    start_x, start_y = _offset_degrees(edges, lon), edges.lat1 - lat
    along_x, along_y = edges.lon2 - edges.lon1, edges.lat2 - edges.lat1
    # First in the point's own scale, then in that half way to the point found.
    x, y = _nearest(start_x, start_y, along_x, along_y, *degree_lengths_m(np.array([lat])))
    scale = degree_lengths_m(lat + y * 0.5)
    x, y = _nearest(start_x, start_y, along_x, along_y, *scale)
    scale_x, scale_y = degree_lengths_m(lat + y * 0.5)
    dx, dy = x * scale_x, y * scale_y
    return float(np.sqrt((dx * dx + dy * dy).min()))


def _edges_near(edges: Edges, lon: float, lat: float, within_m: float) -> Edges:
    """Without edges that are farther than `within_m`: most points are far from most edges.

    No result depends on it: an edge is left out only if its box is a hundredth more than `within_m` away.
    """
    reach_lat = within_m * _FAR / MIN_DEGREE_LAT_M + _FAR_DEGREES
    rows = np.flatnonzero((edges.south - reach_lat <= lat) & (edges.north + reach_lat >= lat))
    if not rows.size:
        return edges.take(rows)
    near = edges.take(rows)
    # A degree of longitude is nowhere shorter than on a sphere, at the latitude nearest to the pole.
    farthest = min(abs(lat) + reach_lat, 90.0)
    reach_lon = within_m * _FAR / (DEGREE_M * math.cos(math.radians(farthest))) + _FAR_DEGREES
    start = _offset_degrees(near, lon)
    end = start + (near.lon2 - near.lon1)
    return near.take(
        np.flatnonzero((np.minimum(start, end) <= reach_lon) & (np.maximum(start, end) >= -reach_lon))
    )


def _offset_degrees(edges: Edges, lon: float) -> Floats:
    """Longitude of each edge's start from the point, the short way round for the edge as a whole."""
    middle = (edges.lon1 + edges.lon2) * 0.5 - lon
    turn = np.where(middle > 180.0, -360.0, np.where(middle < -180.0, 360.0, 0.0))
    return edges.lon1 - lon + turn


def _nearest(
    start_x: Floats, start_y: Floats, along_x: Floats, along_y: Floats, scale_x: Floats, scale_y: Floats
) -> tuple[Floats, Floats]:
    """The nearest point of each edge, in degrees from the point asked about."""
    ax, ay, bx, by = start_x * scale_x, start_y * scale_y, along_x * scale_x, along_y * scale_y
    # A piece of a cut edge may have no length left; then any share of it is its start.
    length2 = bx * bx + by * by
    share = -(ax * bx + ay * by) / np.where(length2 > 0.0, length2, 1.0)
    share = np.minimum(np.maximum(share, 0.0), 1.0)
    return start_x + share * along_x, start_y + share * along_y


def inside_probability(shape: Shape, lon: float, lat: float, radius_m: float) -> float:
    """The mass inside `shape` of a 2-D normal around the point with 95 % within `radius_m` > 0.

    Green's theorem turns the integral of the density over the area into one along the boundary,
    P = closed integral of Phi(x) phi(y) dy in standard deviations, done edge by edge by
    Gauss-Legendre quadrature; error below 1e-4, rounded to 3 decimals.
    """
    scale_x, scale_y = degree_lengths_m(np.array([lat]))
    sigma_m = radius_m / _SIGMAS_AT_95
    unit_x, unit_y = float(scale_x[0]) / sigma_m, float(scale_y[0]) / sigma_m
    edges = shape.edges
    y1, y2 = (edges.lat1 - lat) * unit_y, (edges.lat2 - lat) * unit_y
    terms: list[float] = []
    for turn in (-360.0, 0.0, 360.0):  # -180 and 180 are one meridian: the shape repeats
        x1, x2 = (edges.lon1 - lon + turn) * unit_x, (edges.lon2 - lon + turn) * unit_x
        if x1.max() >= -_REACH_SIGMAS and x1.min() <= _REACH_SIGMAS:
            terms += _contour_terms(x1, y1, x2, y2)
    # fsum rounds the exact sum once, so that no order of adding shows in the bits.
    return round(min(max(math.fsum(terms), 0.0), 1.0), 3)


def _contour_terms(x1: Floats, y1: Floats, x2: Floats, y2: Floats) -> list[float]:
    reach = _REACH_SIGMAS
    counts = (y1 != y2) & (np.maximum(y1, y2) > -reach) & (np.minimum(y1, y2) < reach)
    counts &= np.maximum(x1, x2) > -reach
    x1, y1, x2, y2 = x1[counts], y1[counts], x2[counts], y2[counts]
    if not x1.size:
        return []
    dx, dy = x2 - x1, y2 - y1
    enter, leave = _share_within(y1, dy, reach)
    # Of that part, the shares of the edge left of the window, in it, and right of it.
    flat = np.abs(dx) < np.finfo(np.float64).tiny
    safe = np.where(flat, 1.0, dx)
    at_left = np.where(flat, np.where(x1 < -reach, np.inf, -np.inf), (-reach - x1) / safe)
    at_right = np.where(flat, np.where(x1 > reach, -np.inf, np.inf), (reach - x1) / safe)
    first, last = np.minimum(at_left, at_right), np.maximum(at_left, at_right)
    beyond = flat & (x1 > reach)
    gone = flat & (x1 < -reach)
    first = np.where(beyond | gone, enter, np.minimum(np.maximum(first, enter), leave))
    last = np.where(beyond | gone, enter, np.minimum(np.maximum(last, enter), leave))
    middle = _quadrature(x1, y1, dx, dy, first, last)
    # Right of the window Phi is 1: the piece counts with the mass of its strip.
    right_from = np.where(dx > 0.0, last, enter)
    right_to = np.where(dx > 0.0, leave, first)
    right_from = np.where(flat, enter, right_from)
    right_to = np.where(flat, np.where(beyond, leave, enter), right_to)
    upper = normal_distribution(_clipped(y1 + right_to * dy))
    lower = normal_distribution(_clipped(y1 + right_from * dy))
    return [*middle, *np.where(right_to > right_from, upper - lower, 0.0).tolist()]


def _share_within(start: Floats, along: Floats, reach: float) -> tuple[Floats, Floats]:
    """The shares of each edge between which |start + share * along| <= reach, within 0..1."""
    one, other = (-reach - start) / along, (reach - start) / along
    enter = np.minimum(np.maximum(np.minimum(one, other), 0.0), 1.0)
    leave = np.minimum(np.maximum(np.maximum(one, other), 0.0), 1.0)
    return enter, leave


def _clipped(x: Floats) -> Floats:
    return np.minimum(np.maximum(x, -8.0), 8.0)


def _quadrature(x1: Floats, y1: Floats, dx: Floats, dy: Floats, first: Floats, last: Floats) -> list[float]:
    """Terms of the integral of Phi(x) phi(y) dy along each edge between the shares `first` and `last`."""
    half = (last - first) / (2.0 * _PANELS)
    share = first + (_ABSCISSAS[:, np.newaxis] + 1.0) * half
    x, y = _clipped(x1 + share * dx), _clipped(y1 + share * dy)
    terms = _PANEL_WEIGHTS[:, np.newaxis] * (normal_distribution(x) * normal_density(y)) * (half * dy)
    found: list[float] = terms.ravel().tolist()
    return found
