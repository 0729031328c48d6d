"""Geometries of an orders file: RFC 7946 Polygon, MultiPolygon or Point, checked and rounded.

WIRE.md, "geometry": two numbers a position, any winding, OGC-valid, no `crs`, no edge over 180
degrees long. Nothing is repaired. GEOS judges validity here and decides nothing later. Polygons with which
nothing is wrong are drawn by `plain_geometry`; here the others are looked at closely.
"""

import math
from collections.abc import Iterator, Sequence
from typing import Any

import shapely

from stayaway.kernel.shape import Floats, Shape
from stayaway.orders.findings import MISSING, FindingList, Path
from stayaway.orders.plain_geometry import Drawn, count_positions, draw_plain, is_bbox
from stayaway.orders.zonefiles.limits import MAX_ZONE_VERTICES

MAX_LISTED = 20
"""Findings about positions of one geometry; the rest is counted."""

Position = tuple[float, float]
_Ring = Sequence[Position]
_Rings = list[_Ring]

_PROJECTED_FROM = 360.0
_LON_LAT = "Each position is [lon, lat] in degrees (WGS 84)."


def read_polygons(
    geometry: dict[str, Any], at: Path, findings: FindingList, drawn: Drawn | None = None
) -> Shape | None:
    """The shape of a Polygon or MultiPolygon at path `at`; None where an ERROR was noted.

    `drawn`: what was drawn of this geometry and others before (None: nothing was tried).
    """
    shape = (draw_plain((geometry,)) if drawn is None else drawn).get(id(geometry))
    if shape is not None:
        return shape
    members = _read_members(geometry, at, findings, ("Polygon", "MultiPolygon"))
    if members is None:
        return None
    kind, coordinates = members
    positions = count_positions(coordinates if kind == "MultiPolygon" else [coordinates])
    if positions > MAX_ZONE_VERTICES:
        remedy = f"A zone has at most {MAX_ZONE_VERTICES:,} positions: simplify it."
        findings.error((*at, "coordinates"), f"{positions:,} positions", remedy)
        return None
    reader = _Reader(findings)
    path = (*at, "coordinates")
    parts = reader.polygons(
        coordinates if kind == "MultiPolygon" else [coordinates], path, single=kind == "Polygon"
    )
    reader.close(path)
    if reader.failed or not parts:
        return None
    return _valid_shape(parts, path, findings)


def read_point(geometry: dict[str, Any], at: Path, findings: FindingList) -> Position | None:
    """The position of a Point at path `at`; None where an ERROR was noted."""
    members = _read_members(geometry, at, findings, ("Point",))
    if members is None:
        return None
    coordinates = members[1]
    reader = _Reader(findings)
    position = reader.position(coordinates, (*at, "coordinates"))
    reader.close(at)
    if position == (0.0, 0.0):
        findings.warning(
            (*at, "coordinates"),
            coordinates,
            "0, 0 lies in the Atlantic; geocoders answer it when they found nothing.",
        )
    return None if reader.failed else position


def _read_members(
    geometry: dict[str, Any], at: Path, findings: FindingList, kinds: tuple[str, ...]
) -> tuple[str, Any] | None:
    """The type, one of `kinds`, and the coordinates; None where an ERROR was noted."""
    before = len(findings.findings)
    for name, value in geometry.items():
        if name == "crs":
            remedy = "Remove crs and convert the coordinates to WGS 84 lon, lat (RFC 7946)."
            findings.error((*at, name), value, remedy)
        elif name == "bbox" and not is_bbox(value):
            findings.error((*at, name), value, "Remove it, or write [west, south, east, north].")
        elif name not in ("type", "coordinates", "bbox"):
            findings.error((*at, name), value, "Remove it: a geometry has type and coordinates only.")
    kind = geometry.get("type", MISSING)
    if not isinstance(kind, str) or kind not in kinds:
        findings.error((*at, "type"), kind, _remedy_for_type(kind))
    elif "coordinates" not in geometry:
        findings.error((*at, "coordinates"), MISSING, "Add the coordinates.")
    return None if len(findings.findings) > before else (kind, geometry["coordinates"])


def _remedy_for_type(kind: Any) -> str:
    if kind in ("Feature", "FeatureCollection", "GeometryCollection"):
        return f"Give the geometry itself, not the {kind} around it."
    return "Use Polygon, MultiPolygon or Point (with distance_value and distance_unit)."


class _Reader:
    """Walks coordinates and notes what is wrong, up to a limit."""

    def __init__(self, findings: FindingList) -> None:
        self._findings = findings
        self._noted = 0

    @property
    def failed(self) -> bool:
        return self._noted > 0

    def close(self, at: Path) -> None:
        """Say how many more there were than the limit."""
        if self._noted > MAX_LISTED:
            self._findings.error(
                at, f"{self._noted - MAX_LISTED} more", "Correct those listed, then check again."
            )

    def polygons(self, value: Any, at: Path, *, single: bool) -> list[_Rings]:
        if not self._is_filled_list(value, at, "A MultiPolygon's coordinates are a list of polygons."):
            return []
        return [self._rings(item, at if single else (*at, index)) for index, item in enumerate(value)]

    def _rings(self, value: Any, at: Path) -> _Rings:
        remedy = "A polygon is a list of rings, the outer one first; a ring is a list of positions."
        if not self._is_filled_list(value, at, remedy):
            return []
        return [self._ring(item, (*at, index)) for index, item in enumerate(value)]

    def _ring(self, value: Any, at: Path) -> _Ring:
        if not self._is_filled_list(value, at, "A ring is a list of positions [lon, lat]."):
            return []
        read = [self.position(item, (*at, index)) for index, item in enumerate(value)]
        if len(value) < 4:
            self._note(at, value, "A ring has at least four positions, the last equal to the first.")
        elif value[0] != value[-1]:
            self._note(
                (*at, len(value) - 1), value[-1], "Close the ring: its last position must equal its first."
            )
        positions = [position for position in read if position is not None]
        if len(positions) < len(read):
            return []
        self._check_edges(positions, at)
        return positions

    def _check_edges(self, ring: list[Position], at: Path) -> None:
        for index in _long_edges(ring):
            self._note(
                (*at, index),
                list(ring[index]),
                "An edge spans over 180 degrees: cut the polygon at the 180 degree meridian into a"
                " MultiPolygon with parts that end at 180 and -180; an edge that is meant so long needs a"
                " position in between.",
            )

    def position(self, value: Any, at: Path) -> Position | None:
        if type(value) is list and len(value) == 2:
            lon, lat = value
            if (
                type(lon) in (float, int)
                and type(lat) in (float, int)
                and -180 <= lon <= 180
                and -90 <= lat <= 90
            ):
                return float(lon), float(lat)
        self._note(at, value, _remedy_for_position(value))
        return None

    def _is_filled_list(self, value: Any, at: Path, remedy: str) -> bool:
        if isinstance(value, list) and value:
            return True
        self._note(at, value, remedy)
        return False

    def _note(self, at: Path, value: Any, remedy: str) -> None:
        self._noted += 1
        if self._noted <= MAX_LISTED:
            self._findings.error(at, value, remedy)


def _long_edges(ring: list[Position]) -> Iterator[int]:
    previous = ring[0][0]
    for index, (lon, _) in enumerate(ring):
        if abs(lon - previous) > 180:
            yield index
        previous = lon


def _remedy_for_position(value: Any) -> str:
    if not isinstance(value, list):
        return _LON_LAT
    if any(isinstance(item, bool) or not isinstance(item, int | float) for item in value) or len(value) < 2:
        return f"{_LON_LAT} Write two numbers without quotes."
    if len(value) > 2:
        return f"{_LON_LAT} Remove the altitude and whatever else follows the first two."
    return _remedy_for_range(*value)


def _remedy_for_range(lon: float, lat: float) -> str:
    if not (math.isfinite(lon) and math.isfinite(lat)):
        return f"{_LON_LAT} The number is too large."
    if abs(lon) <= 90 and 90 < abs(lat) <= 180:
        return f"Latitude must be -90..90: this looks like [lat, lon]; did you mean [{lat:g}, {lon:g}]?"
    if max(abs(lon), abs(lat)) > _PROJECTED_FROM:
        return f"{_LON_LAT} This looks like projected metres or feet; convert it to longitude and latitude."
    return "Longitude must be -180..180 and latitude -90..90 (WGS 84, [lon, lat])."


def _valid_shape(parts: list[_Rings], at: Path, findings: FindingList) -> Shape | None:
    """The rounded shape, where it is OGC-valid."""
    shape = Shape.from_parts(parts)
    rings = shape.degrees()
    if any(len(ring) < 4 for part in rings for ring in part):
        findings.error(
            at,
            "collapsed ring",
            "A ring shrinks to a line or a point on the 1e-7 degree grid; draw it larger.",
        )
        return None
    polygons = [shapely.polygons(shapely.linearrings(part[0]), holes=_holes(part)) for part in rings]
    outline = polygons[0] if len(polygons) == 1 else shapely.MultiPolygon(polygons)
    if outline.is_valid:
        return shape
    reason = shapely.is_valid_reason(outline)
    findings.error(at, reason, f"Correct the geometry; {_explain(reason)}. Nothing is repaired silently.")
    return None


def _holes(part: list[Floats]) -> list[shapely.LinearRing] | None:
    return [shapely.linearrings(ring) for ring in part[1:]] or None


_EXPLANATIONS = {
    "Self-intersection": "its outline crosses or touches itself there (lon lat)",
    "Ring Self-intersection": "a ring touches itself there (lon lat)",
    "Hole lies outside shell": "a hole lies outside its outer ring",
    "Holes are nested": "a hole lies inside another hole",
    "Nested shells": "one polygon lies inside another; merge them",
    "Interior is disconnected": "holes cut the polygon apart; draw the pieces as a MultiPolygon",
    "Duplicate Rings": "a ring is given twice",
    "Too few points in geometry component": "a ring has too few different positions",
}


def _explain(reason: str) -> str:
    return _EXPLANATIONS.get(
        reason.partition("[")[0].strip(), "it is not a valid polygon (OGC Simple Features)"
    )
