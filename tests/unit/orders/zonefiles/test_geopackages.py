"""GeoPackages: a database that somebody else wrote, of which tables of features count and nothing else."""

import os
import struct
import subprocess
from pathlib import Path

import pytest
import shapely

from stayaway.orders.zonefiles import gdal
from support.zone_files import PHOENIX, geopackage, read, read_or_refusal, refusal, remedies, square

SQUARE_WKB: bytes = shapely.Polygon(square()).wkb


def test_a_geopackage_gives_zones_with_their_names(tmp_path: Path) -> None:
    """A record without geometry and a point without distance are explained."""
    wkb = [
        SQUARE_WKB,
        None,
        shapely.Point(*PHOENIX).wkb,
        shapely.force_3d(shapely.Polygon(square()), 5.0).wkb,
    ]
    report = read(geopackage(tmp_path / "a.gpkg", wkb), file_name="zones.gpkg")
    assert report.format == "GEOPACKAGE"
    assert [candidate.name for candidate in report.usable] == ["zone 1", "zone 4"]
    assert any("no geometry" in text for text in remedies(report, "WARNING"))
    assert any("needs the distance" in text for text in remedies(report))
    assert any("Heights" in text for text in remedies(report, "INFO"))


_FOR_EVER = "WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c)"


@pytest.mark.parametrize(
    ("statement", "words"),
    [
        ("ALTER TABLE zones RENAME TO z; CREATE VIEW zones AS SELECT * FROM z;", "a view"),
        (
            f"ALTER TABLE zones RENAME TO z; CREATE VIEW zones AS {_FOR_EVER} SELECT z.* FROM z, c;",
            "a view",
        ),
        (
            f"ALTER TABLE gpkg_contents RENAME TO z;\nCREATE VIEW gpkg_contents AS {_FOR_EVER} SELECT 1;",
            "no layer",
        ),
        (
            "INSERT INTO gpkg_contents SELECT 'b', 'features', 'b', '', '', 0, 0, 0, 0, 4326;",
            "several layers",
        ),
        ("DELETE FROM gpkg_contents;", "no layer"),
        ("DROP TABLE gpkg_geometry_columns;", "no layer"),
        ("DROP TABLE zones;", "a view"),
    ],
)
def test_a_geopackage_that_computes_or_lacks_its_tables_is_refused(
    tmp_path: Path, statement: str, words: str
) -> None:
    """Tables of features only: a view could compute for ever, or differ between two looks."""
    assert words in refusal(geopackage(tmp_path / "a.gpkg", [SQUARE_WKB], statements=[statement]))


def test_a_trigger_does_nothing(tmp_path: Path) -> None:
    """Nothing is ever written, so nothing fires."""
    trigger = "CREATE TRIGGER t AFTER INSERT ON zones BEGIN DELETE FROM zones; END;"
    assert len(read(geopackage(tmp_path / "a.gpkg", [SQUARE_WKB], statements=[trigger])).usable) == 1


@pytest.mark.parametrize("srs", [-1, 0, 99_999])
def test_a_geopackage_without_a_known_system_is_refused(tmp_path: Path, srs: int) -> None:
    """Its numbers could be anywhere."""
    words = refusal(geopackage(tmp_path / "a.gpkg", [SQUARE_WKB], srs=srs))
    assert "coordinate system" in words


@pytest.mark.parametrize("size", [100, 4_000, 12_000, 30_000])
def test_a_geopackage_that_breaks_off_is_refused(tmp_path: Path, size: int) -> None:
    """As damaged, wherever it ends."""
    data = geopackage(tmp_path / "a.gpkg", [SQUARE_WKB] * 500)
    assert size < len(data)
    assert "GeoPackage" in refusal(data[:size])


@pytest.mark.parametrize(
    ("wkb", "words"),
    [
        (struct.pack("<BIII", 1, 3, 1, 0xFFFFFFF0), None),
        (struct.pack("<BII", 1, 6, 0x7FFFFFFF) + SQUARE_WKB, None),
        (struct.pack("<BIII", 1, 3, 1, 4) + struct.pack("<8d", 0, 0, 1, 0, 1, 1, 0, 1), "closed"),
        (struct.pack("<BII", 1, 16, 0), None),
        (
            struct.pack("<BIII", 1, 3, 1, 4) + struct.pack("<8d", 0, 0, 1, 0, float("nan"), 1, 0, 0),
            "not finite",
        ),
        (
            struct.pack("<BIII", 1, 3, 1, 4) + struct.pack("<8d", 0, 0, 1, 0, float("inf"), 1, 0, 0),
            "infinite",
        ),
        (struct.pack("<BI", 1, 3), None),
        (b"\x01", None),
        (b"", None),
    ],
)
def test_a_broken_geometry_is_refused_or_explained(tmp_path: Path, wkb: bytes, words: str | None) -> None:
    """Huge counts, open rings, numbers that are none: never a zone, never a crash of ours."""
    data = geopackage(tmp_path / "a.gpkg", [wkb])
    found = read_or_refusal(data)
    if isinstance(found, str):
        assert words is None, found
        return
    assert not found.usable
    assert words is None or any(words in finding.value for finding in found.findings)


def test_a_database_that_is_no_geopackage_is_told(tmp_path: Path) -> None:
    """By its application id."""
    data = geopackage(tmp_path / "a.gpkg", [SQUARE_WKB], statements=["PRAGMA application_id = 1;"])
    assert "no GeoPackage" in refusal(data)


def test_a_geopackage_that_computes_for_ever_is_stopped(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """GDAL asks a table of the format that is an endless view: the child is killed, in words."""
    monkeypatch.setattr(gdal, "CHILD_WALL_S", 6)
    view = (
        f"CREATE VIEW gpkg_extensions AS {_FOR_EVER} SELECT 'a' AS table_name, 'b' AS column_name, 'c' AS"
        " extension_name, 'd' AS definition, 'e' AS scope FROM c WHERE x < 0;"
    )
    assert "computing time" in refusal(geopackage(tmp_path / "a.gpkg", [SQUARE_WKB], statements=[view]))
    left = subprocess.run(["pgrep", "-f", "gdal_child.py GEOPACKAGE"], capture_output=True, check=False)
    mine = [pid for pid in left.stdout.split() if _parent_of(int(pid)) == os.getpid()]
    assert mine == []


def _parent_of(pid: int) -> int:
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8")
    except FileNotFoundError:
        return -1
    return int(stat.rpartition(")")[2].split()[1])
