"""Who is bound, told and shielded, and what was left open about them."""

from typing import Any

import pytest

from support.advised import (
    exception,
    findings,
    notice,
    only,
    order,
    orders_file,
    pointers,
    respondent,
    vehicle,
)

PERSON = "/orders/0/respondents/0/respondent_id"


def protecting(number: int, respondent_number: int, protected: dict[str, Any]) -> dict[str, Any]:
    return order(number, respondents=[respondent(respondent_number)], protected_persons=[protected])


# ---------------------------------------------------------------- service


def test_an_order_without_any_notice_is_noted_as_not_served() -> None:
    pointer, remedy = only(orders_file(order(1), notices=[]))
    assert pointer == PERSON
    assert remedy.startswith("Not served")


@pytest.mark.parametrize("kind", ["PERSONAL", "MAIL", "PUBLICATION", "OFFICER_VERBAL"])
def test_a_notice_of_any_kind_is_a_notice(kind: str) -> None:
    """Which kinds count is for the policy, which the check does not know."""
    record = order(1)
    assert pointers(orders_file(record, notices=[notice(record, kind=kind)])) == []


def test_each_respondent_is_served_alone() -> None:
    both = order(1, respondents=[respondent(1), respondent(2)])
    assert pointers(orders_file(both, notices=[notice(both)])) == ["/orders/0/respondents/1/respondent_id"]


def test_a_draft_is_served_only_when_it_is_an_order() -> None:
    assert pointers(orders_file(order(1, status="DRAFT"), notices=[])) == []


def test_a_version_of_which_nobody_was_told_is_noted_unless_it_is_relief() -> None:
    first, second = order(1), order(1, version=2, recorded_at="2026-01-08T00:00:00Z")
    told = [notice(first)]
    pointer, remedy = only(orders_file(first, second, notices=told))
    assert pointer == "/orders/1/respondents/0/respondent_id"
    assert remedy.startswith("Told of version 1 only")
    assert pointers(orders_file(first, second | {"relief": True}, notices=told)) == []
    assert pointers(orders_file(first, second, notices=[*told, notice(second)])) == []


# ---------------------------------------------------------------- conditions


def test_visitation_without_an_exception_is_noted() -> None:
    pointer, remedy = only(orders_file(order(1, conditions=["04", "06"])))
    assert pointer == "/orders/0/conditions/1"
    assert remedy.startswith("PCO 06")
    assert pointers(orders_file(order(1, conditions=["04", "06"], exceptions=[exception()]))) == []
    never = order(1, conditions=["04", "06"], exceptions=[exception(windows=[])])
    assert pointers(orders_file(never)) == ["/orders/0/conditions/1"]


@pytest.mark.parametrize("code", ["03", "04"])
def test_a_place_condition_without_a_zone_is_noted(code: str) -> None:
    record = order(1, conditions=["07", code], zones=[], not_monitored=["no firearms"])
    assert pointers(orders_file(record)) == ["/orders/0/conditions/1", "/orders/0/zones"]


def test_a_zone_without_a_condition_that_speaks_of_places_is_noted() -> None:
    pointer, _ = only(orders_file(order(1, conditions=["01", "05"])))
    assert pointer == "/orders/0/conditions"


@pytest.mark.parametrize(
    "changes",
    [
        {"conditions": ["08"]},
        {"conditions": []},
        {"kind": "CRIMINAL_NO_CONTACT"},
        {"issuing_jurisdiction": "US-NM"},
        {"court": {"ori": "NM999001J", "time_zone": "America/Denver"}},
    ],
)
def test_criminal_foreign_and_quoted_orders_need_no_place_condition(changes: dict[str, Any]) -> None:
    assert pointers(orders_file(order(1, **({"conditions": ["01"]} | changes)))) == []


def test_an_order_of_which_nothing_is_watched_says_so() -> None:
    """Firearms only: legal, stored, and shown as not monitored."""
    pointer, remedy = only(orders_file(order(1, zones=[], conditions=["07"], not_monitored=["no firearms"])))
    assert pointer == "/orders/0/zones"
    assert "NOT MONITORED" in remedy
    watched = order(1, not_monitored=["100 yards from the protected person, wherever they are"])
    assert pointers(orders_file(watched)) == []


# ---------------------------------------------------------------- shared vehicles


def test_a_vehicle_about_which_nobody_was_asked_is_noted_once_an_order() -> None:
    unasked = vehicle()
    del unasked["used_by"]
    cars = [
        vehicle(),
        unasked | {"vehicle_id": "V2", "plate": "ATX002W"},
        unasked | {"vehicle_id": "V3", "plate": "ATX003W"},
    ]
    pointer, remedy = only(orders_file(order(1, respondents=[respondent(1, vehicles=cars)])))
    assert pointer == "/orders/0/respondents/0/vehicles/1/used_by"
    assert "for 1 more of this order" in remedy


# ---------------------------------------------------------------- mutual orders


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({"protected_person_id": "R2"}, {"protected_person_id": "R1"}),
        (
            {"protected_person_id": "P1", "name": "Respondent Example 2"},
            {"protected_person_id": "P2", "name": "respondent  example 1"},
        ),
    ],
)
def test_mutual_orders_are_noted_at_both_by_id_or_name(one: dict[str, Any], other: dict[str, Any]) -> None:
    found = findings(orders_file(protecting(1, 1, one), protecting(2, 2, other)))
    assert [f.pointer for f in found] == ["/orders/0/protected_persons", "/orders/1/protected_persons"]
    assert all("18 USC 2265(c)" in f.remedy and "Example" not in f.remedy for f in found)


def test_orders_that_share_only_one_side_are_not_mutual() -> None:
    assert pointers(orders_file(protecting(1, 1, {"protected_person_id": "R2"}), order(2))) == []
    third = protecting(2, 2, {"protected_person_id": "R3"})
    assert pointers(orders_file(protecting(1, 1, {"protected_person_id": "R2"}), third)) == []
    alone = protecting(1, 1, {"protected_person_id": "R1", "name": "Respondent Example 1"})
    assert pointers(orders_file(alone)) == []


def test_only_the_last_version_is_asked() -> None:
    bad = order(1, conditions=["04", "06"], zones=[order(1)["zones"][0] | {"place_type": "WORK"}])
    good = order(1, version=2, recorded_at="2026-01-08T00:00:00Z", relief=True)
    assert pointers(orders_file(bad, good)) == []
    assert pointers(orders_file(good | {"version": 1}, bad | {"version": 2, "relief": True})) == [
        "/orders/1/conditions/1"
    ]
