"""A court-ordered distance from a point, a line or a parcel as a zone on the WGS 84 ellipsoid.

The zone is everything within the distance, the parcel itself included; a hole of the parcel stays
open only where it is farther than the distance from all its sides. As for circles (distance.py)
no vertex and no point of an edge lies beyond the ordered distance, and none falls short of it by
more than 0.05 % or 50 cm (5 cm at 100 yards), whichever is less; below 40 m the 1e-7 degree grid
of the vertices (about 1.1 cm) is what limits, and it is up to 2 cm.

Edges of the parcel are straight in lon/lat (RFC 7946), not geodesics. The zone is drawn in pieces
from the inside (reach_pieces), joined, rounded once (reach_grid) and measured (reach_check): a zone
that does not keep the promise is not returned.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
import shapely

from stayaway.kernel.shape import Shape
from stayaway.orders import distance
from stayaway.orders.distance import DistanceError
from stayaway.orders.reach_check import measure
from stayaway.orders.reach_grid import put_on_grid, to_shape
from stayaway.orders.reach_outline import NANO, TURN, Outline, read_outline
from stayaway.orders.reach_pieces import Plan, draw_pieces

MIN_REACH_M = 1.0
"""A hundred steps of the vertex grid."""
MAX_REACH_M = 50_000.0

_HALF_CELL_M = 0.00795
"""Half the diagonal of a grid cell where it is longest, and what pieces are rounded by before."""
_GRID_LIMIT_M = 0.02
"""The shortfall below which rounding would take all of it."""
_MEASURED_TO_M = 1e-5


def allowed_reach_shortfall_m(distance_m: float) -> float:
    """How far a zone around a line or parcel may stay within the distance: 0.05 %, 2 cm to 50 cm."""
    return max(distance.allowed_shortfall_m(distance_m), _GRID_LIMIT_M)


def zone_around(geometry: Mapping[str, Any], distance_m: float) -> Shape:
    """The zone of all points within `distance_m` metres of an RFC 7946 geometry, from the inside.

    `geometry`: Point, LineString, MultiLineString, Polygon or MultiPolygon in lon, lat degrees.
    The result is OGC-valid, its vertices lie on the 1e-7 degree grid, and it is cut at the 180
    degree meridian where it reaches over it. Raises DistanceError.
    """
    if geometry.get("type") == "Point":
        return distance.circle(*_position(geometry.get("coordinates")), distance_m)
    _refuse_unusual(distance_m)
    outline = read_outline(geometry)
    _refuse_pole_and_girdle(outline, distance_m)
    # Of the shortfall allowed, what rounding leaves is shared out; strips may stray to either side.
    left_m = allowed_reach_shortfall_m(distance_m) - 2 * _HALF_CELL_M
    stray_m = left_m / 10
    plan = Plan(distance_m - _HALF_CELL_M - stray_m, left_m - 2 * stray_m, stray_m)
    try:
        pieces = put_on_grid(shapely.union_all([*outline.areas, *draw_pieces(outline.rings, plan)]))
    except shapely.GEOSException as error:
        raise _broken_promise() from error
    if not _keeps_promise(pieces, outline, distance_m):
        raise _broken_promise()
    return to_shape(pieces)


def _position(coordinates: Any) -> tuple[float, float]:
    try:
        lon, lat = (float(value) for value in coordinates)
    except (TypeError, ValueError):
        lon, lat = np.nan, np.nan
    if abs(lon) <= 180 and abs(lat) <= 90:
        return lon, lat
    raise DistanceError("The point is no position.", "Write [lon, lat] in degrees, two numbers.")


def _refuse_unusual(distance_m: float) -> None:
    if not MIN_REACH_M <= distance_m <= MAX_REACH_M:
        raise DistanceError(
            f"A distance of {distance_m:g} m cannot be drawn around a line or a parcel.",
            f"It must be from {MIN_REACH_M:g} m to {MAX_REACH_M / 1000:g} km; check the number and its unit.",
        )


def _refuse_pole_and_girdle(outline: Outline, distance_m: float) -> None:
    vertices = np.concatenate(outline.rings)
    lat = float(np.abs(vertices[:, 1]).max()) / NANO
    # A degree of latitude is never under 110 km.
    if (90 - lat) * 110_000 <= distance_m * 1.001 + 1:
        raise DistanceError(
            "The distance reaches a pole, around which no polygon in lon/lat goes.",
            "Check the latitudes; draw the zone as a polygon if the place is right.",
        )
    if np.ptp(vertices[:, 0]) >= TURN // 2:
        raise DistanceError(
            "The geometry spans half the globe.",
            "Check the longitudes; give each place as a geometry of its own if they are right.",
        )


def _keeps_promise(pieces: list[shapely.Polygon], outline: Outline, distance_m: float) -> bool:
    found = measure(pieces, outline.rings)
    least_m = distance_m - allowed_reach_shortfall_m(distance_m)
    return (
        all(piece.is_valid for piece in pieces)
        and found.nearest_m >= least_m - _MEASURED_TO_M
        and found.farthest_m <= distance_m + _MEASURED_TO_M
    )


def _broken_promise() -> DistanceError:
    return DistanceError(
        "No polygon was found that keeps to this distance here as closely as it must.",
        "Draw the zone as a polygon, or ask whether the court meant a distance from a point.",
    )
