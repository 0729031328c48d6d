"""What is wrong with an invalid outline, where, and what a repair would change. Nothing is changed here.

OGC Simple Features validity, as GEOS judges it. Areas are geodesic (Karney 2013, by pyproj.Geod).
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

import numpy as np
import shapely
from pyproj import Geod

from stayaway.kernel.shape import Shape

_GEOD: Final = Geod(ellps="WGS84")
_GRID: Final = 1e-7
MAX_CROSSINGS: Final = 5
_MAX_EDGES_SEARCHED: Final = 60_000
"""Above it only the place that GEOS names is told: searching all pairs would take seconds."""
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


def find_flaws(shape: Shape, outline: shapely.Geometry) -> list[Flaw]:
    """Why `outline` is invalid: GEOS's reason first, then edges that cross elsewhere, a few of them."""
    reason = _REASON.match(shapely.is_valid_reason(outline))
    what = reason.group("what").strip() if reason else ""
    words = _WORDS.get(what, "it is no valid polygon (OGC Simple Features)")
    at = None
    if reason is not None and reason.group("lon"):
        at = (float(reason.group("lon")), float(reason.group("lat")))
    crossings = list(_crossings(shape))
    named = next((flaw for flaw in crossings if at is not None and _is_near(flaw.lon_lat, at)), None)
    first = Flaw(words, at, named.edges if named is not None else None)
    others = [flaw for flaw in crossings if flaw is not named]
    return [first, *others[: MAX_CROSSINGS - 1]]


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


def area_m2(shape: Shape) -> float:
    """Geodesic area: of each part its outer ring less its holes. Of crossing lobes the difference counts."""
    total = 0.0
    for part in shape.parts:
        areas = []
        for ring in part:
            lons, lats = np.asarray(ring, dtype=np.float64).T
            areas.append(abs(_GEOD.polygon_area_perimeter(lons, lats)[0]))
        total += areas[0] - sum(areas[1:])
    return total


def _crossings(shape: Shape) -> Iterator[Flaw]:
    """Places where edges that are no neighbours meet."""
    edges: list[Edge] = []
    spans: list[tuple[int, int]] = []
    for part in shape.parts:
        for ring in part:
            spans.extend([(len(edges), len(ring) - 1)] * (len(ring) - 1))
            edges.extend(pairwise(ring))
    if len(edges) > _MAX_EDGES_SEARCHED:
        return
    lines = shapely.linestrings(np.asarray(edges, dtype=np.float64))
    one, other = shapely.STRtree(lines).query(lines, predicate="intersects")
    seen: set[LonLatPair] = set()
    for i, j in zip(one.tolist(), other.tolist(), strict=True):
        if i >= j or _are_neighbours(i, j, spans):
            continue
        meeting = shapely.get_coordinates(shapely.intersection(lines[i], lines[j]))
        lon, lat = (round(float(value), 7) for value in meeting[0])
        if (lon, lat) not in seen:
            seen.add((lon, lat))
            yield Flaw("two edges cross or touch", (lon, lat), (edges[i], edges[j]))
            if len(seen) > 4 * MAX_CROSSINGS:
                return


def _are_neighbours(i: int, j: int, spans: list[tuple[int, int]]) -> bool:
    (start, count), (other_start, _) = spans[i], spans[j]
    return start == other_start and (j - i == 1 or (i == start and j == start + count - 1))


def _is_near(one: LonLatPair | None, other: LonLatPair) -> bool:
    return one is not None and max(abs(one[0] - other[0]), abs(one[1] - other[1])) <= 2 * _GRID
