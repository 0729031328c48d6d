"""Whether a point lies in a shape: exact for the IEEE doubles given; on the boundary is inside."""

from fractions import Fraction

from stayaway.kernel.edges import Edges
from stayaway.kernel.shape import Shape

# J. R. Shewchuk, "Adaptive Precision Floating-Point Arithmetic", 1997: (3 + 16 eps) eps bounds
# the relative error of the 2-D orientation determinant.
_ORIENTATION_BOUND = (3.0 + 16.0 * 2.0**-53) * 2.0**-53
# Below this the bound does not hold any more, because products underflow.
_SMALLEST_SAFE = 1e-250


def is_inside(shape: Shape, lon: float, lat: float) -> bool:
    """Whether the point is in `shape` or on its boundary, exactly.

    Edges are straight in lon/lat; the meridians -180 and 180 are one.
    """
    edges = shape.edges
    return _is_inside(edges, lon, lat) or (abs(lon) == 180.0 and _is_inside(edges, -lon, lat))


def _is_inside(edges: Edges, lon: float, lat: float) -> bool:
    """By how many edges a ray towards the east crosses. Few are near enough to ask, so that one after the
    other costs less than columns of them.
    """
    is_odd = False
    for x1, y1, x2, y2 in edges.level_with(lon, lat):
        side = _side(x1, y1, x2, y2, lon, lat)
        if side == 0:
            # All of them end east of the point or at it, so that only their western end is asked.
            if min(x1, x2) <= lon:
                return True
        elif (y1 <= lat < y2) if side > 0 else (y2 <= lat < y1):
            is_odd = not is_odd
    return is_odd


def _side(x1: float, y1: float, x2: float, y2: float, x: float, y: float) -> int:
    """The sign of det(p2 - p1, p - p1): 1 left of the edge, -1 right of it, 0 on its line."""
    left, right = (x2 - x1) * (y - y1), (y2 - y1) * (x - x1)
    determinant, size = left - right, abs(left) + abs(right)
    if abs(determinant) <= _ORIENTATION_BOUND * size or size < _SMALLEST_SAFE:
        return _exact_side(x1, y1, x2, y2, x, y)
    return 1 if determinant > 0.0 else -1


def _exact_side(x1: float, y1: float, x2: float, y2: float, x: float, y: float) -> int:
    # A difference is nothing only where both are the same: so much is known without fractions.
    if (x1 == x2 or y1 == y) and (y1 == y2 or x1 == x):
        return 0
    start_x, start_y = Fraction(x1), Fraction(y1)
    left = (Fraction(x2) - start_x) * (Fraction(y) - start_y)
    right = (Fraction(y2) - start_y) * (Fraction(x) - start_x)
    return (left > right) - (left < right)
