"""KML (OGC 07-147r2) and KMZ into features, by defusedxml: no DTD, no entities, no link is followed."""

import re
from collections.abc import Iterator
from typing import Final
from xml.etree.ElementTree import Element, ParseError, TreeBuilder

import numpy as np
from defusedxml import DefusedXmlException
from defusedxml.ElementTree import DefusedXMLParser

from stayaway.orders.findings import Path
from stayaway.orders.zonefiles.attributes import read_attributes
from stayaway.orders.zonefiles.limits import MAX_FEATURES, MAX_XML_DEPTH, MAX_XML_ELEMENTS
from stayaway.orders.zonefiles.model import (
    Distance,
    Feature,
    Floats,
    Kind,
    TooLargeError,
    UnreadableZoneFileError,
)
from stayaway.orders.zonefiles.notes import Notes
from stayaway.orders.zonefiles.zips import Archive

_SEND = "Export the layer as KML again."
_GEOMETRIES: Final = frozenset(
    {"Polygon", "Point", "LineString", "LinearRing", "MultiGeometry", "Model", "Track", "MultiTrack"}
)
_LINKS: Final = frozenset({"NetworkLink", "GroundOverlay", "ScreenOverlay", "PhotoOverlay", "Model"})
_DECIMAL = re.compile(
    r"[-+]?(?:[0-9]{1,12}(?:\.[0-9]{0,40})?|\.[0-9]{1,40})(?:[eE][-+]?[0-9]{1,3})?", re.ASCII
)
_FEED_BYTES: Final = 256 * 1024


def read_kmz(data: bytes, notes: Notes) -> list[Feature]:
    """The features of a KMZ's main file: doc.kml, else the only .kml in it."""
    archive = Archive(data)
    names = [name for name in archive.names if name.lower().endswith(".kml")]
    main = [name for name in names if name.lower() == "doc.kml"] or names
    if len(main) != 1:
        raise UnreadableZoneFileError(
            f"The KMZ holds {len(names)} KML files and no doc.kml.", "Send the right one of them alone."
        )
    if len(names) > 1:
        remedy = "Only doc.kml was read; send the other KML files apart if they hold zones."
        notes.warning(None, (), f"{len(names)} KML files", remedy)
    return read_kml(archive.unpack(main[0]), notes)


def read_kml(data: bytes, notes: Notes) -> list[Feature]:
    """One feature a Placemark; UnreadableZoneFileError where the text is no KML."""
    root = _parse(data)
    if _local(root) not in ("kml", "Document", "Folder", "Placemark"):
        raise UnreadableZoneFileError("The file is XML but no KML: its root is another element.", _SEND)
    links = sum(_local(element) in _LINKS for element in root.iter())
    if links:
        remedy = (
            "Network links, overlays and models were not followed: only polygons, points and lines are read."
        )
        notes.warning(None, (), f"{links} links", remedy)
    marks = [element for element in root.iter() if _local(element) == "Placemark"]
    if len(marks) > MAX_FEATURES:
        raise TooLargeError(
            f"The file has {len(marks)} placemarks; at most {MAX_FEATURES} are read.", "Send only the zones."
        )
    if not marks:
        notes.warning(None, (), "0 placemarks", "There is no Placemark, and so no zone, in the file.")
    return [_Placemark(number, notes).read(mark) for number, mark in enumerate(marks, start=1)]


class _Builder(TreeBuilder):
    """Builds the tree while counting: a text of 50 MB can hold 12 million elements."""

    def __init__(self) -> None:
        super().__init__()
        self._elements = 0
        self._depth = 0

    def start(self, tag: str, attrs: dict[str, str]) -> Element:
        """One more element, one deeper."""
        self._elements += 1
        self._depth += 1
        if self._elements > MAX_XML_ELEMENTS:
            raise TooLargeError(f"The file has over {MAX_XML_ELEMENTS} XML elements.", "Send only the zones.")
        if self._depth > MAX_XML_DEPTH:
            raise TooLargeError(f"The XML is nested over {MAX_XML_DEPTH} deep.", _SEND)
        return super().start(tag, attrs)

    def end(self, tag: str) -> Element:
        """One less deep."""
        self._depth -= 1
        return super().end(tag)


def _parse(data: bytes) -> Element:
    parser = DefusedXMLParser(target=_Builder(), forbid_dtd=True, forbid_entities=True, forbid_external=True)
    try:
        for at in range(0, len(data), _FEED_BYTES):
            parser.feed(data[at : at + _FEED_BYTES])
        root: Element = parser.close()
    except DefusedXmlException as error:
        raise UnreadableZoneFileError(
            "The file has a document type or entities, which KML does not need and attacks are made of.",
            _SEND,
        ) from error
    except ParseError as error:
        line, column = error.position
        words = str(error).partition(":")[0]
        raise UnreadableZoneFileError(
            f"The file is no well-formed XML: {words} at line {line}, column {column}.", _SEND
        ) from error
    except (LookupError, ValueError) as error:
        # The encoding that the file declares is none that is known, or not the one it has.
        raise UnreadableZoneFileError(
            "The file's text is not in the encoding that it declares.", "Save it as UTF-8 and send it again."
        ) from error
    return root


def _local(element: Element) -> str:
    return element.tag.rpartition("}")[2]


def _children(element: Element, *names: str) -> Iterator[Element]:
    return (child for child in element if _local(child) in names)


def _text(element: Element | None) -> str:
    return (element.text or "").strip() if element is not None else ""


class _Placemark:
    """Reads one Placemark."""

    def __init__(self, candidate: int, notes: Notes) -> None:
        self._candidate = candidate
        self._notes = notes
        self._flat = 0
        self._path: Path = ("placemarks", candidate - 1)

    def read(self, mark: Element) -> Feature:
        """The feature; NOTHING where it has no geometry that can be read."""
        name, distance = read_attributes(_attributes(mark), self._candidate, self._path, self._notes)
        found = [item for child in _children(mark, *_GEOMETRIES) for item in _flattened(child)]
        polygons = [item for item in found if _local(item) == "Polygon"]
        points = [item for item in found if _local(item) == "Point"]
        if not found:
            remedy = "The placemark has no geometry and was left out."
            self._notes.warning(self._candidate, self._path, "no geometry", remedy)
            return Feature(self._path, "NOTHING", name, distance)
        if polygons:
            return self._polygons(polygons, len(found) - len(polygons), name, distance)
        if points:
            return self._point(points, len(found), name, distance)
        return self._lines(found, name, distance)

    def _lines(self, found: list[Element], name: str | None, distance: Distance | None) -> Feature:
        at = (*self._path, "coordinates")
        lines = [item for item in found if _local(item) in ("LineString", "LinearRing")]
        if not lines:
            remedy = "Tracks and models are not read: export them as a LineString, a Polygon or a Point."
            self._notes.error(self._candidate, at, _local(found[0]), remedy)
            return Feature(at, "NOTHING", name, distance)
        if others := len(found) - len(lines):
            remedy = "Tracks and models beside the lines were left out; export them as lines if they count."
            self._notes.warning(self._candidate, self._path, f"{others} left out", remedy)
        is_multi = len(lines) > 1
        read = [self._positions(line, (*at, index) if is_multi else at) for index, line in enumerate(lines)]
        if not all(map(len, read)):
            if not self._notes.has_failed(self._candidate):
                self._notes.error(self._candidate, at, "no positions", "The line has no coordinates.")
            read = []
        return Feature(at, "LINE", name, distance, lines=tuple(read), is_multi=is_multi, flat=self._flat)

    def _polygons(
        self, polygons: list[Element], others: int, name: str | None, distance: Distance | None
    ) -> Feature:
        if others:
            remedy = "Points and lines beside the polygons were left out; send them apart if they are zones."
            self._notes.warning(self._candidate, self._path, f"{others} left out", remedy)
        is_multi = len(polygons) > 1
        at = (*self._path, "coordinates")
        parts = tuple(
            self._rings(polygon, (*at, index) if is_multi else at) for index, polygon in enumerate(polygons)
        )
        kind: Kind = "POLYGON" if any(len(ring) for part in parts for ring in part) else "NOTHING"
        if kind == "NOTHING" and not self._notes.has_failed(self._candidate):
            self._notes.error(self._candidate, at, "no positions", "The polygon has no coordinates.")
        return Feature(at, kind, name, distance, parts, is_multi=is_multi, flat=self._flat)

    def _rings(self, polygon: Element, at: Path) -> tuple[Floats, ...]:
        outer = [
            ring for edge in _children(polygon, "outerBoundaryIs") for ring in _children(edge, "LinearRing")
        ]
        inner = [
            ring for edge in _children(polygon, "innerBoundaryIs") for ring in _children(edge, "LinearRing")
        ]
        if len(outer) != 1:
            remedy = "A Polygon has one outerBoundaryIs with one LinearRing."
            self._notes.error(self._candidate, at, f"{len(outer)} outer rings", remedy)
            return ()
        return tuple(self._positions(ring, (*at, index)) for index, ring in enumerate([*outer, *inner]))

    def _point(
        self, points: list[Element], count: int, name: str | None, distance: Distance | None
    ) -> Feature:
        at = (*self._path, "coordinates")
        if count != 1:
            remedy = "Give each point as a placemark of its own."
            self._notes.error(self._candidate, at, f"{count} geometries", remedy)
            return Feature(at, "NOTHING", name, distance)
        positions = self._positions(points[0], at)
        if len(positions) != 1:
            if not self._notes.has_failed(self._candidate):
                remedy = "A Point has one position lon,lat."
                self._notes.error(self._candidate, at, f"{len(positions)} positions", remedy)
            return Feature(at, "NOTHING", name, distance)
        lon, lat = positions[0].tolist()
        return Feature(at, "POINT", name, distance, position=(lon, lat), flat=self._flat)

    def _positions(self, holder: Element, at: Path) -> Floats:
        """The positions of `coordinates`; none where one of them is noted as wrong."""
        read: list[tuple[float, float]] = []
        bad = 0
        for index, triple in enumerate(_text(next(_children(holder, "coordinates"), None)).split()):
            numbers = triple.split(",")
            if len(numbers) < 2 or not all(_DECIMAL.fullmatch(number) for number in numbers):
                bad += 1
                remedy = "A position is lon,lat or lon,lat,height without spaces, with points for decimals."
                self._notes.error(self._candidate, (*at, index), triple, remedy)
                continue
            self._flat += len(numbers) > 2
            read.append((float(numbers[0]), float(numbers[1])))
        return np.array(read, dtype=np.float64) if read and not bad else np.empty((0, 2))


def _flattened(element: Element) -> Iterator[Element]:
    """The single geometries in a geometry."""
    if _local(element) == "MultiGeometry":
        for child in _children(element, *_GEOMETRIES):
            yield from _flattened(child)
    else:
        yield element


def _attributes(mark: Element) -> dict[str, str]:
    """`name` and the texts of ExtendedData: Data (name, value) and SchemaData's SimpleData."""
    attributes = {"name": _text(next(_children(mark, "name"), None))}
    for extended in _children(mark, "ExtendedData"):
        for data in _children(extended, "Data"):
            attributes.setdefault(data.get("name", ""), _text(next(_children(data, "value"), None)))
        for schema in _children(extended, "SchemaData"):
            for data in _children(schema, "SimpleData"):
                attributes.setdefault(data.get("name", ""), _text(data))
    return attributes
