"""The same place as a zone of two orders of one respondent."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stayaway.orders.advice_overlap import SAME_PLACE_SHARE
from support.advised import PHOENIX, drawn, findings, only, order, orders_file, pointers, respondent, zone

LON, LAT = PHOENIX
HERE = "/orders/1/zones/0/zone_id"


def two_orders(one: dict[str, Any], other: dict[str, Any], **changes: Any) -> dict[str, Any]:
    first = order(1, zones=[one])
    return orders_file(first, order(2, zones=[other], respondents=first["respondents"], **changes))


def test_the_same_place_in_another_order_of_the_respondent_is_noted_at_the_later_order() -> None:
    pointer, remedy = only(two_orders(zone(LON, LAT), zone(LON, LAT, distance_value=120)))
    assert pointer == HERE
    assert remedy.startswith("Order O1 of the same respondent has this place already (/orders/0/zones/0)")


def test_a_neighbour_and_another_respondents_zone_are_two_places() -> None:
    assert pointers(two_orders(zone(LON, LAT), zone(LON + 0.0012, LAT))) == []
    same_place = [zone(LON, LAT)]
    assert pointers(orders_file(order(1, zones=same_place), order(2, zones=same_place))) == []


def test_two_zones_of_one_order_are_its_own_affair() -> None:
    assert pointers(orders_file(order(1, zones=[zone(LON, LAT), zone(LON, LAT, zone_id="Z2")]))) == []


def test_one_finding_for_each_zone_however_many_orders_have_the_place() -> None:
    people = [respondent(1)]
    many = [order(number, zones=[zone(LON, LAT)], respondents=people) for number in range(1, 13)]
    assert pointers(orders_file(*many)) == [f"/orders/{index}/zones/0/zone_id" for index in range(1, 12)]


def test_a_shared_respondent_among_several_is_enough() -> None:
    both = [respondent(1), respondent(2)]
    file = orders_file(
        order(1, zones=[zone(LON, LAT)], respondents=both),
        order(2, zones=[zone(LON, LAT)], respondents=[respondent(2)]),
    )
    assert pointers(file) == [HERE]


def test_an_order_that_supersedes_the_other_is_told_to_recall_it() -> None:
    pointer, remedy = only(two_orders(zone(LON, LAT), zone(LON, LAT), supersedes_order_id="O1"))
    assert pointer == "/orders/1/supersedes_order_id"
    assert "until it is recalled" in remedy


@pytest.mark.parametrize(
    "off",
    [
        {"recalled_at": "2026-01-07T00:00:00Z"},
        {"recalled_at": "2026-01-05T00:00:00Z", "void": True},
    ],
)
def test_a_recalled_order_is_no_duplicate(off: dict[str, Any]) -> None:
    file = two_orders(zone(LON, LAT), zone(LON, LAT))
    recall = {"order_id": "O1", "recorded_at": "2026-01-07T00:00:00Z", "reason_text": "dismissed", **off}
    assert pointers(file | {"recalls": [recall]}) == []


@settings(max_examples=80, deadline=None)
@given(
    dx=st.floats(-0.003, 0.003),
    dy=st.floats(-0.003, 0.003),
    half=st.floats(0.0005, 0.002),
    other_half=st.floats(0.0005, 0.002),
)
def test_the_share_of_the_smaller_zone_decides(dx: float, dy: float, half: float, other_half: float) -> None:
    """Against a plain computation on two squares."""
    width = max(0.0, min(half, dx + other_half) - max(-half, dx - other_half))
    height = max(0.0, min(half, dy + other_half) - max(-half, dy - other_half))
    share = width * height / (2 * min(half, other_half)) ** 2
    if abs(share - SAME_PLACE_SHARE) < 1e-3:
        return  # vertices are rounded
    found = findings(two_orders(drawn(LON, LAT, half), drawn(LON + dx, LAT + dy, other_half)))
    assert bool(found) == (share > SAME_PLACE_SHARE)


def test_no_zones_no_shapes() -> None:
    """Orders without a zone do not disturb the others."""
    nothing = order(1, zones=[], not_monitored=["firearms"], conditions=["07"])
    assert pointers(orders_file(nothing, order(2))) == ["/orders/0/zones"]
