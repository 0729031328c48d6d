"""A distance drawn around lines of any format, and around all of a file where that is asked."""

import json
import math
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import shapefile
import shapely
from geographiclib.geodesic import Geodesic
from hypothesis import given, settings
from hypothesis import strategies as st
from pyproj import CRS, Geod, Transformer
from shapely.geometry import shape

from stayaway.orders.distance import METRES
from stayaway.orders.reach import allowed_reach_shortfall_m, zone_around
from stayaway.orders.zonefiles.limits import MAX_DRAWN, MAX_DRAWN_VERTICES
from stayaway.orders.zonefiles.model import Candidate, Distance, ZoneFileReport
from stayaway.orders.zonefiles.report import feature_collection
from support.zone_files import (
    FIXTURES,
    HUNDRED_YARDS,
    PHOENIX,
    bowtie,
    geodanet,
    geojson,
    geopackage,
    kml,
    kml_line,
    polygon,
    read,
    refusal,
    remedies,
    shapefile_lines,
    square,
    zipped,
)

LON, LAT = PHOENIX
STREET = [[LON, LAT], [LON + 0.002, LAT + 0.0005], [LON + 0.003, LAT + 0.002]]
BRANCH = [[LON + 0.002, LAT + 0.0005], [LON + 0.004, LAT - 0.001]]
ELLIPSOID = Geod(ellps="WGS84")
YARDS_M = 100 * METRES["YD"]
FEET = (FIXTURES / "geodanet" / "streets.prj").read_text()
Json = dict[str, Any]
Line = Sequence[Sequence[float]]


def line_string(*lines: Line) -> Json:
    if len(lines) == 1:
        return {"type": "LineString", "coordinates": list(lines[0])}
    return {"type": "MultiLineString", "coordinates": list(lines)}


def in_every_format(folder: Path, *lines: Line) -> dict[str, bytes]:
    """One record of these lines, in lon/lat."""
    wkb = shapely.to_wkb(shape(line_string(*lines)))
    collection = {"type": "GeometryCollection", "geometries": [line_string(line) for line in lines]}
    return {
        "geojson": geojson(line_string(*lines)),
        "geojson collection": geojson(collection),
        "kml": kml(kml_line(*lines)),
        "kmz": zipped({"doc.kml": kml(kml_line(*lines))}),
        "shapefile": zipped(shapefile_lines(lines)),
        "geopackage": geopackage(folder / "lines.gpkg", [wkb]),
    }


def only(report: ZoneFileReport) -> Candidate:
    (candidate,) = report.candidates
    assert candidate.is_usable, remedies(report)
    return candidate


def assert_is_the_reach(geometry: Json | None, lines: Sequence[Line], distance_m: float) -> None:
    """Every vertex lies at the distance from the lines, by geodesics to positions half a metre apart on
    them, and the lines lie inside.
    """
    assert geometry is not None
    zone = shape(geometry)
    assert zone.is_valid
    steps = []
    for line in lines:
        for (x1, y1), (x2, y2) in pairwise(line):
            count = max(2, math.ceil(Geodesic.WGS84.Inverse(y1, x1, y2, x2)["s12"] * 2))
            shares = np.linspace(0, 1, count)
            steps.append(np.column_stack([x1 + shares * (x2 - x1), y1 + shares * (y2 - y1)]))
        assert zone.contains(shapely.LineString(line))
    along = np.concatenate(steps)
    least_m = distance_m - allowed_reach_shortfall_m(distance_m)
    vertices = shapely.get_coordinates(zone)
    for lon, lat in vertices[:: max(1, len(vertices) // 25)].tolist():
        flat = np.hypot((along[:, 0] - lon) * math.cos(math.radians(lat)), along[:, 1] - lat)
        # A sphere's degrees are up to 0.7 % off: of two parts as far away the other may be the nearer.
        near = along[flat <= 1.01 * flat.min()]
        found_m = ELLIPSOID.inv([lon] * len(near), [lat] * len(near), *near.T)[2].min()
        # A quarter of a metre beside the foot of the perpendicular adds 0.0004 m at 91 m.
        assert least_m - 1e-3 <= found_m <= distance_m + 0.25**2 / (2 * distance_m) + 1e-3


# ---------------------------------------------------------------- every format


@pytest.mark.parametrize("lines", [[STREET], [STREET, BRANCH]], ids=["line", "lines"])
def test_a_line_of_any_format_is_drawn_around_alike(tmp_path: Path, lines: list[Line]) -> None:
    """The same zone to the last digit, with its distance beside it, ready for an order."""
    expected = zone_around(line_string(*lines), YARDS_M).to_coordinates()
    for name, data in in_every_format(tmp_path, *lines).items():
        report = read(data, distance=HUNDRED_YARDS)
        candidate = only(report)
        assert candidate.distance == HUNDRED_YARDS, name
        assert candidate.geometry == {"type": "Polygon", "coordinates": expected[0]}, name
        assert not report.has_errors
        assert any("was drawn around it on the ellipsoid" in text for text in remedies(report, "INFO")), name
        again = read(json.dumps(feature_collection(report)).encode())
        assert only(again).geometry == candidate.geometry
    assert_is_the_reach(candidate.geometry, lines, YARDS_M)


@settings(max_examples=25, deadline=None)
@given(
    line=st.lists(
        st.tuples(st.integers(0, 400), st.integers(0, 400)), min_size=2, max_size=8, unique=True
    ).map(lambda steps: [[-111.9 + x / 1e5, 33.4 + y / 1e5] for x, y in steps]),
    yards=st.integers(20, 300),
)
def test_any_line_of_a_kml_has_its_reach(line: Line, yards: int) -> None:
    """Crooked, crossing itself, with bends of any angle."""
    candidate = only(read(kml(kml_line(line)), distance=Distance(yards, "YD")))
    assert_is_the_reach(candidate.geometry, [line], yards * METRES["YD"])


def test_without_a_distance_a_line_is_refused_in_every_format(tmp_path: Path) -> None:
    for name, data in in_every_format(tmp_path, STREET).items():
        report = read(data)
        assert not report.usable, name
        (words,) = remedies(report)
        assert words.startswith("A line is no zone by itself: give the distance around it"), name


def test_a_distance_of_its_own_goes_before_the_files() -> None:
    fifty = "".join(
        f'<Data name="{name}"><value>{value}</value></Data>'
        for name, value in (("distance_value", 50), ("distance_unit", "FT"))
    )
    body = kml_line(STREET, attributes=f"<ExtendedData>{fifty}</ExtendedData>") + kml_line(STREET)
    report = read(kml(body), distance=HUNDRED_YARDS)
    assert [candidate.distance for candidate in report.usable] == [Distance(50, "FT"), HUNDRED_YARDS]
    assert_is_the_reach(report.usable[0].geometry, [STREET], 50 * METRES["FT"])


# ---------------------------------------------------------------- coordinate systems


def in_feet(line: Line) -> Line:
    """In Arizona State Plane US feet, by PROJ from the file's own text."""
    there = Transformer.from_crs("EPSG:4326", CRS.from_wkt(FEET), always_xy=True)
    return [list(there.transform(lon, lat)) for lon, lat in line]


def test_a_line_in_feet_is_drawn_around_where_it_lies() -> None:
    """Also a straight edge of 3 km, which is none in lon/lat."""
    data = zipped(shapefile_lines([in_feet(STREET), in_feet(BRANCH)], prj=FEET))
    assert_is_the_reach(only(read(data, distance=HUNDRED_YARDS)).geometry, [STREET, BRANCH], YARDS_M)
    long = in_feet([[LON, LAT], [LON + 0.03, LAT + 0.01]])
    back = Transformer.from_crs(CRS.from_wkt(FEET), "EPSG:4326", always_xy=True)
    shares = np.linspace(0, 1, 41)[:, np.newaxis]
    there = np.array(long[0]) * (1 - shares) + np.array(long[1]) * shares
    straight = [list(back.transform(*position)) for position in there]
    candidate = only(read(zipped(shapefile_lines([long], prj=FEET)), distance=HUNDRED_YARDS))
    coordinates = zone_around(line_string(straight), YARDS_M).to_coordinates()
    truth = shape({"type": "MultiPolygon", "coordinates": coordinates})
    # 2e-7 degree, some 2 cm, along both sides; its ends alone would be off by 12 cm in the middle.
    assert shapely.symmetric_difference(shape(candidate.geometry), truth).area < 2 * 0.03 * 2e-7


def test_real_streets_in_feet() -> None:
    """Thirty of the 293 that the county's shapefile holds, against their own positions turned by PROJ."""
    report = read(geodanet("streets"), distance=HUNDRED_YARDS)
    assert len(report.usable) == 293
    back = Transformer.from_crs(CRS.from_wkt(FEET), "EPSG:4326", always_xy=True)
    with shapefile.Reader(str(FIXTURES / "geodanet" / "streets")) as reader:
        for index in range(0, 293, 10):
            ends = [list(back.transform(x, y)) for x, y in reader.shape(index).points]
            assert_is_the_reach(report.candidates[index].geometry, [ends], YARDS_M)


def test_a_line_over_the_180_degree_meridian_is_cut_and_said() -> None:
    """Wrapped or with longitudes over 180: the same zone on both sides."""
    zones = []
    for east in (-179.999, 180.001):
        line = [[179.999, 52.0], [east, 52.0]]
        report = read(geojson(line_string(line)), distance=HUNDRED_YARDS)
        assert any("180 degree meridian" in text for text in remedies(report, "WARNING"))
        zones.append(only(report).geometry)
    assert zones[0] == zones[1]
    whole = shapely.transform(shape(zones[0]), lambda points: points + np.where(points < -90, (360, 0), 0))
    assert whole.covers(shapely.LineString([[179.999, 52.0], [180.001, 52.0]]).buffer(0.0005))
    elsewhere = read(geojson(line_string([[-0.001, 52.0], [0.001, 52.0]])), distance=HUNDRED_YARDS)
    assert whole.area == pytest.approx(shape(only(elsewhere).geometry).area, rel=1e-5)


# ---------------------------------------------------------------- what is wrong, and limits


def test_a_closed_line_is_drawn_around_and_said() -> None:
    """It may have been meant as an outline, whose middle is in the zone."""
    ring = square(LON, LAT, 0.01)
    report = read(kml(kml_line(ring)), distance=HUNDRED_YARDS)
    assert any(text.startswith("The line is closed") for text in remedies(report, "WARNING"))
    zone = shape(only(report).geometry)
    assert not zone.contains(shapely.Point(LON + 0.005, LAT + 0.005))


@pytest.mark.parametrize(
    ("geometry", "words"),
    [
        (line_string([[LON, LAT], [LON, LAT]]), "two or more different positions"),
        (line_string([[LON, LAT]]), "two or more positions"),
        ({"type": "MultiLineString", "coordinates": []}, "The list of lines is empty"),
        ({"type": "MultiLineString", "coordinates": [STREET, [[LON, "33"], [LON, LAT]]]}, "without quotes"),
        (line_string([[33.4, -111.9], [33.5, -111.9]]), "swapped"),
        (line_string([[500_000, 3_700_000], [500_100, 3_700_000]]), "projected metres or feet"),
        (line_string([[10, 89.9999], [11, 89.9999]]), "reaches a pole"),
    ],
)
def test_a_line_that_cannot_be_drawn_around_is_explained(geometry: Json, words: str) -> None:
    """No half of it is drawn: a street without one of its parts is another place."""
    report = read(geojson(geometry, line_string(STREET)), distance=HUNDRED_YARDS)
    assert any(words in text for text in remedies(report)), remedies(report)
    assert [candidate.number for candidate in report.usable] == [2]


def test_numbers_that_are_none_in_a_shapefile_are_explained() -> None:
    report = read(zipped(shapefile_lines([[[LON, math.nan], [LON, LAT]]])), distance=HUNDRED_YARDS)
    assert any("A coordinate is a finite number" in text for text in remedies(report))
    assert not report.usable


def test_what_would_take_minutes_to_draw_is_refused() -> None:
    """Only where a distance is given: without one the file can still be looked at."""
    long = [[LON + step / 1e6, LAT + (step % 2) / 1e6] for step in range(MAX_DRAWN_VERTICES // 2)]
    data = geojson(line_string(long), line_string(long), line_string(STREET))
    assert f"at most {MAX_DRAWN} with {MAX_DRAWN_VERTICES}" in refusal(data, distance=HUNDRED_YARDS)
    assert len(read(data).candidates) == 3
    streets = geojson(*[line_string(STREET)] * (MAX_DRAWN + 1))
    assert f"around {MAX_DRAWN + 1} features" in refusal(streets, distance=HUNDRED_YARDS)


def test_one_street_of_a_large_layer_is_drawn_around() -> None:
    """The others are neither drawn nor refused."""
    streets = geojson(*[line_string(STREET)] * (MAX_DRAWN + 1))
    report = read(streets, distance=HUNDRED_YARDS, draws_only=MAX_DRAWN)
    assert [candidate.number for candidate in report.usable] == [MAX_DRAWN]
    assert_is_the_reach(report.usable[0].geometry, [STREET], YARDS_M)
    assert not report.has_errors


# ---------------------------------------------------------------- around everything


def test_around_everything_draws_points_and_outlines_too() -> None:
    lot = polygon(square(LON, LAT, 0.001))
    places = geojson({"type": "Point", "coordinates": [LON, LAT]}, lot, line_string(STREET), names=["A", "B"])
    report = read(places, distance=HUNDRED_YARDS, draws_all=True)
    assert [candidate.name for candidate in report.usable] == ["A", "B", None]
    point, parcel, street = (shape(candidate.geometry) for candidate in report.usable)
    circle = zone_around({"type": "Point", "coordinates": [LON, LAT]}, YARDS_M)
    assert shape({"type": "MultiPolygon", "coordinates": circle.to_coordinates()}).equals(point)
    assert parcel.contains(shape(lot))
    assert street.contains(shape(line_string(STREET)))
    assert [shape(item.geometry).geom_type for item in read(places, distance=HUNDRED_YARDS).usable] == [
        "Point",
        "Polygon",
        "Polygon",
    ]


def test_around_an_outline_there_must_be_a_distance_and_no_flaw() -> None:
    """An agreed repair is drawn around, an invalid outline is not."""
    report = read(geojson(polygon(square())), draws_all=True)
    assert any(text.startswith("To draw a distance around it") for text in remedies(report))
    crossing = geojson(polygon(bowtie()))
    assert not read(crossing, distance=HUNDRED_YARDS, draws_all=True).usable
    mended = read(crossing, distance=HUNDRED_YARDS, draws_all=True, accepted_repairs=frozenset({1}))
    repair = only(mended).repair
    assert repair is not None
    assert shape(only(mended).geometry).contains(shape(repair.geometry))
