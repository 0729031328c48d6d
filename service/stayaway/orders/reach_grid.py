"""A reach on the grid of 1e-7 degree: every vertex rounded once, cut at the 180 degree meridian.

Rounding is snap rounding (J. Hobby, "Practical segment intersection with finite precision output",
1999, as GEOS has it): the outline and the meridians are put on the grid together, so what comes
out crosses nowhere, no point moves by more than half a cell's diagonal, and both sides of the cut
have the same vertices. What is thinner than a cell closes.
"""

from typing import Any

import numpy as np
import numpy.typing as npt
import shapely

from stayaway.kernel.shape import Shape
from stayaway.orders.distance import DistanceError
from stayaway.orders.reach_outline import NANO, TURN

CELL = 100
"""Nano-degrees in a step of the vertex grid."""

_Floats = npt.NDArray[np.float64]


def put_on_grid(area: shapely.Geometry) -> list[shapely.Polygon]:
    """The area's pieces between meridians of 180 degrees, rounded, still side by side in nano-degrees.

    Raises DistanceError where rounding would change more than the thinnest parts.
    """
    solid = _without_cracks(area)
    west, south, east, north = shapely.bounds(solid).tolist()
    meridians = [
        shapely.LineString([(at, south - CELL), (at, north + CELL)])
        for at in range(-3 * TURN // 2, 2 * TURN, TURN)
        if west < at < east
    ]
    lines = shapely.union_all([solid.boundary, *meridians], grid_size=CELL)
    faces = np.array(shapely.get_parts(shapely.polygonize([lines])))
    shapely.prepare(solid)
    inside = shapely.contains(solid, shapely.point_on_surface(faces))
    turns = np.floor((shapely.bounds(faces)[:, 0] + TURN // 2) / TURN)
    # A closed crack leaves two faces that share an edge: those are one.
    pieces: list[shapely.Polygon] = [
        piece
        for turn in np.unique(turns[inside])
        for piece in shapely.get_parts(shapely.union_all(faces[inside & (turns == turn)]))
    ]
    changed = abs(sum(piece.area for piece in pieces) - solid.area)
    if changed > CELL * solid.length or not pieces:
        raise DistanceError(
            "The distance is too small for this outline on the grid of 1e-7 degree.",
            "Check the distance and its unit; draw the zone as a polygon if both are right.",
        )
    return pieces


def to_shape(pieces: list[shapely.Polygon]) -> Shape:
    """The shape in degrees within -180..180, in an order that depends on nothing but the pieces."""
    shifted = [shapely.transform(piece, _to_degrees) for piece in pieces]
    parts = shapely.get_parts(shapely.normalize(shapely.MultiPolygon(shifted)))
    return Shape.from_parts(
        [[ring.coords[:] for ring in (part.exterior, *part.interiors)] for part in parts.tolist()]
    )


def _to_degrees(positions: _Floats) -> _Floats:
    # A piece lies within one turn; one that ends on a meridian belongs to the side of its middle.
    middle = (positions[:, 0].min() + positions[:, 0].max()) / 2
    turn = np.floor((middle + TURN // 2) / TURN) * TURN
    degrees: _Floats = (positions - (turn, 0.0)) / NANO
    return degrees


def _without_cracks(area: shapely.Geometry) -> shapely.MultiPolygon:
    """The area with no holes that are, in the mean, thinner than a nano-degree: arithmetic left them."""
    return shapely.MultiPolygon([_kept(part) for part in shapely.get_parts(area).tolist()])


def _kept(part: shapely.Polygon) -> shapely.Polygon:
    holes: list[Any] = [ring for ring in part.interiors if 2 * shapely.Polygon(ring).area > ring.length]
    return shapely.Polygon(part.exterior, holes)
