"""GeoJSON (RFC 7946) into features. Read as JSON, never by GDAL, which follows what a file points to."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from stayaway.kernel.jsontext import NotJsonError
from stayaway.kernel.repeated import RepeatedName, parse_telling_repeats
from stayaway.orders.findings import MISSING, Path
from stayaway.orders.zonefiles.attributes import read_attributes
from stayaway.orders.zonefiles.geojson_crs import read_crs_member
from stayaway.orders.zonefiles.geojson_geometry import GEOMETRY_TYPES, GeometryReader, note_bbox
from stayaway.orders.zonefiles.limits import MAX_FEATURES, MAX_JSON_BRACKETS
from stayaway.orders.zonefiles.model import Feature, TooLargeError, UnreadableZoneFileError
from stayaway.orders.zonefiles.notes import Notes

_BOM = b"\xef\xbb\xbf"
_SEND = "Export the layer as GeoJSON (RFC 7946) again."
# RFC 7946 section 7.1: a member that another type defines may not appear with another meaning.
_FOREIGN_TO_FEATURE = ("features", "coordinates", "geometries")
_FOREIGN_TO_COLLECTION = ("coordinates", "geometries", "geometry", "properties")

_ROOTS: dict[type, str] = {list: "a list", str: "a text", bool: "true or false", type(None): "null"}


@dataclass(frozen=True, slots=True)
class GeoJson:
    """What a GeoJSON text holds. `crs_text`: what its `crs` member names, None for WGS 84 lon/lat."""

    features: list[Feature]
    crs_text: str | None


def read_geojson(data: bytes, notes: Notes) -> GeoJson:
    """The features of a text; UnreadableZoneFileError where it is no GeoJSON at all."""
    document, repeated = _parse(data.removeprefix(_BOM))
    if data.startswith(_BOM):
        notes.info(None, (), "byte order mark", "It was passed over; RFC 8259 has none in JSON.")
    for name in repeated:
        notes.error(None, name.path, list(name.values), name.words)
    kind = _root_kind(document)
    crs_text = read_crs_member(document, notes) if "crs" in document else None
    if kind == "FeatureCollection":
        note_bbox(document, None, (), notes)
    features = [
        _read_feature(value, number, path, notes)
        for number, (path, value) in enumerate(_features(document, kind, notes), start=1)
    ]
    return GeoJson(features, crs_text)


def _parse(data: bytes) -> tuple[Any, list[RepeatedName]]:
    if data.count(b"[") + data.count(b"{") > MAX_JSON_BRACKETS:
        raise TooLargeError(
            "The file has far more positions than a zone file may have.",
            "Send only the zones, or simplify them.",
        )
    try:
        return parse_telling_repeats(data)
    except NotJsonError as error:
        raise UnreadableZoneFileError(f"The file is no JSON: {_reason(error)}.", _SEND) from error


def _reason(error: NotJsonError) -> str:
    cause = error.__cause__
    if isinstance(cause, json.JSONDecodeError):
        return f"{cause.msg} at line {cause.lineno}, column {cause.colno}"
    if isinstance(cause, UnicodeDecodeError):
        return f"byte {cause.start} is not UTF-8"
    return str(cause) if isinstance(cause, NotJsonError) else str(error)


def _root_kind(document: Any) -> str:
    if not isinstance(document, dict):
        root = _ROOTS.get(type(document), "a number")
        raise UnreadableZoneFileError(
            f"The file is JSON but no GeoJSON: its root is {root}, not an object.", _SEND
        )
    kind = document.get("type", MISSING)
    if kind in ("FeatureCollection", "Feature", *GEOMETRY_TYPES) and isinstance(kind, str):
        return kind
    if kind == "Topology":
        words = "The file is TopoJSON, not GeoJSON."
    elif "rings" in document or "spatialReference" in document:
        words = "The file is Esri JSON, not GeoJSON."
    elif document.get("schema") == "orders.v1":
        words = "The file is an orders file, not a zone file."
    elif kind is MISSING:
        words = "The file is JSON but no GeoJSON: it has no `type`."
    elif isinstance(kind, str) and kind.casefold() in ("featurecollection", "feature"):
        words = "The file's `type` is spelt with other capitals than FeatureCollection or Feature."
    else:
        words = "The file is JSON but no GeoJSON: its `type` is none of GeoJSON's."
    raise UnreadableZoneFileError(words, _SEND)


def _features(document: dict[str, Any], kind: str, notes: Notes) -> Iterator[tuple[Path, Any]]:
    if kind == "Feature":
        yield (), document
    elif kind != "FeatureCollection":
        # A bare geometry: RFC 7946 section 3 allows it as a text.
        yield (), _Bare(document)
    else:
        yield from _collection(document, notes)


def _collection(document: dict[str, Any], notes: Notes) -> Iterator[tuple[Path, Any]]:
    for name in _FOREIGN_TO_COLLECTION:
        if name in document:
            notes.error(None, (name,), document[name], "A FeatureCollection has no such member; remove it.")
    items = document.get("features", MISSING)
    if not isinstance(items, list):
        notes.error(None, ("features",), items, "A FeatureCollection has a list of features.")
        return
    if len(items) > MAX_FEATURES:
        raise TooLargeError(
            f"The file has {len(items)} features; at most {MAX_FEATURES} are read.", "Send only the zones."
        )
    if not items:
        notes.warning(None, ("features",), items, "The list of features is empty: there is no zone in it.")
    for index, item in enumerate(items):
        yield ("features", index), item


@dataclass(frozen=True, slots=True)
class _Bare:
    """A geometry that no feature wraps."""

    geometry: dict[str, Any] = field(repr=False)


def _read_feature(value: Any, number: int, path: Path, notes: Notes) -> Feature:
    reader = GeometryReader(number, notes)
    if isinstance(value, _Bare):
        return reader.read(value.geometry, path, None, None)
    if not isinstance(value, dict):
        notes.error(number, path, value, "A feature is an object with type, properties and geometry.")
        return Feature(path, "NOTHING")
    _check_members(value, number, path, notes)
    properties = value.get("properties")
    attributes = properties if isinstance(properties, dict) else {}
    name, distance = read_attributes(attributes, number, (*path, "properties"), notes)
    geometry = value.get("geometry", MISSING)
    if geometry is None:
        notes.warning(number, (*path, "geometry"), None, "The feature has no geometry and was left out.")
        return Feature(path, "NOTHING", name, distance)
    if not isinstance(geometry, dict):
        notes.error(number, (*path, "geometry"), geometry, "Give a geometry object, or null for none.")
        return Feature(path, "NOTHING", name, distance)
    return reader.read(geometry, (*path, "geometry"), name, distance)


def _check_members(value: dict[str, Any], number: int, path: Path, notes: Notes) -> None:
    """RFC 7946 sections 3.2 and 7.1."""
    if value.get("type", MISSING) != "Feature":
        remedy = 'Each item of `features` has the type "Feature".'
        notes.error(number, (*path, "type"), value.get("type", MISSING), remedy)
    properties = value.get("properties", MISSING)
    if properties is not None and not isinstance(properties, dict):
        remedy = "A feature has `properties`: an object, or null for none."
        notes.error(number, (*path, "properties"), properties, remedy)
    identity = value.get("id", "")
    if isinstance(identity, bool) or not isinstance(identity, str | int | float):
        notes.error(number, (*path, "id"), identity, "An `id` is a text or a number; leave it out otherwise.")
    for name in _FOREIGN_TO_FEATURE:
        if name in value:
            notes.error(number, (*path, name), value[name], "A Feature has no such member; remove it.")
    note_bbox(value, number, path, notes)
