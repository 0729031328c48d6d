"""The areas of courts, and zones outside the area that their order's ORIs name."""

import json
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stayaway.kernel.errors import SettingsError
from stayaway.orders.advice import advise
from stayaway.orders.court_areas import CourtAreas, parse_court_areas
from stayaway.orders.findings import Finding
from stayaway.orders.known_places import KnownPlaces
from stayaway.orders.known_places_files import load_known_places
from stayaway.orders.parse import parse_orders_file
from stayaway.platform.settings import Settings
from support.advised import PHOENIX, drawn, order, orders_file, square, zone

Json = dict[str, Any]
EXAMPLE = Path(__file__).parents[3] / "fixtures" / "example"
COORDINATES = "/orders/0/zones/0/geometry/coordinates"
LON, LAT = PHOENIX


def feature(name: str, oris: list[str], geometry: Json) -> Json:
    return {"type": "Feature", "properties": {"name": name, "oris": oris}, "geometry": geometry}


def areas_file(*features: Json, **changes: Any) -> bytes:
    body = {"schema": "court_areas.v1", "type": "FeatureCollection", "features": list(features)} | changes
    return json.dumps(body).encode()


HERE = feature("Here County", ["AZ999"], square(LON, LAT, 0.5))
THERE = feature("There County", ["AZ888"], square(LON + 1.5, LAT, 0.5))


def found(place: Json, *features: Json, **changes: Any) -> tuple[Finding, ...]:
    """The advice on an order with this zone, where the areas are these."""
    parsed = parse_orders_file(json.dumps(orders_file(order(zones=[place], **changes))).encode())
    assert not parsed.has_errors, parsed.findings
    return advise(parsed, KnownPlaces(court_areas=parse_court_areas(areas_file(*features))))


def agencies(court: str, agency: str) -> Json:
    return {
        "court": {"ori": court, "time_zone": "America/Phoenix"},
        "agency": {"ori": agency, "telephone": "+1 555 0100"},
    }


# ---------------------------------------------------------------- the check


def test_a_zone_outside_its_county_is_noted_with_the_countys_name() -> None:
    assert found(zone(LON, LAT), HERE, THERE) == ()
    (noted,) = found(zone(LON + 1.5, LAT), HERE, THERE)
    assert (noted.severity, noted.pointer) == ("WARNING", COORDINATES)
    assert noted.value == f"[{LON + 1.5}, {LAT}]"
    assert noted.remedy == (
        "The zone's centre lies outside Here County, the area that the court areas file gives for the ORIs of"
        " court and agency. It lies in There County. Check it on a map; a place in another area can be right."
    )


def test_the_mistake_undone_is_offered() -> None:
    """Where the state's box does not tell: both places are of one state."""
    west = feature("West County", ["AK999"], square(-150.0, 61.0, 0.5))
    court = agencies("AK999001J", "AK9990000") | {
        "court": {"ori": "AK999001J", "time_zone": "America/Anchorage"}
    }
    (noted,) = found(zone(150.0, 61.0), west, **court)
    assert "outside the box of US-AK" in noted.remedy  # the state's is said once, not the county's as well
    court = agencies("ZZ999001J", "ZZ9990000") | {"kind": "CRIMINAL_NO_CONTACT"}
    elsewhere = feature("Else County", ["ZZ999"], square(13.7, 45.2, 0.2))
    for lon, lat, how in (
        (45.2, 13.7, "Swapped, as [lon, lat], it would lie in Else County: [13.7, 45.2]."),
        (
            -13.7,
            45.2,
            "With a minus sign before the longitude (west is negative) it would lie in Else County",
        ),
    ):
        (noted,) = found(zone(lon, lat), elsewhere, **court)
        assert how in noted.remedy


def test_the_area_of_the_court_or_of_the_agency_is_enough() -> None:
    both = agencies("AZ888001J", "AZ9990000")
    for lon in (LON, LON + 1.5):
        assert found(zone(lon, LAT), HERE, THERE, **both) == ()
    (noted,) = found(zone(LON + 0.75, LAT), HERE, THERE, **both)
    assert "outside Here County and There County, the area" in noted.remedy


def test_the_longest_entry_of_an_ori_counts_and_equal_ones_together() -> None:
    """A state's area does not widen a county's; a court's own area takes the place of its county's."""
    state = feature("The State", ["AZ"], square(LON, LAT, 3.0))
    assert found(zone(LON + 1.5, LAT), HERE, state) != ()
    assert found(zone(LON + 1.5, LAT), HERE, state, **agencies("AZ777001J", "AZ7770000")) == ()
    own = feature("Own District", ["AZ999001J", "AZ9990000"], square(LON + 1.5, LAT, 0.2))
    assert found(zone(LON + 1.5, LAT), HERE, own) == ()
    assert found(zone(LON, LAT), HERE, own) != ()
    second = feature("Here County, east", ["AZ999"], square(LON + 1.5, LAT, 0.2))
    assert found(zone(LON + 1.5, LAT), HERE, second) == ()


def test_of_a_court_without_an_area_nothing_is_said() -> None:
    assert found(zone(LON + 1.5, LAT), THERE) == ()


def test_many_areas_are_named_by_three() -> None:
    crowd = [feature(f"County {k}", ["AZ999"], square(LON + k, LAT, 0.2)) for k in range(1, 6)]
    (noted,) = found(zone(LON, LAT), *crowd)
    assert "outside County 1 and County 2 and County 3 and 2 more, the area" in noted.remedy


RING = [(0, 0), (8, 0), (8, 5), (5, 2), (2, 6), (0, 4)]
HOLE = [(1, 1), (3, 1), (3, 3), (1, 3)]


def inside_ring(x: Fraction, y: Fraction, ring: list[tuple[int, int]]) -> str:
    """IN, OUT or EDGE, by counting crossings in exact fractions."""
    crossings = 0
    for (x1, y1), (x2, y2) in zip(ring, [*ring[1:], ring[0]], strict=True):
        turn = (x2 - x1) * (y - y1) - (y2 - y1) * (x - x1)
        if turn == 0 and min(x1, x2) <= x <= max(x1, x2) and min(y1, y2) <= y <= max(y1, y2):
            return "EDGE"
        if (y1 > y) != (y2 > y):
            crossings += x < x1 + Fraction((y - y1) * (x2 - x1), y2 - y1)
    return "IN" if crossings % 2 else "OUT"


@settings(max_examples=150, deadline=None)
@given(x=st.integers(-4, 36), y=st.integers(-4, 28))
def test_containment_is_exact_in_concave_areas_with_holes(x: int, y: int) -> None:
    """Quarters of a degree are exact in binary: edges and vertices are met exactly, and are inside."""
    lon, lat = x / 4, y / 4
    rings = [[list(map(float, point)) for point in [*ring, ring[0]]] for ring in (RING, HOLE[::-1])]
    area = feature("Odd", ["ZZ999"], {"type": "Polygon", "coordinates": rings})
    exact = (Fraction(x, 4), Fraction(y, 4))
    outer, hole = inside_ring(*exact, RING), inside_ring(*exact, HOLE)
    if max(abs(lon), abs(lat)) < 0.01:
        return  # 0, 0 is noted by itself
    court = agencies("ZZ999001J", "ZZ9990000") | {"kind": "CRIMINAL_NO_CONTACT"}
    noted = found(zone(lon, lat), area, **court)
    assert bool(noted) == (outer == "OUT" or hole == "IN")


def test_a_drawn_zone_is_judged_by_its_centre_and_an_area_may_have_parts() -> None:
    parts = [square(LON, LAT, 0.1)["coordinates"], square(LON + 1.0, LAT, 0.1)["coordinates"]]
    area = feature("Two Parts", ["AZ999"], {"type": "MultiPolygon", "coordinates": parts})
    for lon in (LON, LON + 1.0):
        assert found(drawn(lon, LAT, 0.001), area) == ()
    assert [item.pointer for item in found(drawn(LON + 0.5, LAT, 0.001), area)] == [COORDINATES]


# ---------------------------------------------------------------- the file


def example() -> CourtAreas:
    places = load_known_places(Settings(court_areas_file=EXAMPLE / "court_areas.json"))
    assert list(places.file_sha256) == ["court_areas"]
    assert places.court_areas is not None
    return places.court_areas


def test_the_example_fits_the_examples_orders() -> None:
    """And the page's own example is a file that can be used."""
    assert [area.name for area in example().areas] == ["Example County", "Sample County"]
    assert example().named_by(["AZ007015J", "AZ9990000", "AZ9990001"]) == (0, 1)
    parsed = parse_orders_file((EXAMPLE / "orders.json").read_bytes())
    assert advise(parsed, KnownPlaces(court_areas=example())) == advise(parsed)
    page = (Path(__file__).parents[3] / "deploy" / "orders-check.md").read_text(encoding="utf-8")
    shown = page.partition("## A court areas file")[2].partition("```json")[2].partition("```")[0]
    assert parse_court_areas(shown.encode()).named_by(["AZ013001J"]) == (0,)


def changed(**changes: Any) -> Json:
    return {**HERE, **changes}


BOW = {"type": "Polygon", "coordinates": [[[0, 0], [1, 1], [1, 0], [0, 1], [0, 0]]]}


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"{", "not a JSON text"),
        (b"[]", "no JSON object"),
        (areas_file(HERE, schema="court_areas.v2"), "/schema"),
        (areas_file(HERE, type="Feature"), "/type"),
        (areas_file(HERE, crs={}), "/crs"),
        (areas_file(), "/features"),
        (areas_file(changed(properties={"name": "Here"})), "/features/0/properties/oris"),
        (areas_file(changed(properties={"name": "Here", "oris": []})), "/features/0/properties/oris"),
        (areas_file(changed(properties={"name": "", "oris": ["AZ999"]})), "/features/0/properties/name"),
        (areas_file(feature("Here", ["A"], HERE["geometry"])), "/features/0/properties/oris/0"),
        (areas_file(feature("Here", ["az999"], HERE["geometry"])), "/features/0/properties/oris/0"),
        (areas_file(feature("Here", ["AZ99900010"], HERE["geometry"])), "/features/0/properties/oris/0"),
        (areas_file(HERE, changed(geometry=None)), "/features/1/geometry"),
        (
            areas_file(HERE, changed(geometry={"type": "Point", "coordinates": [1, 2]})),
            "/features/1/geometry/type",
        ),
        (areas_file(HERE, changed(geometry=BOW)), "/features/1/geometry/coordinates"),
        (areas_file(HERE, changed(id=7)), "/features/1/id"),
        (areas_file(HERE).replace(b'"name":', b'"name": "x", "name":'), "/features/0/properties/name"),
    ],
)
def test_a_bad_file_names_the_field_and_what_to_do(data: bytes, words: str) -> None:
    with pytest.raises(SettingsError) as caught:
        parse_court_areas(data)
    assert "court areas file" in caught.value.message
    assert words in caught.value.message
    assert caught.value.remedy
    assert "Leave the field out" not in caught.value.remedy  # every field is required
