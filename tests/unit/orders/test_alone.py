"""When an emergency entry by one person stands in the way of another one."""

import copy
import json
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from shapely.geometry import shape

from stayaway.kernel.instants import parse_instant
from stayaway.orders.alone import LOOK_BACK, concern_the_same, entry_alone
from stayaway.orders.model import Confirmation, CourtOrder, OrderVersion, Provisional, Recall, Record
from stayaway.orders.parse import parse_orders_file, to_orders
from support.advised import PHOENIX, order, orders_file, vehicle, zone

Json = dict[str, Any]
UNTIL = parse_instant("2026-03-07T18:00:00Z")
PEOPLE = [{"protected_person_id": "P1", "name": "Pat Example"}]


def version(record: Json) -> OrderVersion:
    parsed = parse_orders_file(json.dumps(orders_file(record)).encode())
    return to_orders(parsed)[record["order_id"]].versions[0]


def first() -> Json:
    return order(1, protected_persons=copy.deepcopy(PEOPLE))


def second(change: Callable[[Json], None]) -> Json:
    """The same under another order id, with `change`."""
    record = first() | {"order_id": "O2"}
    change(record)
    return record


def another_respondent(record: Json) -> None:
    record["respondents"][0] |= {"respondent_id": "R9", "name": "Somebody Else"}
    record["respondents"][0]["vehicles"] = [vehicle(plate="QQQ999Q")]


def respondent_of_another_id(record: Json) -> None:
    record["respondents"][0] |= {"respondent_id": "R9", "name": "Somebody Else"}


def plate_with_an_o(record: Json) -> None:
    respondent_of_another_id(record)
    record["respondents"][0]["vehicles"] = [vehicle(plate="ATXOO1W")]


def only_names(record: Json) -> None:
    """Every id, plate and place is another one."""
    another_respondent(record)
    record["respondents"][0]["name"] = "RESPONDENT  Example 1"
    record["protected_persons"] = [{"protected_person_id": "P9", "name": "pat example"}]
    elsewhere(record)


def elsewhere(record: Json) -> None:
    record["zones"] = [zone(PHOENIX[0] + 1, PHOENIX[1])]


def another_person(record: Json) -> None:
    record["protected_persons"] = [{"protected_person_id": "P9", "name": "Sam Other"}]


def another_person_elsewhere(record: Json) -> None:
    another_person(record)
    elsewhere(record)


def nobody_elsewhere(record: Json) -> None:
    record["protected_persons"] = []
    elsewhere(record)


def same_name_elsewhere(record: Json) -> None:
    record["protected_persons"] = [{"protected_person_id": "P9", "name": "Pat Example"}]
    record["respondents"][0]["name"] = "Written Otherwise"
    elsewhere(record)


def no_zones(record: Json) -> None:
    record |= {"zones": [], "not_monitored": ["no firearms"], "protected_persons": []}


CASES: dict[Callable[[Json], None], bool] = {
    (lambda _: None): True,
    another_respondent: False,
    respondent_of_another_id: True,
    plate_with_an_o: True,
    only_names: True,
    elsewhere: True,
    another_person: True,
    another_person_elsewhere: False,
    nobody_elsewhere: False,
    same_name_elsewhere: True,
    no_zones: False,
}


@pytest.mark.parametrize(("change", "expected"), CASES.items())
def test_whether_two_orders_concern_the_same(change: Callable[[Json], None], expected: bool) -> None:
    one, other = version(first()), version(second(change))
    assert concern_the_same(one, other) is expected
    assert concern_the_same(other, one) is expected


@given(st.integers(0, 60), st.integers(0, 60), st.sampled_from([20, 100, 300]))
def test_places_meet_where_their_polygons_do(east: int, north: int, distance: int) -> None:
    """By the polygons that shapely draws of the printed coordinates, for other people at other plates."""
    record = second(another_person)
    record["zones"] = [
        zone(PHOENIX[0] + 1 / 50 + east / 20_000, PHOENIX[1] + north / 20_000, distance_value=distance)
    ]
    one, other = version(first()), version(record)
    drawn = [
        shape({"type": "MultiPolygon", "coordinates": item.zones[0].shape.to_coordinates()})
        for item in (one, other)
    ]
    assert concern_the_same(one, other) is not drawn[0].disjoint(drawn[1])


def made(*records: Record) -> CourtOrder:
    return CourtOrder(order_id="O1", versions=()).with_records(records)


def entry(number: int = 1) -> Provisional:
    return Provisional(order_id="O1", recorded_at=UNTIL - timedelta(days=1), version=number, until_at=UNTIL)


def confirmed_at(seconds: int) -> Confirmation:
    return Confirmation(order_id="O1", recorded_at=UNTIL + timedelta(seconds=seconds), version=1)


FIRST = version(first())
LATER = replace(FIRST, version=2)
VOID = Recall(order_id="O1", recorded_at=UNTIL, recalled_at=UNTIL, reason_text="slip", void=True)


@pytest.mark.parametrize(
    ("records", "stands"),
    [
        ((FIRST,), False),
        ((FIRST, entry()), True),
        ((FIRST, entry(), confirmed_at(-1)), False),
        ((FIRST, entry(), confirmed_at(0)), True),
        ((FIRST, entry(), VOID), True),
        ((FIRST, entry(), LATER), False),
        ((FIRST, LATER, entry(2)), True),
    ],
)
def test_which_entries_nobody_else_stood_behind(records: tuple[Record, ...], stands: bool) -> None:
    """One person makes a recall; a confirmation counts in time only; a later version counts always."""
    assert (entry_alone(made(*records), UNTIL) is not None) is stands


def test_how_far_it_looks_back() -> None:
    tick = timedelta(microseconds=1)
    found = made(FIRST, entry())
    assert entry_alone(found, UNTIL - timedelta(hours=5)) == entry()
    assert entry_alone(found, UNTIL + LOOK_BACK - tick) == entry()
    assert entry_alone(found, UNTIL + LOOK_BACK) is None
