"""Exceptions that except everything, or nothing."""

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stayaway.orders.advice_exceptions import _is_always_open
from stayaway.orders.model import Window
from stayaway.orders.schedule import covers, parse_rrule
from support.advised import (
    PHOENIX,
    drawn,
    exception,
    only,
    order,
    orders_file,
    pointers,
    square,
    window,
    zone,
)

LON, LAT = PHOENIX
PLACE = "/orders/0/exceptions/0/place"
ALL_DAY = window("2026-01-01T00:00:00", "2026-01-02T00:00:00", rrule="FREQ=DAILY")
WHOLE_LIFE = window("2026-01-01T00:00:00", "2027-06-01T00:00:00", rrule=None)


def with_exception(*places: dict[str, Any], **changes: Any) -> dict[str, Any]:
    zones = list(places) or [zone(LON, LAT)]
    return orders_file(order(1, zones=zones, exceptions=[exception(**changes)]))


# ---------------------------------------------------------------- everything


@pytest.mark.parametrize(
    "windows",
    [
        [ALL_DAY],
        [WHOLE_LIFE],
        [window("2026-01-05T00:00:00", "2026-01-12T00:00:00")],
        [
            window("2026-01-01T00:00:00", "2026-01-01T13:00:00", rrule="FREQ=DAILY"),
            window("2026-01-01T12:00:00", "2026-01-02T00:00:00", rrule="FREQ=DAILY"),
        ],
    ],
)
@pytest.mark.parametrize("place", ["WHOLE_ZONE", square(LON, LAT, 0.01)])
def test_an_exception_of_all_the_time_and_all_the_zone_is_noted(windows: list[Any], place: Any) -> None:
    pointer, remedy = only(with_exception(windows=windows, place=place))
    assert pointer == PLACE
    assert "all of zone Z1 at every moment" in remedy


@pytest.mark.parametrize(
    "changes",
    [
        {"windows": [window("2026-01-01T00:00:00", "2026-01-01T23:00:00", rrule="FREQ=DAILY")]},
        {"windows": [ALL_DAY], "place": square(LON + 0.001, LAT, 0.001)},
        {"windows": [window("2026-01-01T00:00:00", "2026-12-31T00:00:00", rrule=None)]},
        {"windows": [window("2026-01-05T11:00:00", "2027-06-01T00:00:00", rrule=None)]},
    ],
)
def test_an_exception_that_leaves_an_hour_or_a_corner_is_not_noted(changes: dict[str, Any]) -> None:
    assert pointers(with_exception(**changes)) == []


def test_only_the_zones_it_names_are_judged() -> None:
    two = [zone(LON, LAT), zone(LON + 0.1, LAT, zone_id="Z2")]
    _, remedy = only(with_exception(*two, windows=[ALL_DAY], zone_ids=["Z2"]))
    assert "all of zone Z2 at" in remedy


# ---------------------------------------------------------------- nothing


def test_a_place_that_touches_no_zone_is_noted() -> None:
    pointer, remedy = only(with_exception(place=square(LON + 0.02, LAT, 0.001)))
    assert (pointer, "touches none" in remedy) == (PLACE, True)
    swapped = square(LAT, -60.0, 0.001)
    assert pointers(with_exception(place=swapped)) == [PLACE]


def test_a_place_in_the_zone_or_its_warning_ring_is_not_noted() -> None:
    assert pointers(with_exception(place=square(LON + 0.001, LAT, 0.0005))) == []
    near = square(LON + 0.004, LAT, 0.001)  # its edge lies some 190 m from the zone
    assert pointers(with_exception(place=near)) == [PLACE]
    assert pointers(with_exception(zone(LON, LAT, warning_m=150), place=near)) == [PLACE]
    assert pointers(with_exception(zone(LON, LAT, warning_m=250), place=near)) == []


def test_a_place_must_touch_a_zone_that_it_is_meant_for() -> None:
    two = [drawn(LON, LAT, 0.001), drawn(LON + 0.1, LAT, 0.001, zone_id="Z2")]
    at_the_first = square(LON, LAT, 0.0005)
    assert pointers(with_exception(*two, place=at_the_first)) == []
    assert pointers(with_exception(*two, place=at_the_first, zone_ids=["Z2"])) == [PLACE]


# ---------------------------------------------------------------- against plain sampling

ZONE = ZoneInfo("America/Los_Angeles")
BEGIN = datetime(2026, 3, 1, tzinfo=UTC)


@st.composite
def windows(draw: st.DrawFn) -> Window:
    start = datetime(2026, 2, 27) + timedelta(hours=draw(st.integers(0, 96)))  # noqa: DTZ001 - wall clock
    end = start + timedelta(hours=draw(st.sampled_from([1, 12, 23, 24, 25, 168, 2000])))
    rule = draw(st.sampled_from([None, "FREQ=DAILY", "FREQ=DAILY;COUNT=20", "FREQ=WEEKLY"]))
    recurrence = None if rule is None else parse_rrule(rule, start, ZONE)
    return Window(time_zone=ZONE.key, start_local=start, end_local=end, recurrence=recurrence)


@settings(max_examples=150, deadline=None)
@given(st.lists(windows(), max_size=3), st.integers(1, 60))
def test_always_open_agrees_with_asking_at_every_half_hour(found: list[Window], days: int) -> None:
    """Through the change to daylight saving; every boundary lies on a full hour."""
    end = BEGIN + timedelta(days=days)
    asked = [BEGIN + timedelta(minutes=30 * k) for k in range(days * 48)]
    expected = all(any(covers(one, at) for one in found) for at in asked)
    assert _is_always_open(found, BEGIN, end) == expected
