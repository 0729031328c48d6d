"""A zipped shapefile: what of it is handed to GDAL, and whether its files agree with each other.

Esri, "ESRI Shapefile Technical Description" (July 1998). GDAL believes the index; one that lies would draw
one court's zone under another's name, so the three files are compared first.
"""

import struct
from typing import Final

import numpy as np

from stayaway.orders.zonefiles.gdal import Layer, read_layer
from stayaway.orders.zonefiles.limits import MAX_CRS_BYTES, MAX_FEATURES
from stayaway.orders.zonefiles.model import TooLargeError, UnreadableZoneFileError
from stayaway.orders.zonefiles.notes import Notes
from stayaway.orders.zonefiles.zips import Archive

_HEADER_BYTES: Final = 100
_FILE_CODE: Final = 9994
_MULTIPATCH: Final = 31
_EXPORT = "Export the layer again and zip all its files."
_PARTS: Final = (".shp", ".shx", ".dbf", ".cpg")


def read_shapefile(data: bytes, notes: Notes) -> tuple[Layer, str]:
    """The layer, and the text of its .prj."""
    archive = Archive(data)
    files = _files(archive)
    missing = [suffix for suffix in (".shx", ".prj") if suffix not in files]
    if ".prj" in missing:
        raise UnreadableZoneFileError(
            "The shapefile has no .prj, so its coordinate system is unknown.",
            "Zip the .prj with it; the office that made the file has it.",
        )
    if missing:
        raise UnreadableZoneFileError("The shapefile has no .shx, the index of its .shp.", _EXPORT)
    _check(files)
    if ".dbf" not in files:
        notes.info(None, (), ".dbf", "The shapefile has no .dbf: the zones have no names.")
    elif ".cpg" not in files and _is_utf8(files[".dbf"]):
        # Without a .cpg GDAL takes names to be ISO 8859-1, which would garble them.
        files[".cpg"] = b"UTF-8"
    layer = read_layer(
        "SHAPEFILE", {f"zones{suffix}": files[suffix] for suffix in _PARTS if suffix in files}, notes
    )
    return layer, _prj_text(files[".prj"])


def _files(archive: Archive) -> dict[str, bytes]:
    """The files of the only shapefile, by suffix."""
    stems = [name[: -len(".shp")] for name in archive.names if name.lower().endswith(".shp")]
    if len(stems) != 1:
        raise UnreadableZoneFileError(
            f"The zip holds {len(stems)} shapefiles.", "Zip the files of the zones' layer alone."
        )
    wanted = {f"{stems[0]}{suffix}".casefold(): suffix for suffix in (*_PARTS, ".prj")}
    return {
        wanted[name.casefold()]: archive.unpack(name) for name in archive.names if name.casefold() in wanted
    }


def _check(files: dict[str, bytes]) -> None:
    shp, shx = files[".shp"], files[".shx"]
    for content, suffix in ((shp, ".shp"), (shx, ".shx")):
        if len(content) < _HEADER_BYTES or struct.unpack_from(">i", content)[0] != _FILE_CODE:
            raise UnreadableZoneFileError(f"The {suffix} in the zip is no part of a shapefile.", _EXPORT)
        # Lengths are in 16-bit words.
        if struct.unpack_from(">i", content, 24)[0] * 2 > len(content):
            raise UnreadableZoneFileError(f"The {suffix} is cut off.", _EXPORT)
    if struct.unpack_from("<i", shp, 32)[0] == _MULTIPATCH:
        raise UnreadableZoneFileError(
            "The shapefile holds 3-D surfaces (MultiPatch).", "Export plain polygons."
        )
    index = np.frombuffer(shx, dtype=">i4", offset=_HEADER_BYTES, count=(len(shx) - _HEADER_BYTES) // 8 * 2)
    starts, lengths = (index.reshape(-1, 2).astype(np.int64) * 2).T
    if len(starts) > MAX_FEATURES:
        raise TooLargeError(
            f"The shapefile has {len(starts)} records; at most {MAX_FEATURES} are read.",
            "Send only the zones.",
        )
    _check_index(shp, starts.tolist(), lengths.tolist())
    _check_table(files.get(".dbf"), len(starts))


def _check_index(shp: bytes, starts: list[int], lengths: list[int]) -> None:
    seen = set(starts)
    for start, length in zip(starts, lengths, strict=True):
        is_inside = start >= _HEADER_BYTES and length >= 4 and start + 8 + length <= len(shp)
        if not is_inside or struct.unpack_from(">i", shp, start + 4)[0] * 2 != length:
            raise UnreadableZoneFileError("The .shx does not fit the .shp: its index is wrong.", _EXPORT)
    if len(seen) < len(starts):
        raise UnreadableZoneFileError("The .shx does not fit the .shp: it names a record twice.", _EXPORT)


def _check_table(dbf: bytes | None, records: int) -> None:
    if dbf is None:
        return
    if len(dbf) < 32:
        raise UnreadableZoneFileError("The .dbf is cut off.", _EXPORT)
    rows, header_bytes, row_bytes = struct.unpack_from("<IHH", dbf, 4)
    if rows != records:
        raise UnreadableZoneFileError(
            f"The .dbf has {rows} rows and the .shp {records} records: names do not fit zones.",
            _EXPORT,
        )
    if header_bytes + rows * row_bytes > len(dbf) + 1:
        raise UnreadableZoneFileError("The .dbf is cut off.", _EXPORT)


def _is_utf8(dbf: bytes) -> bool:
    """Whether the rows have other letters than ASCII's and are UTF-8, which ISO 8859-1 hardly ever is."""
    rows = dbf[struct.unpack_from("<H", dbf, 8)[0] :]
    try:
        rows.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return not rows.isascii()


def _prj_text(content: bytes) -> str:
    if len(content) > MAX_CRS_BYTES:
        raise TooLargeError("The .prj is too long for a coordinate system.", _EXPORT)
    try:
        return content.decode("utf-8-sig").strip()
    except UnicodeDecodeError as error:
        raise UnreadableZoneFileError("The .prj is no text.", _EXPORT) from error
