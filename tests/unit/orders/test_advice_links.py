"""Plates, devices and people across the orders of a file."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stayaway.kernel.plates import CONFUSION_CLASSES
from support.advised import findings, only, order, orders_file, pointers, respondent, vehicle


def with_vehicles(*vehicles: dict[str, Any], same_person: bool = False) -> dict[str, Any]:
    """An order for each vehicle, of one respondent or of as many."""
    orders = [
        order(number, respondents=[respondent(1 if same_person else number, vehicles=[one])])
        for number, one in enumerate(vehicles, start=1)
    ]
    return orders_file(*orders)


PLATE = "/orders/1/respondents/0/vehicles/0/plate"
REGION = "/orders/1/respondents/0/vehicles/0/region"


# ---------------------------------------------------------------- twins


@pytest.mark.parametrize(("one", "other"), [("ATO 123", "AT0 123"), ("B8I5", "8BL5"), ("QD6Z", "OOG2")])
@pytest.mark.parametrize("same_person", [True, False])
def test_twins_of_a_confusion_class_are_noted_whosever_they_are(
    one: str, other: str, same_person: bool
) -> None:
    pointer, remedy = only(with_vehicles(vehicle(plate=one), vehicle(plate=other), same_person=same_person))
    assert pointer == PLATE
    assert remedy.startswith("Order O1 (/orders/0/respondents/0/vehicles/0) has a plate that readers take")
    assert one not in remedy  # each order's plates stay with it


def test_twins_within_one_order_are_noted() -> None:
    cars = [vehicle(plate="ATO123"), vehicle(vehicle_id="V2", plate="AT0123")]
    assert pointers(orders_file(order(1, respondents=[respondent(1, vehicles=cars)]))) == [
        "/orders/0/respondents/0/vehicles/1/plate"
    ]


def test_plates_of_different_regions_and_other_lengths_are_no_twins() -> None:
    assert pointers(with_vehicles(vehicle(plate="ATO123"), vehicle(plate="AT0123", region="US-CO"))) == []
    assert pointers(with_vehicles(vehicle(plate="ATO123"), vehicle(plate="AT01234"))) == []
    assert pointers(with_vehicles(vehicle(plate="ATX123"), vehicle(plate="ATX124"))) == []


def test_an_unknown_region_may_be_any() -> None:
    bare = vehicle(plate="AT0123")
    del bare["region"]
    assert pointers(with_vehicles(vehicle(plate="ATO123"), bare)) == [PLATE]


@settings(max_examples=60, deadline=None)
@given(plate=st.text("ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789", min_size=2, max_size=8), data=st.data())
def test_twins_are_exactly_the_plates_whose_classes_agree(plate: str, data: st.DataObject) -> None:
    """Against the classes themselves: change characters within them, or one to outside."""
    within = {c: group for group in CONFUSION_CLASSES for c in group}
    other = "".join(data.draw(st.sampled_from(within.get(c, c))) for c in plate)
    spoiled = ("X" if plate[0] != "X" else "Y") + plate[1:]
    for second, expected in ((other, other != plate), (spoiled, False)):
        found = findings(with_vehicles(vehicle(plate=plate), vehicle(plate=second), same_person=True))
        assert [f.pointer for f in found] == ([PLATE] if expected else [])


# ---------------------------------------------------------------- one plate, two entries


def test_one_plate_of_two_respondents_is_noted() -> None:
    pointer, remedy = only(with_vehicles(vehicle(), vehicle(plate="atx-001w")))
    assert pointer == PLATE
    assert "links this plate to another respondent" in remedy
    assert pointers(with_vehicles(vehicle(), vehicle(), same_person=True)) == []
    assert pointers(with_vehicles(vehicle(), vehicle(region="US-NM"))) == []


def test_one_vehicle_under_two_regions_is_noted() -> None:
    pointer, remedy = only(with_vehicles(vehicle(), vehicle(region="US-NM"), same_person=True))
    assert pointer == REGION
    assert "under US-AZ, this one under US-NM" in remedy


def test_a_region_left_out_in_one_order_only_is_noted() -> None:
    bare = vehicle()
    del bare["region"]
    pointer, remedy = only(with_vehicles(vehicle(), bare, same_person=True))
    assert pointer == REGION
    assert "this one without a region" in remedy


def test_several_others_are_counted() -> None:
    found = findings(with_vehicles(vehicle(), vehicle(), vehicle()))
    assert "(and 1 more)" in found[-1].remedy


# ---------------------------------------------------------------- devices and people


def test_one_device_of_two_respondents_is_noted() -> None:
    def wearing(number: int) -> dict[str, Any]:
        return order(number, respondents=[respondent(number, devices=[{"device_id": "D9"}])])

    pointer, remedy = only(orders_file(wearing(1), wearing(2)))
    assert pointer == "/orders/1/respondents/0/devices/0/device_id"
    assert "worn by one person" in remedy
    again = order(2, respondents=wearing(1)["respondents"])
    assert pointers(orders_file(wearing(1), again)) == []


def test_two_names_under_one_id_are_noted_without_repeating_the_other_name() -> None:
    file = orders_file(order(1), order(2, respondents=[respondent(1, name="Somebody Else Example")]))
    pointer, remedy = only(file)
    assert pointer == "/orders/1/respondents/0/respondent_id"
    assert "Respondent Example" not in remedy
    same = orders_file(order(1), order(2, respondents=[respondent(1, name=" respondent  EXAMPLE 1")]))
    assert pointers(same) == []
