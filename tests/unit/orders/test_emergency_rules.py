"""An emergency entry by one person: when it counts, when it lapses, what binds then."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from stayaway.orders.model import Confirmation, CourtOrder, Notice, OrderVersion, Provisional, Record
from stayaway.orders.parse import parse_orders_file as parse
from stayaway.orders.parse import to_orders
from stayaway.orders.rules import choose_version, has_ended_by, is_second_checked, order_reasons
from support.wire_examples import ORDERS

UNTIL = datetime(2026, 3, 6, 20, tzinfo=UTC)
TICK = timedelta(microseconds=1)
EARLY = datetime(2026, 2, 1, tzinfo=UTC)
FIRST = to_orders(parse(json.dumps(ORDERS).encode()))["O1"].versions[0]


def version(number: int, status: Any = "ACTIVE") -> OrderVersion:
    return replace(FIRST, version=number, status=status)


def order(*records: Record) -> CourtOrder:
    return CourtOrder(order_id="O1", versions=()).with_records(records)


def alone(number: int) -> Provisional:
    return Provisional(order_id="O1", recorded_at=EARLY, version=number, until_at=UNTIL)


def confirmed(number: int, at: datetime) -> Confirmation:
    return Confirmation(order_id="O1", recorded_at=at, version=number)


NOTICE = Notice(
    order_id="O1", recorded_at=EARLY, order_version=1, respondent_id="R1", kind="PERSONAL", noticed_at=EARLY
)


def judged(found: CourtOrder, t: datetime) -> tuple[int, list[str]]:
    chosen = choose_version(found, [NOTICE], t)
    return chosen.version, list(order_reasons(found, chosen, [NOTICE], t))


def test_it_counts_until_its_end_and_not_from_its_end_on() -> None:
    found = order(version(1), alone(1))
    assert judged(found, UNTIL - TICK) == (1, [])
    assert judged(found, UNTIL) == (1, ["NOT_APPROVED"])
    assert not is_second_checked(found, 1)


@pytest.mark.parametrize(("at", "reasons"), [(UNTIL - TICK, []), (UNTIL, ["NOT_APPROVED"])])
def test_a_confirmation_counts_if_recorded_before_the_end(at: datetime, reasons: list[str]) -> None:
    found = order(version(1), alone(1), confirmed(1, at))
    assert judged(found, UNTIL + timedelta(days=1)) == (1, reasons)
    assert is_second_checked(found, 1) == (not reasons)


def test_another_versions_confirmation_is_none() -> None:
    found = order(version(1), version(2), alone(2), confirmed(1, EARLY))
    assert not is_second_checked(found, 2)
    assert is_second_checked(found, 1)


def test_once_lapsed_the_version_before_binds_again() -> None:
    found = order(version(1), replace(version(2), relief=True), alone(2))
    assert judged(found, UNTIL - TICK) == (2, [])
    assert judged(found, UNTIL) == (1, [])


def test_a_lapsed_version_does_not_bring_back_an_order_entered_in_error() -> None:
    for records in (
        (version(1, "ENTERED_IN_ERROR"), version(2), alone(2)),
        (version(1), version(2, "ENTERED_IN_ERROR"), version(3), alone(3)),
        (version(1, "DRAFT"), version(2), alone(2)),
    ):
        assert judged(order(*records), UNTIL)[1] != []


def test_its_alerts_are_marked_once_it_has_lapsed() -> None:
    found = order(version(1), alone(1))
    assert not has_ended_by(found, found.versions[0], [NOTICE], UNTIL - TICK)
    assert has_ended_by(found, found.versions[0], [NOTICE], UNTIL)
