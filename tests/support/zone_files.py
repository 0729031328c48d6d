"""Zone files made for tests: invented places, honest and hostile."""

import io
import json
import sqlite3
import struct
import zipfile
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import pytest
import shapefile

from stayaway.orders.zonefiles.model import (
    Distance,
    ReadOptions,
    UnreadableZoneFileError,
    ZoneFileReport,
)
from stayaway.orders.zonefiles.read import read_zone_file

FIXTURES = Path(__file__).resolve().parents[2] / "fixtures" / "sources"
PHOENIX = (-111.93, 33.42)

WGS84_PRJ = (
    'GEOGCS["GCS_WGS_1984",DATUM["D_WGS_1984",SPHEROID["WGS_1984",6378137.0,298.257223563]],'
    'PRIMEM["Greenwich",0.0],UNIT["Degree",0.0174532925199433]]'
)


def square(lon: float = PHOENIX[0], lat: float = PHOENIX[1], side: float = 0.01) -> list[list[float]]:
    """A closed counter-clockwise ring."""
    return [[lon, lat], [lon + side, lat], [lon + side, lat + side], [lon, lat + side], [lon, lat]]


def bowtie() -> list[list[float]]:
    """A ring that crosses itself at (-111.925, 33.425)."""
    lon, lat = PHOENIX
    return [[lon, lat], [lon + 0.01, lat + 0.01], [lon + 0.01, lat], [lon, lat + 0.01], [lon, lat]]


def polygon(*rings: Sequence[Sequence[float]]) -> dict[str, Any]:
    return {"type": "Polygon", "coordinates": [list(ring) for ring in rings]}


def geojson(*geometries: Any, names: Sequence[Any] = (), **members: Any) -> bytes:
    """A FeatureCollection of the geometries."""
    features = [
        {
            "type": "Feature",
            "properties": {"name": names[index]} if index < len(names) else {},
            "geometry": geometry,
        }
        for index, geometry in enumerate(geometries)
    ]
    return json.dumps({"type": "FeatureCollection", "features": features, **members}).encode()


def kml(body: str, head: str = "") -> bytes:
    return f'{head}<kml xmlns="http://www.opengis.net/kml/2.2"><Document>{body}</Document></kml>'.encode()


def kml_polygon(ring: Iterable[Sequence[float]], name: str = "") -> str:
    text = " ".join(",".join(map(repr, position)) for position in ring)
    return (
        f"<Placemark><name>{name}</name><Polygon><outerBoundaryIs><LinearRing><coordinates>{text}"
        "</coordinates></LinearRing></outerBoundaryIs></Polygon></Placemark>"
    )


def kml_line(*lines: Iterable[Sequence[float]], attributes: str = "") -> str:
    """A placemark of one line, or of several in a MultiGeometry; `attributes`: more elements of it."""
    texts = [" ".join(",".join(map(repr, position)) for position in line) for line in lines]
    drawn = "".join(f"<LineString><coordinates>{text}</coordinates></LineString>" for text in texts)
    return (
        f"<Placemark>{attributes}<MultiGeometry>{drawn}</MultiGeometry></Placemark>"
        if len(lines) > 1
        else f"<Placemark>{attributes}{drawn}</Placemark>"
    )


def zipped(entries: dict[str, bytes], *, method: int = zipfile.ZIP_DEFLATED) -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", method) as archive:
        for name, content in entries.items():
            archive.writestr(name, content)
    return target.getvalue()


def shapefile_parts(
    rings: Sequence[Sequence[Sequence[float]]],
    *,
    prj: str | None = WGS84_PRJ,
    names: Sequence[str] = (),
    shape_type: int = shapefile.POLYGON,
) -> dict[str, bytes]:
    """The files of a shapefile with one polygon a ring."""
    shp, shx, dbf = io.BytesIO(), io.BytesIO(), io.BytesIO()
    with shapefile.Writer(shp=shp, shx=shx, dbf=dbf, shapeType=shape_type) as writer:
        writer.field("NAME", "C", 60)
        for index, ring in enumerate(rings):
            writer.poly([list(map(list, ring))])
            writer.record(names[index] if index < len(names) else f"zone {index + 1}")
    parts = {"zones.shp": shp.getvalue(), "zones.shx": shx.getvalue(), "zones.dbf": dbf.getvalue()}
    return parts if prj is None else {**parts, "zones.prj": prj.encode()}


def shapefile_lines(*records: Sequence[Sequence[Sequence[float]]], prj: str = WGS84_PRJ) -> dict[str, bytes]:
    """The files of a shapefile with one record of lines each."""
    shp, shx, dbf = io.BytesIO(), io.BytesIO(), io.BytesIO()
    with shapefile.Writer(shp=shp, shx=shx, dbf=dbf, shapeType=shapefile.POLYLINE) as writer:
        writer.field("NAME", "C", 60)
        for index, lines in enumerate(records, start=1):
            writer.line([list(map(list, line)) for line in lines])
            writer.record(f"street {index}")
    parts = {"zones.shp": shp.getvalue(), "zones.shx": shx.getvalue(), "zones.dbf": dbf.getvalue()}
    return {**parts, "zones.prj": prj.encode()}


def geodanet(name: str) -> bytes:
    """A real shapefile in Arizona State Plane US feet, zipped."""
    folder = FIXTURES / "geodanet"
    return zipped({path.name: path.read_bytes() for path in sorted(folder.glob(f"{name}.*"))})


def geopackage(
    path: Path,
    wkb: Sequence[bytes | None],
    *,
    srs: int = 4326,
    statements: Sequence[str] = (),
) -> bytes:
    """A GeoPackage made by hand (OGC 12-128r19); `statements` run last, to make it hostile."""
    with sqlite3.connect(path) as base:
        base.executescript(_GEOPACKAGE)
        base.execute("UPDATE gpkg_contents SET srs_id = ?", (srs,))
        base.execute("UPDATE gpkg_geometry_columns SET srs_id = ?", (srs,))
        for index, geometry in enumerate(wkb):
            blob = None if geometry is None else b"GP\x00\x01" + struct.pack("<i", srs) + geometry
            base.execute("INSERT INTO zones (geom, name) VALUES (?, ?)", (blob, f"zone {index + 1}"))
        for statement in statements:
            base.executescript(statement)
    base.close()
    return path.read_bytes()


_GEOPACKAGE = """
PRAGMA application_id = 0x47504B47;
PRAGMA user_version = 10300;
CREATE TABLE gpkg_spatial_ref_sys (srs_name TEXT NOT NULL, srs_id INTEGER PRIMARY KEY, organization TEXT
  NOT NULL, organization_coordsys_id INTEGER NOT NULL, definition TEXT NOT NULL, description TEXT);
INSERT INTO gpkg_spatial_ref_sys VALUES
  ('WGS 84', 4326, 'EPSG', 4326, 'GEOGCS["WGS 84",DATUM["WGS_1984",SPHEROID["WGS 84",6378137,
    298.257223563]],PRIMEM["Greenwich",0],UNIT["degree",0.0174532925199433],AUTHORITY["EPSG","4326"]]', ''),
  ('Undefined Cartesian', -1, 'NONE', -1, 'undefined', ''),
  ('Undefined geographic', 0, 'NONE', 0, 'undefined', '');
CREATE TABLE gpkg_contents (table_name TEXT PRIMARY KEY, data_type TEXT NOT NULL, identifier TEXT, description
  TEXT, last_change TEXT, min_x DOUBLE, min_y DOUBLE, max_x DOUBLE, max_y DOUBLE, srs_id INTEGER);
INSERT INTO gpkg_contents VALUES ('zones', 'features', 'zones', '', '2026-03-06T20:15:00.000Z',
  -180, -90, 180, 90, 4326);
CREATE TABLE gpkg_geometry_columns (table_name TEXT, column_name TEXT, geometry_type_name TEXT,
  srs_id INTEGER, z TINYINT, m TINYINT);
INSERT INTO gpkg_geometry_columns VALUES ('zones', 'geom', 'GEOMETRY', 4326, 2, 2);
CREATE TABLE zones (fid INTEGER PRIMARY KEY, geom BLOB, name TEXT);
"""


def read(data: bytes, **options: Any) -> ZoneFileReport:
    """The report, with no progress asked for."""
    return read_zone_file(data, ReadOptions(**options))


def refusal(data: bytes, **options: Any) -> str:
    """The words with which the whole file is refused."""
    with pytest.raises(UnreadableZoneFileError) as caught:
        read(data, **options)
    assert caught.value.remedy, caught.value.message
    return str(caught.value)


def read_or_refusal(data: bytes, **options: Any) -> ZoneFileReport | str:
    """The report, or the words with which the file is refused; anything else is raised."""
    try:
        return read(data, **options)
    except UnreadableZoneFileError as error:
        return str(error) if error.remedy else "no remedy"


def remedies(report: ZoneFileReport, severity: str = "ERROR") -> list[str]:
    return [finding.remedy for finding in report.findings if finding.severity == severity]


HUNDRED_YARDS = Distance(100, "YD")
