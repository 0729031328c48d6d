"""What is wrong with an invalid outline, where, and what a repair would change. Nothing is changed here.

OGC Simple Features validity, as GEOS judges it. Areas are geodesic (Karney 2013, by pyproj.Geod).
"""

import re
from dataclasses import dataclass
from typing import Final

import numpy as np
import shapely
from pyproj import Geod

from stayaway.kernel.shape import Shape
from stayaway.orders.zonefiles.model import Floats

_GEOD: Final = Geod(ellps="WGS84")
_GRID: Final = 1e-7
MAX_CROSSINGS: Final = 5
_MAX_PLACES: Final = 100
_MAX_MEETINGS: Final = 10_000
"""Pairs of edges that meet. Beyond it a repair is a scribble, and would take GEOS minutes."""
_SEARCHED_AT_ONCE: Final = 64
"""Edges whose neighbours are looked up in one step: bounds the memory, whatever crosses what."""
_REASON = re.compile(r"^(?P<what>[^\[]*)(?:\[(?P<lon>\S+) (?P<lat>\S+)\])?$")
_WORDS: Final = {
    "Self-intersection": "the outline crosses or touches itself",
    "Ring Self-intersection": "a ring touches itself",
    "Hole lies outside shell": "a hole lies outside its outer ring",
    "Holes are nested": "a hole lies inside another hole",
    "Nested shells": "one polygon lies inside another",
    "Interior is disconnected": "holes cut the polygon apart",
    "Duplicate Rings": "a ring is given twice",
    "Too few points in geometry component": "a ring has too few different positions",
}

LonLatPair = tuple[float, float]
Edge = tuple[LonLatPair, LonLatPair]


@dataclass(frozen=True, slots=True)
class Flaw:
    """Why an outline is invalid: in words, where (None: unknown), and the two edges that meet there."""

    words: str
    lon_lat: LonLatPair | None
    edges: tuple[Edge, Edge] | None = None


def outline_of(shape: Shape) -> shapely.Geometry:
    """The shape as GEOS has it, unchecked."""
    polygons = [
        shapely.Polygon(np.asarray(part[0]), [np.asarray(hole) for hole in part[1:]]) for part in shape.parts
    ]
    return polygons[0] if len(polygons) == 1 else shapely.MultiPolygon(polygons)


def find_flaws(shape: Shape, outline: shapely.Geometry) -> tuple[list[Flaw], bool]:
    """Why `outline` is invalid, and whether that can be repaired in reasonable time.

    GEOS's reason first, then edges that meet elsewhere, a few of them.
    """
    reason = _REASON.match(shapely.is_valid_reason(outline))
    what = reason.group("what").strip() if reason else ""
    words = _WORDS.get(what, "it is no valid polygon (OGC Simple Features)")
    at = None
    if reason is not None and reason.group("lon"):
        at = (float(reason.group("lon")), float(reason.group("lat")))
    meetings = _meetings(shape)
    crossings = _crossings(meetings)
    named = next((flaw for flaw in crossings if at is not None and _is_near(flaw.lon_lat, at)), None)
    first = Flaw(words, at, named.edges if named is not None else None)
    others = [flaw for flaw in crossings if flaw is not named]
    return [first, *others[: MAX_CROSSINGS - 1]], len(meetings) < _MAX_MEETINGS


def repaired(outline: shapely.Geometry) -> Shape | None:
    """A valid shape of what the outline encloses, on the 1e-7 degree grid; None where nothing is left.

    `structure`: overlapping parts are joined and holes subtracted. The other method of GEOS would make a
    hole where two parts overlap, and so open a zone where the court drew it twice.
    """
    valid = shapely.make_valid(outline, method="structure", keep_collapsed=False)
    snapped = shapely.set_precision(valid, _GRID)
    polygons = [
        part for part in shapely.get_parts(snapped) if part.geom_type == "Polygon" and not part.is_empty
    ]
    if not polygons:
        return None
    shape = Shape.from_parts(
        [[shapely.get_coordinates(ring).tolist() for ring in shapely.get_rings(part)] for part in polygons]
    )
    return shape if outline_of(shape).is_valid else None


def _meetings(shape: Shape) -> list[tuple[Edge, Edge]]:
    """Pairs of edges that meet and are no neighbours, up to `_MAX_MEETINGS`."""
    rings = [ring for part in shape.parts for ring in part]
    edges = np.concatenate([np.stack([ring[:-1], ring[1:]], axis=1) for ring in map(np.asarray, rings)])
    # Of each edge the next one of its ring, which it meets by rights.
    starts = np.cumsum([0, *(len(ring) - 1 for ring in rings)])
    following = np.arange(1, len(edges) + 1)
    following[starts[1:] - 1] = starts[:-1]
    lines = shapely.linestrings(edges)
    tree = shapely.STRtree(lines)
    found: list[tuple[Edge, Edge]] = []
    for at in range(0, len(lines), _SEARCHED_AT_ONCE):
        one, other = tree.query(lines[at : at + _SEARCHED_AT_ONCE], predicate="intersects")
        one = one + at
        keep = (one < other) & (following[one] != other) & (following[other] != one)
        for i, j in zip(one[keep].tolist(), other[keep].tolist(), strict=True):
            found.append((_edge(edges[i]), _edge(edges[j])))
            if len(found) == _MAX_MEETINGS:
                return found
    return found


def _edge(ends: Floats) -> Edge:
    (lon1, lat1), (lon2, lat2) = ends.tolist()
    return (lon1, lat1), (lon2, lat2)


def _crossings(meetings: list[tuple[Edge, Edge]]) -> list[Flaw]:
    """The places of the first meetings, each place once."""
    found: dict[LonLatPair, Flaw] = {}
    for one, other in meetings:
        meeting = shapely.intersection(shapely.LineString(one), shapely.LineString(other))
        lon, lat = (round(float(value), 7) for value in shapely.get_coordinates(meeting)[0])
        found.setdefault((lon, lat), Flaw("two edges cross or touch", (lon, lat), (one, other)))
        if len(found) > _MAX_PLACES:
            break
    return list(found.values())


def _is_near(one: LonLatPair | None, other: LonLatPair) -> bool:
    return one is not None and max(abs(one[0] - other[0]), abs(one[1] - other[1])) <= 2 * _GRID
