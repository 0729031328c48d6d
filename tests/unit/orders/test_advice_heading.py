"""An order's heading against itself, and zones that no read could be inside of."""

from typing import Any

import pytest

from stayaway.orders.advice_heading import FARTHEST_FROM_SUN_H, _apart_h
from stayaway.orders.us_states import STATE_BOXES
from support.advised import PHOENIX, exception, only, order, orders_file, pointers, vehicle, window, zone


def court(time_zone: str, ori: str = "AZ999001J") -> dict[str, Any]:
    return {"court": {"ori": ori, "time_zone": time_zone}}


def test_a_courts_clock_of_another_part_of_the_world_is_noted() -> None:
    pointer, remedy = only(orders_file(order(1, **court("Asia/Tokyo"))))
    assert pointer == "/orders/0/court/time_zone"
    assert "US-AZ" in remedy
    for name in ("America/Phoenix", "US/Mountain", "America/Denver", "America/New_York"):
        assert pointers(orders_file(order(1, **court(name)))) == []


@pytest.mark.parametrize(
    ("state", "clock_h"),
    [("US-AK", -10.0), ("US-AK", -8.0), ("US-HI", -10.0), ("US-GU", 10.0), ("US-AS", -11.0), ("US-ME", -4.0)],
)
def test_every_states_own_clock_is_near_its_sun(state: str, clock_h: float) -> None:
    """The Aleutians lie on both sides of the meridian of 180 degrees; summer time is counted."""
    apart = min(_apart_h(clock_h, west, east) for west, _, east, _ in STATE_BOXES[state])
    assert apart <= FARTHEST_FROM_SUN_H


def test_a_region_that_no_state_has_is_noted_and_other_countries_are_not() -> None:
    def bound(region: str) -> dict[str, Any]:
        return orders_file(
            order(1, respondents=[{"respondent_id": "R1", "vehicles": [vehicle(region=region)]}])
        )

    pointer, _ = only(bound("US-ZZ"))
    assert pointer == "/orders/0/respondents/0/vehicles/0/region"
    assert pointers(bound("MX-SON")) == []


@pytest.mark.parametrize(
    ("changes", "name"),
    [
        ({"effective_at": "1926-01-05T17:00:00Z"}, "effective_at"),
        ({"effective_at": "2126-01-05T17:00:00Z", "expires_on": "2127-01-05"}, "effective_at"),
        ({"issued_on": "2026-01-07"}, "issued_on"),
        ({"supersedes_order_id": "O1"}, "supersedes_order_id"),
    ],
)
def test_dates_and_names_that_cannot_be_meant_are_noted(changes: dict[str, Any], name: str) -> None:
    assert f"/orders/0/{name}" in pointers(orders_file(order(1, **changes)))


def test_an_order_issued_on_the_day_it_takes_effect_is_not_asked_about() -> None:
    assert pointers(orders_file(order(1, issued_on="2026-01-05"))) == []


def test_an_anchor_that_is_known_too_badly_for_its_distance_is_noted() -> None:
    """Of a normal with 95 % within r a disc of radius d holds 1 - 0.05 ** (d / r) ** 2: half at 0.481 r."""
    spoiled = zone(*PHOENIX, distance_value=100, distance_unit="M", anchor_accuracy_m=5_000)
    pointer, remedy = only(orders_file(order(1, zones=[spoiled])))
    assert pointer == "/orders/0/zones/0/anchor_accuracy_m"
    assert "at most 0.00" in remedy
    for accuracy_m, expected in ((205, []), (212, ["/orders/0/zones/0/anchor_accuracy_m"])):
        near = zone(*PHOENIX, distance_value=100, distance_unit="M", anchor_accuracy_m=accuracy_m)
        assert pointers(orders_file(order(1, zones=[near]))) == expected


def test_exceptions_that_cover_everything_only_together_are_noted() -> None:
    day = window("2026-01-01T08:00:00", "2026-01-01T20:00:00", rrule="FREQ=DAILY")
    night = window("2026-01-01T20:00:00", "2026-01-02T08:00:00", rrule="FREQ=DAILY")
    late = window("2026-01-01T21:00:00", "2026-01-02T08:00:00", rrule="FREQ=DAILY")

    def of(*windows: dict[str, Any]) -> dict[str, Any]:
        given = [exception(exception_id=f"E{i}", windows=[one]) for i, one in enumerate(windows)]
        return orders_file(order(1, zones=[zone(*PHOENIX)], exceptions=given))

    pointer, remedy = only(of(day, night))
    assert pointer == "/orders/0/zones/0/zone_id"
    assert "together" in remedy
    assert pointers(of(day, late)) == []
