"""Shapefile and GeoPackage into features, through the confined child; its answer is checked like a file."""

import struct
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Final

import msgspec
import numpy as np
import shapely

from stayaway.orders.findings import Path as Steps
from stayaway.orders.zonefiles.attributes import read_attributes
from stayaway.orders.zonefiles.children import Cause, ChildFailedError, python_command, run_child
from stayaway.orders.zonefiles.limits import (
    CHILD_OUTPUT_BYTES,
    CHILD_WALL_S,
    MAX_FEATURES,
    MAX_VERTICES,
)
from stayaway.orders.zonefiles.model import (
    FORMAT_WORDS,
    Feature,
    Floats,
    Format,
    TooLargeError,
    UnreadableZoneFileError,
)
from stayaway.orders.zonefiles.notes import Notes

_CHILD: Final = Path(__file__).with_name("gdal_child.py")
_LENGTH = struct.Struct("<I")
_EXPORT = "Export the layer again, or send it as GeoJSON."
_REFUSALS: Final = {
    "CANNOT_OPEN": ("is damaged: it cannot be opened.", _EXPORT),
    "NO_LAYER": ("has no layer of features.", "Export the zones' layer."),
    "SEVERAL_LAYERS": ("has several layers of features.", "Export the zones' layer alone."),
    "VIEW": ("has a view instead of a table of features.", "Export the zones to a plain table."),
    "TOO_MANY_FEATURES": (f"has over {MAX_FEATURES} features.", "Send only the zones."),
    "TOO_MANY_VERTICES": (f"has over {MAX_VERTICES} positions.", "Send only the zones, or simplify them."),
    "NOT_CONFINED": (
        "cannot be read safely on this machine.",
        "Send the layer as GeoJSON; tell the operator.",
    ),
}
_FAILURES: Final[dict[Cause, tuple[str, str]]] = {
    "TIME": (f"took more than the {CHILD_WALL_S} s or the computing time allowed.", _EXPORT),
    "OUTPUT": ("holds more than can be read.", "Send only the zones, or simplify them."),
    "NOT_CONFINED": _REFUSALS["NOT_CONFINED"],
    "DIED": ("stopped its reader: it is damaged, hostile or needs too much memory.", _EXPORT),
}
_ONLY = "Only polygons, points and lines are read; export curves and collections as one of these."
_TOO_LARGE: Final = ("TOO_MANY_FEATURES", "TOO_MANY_VERTICES")
_POLYGONS: Final = (shapely.GeometryType.POLYGON, shapely.GeometryType.MULTIPOLYGON)
_POINTS: Final = (shapely.GeometryType.POINT, shapely.GeometryType.MULTIPOINT)
_LINES: Final = (shapely.GeometryType.LINESTRING, shapely.GeometryType.MULTILINESTRING)


class _Header(msgspec.Struct, forbid_unknown_fields=True):
    """What the child says before the geometries; a length of -1: no geometry."""

    crs: str | None = None
    lengths: list[int] = msgspec.field(default_factory=list)
    fields: dict[str, list[str | float | None]] = msgspec.field(default_factory=dict)
    are_names_lost: bool = False
    refused: str | None = None


class Layer(msgspec.Struct, frozen=True):
    """The features of a layer, and its coordinate system as GDAL has it: EPSG:n, WKT or None."""

    features: list[Feature]
    crs_text: str | None


def read_layer(kind: Format, files: dict[str, bytes], notes: Notes) -> Layer:
    """The layer in `files`, which get these names in a private folder; UnreadableZoneFileError else."""
    with tempfile.TemporaryDirectory(prefix="stayaway-") as name:
        folder = Path(name)
        for file_name, content in files.items():
            (folder / file_name).write_bytes(content)
        try:
            answer = run_child(
                [*python_command(_CHILD), kind],
                b"",
                folder=folder,
                wall_s=CHILD_WALL_S,
                output_bytes=CHILD_OUTPUT_BYTES,
            )
        except ChildFailedError as error:
            raise _unreadable(kind, *_FAILURES[error.cause]) from error
    header, records = _split(kind, answer)
    if header.are_names_lost:
        remedy = "The names are not in the encoding that the file states and were left out: type them."
        notes.warning(None, (), "names", remedy)
    return Layer([_feature(header, index, record, notes) for index, record in enumerate(records)], header.crs)


def _unreadable(kind: Format, words: str, remedy: str, *, is_large: bool = False) -> UnreadableZoneFileError:
    refusal = TooLargeError if is_large else UnreadableZoneFileError
    return refusal(f"The {FORMAT_WORDS[kind]} {words}", remedy)


def _split(kind: Format, answer: bytes) -> tuple[_Header, list[bytes | None]]:
    """The header and the geometries, where the answer is what was agreed."""
    try:
        (length,) = _LENGTH.unpack_from(answer)
        header = msgspec.json.decode(answer[_LENGTH.size : _LENGTH.size + length], type=_Header)
    except (struct.error, msgspec.DecodeError, RecursionError) as error:
        raise _unreadable(kind, *_FAILURES["DIED"]) from error
    if header.refused is not None:
        words = _REFUSALS.get(header.refused, _FAILURES["DIED"])
        raise _unreadable(kind, *words, is_large=header.refused in _TOO_LARGE)
    at = _LENGTH.size + length
    count = len(header.lengths)
    is_sound = (
        count <= MAX_FEATURES
        and all(size >= -1 for size in header.lengths)
        and sum(max(size, 0) for size in header.lengths) == len(answer) - at
        and all(len(column) == count for column in header.fields.values())
    )
    if not is_sound:
        raise _unreadable(kind, *_FAILURES["DIED"])
    records: list[bytes | None] = []
    for size in header.lengths:
        records.append(None if size < 0 else answer[at : at + size])
        at += max(size, 0)
    return header, records


def _feature(header: _Header, index: int, record: bytes | None, notes: Notes) -> Feature:
    candidate = index + 1
    path: Steps = ("records", index)
    attributes = {name: column[index] for name, column in header.fields.items()}
    name, distance = read_attributes(attributes, candidate, path, notes)
    nothing = Feature((*path, "coordinates"), "NOTHING", name, distance)
    if record is None:
        notes.warning(candidate, path, None, "The record has no geometry and was left out.")
        return nothing
    try:
        # Numbers that are none are noted where rings are checked.
        with np.errstate(invalid="ignore"):
            geometry = shapely.from_wkb(record)
    except NotImplementedError:
        notes.error(candidate, path, "a curve", _ONLY)
        return nothing
    except shapely.errors.GEOSException as error:
        reason = str(error).partition(":")[2].strip()[:80] or "unknown kind"
        notes.error(candidate, path, reason, "The record's geometry is broken; draw it again.")
        return nothing
    if geometry.is_empty:
        notes.error(candidate, path, "empty", "The record's geometry is empty.")
        return nothing
    return _with_geometry(nothing, geometry, candidate, notes)


def _with_geometry(bare: Feature, geometry: shapely.Geometry, candidate: int, notes: Notes) -> Feature:
    kind = shapely.GeometryType(shapely.get_type_id(geometry))
    flat = int(shapely.get_num_coordinates(geometry)) if shapely.has_z(geometry) else 0
    if kind in _POLYGONS:
        parts = tuple(_rings(part) for part in shapely.get_parts(geometry))
        is_multi = kind is shapely.GeometryType.MULTIPOLYGON
        return replace(bare, kind="POLYGON", parts=parts, is_multi=is_multi, flat=flat)
    if kind in _LINES:
        lines = tuple(shapely.get_coordinates(part) for part in shapely.get_parts(geometry))
        is_multi = kind is shapely.GeometryType.MULTILINESTRING
        return replace(bare, kind="LINE", lines=lines, is_multi=is_multi, flat=flat)
    if kind not in _POINTS:
        notes.error(candidate, bare.pointer, kind.name, _ONLY)
        return bare
    positions = shapely.get_coordinates(geometry)
    if len(positions) != 1:
        remedy = "Give each point as a record of its own."
        notes.error(candidate, bare.pointer, f"{len(positions)} points", remedy)
        return bare
    x, y = positions[0].tolist()
    return replace(bare, kind="POINT", position=(x, y), flat=flat)


def _rings(polygon: shapely.Polygon) -> tuple[Floats, ...]:
    return tuple(shapely.get_coordinates(ring) for ring in shapely.get_rings(polygon))
