"""Which format a file has, from its content; its name only tells where the two disagree."""

import re
from collections.abc import Callable
from pathlib import PurePath

from stayaway.orders.zonefiles.model import FORMAT_WORDS, Format, UnreadableZoneFileError
from stayaway.orders.zonefiles.notes import Notes

_OFFERED = (
    "Send GeoJSON, KML, KMZ, a shapefile with its .shp, .shx, .dbf and .prj in one zip, a GeoPackage,"
    " or a CSV of points."
)
_SUFFIXES: dict[str, tuple[Format, ...]] = {
    ".geojson": ("GEOJSON",),
    ".json": ("GEOJSON",),
    ".kml": ("KML",),
    ".kmz": ("KMZ",),
    ".zip": ("SHAPEFILE", "KMZ"),
    ".shz": ("SHAPEFILE",),
    ".gpkg": ("GEOPACKAGE",),
    ".csv": ("CSV",),
    ".txt": ("CSV",),
    ".tsv": ("CSV",),
}
# The first bytes of files that clerks send by mistake, and what they are.
_OTHERS: tuple[tuple[bytes, str, str], ...] = (
    (b"\x00\x00\x27\x0a", "the .shp of a shapefile alone", "Zip it with its .shx, .dbf and .prj."),
    (b"%PDF", "a PDF", "Ask the court or county for the map's data."),
    (b"\x1f\x8b", "a gzip archive", "Unpack it and send what is in it."),
    (b"7z\xbc\xaf\x27\x1c", "a 7-Zip archive", "Pack the files as .zip."),
    (b"Rar!", "a RAR archive", "Pack the files as .zip."),
    (b"BZh", "a bzip2 archive", "Unpack it and send what is in it."),
    (b"\xd0\xcf\x11\xe0", "an old Office document", "Save the sheet as CSV (UTF-8)."),
    (b"fgb\x03", "FlatGeobuf", "Export the layer as GeoPackage or GeoJSON."),
    (b"\x89PNG", "a picture", "A picture has no coordinates: send the map's data."),
    (b"\xff\xd8\xff", "a picture", "A picture has no coordinates: send the map's data."),
    (b"II*\x00", "a TIFF", "A picture has no zones: send the map's data."),
    (b"MM\x00*", "a TIFF", "A picture has no zones: send the map's data."),
)
_SQLITE = b"SQLite format 3\x00"
_APPLICATION_ID_AT = 68
# The application ids of GeoPackage 1.2 and later, 1.0 and 1.1 (OGC 12-128r19, requirement 2).
_GEOPACKAGE_IDS = (b"GPKG", b"GP10", b"GP11")
_FIRST_ELEMENT = re.compile(rb"<(?![?!])(?:[A-Za-z_][\w.-]*:)?([A-Za-z_][\w.-]*)")
_XML_OTHERS = {
    b"OGRVRTDataSource": "a GDAL virtual file, which only points to other data",
    b"VRTDataset": "a GDAL virtual file, which only points to other data",
    b"gpx": "a GPX track",
    b"FeatureCollection": "GML",
    b"html": "a web page",
    b"svg": "an SVG drawing",
    b"osm": "OpenStreetMap data",
}
_PEEK = 4096


def recognise(data: bytes) -> Format:
    """The format of `data`. UnreadableZoneFileError names what it is instead, where that is known."""
    if not data.strip():
        raise UnreadableZoneFileError("The file is empty.", _OFFERED)
    if data.startswith(b"PK"):
        return _recognise_zip(data)
    if data.startswith(_SQLITE):
        if data[_APPLICATION_ID_AT : _APPLICATION_ID_AT + 4] in _GEOPACKAGE_IDS:
            return "GEOPACKAGE"
        raise UnreadableZoneFileError("The file is an SQLite database but no GeoPackage.", _OFFERED)
    for magic, words, remedy in _OTHERS:
        if data.startswith(magic):
            raise UnreadableZoneFileError(f"The file is {words}.", remedy)
    return _recognise_text(data)


def _recognise_text(data: bytes) -> Format:
    head = data[:_PEEK]
    if head.startswith((b"\xff\xfe", b"\xfe\xff")):
        # UTF-16 with its mark: XML may be so, JSON and CSV may not.
        text = head[: len(head) // 2 * 2].decode("utf-16", errors="replace")
        if text.lstrip().startswith("<"):
            return _recognise_xml(text.encode())
        raise UnreadableZoneFileError(
            "The file is written in UTF-16.", "Save it as UTF-8 (in Excel: CSV UTF-8) and send it again."
        )
    text_head = head.removeprefix(b"\xef\xbb\xbf").lstrip()
    if text_head[:1] in (b"{", b"[", b"<") and text_head[1:2] == b"\x00":
        raise UnreadableZoneFileError("The file is written in UTF-16 without its mark.", "Save it as UTF-8.")
    if text_head.startswith(b"<"):
        return _recognise_xml(head)
    if text_head[:1] in (b"{", b"["):
        return "GEOJSON"
    if b"\x00" in head:
        raise UnreadableZoneFileError("The file's format is not known.", _OFFERED)
    first_line = text_head.splitlines()[0] if text_head else b""
    if any(separator in first_line for separator in (b",", b";", b"\t")) or b"lon" in first_line.lower():
        return "CSV"
    # A text that is none of these is judged as JSON, whose words say what is wrong with it.
    return "GEOJSON"


def _recognise_xml(head: bytes) -> Format:
    found = _FIRST_ELEMENT.search(head)
    root = found.group(1) if found else b""
    if root in _XML_OTHERS:
        raise UnreadableZoneFileError(f"The file is {_XML_OTHERS[root]}.", _OFFERED)
    return "KML"


def _recognise_zip(data: bytes) -> Format:
    # Names only; `zips` checks the archive before anything is unpacked.
    from stayaway.orders.zonefiles.zips import list_names  # noqa: PLC0415 - zips knows formats' names too

    names = [name.lower() for name in list_names(data)]
    kinds: tuple[tuple[Callable[[str], bool], Format | str], ...] = (
        (lambda name: name.endswith(".shp"), "SHAPEFILE"),
        (lambda name: name.endswith(".kml"), "KMZ"),
        (lambda name: ".gdb/" in name, "an Esri file geodatabase"),
        (lambda name: name.startswith("xl/"), "an Excel workbook"),
        (lambda name: name.startswith("word/"), "a Word document"),
        (lambda name: name.endswith((".geojson", ".json", ".gpkg", ".csv")), "a zip around another file"),
        (lambda name: name.endswith((".zip", ".kmz")), "a zip in a zip"),
    )
    for is_kind, kind in kinds:
        if any(is_kind(name) for name in names):
            if kind in ("SHAPEFILE", "KMZ"):
                return "SHAPEFILE" if kind == "SHAPEFILE" else "KMZ"
            raise UnreadableZoneFileError(f"The file is {kind}.", f"Send what is in it. {_OFFERED}")
    raise UnreadableZoneFileError("The zip holds neither a shapefile nor a KML.", _OFFERED)


def note_other_name(found: Format, file_name: str | None, notes: Notes) -> None:
    """Warn where the name promises another format than the content has."""
    suffix = PurePath(file_name or "").suffix.lower()
    expected = _SUFFIXES.get(suffix)
    if suffix and (expected is None or found not in expected):
        notes.warning(
            None,
            (),
            suffix,
            f"The name says {suffix}, the content is {FORMAT_WORDS[found]}; it was read as that."
            " Check that it is the right file.",
        )
