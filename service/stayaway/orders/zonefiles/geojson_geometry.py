"""A GeoJSON geometry into a feature; every position that is none is noted with its pointer."""

from dataclasses import replace
from typing import Any, Final

import numpy as np

from stayaway.orders.findings import MISSING, Path
from stayaway.orders.zonefiles.model import Distance, Feature, Floats
from stayaway.orders.zonefiles.notes import Notes

GEOMETRY_TYPES: Final = (
    "Polygon",
    "MultiPolygon",
    "Point",
    "MultiPoint",
    "LineString",
    "MultiLineString",
    "GeometryCollection",
)
_NUMBERS: Final = (int, float)
_FOREIGN: Final = ("geometry", "properties", "features")
_DEPTHS: Final = {
    "Point": "one position [lon, lat]",
    "MultiPoint": "a list of positions",
    "LineString": "a list of positions",
    "MultiLineString": "a list of lists of positions",
    "Polygon": "a list of rings, each a list of positions",
    "MultiPolygon": "a list of polygons, each a list of rings",
}


def note_bbox(holder: dict[str, Any], candidate: int | None, path: Path, notes: Notes) -> None:
    """RFC 7946 section 5: four or six numbers. It decides nothing."""
    if "bbox" not in holder:
        return
    value = holder["bbox"]
    is_box = (
        isinstance(value, list) and len(value) in (4, 6) and all(type(item) in _NUMBERS for item in value)
    )
    if not is_box:
        notes.error(candidate, (*path, "bbox"), value, "A bbox has four (or six) numbers; or remove it.")


class GeometryReader:
    """Reads the geometry of one candidate."""

    def __init__(self, candidate: int, notes: Notes) -> None:
        self._candidate = candidate
        self._notes = notes
        self._flat = 0

    def read(
        self, geometry: dict[str, Any], path: Path, name: str | None, distance: Distance | None
    ) -> Feature:
        """The feature; NOTHING where the geometry cannot be read."""
        kind = self._kind(geometry, path)
        if kind == "GeometryCollection":
            return self._collection(geometry, path, name, distance)
        at = (*path, "coordinates")
        nothing = Feature(at, "NOTHING", name, distance)
        if kind is None:
            return nothing
        coordinates = geometry.get("coordinates", MISSING)
        if not isinstance(coordinates, list):
            self._error(at, coordinates, f"The coordinates of a {kind} are {_DEPTHS[kind]}.")
            return nothing
        if kind in ("LineString", "MultiLineString"):
            is_several = kind == "MultiLineString"
            lines = self._lines(coordinates, at, is_multi=is_several)
            return replace(nothing, kind="LINE", lines=lines, is_multi=is_several, flat=self._flat)
        if kind in ("Point", "MultiPoint"):
            return self._point(coordinates, at, kind, name, distance)
        is_multi = kind == "MultiPolygon"
        parts = self._polygons(coordinates, at, is_multi=is_multi)
        has_rings = any(len(ring) for part in parts for ring in part)
        return replace(
            nothing,
            kind="POLYGON" if has_rings else "NOTHING",
            parts=parts,
            is_multi=is_multi,
            flat=self._flat,
        )

    def _kind(self, geometry: dict[str, Any], path: Path) -> str | None:
        kind = geometry.get("type", MISSING)
        if not isinstance(kind, str) or kind not in GEOMETRY_TYPES:
            self._error((*path, "type"), kind, f"A geometry's type is one of {', '.join(GEOMETRY_TYPES)}.")
            return None
        for name in _FOREIGN:
            if name in geometry:
                self._error((*path, name), geometry[name], "A geometry has no such member; remove it.")
        note_bbox(geometry, self._candidate, path, self._notes)
        return kind

    def _collection(
        self, geometry: dict[str, Any], path: Path, name: str | None, distance: Distance | None
    ) -> Feature:
        """Polygons of a collection are one zone, lines alone one line; what else is in it is left out, and
        that is said.
        """
        at = (*path, "geometries")
        items = geometry.get("geometries", MISSING)
        if not isinstance(items, list) or not items:
            self._error(at, items, "A GeometryCollection has a list of geometries.")
            return Feature(path, "NOTHING", name, distance)
        read: list[Feature] = []
        for index, item in enumerate(items):
            if not isinstance(item, dict):
                self._error((*at, index), item, "Each item is a geometry object.")
            elif item.get("type") == "GeometryCollection":
                self._error((*at, index), "GeometryCollection", "Collections in collections are not read.")
            else:
                read.append(self.read(item, (*at, index), name, distance))
        if len(items) == 1 and len(read) == 1:
            self._notes.info(self._candidate, at, "1 item", "A collection of one was read as that one.")
            return read[0]
        parts = tuple(part for feature in read if feature.kind == "POLYGON" for part in feature.parts)
        left_out = sum(feature.kind in ("POINT", "LINE") for feature in read)
        if read and all(feature.kind == "LINE" for feature in read):
            lines = tuple(line for feature in read for line in feature.lines)
            return Feature(at, "LINE", name, distance, lines=lines, is_multi=True, flat=self._flat)
        if not parts:
            self._error(
                at,
                f"{len(items)} items",
                "No polygon is in the collection; give one point, lines alone, or polygons.",
            )
            return Feature(path, "NOTHING", name, distance)
        if left_out:
            remedy = "Points and lines beside the polygons were left out; send them apart if they are zones."
            self._notes.warning(self._candidate, at, f"{left_out} left out", remedy)
        return Feature(at, "POLYGON", name, distance, parts, is_multi=True, flat=self._flat)

    def _point(
        self, coordinates: list[Any], at: Path, kind: str, name: str | None, distance: Distance | None
    ) -> Feature:
        positions = [coordinates] if kind == "Point" else coordinates
        path = at if kind == "Point" else (*at, 0)
        if len(positions) != 1:
            for index, item in enumerate(positions):
                self._position(item, (*at, index))
            self._error(at, f"{len(positions)} points", "Give each point as a feature of its own.")
            return Feature(at, "NOTHING", name, distance)
        position = self._position(positions[0], path)
        if position is None:
            return Feature(at, "NOTHING", name, distance)
        return Feature(path, "POINT", name, distance, position=position, flat=self._flat)

    def _lines(self, coordinates: list[Any], at: Path, *, is_multi: bool) -> tuple[Floats, ...]:
        lines = [((*at, i), v) for i, v in enumerate(coordinates)] if is_multi else [(at, coordinates)]
        if not lines:
            self._error(at, coordinates, "The list of lines is empty.")
        read: list[Floats] = []
        for path, line in lines:
            if not isinstance(line, list) or len(line) < 2:
                self._error(path, line, "A line has two or more positions.")
                continue
            positions = [self._position(item, (*path, index)) for index, item in enumerate(line)]
            good = [position for position in positions if position is not None]
            if len(good) == len(line):
                read.append(np.array(good, dtype=np.float64))
        return tuple(read)

    def _polygons(
        self, coordinates: list[Any], at: Path, *, is_multi: bool
    ) -> tuple[tuple[Floats, ...], ...]:
        polygons = [((*at, i), v) for i, v in enumerate(coordinates)] if is_multi else [(at, coordinates)]
        if not polygons:
            self._error(at, coordinates, "The list of polygons is empty.")
        read: list[tuple[Floats, ...]] = []
        for path, polygon in polygons:
            if not isinstance(polygon, list) or not polygon:
                self._error(path, polygon, "A polygon is a list of rings, the outer one first.")
                read.append(())
                continue
            read.append(tuple(self._ring(ring, (*path, index)) for index, ring in enumerate(polygon)))
        return tuple(read)

    def _ring(self, ring: Any, path: Path) -> Floats:
        # What cannot be read has been refused; it stays as an empty ring, so that paths count right.
        if not isinstance(ring, list) or not ring:
            self._error(path, ring, "A ring is a list of positions [lon, lat].")
            return np.empty((0, 2))
        read = [self._position(item, (*path, index)) for index, item in enumerate(ring)]
        positions = [position for position in read if position is not None]
        if ring[0] != ring[-1] and read[0] is not None and read[0] == read[-1]:
            remedy = "The last position must equal the first, its height too (RFC 7946, 3.1.6)."
            self._error((*path, len(ring) - 1), ring[-1], remedy)
        return np.array(positions, dtype=np.float64) if len(positions) == len(read) else np.empty((0, 2))

    def _position(self, value: Any, path: Path) -> tuple[float, float] | None:
        # The plain case first: a ring may have hundreds of thousands.
        if type(value) is list and len(value) == 2:
            lon, lat = value
            if type(lon) is float and type(lat) is float:
                return lon, lat
        if type(value) is list and len(value) >= 2 and all(type(item) in _NUMBERS for item in value):
            if len(value) > 2:
                self._flat += 1
            return float(value[0]), float(value[1])
        if isinstance(value, list) and len(value) >= 2 and all(isinstance(item, list) for item in value):
            remedy = "There is one pair of brackets too many here: a position is [lon, lat]."
        elif isinstance(value, int | float) and not isinstance(value, bool):
            remedy = "There is one pair of brackets too few here: a position is [lon, lat]."
        else:
            remedy = "A position is [lon, lat]: two numbers without quotes."
        self._error(path, value, remedy)
        return None

    def _error(self, path: Path, value: Any, remedy: str) -> None:
        self._notes.error(self._candidate, path, value, remedy)
