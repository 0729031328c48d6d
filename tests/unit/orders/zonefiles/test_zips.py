"""A clerk's zip is unpacked within limits; what no honest zip has is refused, each in its own words."""

import io
import stat
import struct
import zipfile
import zlib

import pytest

from stayaway.orders.zonefiles import zips
from stayaway.orders.zonefiles.limits import MAX_UNPACKED_BYTES, MAX_ZIP_ENTRIES
from support.zone_files import kml, kml_polygon, read, refusal, shapefile_parts, square, zipped

GOOD = shapefile_parts([square()])


def _with_entry(info: zipfile.ZipInfo, content: bytes = b"x") -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, part in GOOD.items():
            archive.writestr(name, part)
        archive.writestr(info, content)
    return target.getvalue()


def test_an_ordinary_zip_is_read_also_from_a_folder_in_it() -> None:
    """Names in a folder and what macOS adds change nothing."""
    inner = {f"layer/{name}": part for name, part in GOOD.items()}
    data = zipped({**inner, "__MACOSX/layer/._zones.shp": b"junk", "layer/readme.txt": b"hello"})
    assert len(read(data).usable) == 1


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("../zones.txt", "`..`"),
        ("a/../../etc/passwd", "`..`"),
        ("/etc/passwd", "absolute"),
        ("C:/windows/a.txt", "absolute"),
        ("..\\..\\a.txt", "backslash"),
        ("more.zip", "another archive"),
        ("more.KMZ", "another archive"),
        ("more.tar.gz", "another archive"),
        ("zones.SHP", "two entries of one name"),
    ],
)
def test_paths_that_lead_out_and_archives_inside_are_refused(name: str, words: str) -> None:
    """The whole zip is refused, not only the entry: an honest one has nothing of the kind."""
    info = zipfile.ZipInfo("placeholder")
    info.filename = name
    assert words in refusal(_with_entry(info))


@pytest.mark.parametrize(
    ("kind", "words"),
    [(stat.S_IFLNK, "symbolic link"), (stat.S_IFIFO, "no plain file"), (stat.S_IFCHR, "no plain")],
)
def test_links_and_devices_are_refused(kind: int, words: str) -> None:
    """A link could point at any file of ours."""
    info = zipfile.ZipInfo("zones.cpg")
    info.create_system = 3
    info.external_attr = (kind | 0o777) << 16
    assert words in refusal(_with_entry(info, b"/etc/passwd"))


def test_an_archive_under_another_name_is_refused() -> None:
    """Nested by content, too: the bytes of a zip as a .prj."""
    assert "archive under another name" in refusal(zipped({**GOOD, "zones.prj": zipped({"a": b"b"})}))


def test_a_bomb_by_ratio_is_refused_before_it_is_unpacked() -> None:
    """A thousandfold entry: the list alone tells."""
    data = zipped({**GOOD, "zones.dbf": bytes(30 * 1024 * 1024)})
    assert "zip bomb" in refusal(data)


def test_an_entry_larger_than_it_claims_is_stopped_while_it_is_unpacked() -> None:
    """The list says 10 bytes and the stream holds 30 MB: what comes out is what counts."""
    content = bytes(30 * 1024 * 1024)
    data = bytearray(zipped({"doc.kml": content}))
    size = struct.pack("<I", len(content))
    lie = struct.pack("<I", 10)
    assert data.count(size) == 2
    words = refusal(bytes(data.replace(size, lie)))
    assert "damaged" in words or "zip bomb" in words


def test_overlapping_entries_are_refused() -> None:
    """Fifield's bomb: many entries of the list lead to one packed kernel."""
    data = zipped({"doc.kml": kml(kml_polygon(square()))})
    at = data.index(b"PK\x01\x02")
    end = data.index(b"PK\x05\x06")
    entry = data[at:end]
    twin = entry.replace(b"doc.kml", b"abc.kml")
    tail = bytearray(data[end:])
    struct.pack_into("<HHL", tail, 8, 2, 2, len(entry) + len(twin))
    assert "overlap" in refusal(data[:at] + entry + twin + bytes(tail))


def test_too_many_entries_are_refused_from_the_count_alone() -> None:
    """The list of entries is not even read."""
    data = zipped({f"{index}.txt": b"" for index in range(MAX_ZIP_ENTRIES + 1)})
    assert "entries" in refusal(data)
    lying = bytearray(data)
    struct.pack_into("<HH", lying, len(data) - 22 + 8, 1, 1)
    assert "entries" in refusal(bytes(lying))


def test_more_than_the_unpacked_limit_in_all_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """The sum over entries counts, not each alone."""
    monkeypatch.setattr(zips, "MAX_UNPACKED_BYTES", 1000)
    assert "unpacked" in refusal(zipped({**GOOD, "zones.prj": b"x" * 900}))
    assert MAX_UNPACKED_BYTES >= 100 * 1024 * 1024


def test_passwords_other_methods_and_zip64_are_refused() -> None:
    """Each in its own words."""
    protected = bytearray(zipped(GOOD))
    protected[protected.index(b"PK\x01\x02") + 8] |= 1
    assert "password" in refusal(bytes(protected))
    assert "Deflate" in refusal(zipped(GOOD, method=zipfile.ZIP_LZMA))
    data = zipped(GOOD)
    large = bytearray(data)
    struct.pack_into("<HH", large, len(data) - 22 + 8, 0xFFFF, 0xFFFF)
    assert "Zip64" in refusal(bytes(large))


@pytest.mark.parametrize("share", [0.1, 0.5, 0.9, 0.99])
def test_a_zip_that_breaks_off_is_refused(share: float) -> None:
    """As damaged, at whatever place."""
    data = zipped(GOOD)
    assert "damaged" in refusal(data[: int(len(data) * share)])


def test_a_flipped_bit_is_found() -> None:
    """The checksum of each entry that is read is compared."""
    data = bytearray(zipped(GOOD, method=zipfile.ZIP_STORED))
    at = bytes(data).index(GOOD["zones.shp"][100:140])
    data[at + 20] ^= 1
    assert "damaged" in refusal(bytes(data))
    assert zlib.crc32(b"") == 0


@pytest.mark.parametrize(
    ("entries", "words"),
    [
        ({}, "neither a shapefile nor a KML"),
        ({"a.txt": b"x"}, "neither a shapefile nor a KML"),
        ({"xl/workbook.xml": b"x"}, "Excel"),
        ({"county.gdb/a00000001.gdbtable": b"x"}, "geodatabase"),
        ({"zones.geojson": b"{}"}, "a zip around another file"),
        ({"zones.zip": zipped({"a.shp": b""})}, "a zip in a zip"),
        ({"a.kml": b"x", "b.kml": b"x"}, "2 KML files"),
        ({**GOOD, "other.shp": b"x"}, "2 shapefiles"),
    ],
)
def test_zips_of_other_things_are_named(entries: dict[str, bytes], words: str) -> None:
    """What it is, and what to send instead."""
    assert words in refusal(zipped(entries))
