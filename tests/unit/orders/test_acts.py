"""What speaks against an act: what cannot be, and what must be meant."""

import json
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from stayaway.kernel.instants import format_instant
from stayaway.orders.acts import BEFORE_ORDER, CLOCK_SKEW, LONG_PAUSE, find_impossible, find_unusual
from stayaway.orders.model import CourtOrder
from stayaway.orders.parse import parse_orders_file, read_own, to_orders
from stayaway.orders.records import RecordKind
from support.wire_examples import ORDERS

NOW = datetime(2026, 3, 6, 20, 15, tzinfo=UTC)
EFFECTIVE = datetime(2026, 1, 5, 17, 0, tzinfo=UTC)
TICK = timedelta(microseconds=1)
KINDS = ("PERSONAL",)


def order(*, noticed: bool = False, **changes: Any) -> CourtOrder:
    """WIRE.md's order, which ends two years after notice; where noticed, in January 2028."""
    record = ORDERS["orders"][0] | changes
    if "expires_on" in changes:
        del record["expires_after_notice"]
    body = ORDERS | {"orders": [record], "notices": ORDERS["notices"] if noticed else []}
    return to_orders(parse_orders_file(json.dumps(body).encode()))["O1"]


def found(
    about: CourtOrder, kind: RecordKind, kinds: tuple[str, ...] | None = KINDS, /, **fields: Any
) -> tuple[list[str], list[str]]:
    """The fields of what is impossible and of what is unusual about the act."""
    wire = {name: format_instant(at) if isinstance(at, datetime) else at for name, at in fields.items()}
    act = read_own(kind, {"order_id": "O1", "recorded_at": format_instant(NOW), **wire})
    record = act.records[0].value
    assert record is not None
    impossible, unusual = find_impossible(about, record, NOW), find_unusual(about, act, NOW, kinds)
    assert all(text for _, text in (*impossible, *unusual))
    return ["/".join(map(str, path)) for path, _ in impossible], ["/".join(map(str, p)) for p, _ in unusual]


def notice(about: CourtOrder, at: datetime, kinds: tuple[str, ...] | None = KINDS, **changes: Any) -> Any:
    fields = {"order_version": 1, "respondent_id": "R1", "kind": "PERSONAL", "noticed_at": at} | changes
    return found(about, "NOTICE", kinds, **fields)


def recall(at: datetime, *, about: CourtOrder | None = None, **changes: Any) -> Any:
    fields = {"recalled_at": at, "reason_text": "dismissed"} | changes
    return found(about or order(noticed=True), "RECALL", **fields)


def pause(from_at: datetime, until_at: datetime, *, about: CourtOrder | None = None) -> Any:
    fields = {"from_at": from_at, "until_at": until_at, "reason_text": "mediation"}
    return found(about or order(noticed=True), "SUSPENSION", **fields)


def validation(at: datetime, **changes: Any) -> Any:
    return found(
        order(noticed=True), "VALIDATION", **({"validated_at": at, "source_text": "docket"} | changes)
    )


FINE: tuple[list[str], list[str]] = ([], [])


@pytest.mark.parametrize("at", [EFFECTIVE - BEFORE_ORDER, EFFECTIVE, NOW - 30 * TICK, NOW, NOW + CLOCK_SKEW])
def test_what_happened_near_the_order_s_life_is_asked_nothing(at: datetime) -> None:
    """Late and early notices and validations, and recalls of what never bound."""
    assert notice(order(), at) == FINE
    assert validation(at) == FINE
    assert recall(at, void=True) == FINE
    assert recall(max(at, EFFECTIVE)) == FINE


@pytest.mark.parametrize("at", [EFFECTIVE - BEFORE_ORDER - TICK, datetime(1901, 1, 1, tzinfo=UTC)])
def test_nothing_happened_long_before_the_order(at: datetime) -> None:
    assert notice(order(expires_on="2028-01-05"), at)[0] == ["noticed_at"]
    assert validation(at)[0] == ["validated_at"]
    assert recall(at)[0] == recall(at, void=True)[0] == ["recalled_at"]
    assert pause(at, NOW)[0] == ["from_at"]


@pytest.mark.parametrize("at", [NOW + CLOCK_SKEW + TICK, datetime(2062, 1, 1, tzinfo=UTC)])
def test_what_lies_ahead_has_not_happened(at: datetime) -> None:
    assert notice(order(), at)[0] == ["noticed_at"]
    assert validation(at)[0] == ["validated_at"]


def test_the_day_of_issue_and_every_version_count_as_the_order_s_first_date() -> None:
    issued = order(issued_on="2025-10-01")
    assert issued.versions[0].issued_on == date(2025, 10, 1)
    assert notice(issued, datetime(2025, 10, 2, tzinfo=UTC)) == FINE
    second = order(version=2, effective_at="2026-03-01T00:00:00Z").versions
    both = CourtOrder(order_id="O1", versions=(*order().versions, *second))
    assert notice(both, EFFECTIVE) == FINE


def test_a_notice_is_of_a_version_and_a_respondent_that_there_are() -> None:
    assert notice(order(), NOW, order_version=2)[0] == ["order_version"]
    assert notice(order(), NOW, respondent_id="R7")[0] == ["respondent_id"]


def test_a_notice_by_which_the_order_is_over_must_be_meant() -> None:
    """Before now, or before it takes effect; a kind that does not count ends nothing."""
    old = order(effective_at="2023-06-01T00:00:00Z")
    at = datetime(2023, 6, 2, tzinfo=UTC)
    assert notice(old, at) == notice(old, at, None) == ([], ["noticed_at"])
    assert notice(old, at, kind="MAIL") == FINE
    assert notice(old, at, None, kind="MAIL") == ([], ["noticed_at"])
    assert notice(old, datetime(2025, 6, 2, tzinfo=UTC)) == FINE
    soon = order(expires_after_notice="P30D", effective_at="2026-04-30T00:00:00Z")
    assert notice(soon, NOW) == ([], ["noticed_at"])


def test_a_notice_that_does_not_move_the_end_is_asked_nothing() -> None:
    """An order with a day of its own, or one that was told of before, however long it is over."""
    ended = order(expires_on="2026-02-01")
    assert notice(ended, NOW) == FINE
    old = order(noticed=True, expires_after_notice="P1D")
    assert notice(old, NOW) == FINE
    assert notice(old, datetime(2026, 1, 6, tzinfo=UTC)) == ([], ["noticed_at"])


def test_a_recall_ahead_or_outside_the_order_s_life_must_be_meant() -> None:
    """Until then the order goes on alerting: a wrong year would stop somebody for a year."""
    assert recall(NOW + CLOCK_SKEW + TICK) == ([], ["recalled_at"])
    assert recall(NOW + timedelta(days=365), void=True) == ([], ["recalled_at"])
    assert recall(EFFECTIVE - TICK) == ([], ["recalled_at"])
    assert recall(NOW, about=order(expires_on="2026-02-01")) == ([], ["recalled_at"])
    assert "recalled_at" in recall(datetime(2062, 1, 1, tzinfo=UTC))[1]


def test_a_pause_far_too_long_far_ahead_or_outside_the_order_s_life_must_be_meant() -> None:
    assert pause(NOW, NOW + LONG_PAUSE) == FINE
    assert pause(NOW, NOW + LONG_PAUSE + TICK) == ([], ["until_at"])
    assert pause(NOW + LONG_PAUSE + TICK, NOW + LONG_PAUSE + 2 * TICK) == ([], ["from_at"])
    assert pause(EFFECTIVE - TICK, EFFECTIVE) == ([], ["until_at"])
    assert pause(NOW, NOW + TICK, about=order(expires_on="2026-02-01")) == ([], ["from_at"])
    assert pause(EFFECTIVE, NOW - TICK) == FINE


@pytest.mark.parametrize("text", [" ", " \u3000"])
def test_blank_texts_say_nothing(text: str) -> None:
    assert recall(NOW, reason_text=text)[0] == ["reason_text"]
    assert validation(NOW, source_text=text)[0] == ["source_text"]
