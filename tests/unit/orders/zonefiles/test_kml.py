"""KML and KMZ: read without entities, links or a document type, in whatever encoding it declares."""

import pytest

from stayaway.orders.zonefiles import kml as kml_module
from support.zone_files import (
    HUNDRED_YARDS,
    PHOENIX,
    bowtie,
    kml,
    kml_polygon,
    read,
    refusal,
    remedies,
    square,
    zipped,
)

POINT = f"<Point><coordinates>{PHOENIX[0]},{PHOENIX[1]},0</coordinates></Point>"


def test_a_placemark_is_a_candidate_with_its_name() -> None:
    """Polygon with a hole, in folders."""
    lon, lat = PHOENIX
    hole = " ".join(f"{x},{y}" for x, y in square(lon + 0.002, lat + 0.002, 0.001))
    body = kml_polygon(square(), "Alpha School").replace(
        "</Polygon>",
        f"<innerBoundaryIs><LinearRing><coordinates>{hole}</coordinates></LinearRing></innerBoundaryIs></Polygon>",
    )
    (candidate,) = read(kml(f"<Folder><Folder>{body}</Folder></Folder>"), file_name="a.kml").usable
    assert candidate.name == "Alpha School"
    assert candidate.geometry is not None
    assert [len(ring) for ring in candidate.geometry["coordinates"]] == [5, 5]


def test_distances_come_from_extended_data() -> None:
    """Both of KML's ways to carry attributes."""
    data = (
        "<ExtendedData><Data name='distance_value'><value>100</value></Data>"
        "<SchemaData><SimpleData name='distance_unit'>yards</SimpleData></SchemaData></ExtendedData>"
    )
    (candidate,) = read(kml(f"<Placemark>{data}{POINT}</Placemark>")).usable
    assert candidate.distance == HUNDRED_YARDS


def test_a_label_point_beside_polygons_is_left_out_with_a_word() -> None:
    """Several polygons are one zone."""
    two = kml_polygon(square()) + kml_polygon(square(lat=33.5))
    inner = two.replace("<Placemark><name></name>", "").replace("</Placemark>", "")
    report = read(kml(f"<Placemark><MultiGeometry>{POINT}{inner}</MultiGeometry></Placemark>"))
    assert report.usable[0].geometry is not None
    assert report.usable[0].geometry["type"] == "MultiPolygon"
    assert any("left out" in text for text in remedies(report, "WARNING"))


@pytest.mark.parametrize(
    ("inner", "words"),
    [
        ("<LineString><coordinates>1,2</coordinates></LineString>", "two or more different positions"),
        ("<LineString/>", "no coordinates"),
        ("<LineString><coordinates>1,2 3;4</coordinates></LineString>", "without spaces"),
        ("<Track><coord>1 2 0</coord></Track>", "Tracks and models are not read"),
        ("<Point><coordinates>1,2 3,4</coordinates></Point>", "one position"),
        ("<Point><coordinates></coordinates></Point>", "one position"),
        ("<Point><coordinates>1, 2</coordinates></Point>", "without spaces"),
        ("<Point><coordinates>1;2</coordinates></Point>", "without spaces"),
        ("<Point><coordinates>NaN,2</coordinates></Point>", "without spaces"),
        ("<Point><coordinates>0x10,2</coordinates></Point>", "without spaces"),
        ("<Point><coordinates>1_0,2</coordinates></Point>", "without spaces"),
        ("<Polygon/>", "outerBoundaryIs"),
        ("<Polygon><outerBoundaryIs><LinearRing/></outerBoundaryIs></Polygon>", "no coordinates"),
        ("<Point><coordinates>33.4,-111.9</coordinates></Point>", "swapped"),
    ],
)
def test_what_is_wrong_in_a_placemark_is_told(inner: str, words: str) -> None:
    """The other placemarks stay usable."""
    report = read(kml(f"<Placemark>{inner}</Placemark>" + kml_polygon(square())), distance=HUNDRED_YARDS)
    assert any(words in text for text in remedies(report)), remedies(report)
    assert [candidate.number for candidate in report.usable] == [2]


def test_links_are_not_followed_and_that_is_said() -> None:
    """A NetworkLink, an overlay and an icon's address reach nobody."""
    links = (
        "<NetworkLink><Link><href>http://127.0.0.1:9/more.kml</href></Link></NetworkLink>"
        "<GroundOverlay><Icon><href>/vsicurl/http://127.0.0.1:9/a.png</href></Icon></GroundOverlay>"
    )
    report = read(kml(links + kml_polygon(square())))
    assert len(report.usable) == 1
    assert any("not followed" in text for text in remedies(report, "WARNING"))


_LAUGHS = "".join(
    f'<!ENTITY l{index + 1} "{f"&l{index};" * 10}">' for index in range(10)
)  # fmt: skip


@pytest.mark.parametrize(
    "head",
    [
        f'<!DOCTYPE kml [<!ENTITY l0 "ha">{_LAUGHS}]>',
        '<!DOCTYPE kml [<!ENTITY x SYSTEM "file:///etc/passwd">]>',
        '<!DOCTYPE kml [<!ENTITY % x SYSTEM "http://127.0.0.1:9/x.dtd"> %x;]>',
        '<!DOCTYPE kml SYSTEM "http://127.0.0.1:9/x.dtd">',
        "<!DOCTYPE kml>",
    ],
)
def test_document_types_and_entities_are_refused(head: str) -> None:
    """Billion laughs, files of ours, addresses of others: none is looked at."""
    assert "document type or entities" in refusal(kml("<name>&l10;&x;</name>", head=head))


@pytest.mark.parametrize(
    ("declared", "codec"),
    [("UTF-16", "utf-16"), ("ISO-8859-1", "latin-1"), ("windows-1252", "cp1252"), ("UTF-8", "utf-8-sig")],
)
def test_an_encoding_that_is_declared_is_read(declared: str, codec: str) -> None:
    """Names keep their letters."""
    text = f'<?xml version="1.0" encoding="{declared}"?>' + kml(kml_polygon(square(), "Ñandú")).decode()
    assert read(text.encode(codec)).candidates[0].name == "Ñandú"


@pytest.mark.parametrize(
    ("declared", "codec", "words"),
    [
        ("UTF-8", "latin-1", "well-formed"),
        ("UTF-7", "utf-8", "encoding"),
        ("Shift_JIS", "utf-8", "encoding"),
        ("nonsense", "utf-8", "encoding"),
    ],
)
def test_another_encoding_than_declared_is_refused(declared: str, codec: str, words: str) -> None:
    """In words about the text, not in an error's."""
    text = f'<?xml version="1.0" encoding="{declared}"?>' + kml(kml_polygon(square(), "Ñandú")).decode()
    assert words in refusal(text.encode(codec))


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"<kml", "well-formed"),
        (b"<kml></kml", "well-formed"),
        (kml("<Folder>" * 200 + "</Folder>" * 200), "deep"),
        (b"<gpx></gpx>", "GPX"),
        (b"<!-- x --><html></html>", "web page"),
        (b"<other/>", "root is another element"),
    ],
)
def test_what_is_no_kml_is_told(data: bytes, words: str) -> None:
    """Each in its own words."""
    assert words in refusal(data)


def test_a_text_of_too_many_elements_is_refused_while_it_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    """Before they fill the memory."""
    monkeypatch.setattr(kml_module, "MAX_XML_ELEMENTS", 1_000)
    assert "elements" in refusal(kml("<a/>" * 1_001))


def test_a_kmz_is_read_by_its_main_file_alone() -> None:
    """doc.kml holds; others are told of."""
    report = read(
        zipped({"doc.kml": kml(kml_polygon(square(), "A")), "files/icon.png": b"x"}), file_name="a.kmz"
    )
    assert (report.format, report.usable[0].name) == ("KMZ", "A")
    other = kml(kml_polygon(square(), "B"))
    report = read(zipped({"doc.kml": kml(kml_polygon(square(), "A")), "b.kml": other}))
    assert [candidate.name for candidate in report.candidates] == ["A"]
    assert any("Only doc.kml" in text for text in remedies(report, "WARNING"))


def test_a_crossing_outline_is_explained_like_any_other() -> None:
    """The same road as for GeoJSON."""
    (candidate,) = read(kml(kml_polygon(bowtie()))).candidates
    assert candidate.repair is not None
