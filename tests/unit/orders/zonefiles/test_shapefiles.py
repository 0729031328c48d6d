"""Shapefiles: several files that must agree."""

import struct
import time

import pytest

from stayaway.orders.zonefiles.limits import MAX_FEATURES
from support.zone_files import (
    bowtie,
    read,
    read_or_refusal,
    refusal,
    remedies,
    shapefile_parts,
    square,
    zipped,
)


def test_a_shapefile_gives_zones_with_their_names() -> None:
    """UTF-8 names are kept although no .cpg says that they are."""
    report = read(zipped(shapefile_parts([square(), square(side=0.02)], names=["Alpha School", "Ñandú"])))
    assert report.format == "SHAPEFILE"
    assert [candidate.name for candidate in report.usable] == ["Alpha School", "Ñandú"]


def _parts(**changed: bytes | None) -> bytes:
    parts: dict[str, bytes | None] = {**shapefile_parts([square(), square(side=0.02)])}
    parts.update({f"zones.{suffix}": content for suffix, content in changed.items()})
    return zipped({name: content for name, content in parts.items() if content is not None})


def _patched(suffix: str, at: int, value: bytes) -> bytes:
    content = bytearray(shapefile_parts([square(), square(side=0.02)])[f"zones.{suffix}"])
    content[at : at + len(value)] = value
    return bytes(content)


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"prj": None}, "no .prj"),
        ({"prj": b"hello"}, "coordinate system is not known"),
        ({"prj": b"\xff\xfe\x00"}, "no text"),
        ({"prj": b"x" * 20_000}, "too long"),
        ({"prj": b'GEOGCS["x",EXTENSION["PROJ4","+proj=longlat +nadgrids=/etc/passwd"]]'}, "grid file"),
        ({"prj": b'LOCAL_CS["building",UNIT["metre",1]]'}, "no known place"),
        ({"shx": None}, "no .shx"),
        ({"shx": b"short"}, "no part of a shapefile"),
        ({"shp": b"short"}, "no part of a shapefile"),
        ({"shx": _patched("shx", 100, struct.pack(">i", 10_000))}, "index is wrong"),
        ({"shx": _patched("shx", 104, struct.pack(">i", 2**30))}, "index is wrong"),
        ({"shx": _patched("shx", 108, struct.pack(">i", 50))}, "names a record twice"),
        ({"shp": _patched("shp", 24, struct.pack(">i", 2**30))}, "cut off"),
        ({"shp": _patched("shp", 32, struct.pack("<i", 31))}, "MultiPatch"),
        ({"dbf": b"short"}, ".dbf is cut off"),
        ({"dbf": _patched("dbf", 4, struct.pack("<I", 3))}, "3 rows"),
        ({"dbf": _patched("dbf", 10, struct.pack("<H", 60_000))}, ".dbf is cut off"),
    ],
)
def test_a_shapefile_whose_files_disagree_is_refused(changed: dict[str, bytes | None], words: str) -> None:
    """Or one court's zone could go under another's name."""
    assert words in refusal(_parts(**changed))


def test_a_shapefile_whose_record_lies_about_its_points_is_refused_or_explained() -> None:
    """A record that claims two billion points takes neither memory nor time."""
    began_at = time.monotonic()
    data = _parts(shp=_patched("shp", 100 + 8 + 40, struct.pack("<i", 2**31 - 1)))
    found = read_or_refusal(data)
    assert isinstance(found, str) or not found.candidates[0].is_usable
    assert time.monotonic() - began_at < 60


def test_a_shapefile_without_a_table_has_zones_without_names() -> None:
    """That is said."""
    report = read(_parts(dbf=None))
    assert [candidate.name for candidate in report.usable] == [None, None]
    assert any("no .dbf" in text for text in remedies(report, "INFO"))


def test_too_many_records_are_refused_by_the_index_alone() -> None:
    """No child is started for them."""
    parts = shapefile_parts([square()])
    entry = parts["zones.shx"][100:108]
    shx = bytearray(parts["zones.shx"][:100] + entry * (MAX_FEATURES + 1))
    struct.pack_into(">i", shx, 24, len(shx) // 2)
    assert "records" in refusal(zipped({**parts, "zones.shx": bytes(shx)}))


def test_a_repair_is_offered_for_a_crossing_outline_in_a_shapefile() -> None:
    """The same road as for GeoJSON."""
    data = zipped(shapefile_parts([bowtie()]))
    (candidate,) = read(data).candidates
    assert (candidate.is_usable, candidate.repair is not None) == (False, True)
    assert read(data, accepted_repairs=frozenset({1})).usable
