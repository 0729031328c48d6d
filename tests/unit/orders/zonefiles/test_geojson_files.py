"""GeoJSON files: what is taken, what is said about it, and what is refused with a pointer to it."""

import json
from typing import Any

import pytest

from stayaway.orders.zonefiles.limits import MAX_FEATURES, MAX_UPLOAD_BYTES, MAX_VERTICES
from support.zone_files import (
    HUNDRED_YARDS,
    PHOENIX,
    geojson,
    polygon,
    read,
    refusal,
    remedies,
    square,
)

LON, LAT = PHOENIX


def _one(geometry: Any, **options: Any) -> list[tuple[str, str]]:
    """Pointers and remedies of the errors about one geometry."""
    report = read(json.dumps(geometry).encode(), **options)
    return [(finding.pointer, finding.remedy) for finding in report.findings if finding.severity == "ERROR"]


def test_every_ring_is_normalised_and_that_is_said() -> None:
    """Winding, heights and repeated positions change nothing but are told."""
    plain = read(geojson(polygon(square()))).candidates[0].geometry
    ring = [[lon, lat, 5.0] for lon, lat in reversed(square())]
    ring.insert(2, ring[2])
    report = read(geojson(polygon(ring)))
    assert report.usable[0].geometry is not None
    assert plain is not None
    assert sorted(report.usable[0].geometry["coordinates"][0]) == sorted(plain["coordinates"][0])
    said = " ".join(remedies(report, "INFO"))
    assert all(words in said for words in ("Heights", "Repeated positions", "counter-clockwise"))


@pytest.mark.parametrize(
    ("ring", "pointer", "words"),
    [
        (square()[:-1], "/coordinates/0/3", "Close the ring"),
        (square()[:2] + square()[:1], "/coordinates/0", "four positions"),
        ([square()[0]] * 5, "/coordinates/0", "three different"),
        (
            [square()[0], square()[1], square()[0], square()[1], square()[0]],
            "/coordinates/0",
            "three different",
        ),
        ([[lat, lon] for lon, lat in square()], "/coordinates/0/0", "swapped"),
        ([*square()[:2], [LON, 90.0002], *square()[3:]], "/coordinates/0/2", "just over the pole"),
        ([*square()[:2], [190.0, LAT], *square()[3:]], "/coordinates/0/2", "Longitude must be"),
        ([*square()[:2], [LON, "33"], *square()[3:]], "/coordinates/0/2", "without quotes"),
        ([*square()[:2], [LON, True], *square()[3:]], "/coordinates/0/2", "without quotes"),
        ([*square()[:2], None, *square()[3:]], "/coordinates/0/2", "A position is"),
        ([[lon * 111_319, lat * 111_319] for lon, lat in square()], "/coordinates/0/0", "metres or feet"),
        ([[LON, LAT], [LON + 1e-9, LAT], [LON, LAT + 1e-9], [LON, LAT]], "/coordinates", "shrinks"),
    ],
)
def test_each_fault_of_a_ring_has_its_place_and_its_words(ring: Any, pointer: str, words: str) -> None:
    """The pointer leads into the file."""
    found = _one({"type": "Polygon", "coordinates": [ring]})
    assert any(at == pointer and words in text for at, text in found), found


def test_all_faults_are_collected() -> None:
    """Two bad rings and a bad feature: three places, and the good feature stays usable."""
    report = read(geojson(polygon(square()[:-1], square()[:3]), {"type": "Point"}, polygon(square())))
    pointers = [finding.pointer for finding in report.findings]
    assert "/features/0/geometry/coordinates/0/3" in pointers
    assert "/features/0/geometry/coordinates/1" in pointers
    assert "/features/1/geometry/coordinates" in pointers
    assert [candidate.number for candidate in report.usable] == [3]


def test_a_thousand_faults_are_counted_not_listed() -> None:
    """The report stays readable, and says that there is more."""
    report = read(geojson(polygon([[LON, 95.0]] * 5_000)))
    assert len(report.findings) < 60
    report = read(geojson(*[{"type": "Point", "coordinates": ["x"]}] * 2_000))
    assert len(report.findings) == 1_001
    assert "more findings" in report.findings[-1].value


@pytest.mark.parametrize("text", ["NaN", "Infinity", "-Infinity"])
def test_numbers_that_are_no_json_are_refused(text: str) -> None:
    """As RFC 8259 has it."""
    data = geojson(polygon(square())).replace(b"33.42", text.encode(), 1)
    assert "is not JSON" in refusal(data)


def test_a_number_without_end_is_refused_in_its_place() -> None:
    """1e400 is JSON, and no coordinate."""
    found = read(geojson(polygon(square())).replace(b"33.42", b"1e400", 1)).findings
    assert any(finding.value == '"infinite"' for finding in found)


def test_a_point_at_0_0_is_a_warning() -> None:
    """It may be meant, in tests of software; hardly elsewhere."""
    report = read(geojson({"type": "Point", "coordinates": [0, 0]}), distance=HUNDRED_YARDS)
    assert any("Atlantic" in text for text in remedies(report, "WARNING"))


@pytest.mark.parametrize(
    "name", ["urn:ogc:def:crs:OGC:1.3:CRS84", "EPSG:4326", "urn:ogc:def:crs:EPSG::4326", "OGC:CRS84"]
)
def test_a_crs_member_that_names_wgs84_is_passed_over(name: str) -> None:
    """And the report says that the numbers were read as lon, lat."""
    report = read(geojson(polygon(square()), crs={"type": "name", "properties": {"name": name}}))
    assert len(report.usable) == 1
    assert any("no `crs` member" in text for text in remedies(report, "INFO"))


def test_a_crs_member_that_names_another_system_is_believed_and_said() -> None:
    """Web Mercator metres, converted, with a warning."""
    x, y = -12_459_935.67, 3_954_000.0
    crs = {"type": "name", "properties": {"name": "urn:ogc:def:crs:EPSG::3857"}}
    report = read(geojson(polygon(square(x, y, 500.0)), crs=crs))
    (candidate,) = report.usable
    assert report.crs.code == "EPSG:3857"
    assert candidate.geometry is not None
    assert candidate.geometry["coordinates"][0][0][0] == pytest.approx(LON, abs=1e-3)
    assert any("was believed" in text for text in remedies(report, "WARNING"))


@pytest.mark.parametrize(
    ("crs", "words"),
    [
        ({"type": "link", "properties": {"href": "http://127.0.0.1:9/crs"}}, "a link is not followed"),
        ({"type": "name", "properties": {"name": "/etc/passwd"}}, "not known"),
        ({"type": "name", "properties": {"name": "EPSG:999999"}}, "not known"),
        (
            {"type": "name", "properties": {"name": "+proj=longlat +nadgrids=@http://127.0.0.1:9/x"}},
            "not known",
        ),
        ("EPSG:4326", "names no coordinate system"),
        ({"type": "name", "properties": {"name": "EPSG:2263"}}, "look like degrees"),
    ],
)
def test_a_crs_member_that_names_nothing_known_is_refused(crs: Any, words: str) -> None:
    """Its numbers could mean anything."""
    assert words in refusal(geojson(polygon(square()), crs=crs))


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "empty"),
        (b"  \n", "empty"),
        (b'{"type":"Topology","objects":{}}', "TopoJSON"),
        (b'{"rings":[],"spatialReference":{}}', "Esri JSON"),
        (b'{"schema":"orders.v1","orders":[]}', "orders file"),
        (b'{"type":"FeatureCollection","features":[]', "no JSON"),
        (geojson(polygon(square())).decode().encode("utf-16"), "UTF-16"),
        (geojson(polygon(square())).decode().encode("utf-16-le"), "UTF-16"),
        (b'{"type":"Feature\xff"}', "not UTF-8"),
        (b"[" * 100_000, "nested too deep"),
        (b'{"type":"FeatureCollection","features":' + b"[" * 600 + b"]" * 600 + b"}", "nested too deep"),
        (b"%PDF-1.7", "a PDF"),
        (b"\x00\x00\x27\x0a" + bytes(96), ".shp of a shapefile alone"),
        (b"\x1f\x8b\x08", "gzip"),
        (b"\x00\x01\x02\x03" * 10, "format is not known"),
    ],
)
def test_what_is_no_geojson_is_told_for_what_it_is(data: bytes, words: str) -> None:
    """Each in its own words, with what to send."""
    assert words in refusal(data)


def test_a_byte_order_mark_is_passed_over_and_said() -> None:
    """Windows programs write it."""
    report = read(b"\xef\xbb\xbf" + geojson(polygon(square())))
    assert len(report.usable) == 1
    assert any("passed over" in text for text in remedies(report, "INFO"))


def test_a_member_given_twice_leaves_nothing_usable() -> None:
    """Two readers would read two files."""
    data = geojson(polygon(square())).replace(b'"coordinates"', b'"coordinates": [], "coordinates"')
    report = read(data)
    assert not report.usable
    (finding,) = [item for item in report.findings if item.severity == "ERROR"]
    assert finding.pointer == "/features/0/geometry/coordinates"
    assert "Write each name once." in finding.remedy


def test_another_name_than_the_content_is_said() -> None:
    """GeoJSON named .kml is read as GeoJSON."""
    report = read(geojson(polygon(square())), file_name="zones.kml")
    assert len(report.usable) == 1
    assert any("The name says .kml" in text for text in remedies(report, "WARNING"))


def test_collections_of_polygons_are_one_zone() -> None:
    """Points beside them are left out with a word."""
    collection = {
        "type": "GeometryCollection",
        "geometries": [
            polygon(square()),
            {"type": "Point", "coordinates": [LON, LAT]},
            polygon(square(lat=34.0)),
        ],
    }
    report = read(geojson(collection))
    (candidate,) = report.usable
    assert candidate.geometry is not None
    assert candidate.geometry["type"] == "MultiPolygon"
    assert any("left out" in text for text in remedies(report, "WARNING"))


# ---------------------------------------------------------------- limits


def _ring(vertices: int) -> list[list[float]]:
    step = 0.01 / vertices
    return [[LON + index * step, LAT] for index in range(vertices - 2)] + [[LON, LAT + 0.01], [LON, LAT]]


def test_a_million_vertices_are_refused_in_words() -> None:
    """Before they are parsed."""
    assert "positions" in refusal(geojson(polygon(_ring(1_000_000))))


def test_too_many_vertices_in_one_zone_or_in_all_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each limit in its own words."""
    monkeypatch.setattr("stayaway.orders.zonefiles.rings.MAX_ZONE_VERTICES", 100)
    assert any("at most" in text for text in remedies(read(geojson(polygon(_ring(101))))))
    assert len(read(geojson(polygon(_ring(100)))).usable) == 1
    monkeypatch.setattr("stayaway.orders.zonefiles.read.MAX_VERTICES", 150)
    assert "at most 150" in refusal(geojson(polygon(_ring(100)), polygon(_ring(100))))
    assert MAX_VERTICES >= 411_137


def test_too_many_features_or_bytes_are_refused() -> None:
    """A parcel layer sent by mistake."""
    features = b",".join([b"null"] * (MAX_FEATURES + 1))
    assert "features" in refusal(b'{"type":"FeatureCollection","features":[' + features + b"]}")
    assert "MB" in refusal(bytes(MAX_UPLOAD_BYTES + 1))
