"""What is said of a file beside the orders that the registry has already."""

import json
import random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stayaway.orders.advice import advise
from stayaway.orders.marks import marks_of, marks_sought
from stayaway.orders.parse import to_orders
from support.advised import notice, order, orders_file, respondent, vehicle, zone
from support.registered import RECALL, drawn_order, parsed, said, to_file, to_met

Json = dict[str, Any]


def beside(registry: Json, file: Json) -> list[tuple[str, str]]:
    """(pointer, remedy) of what is said of the file beside that registry."""
    found = advise(parsed(file), met=to_met(parsed(registry)))
    return [(finding.pointer, finding.remedy) for finding in found]


@settings(max_examples=150, deadline=None)
@given(seed=st.integers(0, 2**32), others=st.integers(0, 6), new=st.integers(1, 2))
def test_it_is_what_is_said_where_all_stand_in_one_file(seed: int, others: int, new: int) -> None:
    """The oracle knows no registry: the same orders in one file, those of the registry first."""
    rng = random.Random(seed)
    drawn = [drawn_order(rng, number) for number in range(1, others + new + 1)]
    recalled = [item["order_id"] for item in drawn[:others] if rng.random() < 0.2]
    file, registry = parsed(to_file(drawn[others:])), parsed(to_file(drawn[:others], recalled))
    whole = parsed(to_file(drawn, recalled))
    own = {item["order_id"] for item in drawn[others:]}
    assert said(advise(file, met=to_met(registry)), own) == said(advise(whole), own)


@settings(max_examples=300, deadline=None)
@given(seed=st.integers(0, 2**32))
def test_whoever_has_no_mark_in_common_has_nothing_to_say(seed: int) -> None:
    """So what is looked up by marks leaves out nobody: the same with all orders of the registry."""
    rng = random.Random(seed)
    drawn = [drawn_order(rng, number) for number in range(1, 9)]
    registry, file = parsed(to_file(drawn[:7], [drawn[0]["order_id"]])), parsed(to_file(drawn[7:]))
    new = to_orders(file)["O8"].versions[-1]
    met = {
        name: other
        for name, other in to_orders(registry).items()
        if name == new.supersedes_order_id or not marks_of(other.versions[-1]).isdisjoint(marks_sought(new))
    }
    assert advise(file, met=to_met(registry, met)) == advise(file, met=to_met(registry))


# ---------------------------------------------------------------- one by one


def test_a_version_that_the_registry_does_not_have_of_an_order_it_has_the_recall_of() -> None:
    """Whatever the court's clock said: it is new here, and never binds. What is sent again is not noted."""
    record = order(1)
    recall = {"order_id": "O1"} | RECALL
    registry = orders_file(record) | {"recalls": [recall]}
    early = order(1, version=2, recorded_at="2026-01-08T00:00:00Z", relief=True)
    ((pointer, remedy),) = beside(registry, orders_file(early))
    assert (pointer, "no version of a recalled order" in remedy) == ("/orders/0/order_id", True)
    assert beside(registry, orders_file(record)) == []


def test_a_twin_in_the_registry_is_named_with_its_version_and_place() -> None:
    registry = orders_file(order(1, respondents=[respondent(1, vehicles=[vehicle(plate="ATO 123")])]))
    file = orders_file(order(2, respondents=[respondent(2, vehicles=[vehicle(plate="AT0 123")])]))
    ((pointer, remedy),) = beside(registry, file)
    assert pointer == "/orders/0/respondents/0/vehicles/0/plate"
    assert remedy.startswith(
        "Order O1 (in the registry, version 1, /respondents/0/vehicles/0) has a plate that readers take"
    )
    assert "ATO" not in remedy  # each order's plates stay with it


def test_a_zone_that_the_registry_holds_for_the_same_respondent() -> None:
    registry = orders_file(order(1, respondents=[respondent(7)], zones=[zone()]))
    file = orders_file(order(2, respondents=[respondent(7)], zones=[zone()]))
    ((pointer, remedy),) = beside(registry, file)
    assert pointer == "/orders/0/zones/0/zone_id"
    assert (
        "Order O1 of the same respondent has this place already (in the registry, version 1, /zones/0)"
        in remedy
    )


def test_a_mutual_order_and_a_superseded_one_in_the_registry() -> None:
    one = order(1, protected_persons=[{"protected_person_id": "R2"}])
    other = order(2, protected_persons=[{"protected_person_id": "R1"}], supersedes_order_id="O1")
    said_of = dict(beside(orders_file(one), orders_file(other)))
    assert "(in the registry, version 1) binds the person" in said_of["/orders/0/protected_persons"]
    assert said_of["/orders/0/supersedes_order_id"].startswith("That order still stands in the registry")


@pytest.mark.parametrize("off", ["recalled", "error"])
def test_what_stands_no_longer_warns_no_more(off: str) -> None:
    same = respondent(1)
    registry = orders_file(order(1, respondents=[same], zones=[zone()]))
    file = orders_file(order(2, respondents=[same], zones=[zone()]))
    assert beside(registry, file)
    if off == "recalled":
        registry["recalls"] = [RECALL | {"order_id": "O1"}]
    else:
        registry["orders"].append(registry["orders"][0] | {"version": 2, "status": "ENTERED_IN_ERROR"})
    assert beside(registry, file) == []


def test_an_order_is_no_twin_of_its_own_earlier_version() -> None:
    registry = orders_file(order(1))
    changed = order(1, version=2, case_number="F-9")
    assert beside(registry, {"schema": "orders.v1", "orders": [changed], "notices": [notice(changed)]}) == []


def test_notices_in_the_registry_count() -> None:
    """Of the order's own; without the registry the file says that nobody was served."""
    changed = {"schema": "orders.v1", "orders": [order(1, version=2)]}
    ((pointer, remedy),) = beside(orders_file(order(1)), changed)
    assert pointer == "/orders/0/respondents/0/respondent_id"
    assert remedy.startswith("Told of version 1 only")
    (alone,) = advise(parsed(changed))
    assert "unless the registry has it" in alone.remedy
    ((_, remedy),) = beside(orders_file(order(3)), changed)
    assert remedy.endswith("Add it under notices.")


def test_a_recall_in_a_file_is_held_against_the_registrys_dates() -> None:
    """The file has no version of the order; of the registry's own recall nothing is said."""
    early = RECALL | {"order_id": "O1", "recalled_at": "2026-01-01T00:00:00Z"}
    file = {"schema": "orders.v1", "orders": [], "recalls": [early | {"reason_text": "y"}]}
    registry = orders_file(order(1), recalls=[early])
    ((pointer, remedy),) = beside(registry, file)
    assert pointer == "/recalls/0/recalled_at"
    assert "before the order takes effect" in remedy
    assert advise(parsed(file)) == ()


def test_nothing_is_said_of_what_stands_in_the_registry_alone() -> None:
    """Two orders there that are twins of each other are no news of a file that has to do with neither."""
    registry = orders_file(order(1, zones=[zone()]), order(2, respondents=[respondent(1)], zones=[zone()]))
    assert advise(parsed(registry))
    assert beside(registry, orders_file(order(5))) == []


def test_the_same_records_in_file_and_registry_count_once() -> None:
    file = orders_file(order(1), recalls=[RECALL | {"order_id": "O1"}])
    assert beside(json.loads(json.dumps(file)), file) == []
