"""Conversion, the cut at 180 degrees and repairs, against independent computations."""

import math
from itertools import pairwise
from typing import Any

import pytest
import shapely
from geographiclib.geodesic import Geodesic
from hypothesis import given
from hypothesis import strategies as st
from shapely.geometry import shape

from stayaway.orders.findings import FindingList
from stayaway.orders.geometry import read_polygons
from stayaway.orders.zonefiles.model import Candidate, Distance, ZoneFileReport
from stayaway.orders.zonefiles.report import feature_collection, report_json
from stayaway.orders.zonefiles.wire import ZoneFileReportForm
from support.zone_files import (
    HUNDRED_YARDS,
    PHOENIX,
    bowtie,
    geodanet,
    geojson,
    polygon,
    read,
    remedies,
    shapefile_parts,
    square,
    zipped,
)

LON, LAT = PHOENIX


def _only(report: ZoneFileReport) -> Candidate:
    (candidate,) = report.candidates
    return candidate


def _star(lon: float, lat: float, radii: list[float]) -> list[list[float]]:
    """A ring that winds once around its centre, counter-clockwise."""
    turn = 2 * math.pi / len(radii)
    ring = [
        [lon + radius * math.cos(index * turn), lat + radius * math.sin(index * turn)]
        for index, radius in enumerate(radii)
    ]
    return [*ring, ring[0]]


RADII = st.lists(st.floats(0.5, 5.0), min_size=3, max_size=12)

# ---------------------------------------------------------------- the 180 degree meridian


@given(
    lon=st.floats(172, 188), lat=st.floats(-60, 60), radii=RADII, turned=st.booleans(), wrapped=st.booleans()
)
def test_a_zone_over_the_meridian_is_what_it_was_cut_in_two(
    lon: float, lat: float, radii: list[float], turned: bool, wrapped: bool
) -> None:
    """Any outline near 180, either winding, with longitudes over 180 or wrapped: by clipping in the plane."""
    ring = _star(lon, lat, radii)
    whole = shapely.Polygon(ring)
    if not whole.is_valid:
        return
    given_ring = [[(x + 180) % 360 - 180 if wrapped else x, y] for x, y in ring]
    candidate = _only(read(geojson(polygon(given_ring[::-1] if turned else given_ring))))
    assert candidate.is_usable
    got = shape(candidate.geometry)
    west = shapely.intersection(whole, shapely.box(0, -90, 180, 90))
    east = shapely.intersection(whole, shapely.box(180, -90, 360, 90))
    expected = shapely.union(west, shapely.transform(east, lambda points: points - (360, 0)))
    assert shapely.symmetric_difference(got, expected).area < 1e-4


def test_a_cut_is_said() -> None:
    """Nothing is cut silently."""
    report = read(geojson(polygon(square(179.995, 52.0))))
    assert any("180 degree meridian" in text for text in remedies(report, "WARNING"))


# ---------------------------------------------------------------- coordinate systems

_MERCATOR_PRJ = (
    'PROJCS["WGS_1984_Web_Mercator_Auxiliary_Sphere",GEOGCS["GCS_WGS_1984",DATUM["D_WGS_1984",SPHEROID'
    '["WGS_1984",6378137.0,298.257223563]],PRIMEM["Greenwich",0.0],UNIT["Degree",0.0174532925199433]],'
    'PROJECTION["Mercator_Auxiliary_Sphere"],PARAMETER["False_Easting",0.0],PARAMETER["False_Northing",0.0],'
    'PARAMETER["Central_Meridian",0.0],PARAMETER["Standard_Parallel_1",0.0],PARAMETER["Auxiliary_Sphere_Type"'
    ',0.0],UNIT["Meter",1.0]]'
)


def _to_mercator(lon: float, lat: float) -> tuple[float, float]:
    radius = 6_378_137.0
    return radius * math.radians(lon), radius * math.asinh(math.tan(math.radians(lat)))


def test_web_mercator_comes_back_by_its_closed_formula() -> None:
    """To the 1e-7 degree that vertices are rounded to."""
    ring = [list(_to_mercator(lon, lat)) for lon, lat in square()]
    report = read(zipped(shapefile_parts([ring], prj=_MERCATOR_PRJ)))
    geometry = _only(report).geometry
    assert geometry is not None
    assert report.crs.code == "EPSG:3857"
    got = sorted(geometry["coordinates"][0][:-1])
    # Rounding a vertex that lies between two steps of the grid may go either way.
    pieces = sorted(square()[:-1])
    for vertex in pieces:
        assert min(math.dist(vertex, other) for other in got) < 1.1e-7


def test_long_edges_of_a_projected_system_stay_where_they_were() -> None:
    """A 50 km edge in Mercator is kept straight there: without positions between it would be metres off."""
    corners = [(-112.0, 33.0), (-111.0, 34.0), (-112.0, 34.0), (-112.0, 33.0)]
    ring = [list(_to_mercator(*corner)) for corner in corners]
    report = read(zipped(shapefile_parts([ring], prj=_MERCATOR_PRJ)))
    assert any("not straight in lon/lat" in text for text in remedies(report, "INFO"))
    got = shape(_only(report).geometry)
    (x1, y1), (x2, y2) = ring[0], ring[1]
    x, y = (x1 + x2) / 2, (y1 + y2) / 2
    middle = math.degrees(x / 6_378_137.0), math.degrees(math.atan(math.sinh(y / 6_378_137.0)))
    off_m = got.exterior.distance(shapely.Point(middle)) * 111_320
    assert off_m < 0.05
    straight = shapely.LineString(corners[:2]).distance(shapely.Point(middle)) * 111_320
    assert straight > 5


def test_a_system_without_an_exact_conversion_is_warned_about() -> None:
    """NAD27's grids are not here: the report says what the conversion used is good for."""
    prj = (
        'GEOGCS["GCS_North_American_1927",DATUM["D_North_American_1927",SPHEROID["Clarke_1866",6378206.4,'
        '294.9786982]],PRIMEM["Greenwich",0.0],UNIT["Degree",0.0174532925199433]]'
    )
    report = read(zipped(shapefile_parts([square()], prj=prj)))
    assert report.crs.accuracy_m is not None
    assert report.crs.accuracy_m > 5
    said = " ".join(remedies(report, "WARNING"))
    assert "good to" in said
    assert "grid that is not installed" in said
    geometry = _only(report).geometry
    assert geometry is not None
    # The datums are 60-80 m apart in Arizona.
    lon, lat = geometry["coordinates"][0][0]
    off_m = Geodesic.WGS84.Inverse(LAT, LON, lat, lon)["s12"]
    assert 30 < off_m < 120


def test_a_zone_outside_the_area_of_its_system_is_warned_about() -> None:
    """Feet declared to be of Long Island that lie far off it."""
    parts = shapefile_parts([square(700_000.0, 2_880_000.0, 500.0)])
    prj = (
        'PROJCS["NAD_1983_StatePlane_New_York_Long_Island_FIPS_3104_Feet",GEOGCS["GCS_North_American_1983",'
        'DATUM["D_North_American_1983",SPHEROID["GRS_1980",6378137.0,298.257222101]],PRIMEM["Greenwich",0.0],'
        'UNIT["Degree",0.0174532925199433]],PROJECTION["Lambert_Conformal_Conic"],PARAMETER["False_Easting",'
        '984250.0],PARAMETER["False_Northing",0.0],PARAMETER["Central_Meridian",-74.0],PARAMETER'
        '["Standard_Parallel_1",40.66666666666666],PARAMETER["Standard_Parallel_2",41.03333333333333],PARAMETER'
        '["Latitude_Of_Origin",40.16666666666666],UNIT["Foot_US",0.3048006096012192]]'
    )
    report = read(zipped({**parts, "zones.prj": prj.encode()}))
    assert any("outside the area" in text for text in remedies(report, "WARNING"))
    assert not any("outside the area" in text for text in remedies(read(geodanet("schools")), "WARNING"))


# ---------------------------------------------------------------- repairs


def test_a_crossing_is_named_with_its_place_and_its_edges_and_waits_for_a_yes() -> None:
    """What is wrong, where, what a repair would change; nothing is repaired without the yes."""
    report = read(geojson(polygon(bowtie())))
    candidate = _only(report)
    (finding,) = (finding for finding in report.findings if finding.severity == "ERROR")
    assert finding.lon_lat == pytest.approx((LON + 0.005, LAT + 0.005), abs=1e-7)
    assert "(-111.9300000 33.4200000 to -111.9200000 33.4300000)" in finding.remedy
    assert "(-111.9200000 33.4200000 to -111.9300000 33.4300000)" in finding.remedy
    assert candidate.geometry is not None
    assert sorted(candidate.geometry["coordinates"][0][:-1]) == sorted(bowtie()[:-1])
    assert not candidate.is_usable
    assert candidate.repair is not None
    assert not candidate.repair.is_accepted

    accepted = read(geojson(polygon(bowtie())), accepted_repairs=frozenset({1}))
    taken = _only(accepted)
    assert taken.is_usable
    assert taken.geometry == candidate.repair.geometry
    assert any("The repair was accepted" in text for text in remedies(accepted, "WARNING"))


@pytest.mark.parametrize(
    ("rings", "words"),
    [
        ([square(), square(LON + 0.1)], "outside its outer ring"),
        (
            [square(side=0.1), square(LON + 0.01, LAT + 0.01, 0.05), square(LON + 0.02, LAT + 0.02, 0.01)],
            "inside",
        ),
        ([square(), square()], "crosses or touches itself"),
        (
            [[[LON, LAT], [LON + 0.02, LAT], [LON + 0.01, LAT], [LON + 0.01, LAT + 0.01], [LON, LAT]]],
            "crosses or touches itself",
        ),
    ],
)
def test_each_way_to_be_invalid_has_its_words(rings: list[list[list[float]]], words: str) -> None:
    """Holes outside, nested, doubled; spikes."""
    report = read(geojson(polygon(*rings)))
    assert not report.usable
    assert any(words in text for text in remedies(report)), remedies(report)


def _at(dx: float, dy: float) -> list[float]:
    return [LON + dx, LAT + dy]


@pytest.mark.parametrize(
    ("geometry", "inside"),
    [
        ({"type": "MultiPolygon", "coordinates": [[square()], [square(LON + 0.005)]]}, (0.0075, 0.005)),
        ({"type": "MultiPolygon", "coordinates": [[square(side=0.03)], [square(LON + 0.01, LAT + 0.01)]]},
         (0.015, 0.015)),
        (polygon([_at(0, 0), _at(0.03, 0), _at(0.03, 0.03), _at(0.01, 0.03), _at(0.01, 0.01), _at(0.02, 0.01),
                  _at(0.02, 0.02), _at(0, 0.02), _at(0, 0)]), (0.015, 0.015)),
    ],
    ids=["two parts overlap", "one part in another", "an outline twice round"],
)  # fmt: skip
def test_what_is_drawn_twice_stays_forbidden_in_a_repair(
    geometry: dict[str, Any], inside: tuple[float, float]
) -> None:
    """No hole opens in the zone where the court drew it twice."""
    candidate = _only(read(geojson(geometry)))
    assert candidate.repair is not None
    assert shape(candidate.repair.geometry).contains(shapely.Point(_at(*inside)))


def _geographiclib_area_m2(geometry: dict[str, Any]) -> float:
    """Outer rings less holes, by another implementation."""
    parts = geometry["coordinates"] if geometry["type"] == "MultiPolygon" else [geometry["coordinates"]]
    total = 0.0
    for part in parts:
        areas = []
        for ring in part:
            line = Geodesic.WGS84.Polygon()
            for lon, lat in ring[:-1]:
                line.AddPoint(lat, lon)
            areas.append(abs(line.Compute()[2]))
        total += areas[0] - sum(areas[1:])
    return total


def _bulge_m2(geometry: dict[str, Any]) -> float:
    """What may lie between GeographicLib's edges, which are geodesics, and ours, straight in lon/lat: an edge
    of length L along a parallel bulges by L ** 2 tan(lat) / 8 R, and two thirds of that times L is between.
    """
    parts = geometry["coordinates"] if geometry["type"] == "MultiPolygon" else [geometry["coordinates"]]
    edges = [pair for part in parts for ring in part for pair in pairwise(ring)]
    lengths = [Geodesic.WGS84.Inverse(a[1], a[0], b[1], b[0])["s12"] for a, b in edges]
    slope = math.tan(math.radians(max(abs(a[1]) for a, _ in edges)))
    return math.fsum(length**3 for length in lengths) * slope / (12 * 6_356_000)


OFFSETS = st.integers(-50, 50)


@given(st.lists(st.tuples(OFFSETS, OFFSETS), min_size=3, max_size=9, unique=True))
def test_whatever_is_drawn_is_used_as_drawn_or_repaired_with_a_yes(offsets: list[tuple[int, int]]) -> None:
    """A usable zone passes the registry's check and covers what was drawn; areas are GeographicLib's."""
    # On the grid of 1e-7 degree, so that what is drawn is what is kept.
    ring = [[round(LON + x * 1e-4, 7), round(LAT + y * 1e-4, 7)] for x, y in offsets]
    ring.append(ring[0])
    data = geojson(polygon(ring))
    candidate = _only(read(data))
    drawn = shapely.Polygon(ring)
    assert candidate.is_usable == (shapely.set_precision(drawn, 0).is_valid and drawn.is_valid)
    if candidate.is_usable:
        assert candidate.repair is None
        assert shapely.symmetric_difference(shape(candidate.geometry), drawn).area < 1e-8
    elif candidate.repair is not None:
        taken = _only(read(data, accepted_repairs=frozenset({1})))
        assert taken.is_usable
        assert taken.geometry is not None
        assert read_polygons(taken.geometry, (), FindingList(None)) is not None
        within_m2 = 0.2 + _bulge_m2(taken.geometry)
        assert taken.area_m2 == pytest.approx(_geographiclib_area_m2(taken.geometry), abs=within_m2)
        assert candidate.repair.change_m2 == pytest.approx(
            candidate.repair.repaired_area_m2 - candidate.repair.drawn_area_m2, abs=0.2
        )


def test_a_yes_to_a_repair_that_is_not_offered_is_an_error() -> None:
    """The clerk has looked at another report."""
    report = read(geojson(polygon(square())), accepted_repairs=frozenset({1, 9}))
    assert sum("not offered" in text for text in remedies(report)) == 2


# ---------------------------------------------------------------- the report


def test_the_report_has_its_form_and_its_zones_come_back_the_same() -> None:
    """What --out writes can be read again, and gives the same zones."""
    point = {"type": "Point", "coordinates": [LON, LAT]}
    report = read(
        geojson(polygon(square()), polygon(bowtie()), point, names=["A", "B", "C"]), distance=HUNDRED_YARDS
    )
    form = ZoneFileReportForm.model_validate(report_json(report))
    assert (form.usable, form.has_errors) == (2, True)
    again = read(json_bytes(feature_collection(report)))
    assert [candidate.geometry for candidate in again.candidates] == [c.geometry for c in report.usable]
    assert [candidate.name for candidate in again.candidates] == ["A", "C"]
    assert again.candidates[1].distance == Distance(100, "YD")


def json_bytes(value: Any) -> bytes:
    import json

    return json.dumps(value).encode()


def test_a_distance_beside_a_polygon_widens_nothing() -> None:
    """WIRE.md, "geometry"; it is said."""
    data = geojson(polygon(square())).replace(
        b'"properties": {}', b'"properties": {"distance_value": 5, "distance_unit": "M"}'
    )
    report = read(data)
    assert _only(report).geometry == _only(read(geojson(polygon(square())))).geometry
    assert any("widens nothing" in text for text in remedies(report, "INFO"))


def test_progress_is_told() -> None:
    """Up to the last candidate."""
    from stayaway.orders.zonefiles.model import ReadOptions
    from stayaway.orders.zonefiles.read import read_zone_file

    seen: list[tuple[int, int]] = []
    data = geojson(*[polygon(square())] * 1_200)
    read_zone_file(data, ReadOptions(), lambda done, total: seen.append((done, total)))
    assert seen == [(500, 1_200), (1_000, 1_200), (1_200, 1_200)]


# ---------------------------------------------------------------- what would take for ever


def test_a_scribble_is_refused_without_a_repair() -> None:
    """20,000 edges that all cross each other: pairs beyond counting, and no hour of computing."""
    angles = [index * 2.39996 for index in range(20_000)]
    ring = [[LON + 0.01 * math.cos(angle), LAT + 0.01 * math.sin(angle)] for angle in angles]
    report = read(geojson(polygon([*ring, ring[0]])))
    assert _only(report).repair is None
    assert any("cannot be repaired" in text for text in remedies(report))


def test_a_ring_that_crosses_the_meridian_a_thousand_times_is_refused() -> None:
    """Joining its pieces would take quadratic time."""
    zigzag = [[179.9 if index % 2 else -179.9, index * 1e-3] for index in range(20_000)]
    report = read(geojson(polygon([*zigzag, [179.0, 20.0], zigzag[0]])))
    assert any("cannot be cut there" in text for text in remedies(report))


def test_edges_longer_than_the_earth_are_refused() -> None:
    """Mercator metres of 1e12: no memory is filled with positions on them."""
    ring = [[0.0, 0.0], [1e12, 0.0], [1e12, 1e6], [0.0, 0.0]]
    report = read(zipped(shapefile_parts([ring], prj=_MERCATOR_PRJ)))
    assert any("longer than any on the Earth" in text for text in remedies(report))


def test_an_object_of_many_repeated_names_takes_no_quadratic_time() -> None:
    """100,000 names, each twice."""
    members = ",".join(f'"m{index % 100_000}":0' for index in range(200_000))
    report = read(f'{{"type":"FeatureCollection","features":[],{members}}}'.encode())
    assert any("2 times" in text for text in remedies(report))
