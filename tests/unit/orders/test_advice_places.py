"""Zones that lie or measure wrong."""

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pyproj import Geod

from stayaway.kernel.shape import Shape
from stayaway.orders.outlines import areas_m2, to_outlines
from stayaway.orders.us_states import STATE_BOXES, in_state, state_of_ori
from support.advised import PHOENIX, drawn, findings, only, order, orders_file, pointers, zone

COORDINATES = "/orders/0/zones/0/geometry/coordinates"
LON, LAT = PHOENIX


def with_zone(place: dict[str, Any], **changes: Any) -> dict[str, Any]:
    return orders_file(order(zones=[place], **changes))


def test_a_good_order_gets_no_advice() -> None:
    assert findings(orders_file(order(1), order(2), order(3))) == ()


# ---------------------------------------------------------------- where


@pytest.mark.parametrize(
    ("lon", "lat", "court", "words"),
    [
        (27.95, -82.46, "FL999001J", "Swapped, as [lon, lat], it would lie in US-FL: [-82.46, 27.95]"),
        (112.074, 33.4484, "AZ999001J", "With a minus sign before the longitude"),
        (33.4484, 70.0, "AK999001J", "a place in another state can be right"),
        (27.95, 82.46, "FL999001J", "Swapped, and with a minus sign"),
        (-106.65, 35.08, "AZ999001J", "It lies in the box of US-NM and US-TX. Check it on a map"),
    ],
)
def test_a_zone_outside_the_state_is_noted_with_the_mistake_undone(
    lon: float, lat: float, court: str, words: str
) -> None:
    agency = {"ori": f"{court[:2]}9990000", "telephone": "+1 555 0100"}
    courts = {"ori": court, "time_zone": "America/Phoenix"}
    pointer, remedy = only(with_zone(zone(lon, lat), court=courts, agency=agency))
    assert pointer == COORDINATES
    assert words in remedy


def test_the_finding_shows_the_zones_centre() -> None:
    found = findings(with_zone(drawn(-106.65, 35.08, 0.001)))
    assert [finding.value for finding in found] == ["[-106.65, 35.08]"]


def test_a_foreign_order_may_lie_in_any_state_that_it_names() -> None:
    """Served and enforced here, issued there: the zone may lie in either."""
    court = {"ori": "NM999001J", "time_zone": "America/Denver"}
    for lon, lat in ((-106.65, 35.08), PHOENIX):
        assert pointers(with_zone(zone(lon, lat), court=court)) == []
    assert pointers(with_zone(zone(-118.24, 34.05), issuing_jurisdiction="US-CA")) == []
    assert pointers(with_zone(zone(-118.24, 34.05), issuing_jurisdiction="CA-ON")) == [COORDINATES]


def test_a_court_whose_state_is_not_known_is_not_guessed() -> None:
    court, agency = {"ori": "ZZ9990001", "time_zone": "UTC"}, {"ori": "ZZ9990000", "telephone": "1"}
    assert pointers(with_zone(zone(13.7, 45.2), court=court, agency=agency, kind="CRIMINAL_NO_CONTACT")) == []


def test_null_island_is_noted_once_for_points_and_polygons() -> None:
    assert pointers(with_zone(drawn(0.0, 0.0, 0.001))) == [COORDINATES]
    assert "Atlantic" in findings(with_zone(drawn(0.001, 0.0, 0.001)))[0].remedy
    assert pointers(with_zone(zone(0.0, 0.0))) == []  # the point was noted where it was read


@pytest.mark.parametrize(
    ("ori", "region"),
    [
        ("AZ007015J", "US-AZ"),
        ("NB0280000", "US-NE"),
        ("NE0280000", None),
        ("GM0010000", "US-GU"),
        ("DCMPD0000", "US-DC"),
    ],
)
def test_the_state_of_an_ori_is_by_ncic_code(ori: str, region: str | None) -> None:
    assert state_of_ori(ori) == region


@pytest.mark.parametrize(
    ("region", "lon", "lat"),
    [
        ("US-AZ", -112.074, 33.4484),
        ("US-AK", -149.9, 61.2),
        ("US-AK", 173.2, 52.9),
        ("US-HI", -157.86, 21.31),
        ("US-FL", -80.19, 25.77),
        ("US-ME", -70.26, 43.66),
        ("US-PR", -66.1, 18.46),
        ("US-GU", 144.79, 13.48),
        ("US-WA", -122.33, 47.6),
    ],
)
def test_public_places_lie_in_their_states_box(region: str, lon: float, lat: float) -> None:
    """A second source: the positions of well-known towns."""
    at = in_state(np.array([lon]), np.array([lat]))
    assert at[region][0]
    assert sum(bool(inside[0]) for inside in at.values()) < 6


def test_every_state_has_a_box_and_a_code() -> None:
    assert len(STATE_BOXES) == 56
    for boxes in STATE_BOXES.values():
        assert all(west < east and south < north for west, south, east, north in boxes)


# ---------------------------------------------------------------- how large


@pytest.mark.parametrize(("place_type", "area_km2"), [("HOME", 900.0), ("SCHOOL", 900.0), ("OTHER", 2000.0)])
def test_an_absurd_area_is_noted(place_type: str, area_km2: float) -> None:
    half_deg = math.sqrt(area_km2 / (111.0 * 93.0)) / 2
    pointer, remedy = only(with_zone(drawn(LON, LAT, half_deg, place_type=place_type)))
    assert pointer == COORDINATES
    assert f"is absurd for {place_type}" in remedy


def test_two_miles_around_a_home_and_a_campus_are_no_absurdity() -> None:
    assert pointers(with_zone(zone(LON, LAT, distance_value=3520))) == []
    assert pointers(with_zone(drawn(LON, LAT, 0.05, place_type="WORK"))) == []


def test_a_distance_in_the_wrong_unit_is_noted_by_its_area() -> None:
    assert "km2 is absurd" in only(with_zone(zone(LON, LAT, distance_value=17_600)))[1]


def test_a_zone_smaller_than_a_car_is_noted() -> None:
    assert "parked car" in only(with_zone(drawn(LON, LAT, 1e-5)))[1]
    assert pointers(with_zone(drawn(LON, LAT, 3e-5))) == []


def test_a_polygon_smaller_than_its_own_distance_is_noted() -> None:
    """The clerk drew the house and wrote the distance, which widens nothing (WIRE.md, geometry)."""
    house = {"distance_value": 300, "distance_unit": "FT", "anchor": "PARCEL"}
    pointer, remedy = only(with_zone(drawn(LON, LAT, 1e-4, **house)))
    assert pointer == "/orders/0/zones/0/distance_value"
    assert "widens nothing" in remedy
    assert pointers(with_zone(drawn(LON, LAT, 1e-3, **house))) == []


def test_a_polygon_far_beyond_its_distance_is_noted_for_small_places() -> None:
    """Four square kilometres around a house, for 100 yards; a school district may be as large."""
    yards = {"distance_value": 100, "distance_unit": "YD", "anchor": "PARCEL"}
    pointer, remedy = only(with_zone(drawn(LON, LAT, 0.01, **yards)))
    assert pointer == "/orders/0/zones/0/distance_value"
    assert "circles of this distance" in remedy
    assert pointers(with_zone(drawn(LON, LAT, 0.004, **yards))) == []
    assert pointers(with_zone(drawn(LON, LAT, 0.01, place_type="SCHOOL", **yards))) == []


@settings(max_examples=60, deadline=None)
@given(
    lon=st.floats(-178, 178),
    lat=st.floats(-84, 84),
    half=st.floats(1e-4, 0.1),
    count=st.integers(3, 12),
)
def test_areas_agree_with_geodesics(lon: float, lat: float, half: float, count: int) -> None:
    """Against pyproj's area of the geodesic polygon, to half a percent at a tenth of a degree."""
    angles = [2 * math.pi * k / count for k in range(count)]
    stretch = 1 / math.cos(math.radians(lat))
    ring = [(lon + half * stretch * math.cos(a), lat + half * math.sin(a)) for a in angles]
    shape = Shape.from_parts([[[*ring, ring[0]]]])
    outlines = to_outlines([shape])
    truth = abs(Geod(ellps="WGS84").geometry_area_perimeter(outlines[0])[0])
    assert areas_m2(outlines)[0] == pytest.approx(truth, rel=5e-3)
