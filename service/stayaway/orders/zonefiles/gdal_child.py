"""The only place where GDAL runs: one shapefile or GeoPackage in, records out, in a process of its own.

Started as a script, isolated (`python -I`), with an empty environment, in a private folder that holds the
one file under a name of ours. It confines itself first, unloads every driver but the two, and answers a
length, a JSON header and the geometries as WKB. Whoever reads the answer does not trust it.
"""

import json
import math
import sqlite3
import struct
import sys
from pathlib import Path
from typing import Any

if __name__ == "__main__":  # a script has no package: this is the folder that `stayaway` lies in
    sys.path.insert(0, str(Path(__file__).resolve().parents[3]))

from stayaway.orders.zonefiles.attributes_fields import is_read
from stayaway.orders.zonefiles.confine import EXIT_NOT_CONFINED, cut_off, limit_resources
from stayaway.orders.zonefiles.limits import (
    CHILD_CPU_S,
    CHILD_MEMORY_BYTES,
    CHILD_OUTPUT_BYTES,
    MAX_FEATURES,
)

DRIVERS = {"SHAPEFILE": "ESRI Shapefile", "GEOPACKAGE": "GPKG"}
FILE_NAMES = {"SHAPEFILE": "zones.shp", "GEOPACKAGE": "zones.gpkg"}
_HEADER_ROOM = 16 * 1024 * 1024
_UNDEFINED_SYSTEMS = (-1, 0)


class _Refused(Exception):  # noqa: N818 - a word of the protocol, not an error of ours
    """A code for the parent, which has the words."""


def main() -> None:
    """Answer for the format in argv[1]; the file lies in the working folder."""
    limit_resources(memory_bytes=CHILD_MEMORY_BYTES, cpu_s=CHILD_CPU_S, file_bytes=0, processes=1)
    if not cut_off():
        sys.exit(EXIT_NOT_CONFINED)
    kind = sys.argv[1]
    try:
        header, geometries = _read(kind, FILE_NAMES[kind])
    except _Refused as refusal:
        header, geometries = {"refused": str(refusal)}, []
    text = json.dumps(header).encode()
    sys.stdout.buffer.write(struct.pack("<I", len(text)) + text)
    for geometry in geometries:
        sys.stdout.buffer.write(geometry)
    sys.stdout.buffer.flush()


def _read(kind: str, path: str) -> tuple[dict[str, Any], list[bytes]]:
    layer = _check_geopackage(path) if kind == "GEOPACKAGE" else None
    # After the confinement, and here only: importing it starts GDAL.
    import pyogrio  # noqa: PLC0415
    from pyogrio.errors import DataLayerError, DataSourceError, FieldError, GeometryError  # noqa: PLC0415

    _keep_driver(pyogrio, DRIVERS[kind])
    try:
        return _read_layer(pyogrio, path, layer)
    except (DataSourceError, DataLayerError, FieldError, GeometryError) as error:
        raise _Refused("CANNOT_OPEN") from error


def _keep_driver(pyogrio: Any, wanted: str) -> None:
    """Unload all drivers but one: GDAL asks each whether a file is its own, and some fetch others."""
    import ctypes  # noqa: PLC0415 - beside GDAL, which it is for

    pyogrio.set_gdal_config_options(
        {
            "OGR_SQLITE_ALLOW_EXTERNAL_ACCESS": False,
            "OGR_SQLITE_LOAD_EXTENSIONS": None,
            "CPL_VSIL_CURL_ALLOWED_EXTENSIONS": "{none}",
            "GDAL_HTTP_MAX_RETRY": 0,
            "GDAL_NUM_THREADS": 1,
            "SHAPE_RESTORE_SHX": False,
        }
    )
    mapped = Path("/proc/self/maps").read_text(encoding="utf-8", errors="replace").splitlines()
    libraries = {line.split(maxsplit=5)[5] for line in mapped if "/libgdal" in line}
    if len(libraries) != 1:
        raise _Refused("NOT_CONFINED")
    gdal = ctypes.CDLL(libraries.pop())
    gdal.GDALGetDriver.restype = ctypes.c_void_p
    gdal.GDALGetDescription.argtypes = [ctypes.c_void_p]
    gdal.GDALGetDescription.restype = ctypes.c_char_p
    gdal.GDALDeregisterDriver.argtypes = [ctypes.c_void_p]
    for driver in [gdal.GDALGetDriver(index) for index in range(gdal.GDALGetDriverCount())]:
        if gdal.GDALGetDescription(driver) != wanted.encode():
            gdal.GDALDeregisterDriver(driver)
    if set(pyogrio.list_drivers()) != {wanted} or gdal.GDALGetDriverCount() != 1:
        raise _Refused("NOT_CONFINED")


def _check_geopackage(path: str) -> str:
    """The one layer of features; refused where it is a view, which could compute for ever."""
    try:
        # The path is ours. immutable: no lock, no journal, nothing written.
        with sqlite3.connect(f"file:{path}?mode=ro&immutable=1", uri=True) as base:
            base.execute("PRAGMA trusted_schema = OFF")
            kinds = dict(base.execute("SELECT lower(name), type FROM sqlite_master"))
            statements = dict(base.execute("SELECT lower(name), sql FROM sqlite_master WHERE type = 'table'"))
            if kinds.get("gpkg_contents") != "table" or kinds.get("gpkg_geometry_columns") != "table":
                raise _Refused("NO_LAYER")
            layers = [
                row[0]
                for row in base.execute(
                    "SELECT table_name FROM gpkg_contents WHERE data_type = 'features' LIMIT 100"
                )
            ]
            if len(layers) != 1 or not isinstance(layers[0], str):
                raise _Refused("NO_LAYER" if not layers else "SEVERAL_LAYERS")
            name = layers[0].lower()
            if kinds.get(name) != "table" or "virtual" in str(statements[name]).lower().split("(")[0]:
                raise _Refused("VIEW")
            return layers[0]
    except (sqlite3.Error, UnicodeDecodeError) as error:
        raise _Refused("CANNOT_OPEN") from error


def _read_layer(pyogrio: Any, path: str, layer: str | None) -> tuple[dict[str, Any], list[bytes]]:
    info = pyogrio.read_info(path, layer=layer, force_feature_count=True)
    if info["features"] > MAX_FEATURES:
        raise _Refused("TOO_MANY_FEATURES")
    columns = [str(name) for name in info["fields"] if is_read(str(name))]
    are_names_lost = False
    options = {"layer": layer, "max_features": MAX_FEATURES + 1}
    try:
        meta, _, geometries, fields = pyogrio.raw.read(path, columns=columns, **options)
    except UnicodeDecodeError:
        # The table's text is not in the encoding that it states: the zones are still there.
        are_names_lost = True
        meta, _, geometries, fields = pyogrio.raw.read(path, columns=[], **options)
    records = [] if geometries is None else list(geometries)
    if len(records) > MAX_FEATURES:
        raise _Refused("TOO_MANY_FEATURES")
    if sum(len(record) for record in records if record) > CHILD_OUTPUT_BYTES - _HEADER_ROOM:
        raise _Refused("TOO_MANY_VERTICES")
    names = [str(name) for name in meta["fields"]]
    header = {
        "crs": meta["crs"],
        "lengths": [-1 if record is None else len(record) for record in records],
        "fields": {
            name: [_plain(value) for value in column] for name, column in zip(names, fields, strict=True)
        },
        "are_names_lost": are_names_lost,
    }
    return header, [record for record in records if record]


def _plain(value: Any) -> str | float | None:
    if isinstance(value, str):
        return value[:1024]
    try:
        number = float(value)
    except (TypeError, ValueError):
        return None
    return number if math.isfinite(number) else None


if __name__ == "__main__":
    main()
