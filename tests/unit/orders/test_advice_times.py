"""Dates against each other: what never applies, what is over, what a status alone does not do."""

import json
from typing import Any

import pytest

from stayaway.orders.advice import advise
from stayaway.orders.parse import parse_orders_file
from support.advised import (
    PHOENIX,
    exception,
    findings,
    notice,
    only,
    order,
    orders_file,
    pointers,
    window,
    zone,
)

RECORDED = "2026-01-07T00:00:00Z"


def scheduled(*windows: dict[str, Any], **changes: Any) -> dict[str, Any]:
    return orders_file(order(1, zones=[zone(*PHOENIX, schedule=list(windows))], **changes))


# ---------------------------------------------------------------- windows


@pytest.mark.parametrize(
    "never",
    [
        window("2025-11-03T08:00:00", "2025-11-03T15:00:00", rrule=None),
        window("2027-02-01T08:00:00", "2027-02-01T15:00:00"),
        window("2025-09-01T08:00:00", "2025-09-01T15:00:00", rrule="FREQ=DAILY;UNTIL=20251219T160000Z"),
        window("2025-09-01T08:00:00", "2025-09-01T15:00:00", rrule="FREQ=WEEKLY;COUNT=10"),
        window("2025-06-01T08:00:00", "2025-06-01T15:00:00", rrule="FREQ=MONTHLY;BYMONTH=6;COUNT=1"),
    ],
)
def test_a_window_that_never_opens_in_the_orders_life_is_noted(never: dict[str, Any]) -> None:
    pointer, remedy = only(scheduled(window(), never))
    assert pointer == "/orders/0/zones/0/schedule/1/start_local"
    assert "never opens" in remedy
    allowed = exception(windows=[never])
    assert pointers(orders_file(order(1, exceptions=[allowed]))) == [
        "/orders/0/exceptions/0/windows/0/start_local"
    ]


@pytest.mark.parametrize(
    "sometimes",
    [
        window("2025-09-01T08:00:00", "2025-09-01T15:00:00"),
        window("2026-01-05T09:30:00", "2026-01-05T10:00:01", rrule=None),
        window("2027-01-05T23:59:59", "2027-01-06T08:00:00", rrule=None),
        window("2025-12-01T08:00:00", "2025-12-01T15:00:00", rrule="FREQ=DAILY;COUNT=36"),
    ],
)
def test_a_window_that_opens_once_is_enough(sometimes: dict[str, Any]) -> None:
    """The order runs from 10:00 on 5 January 2026 to the end of 5 January 2027 in Phoenix."""
    assert pointers(scheduled(sometimes)) == []


def test_an_order_without_an_end_has_windows_for_ever() -> None:
    endless = order(
        1, zones=[zone(*PHOENIX, schedule=[window("2099-01-02T08:00:00", "2099-01-02T09:00:00")])]
    )
    del endless["expires_on"]
    assert pointers(orders_file(endless | {"no_expiration": True})) == []


# ---------------------------------------------------------------- the order's end


def after_notice(interval: str, **changes: Any) -> dict[str, Any]:
    record = order(1, expires_after_notice=interval, **changes)
    del record["expires_on"]
    return record


def test_an_interval_that_ends_before_the_order_takes_effect_is_noted() -> None:
    record = after_notice("P10D", effective_at="2026-02-01T00:00:00Z")
    pointer, remedy = only(orders_file(record))
    assert pointer == "/orders/0/expires_after_notice"
    assert "before it takes effect" in remedy
    assert pointers(orders_file(after_notice("P90D", effective_at="2026-02-01T00:00:00Z"))) == []


@pytest.mark.parametrize(
    ("expiry", "name"),
    [({"expires_on": "2026-02-01"}, "expires_on"), ({"expires_at": "2026-02-01T00:00:00Z"}, "expires_at")],
)
def test_an_order_that_has_ended_but_runs_by_its_status_is_noted(expiry: dict[str, str], name: str) -> None:
    record = order(1)
    del record["expires_on"]
    later = order(2, recorded_at="2026-03-01T00:00:00Z")
    assert pointers(orders_file(record | expiry, later)) == [f"/orders/0/{name}"]
    assert pointers(orders_file(record | expiry)) == []  # it had not ended when the file was recorded
    assert pointers(orders_file(record | expiry | {"status": "EXPIRED"}, later)) == []


def test_an_interval_without_a_notice_has_no_end_yet() -> None:
    late = order(2, recorded_at="2026-06-01T00:00:00Z")
    file = orders_file(after_notice("P10D"), late)
    assert pointers(file) == ["/orders/0/expires_after_notice"]
    assert pointers(file | {"notices": [notice(late)]}) == ["/orders/0/respondents/0/respondent_id"]


# ---------------------------------------------------------------- statuses that decide nothing


def test_a_status_without_the_record_that_decides_is_noted() -> None:
    for status in ("VACATED", "SUSPENDED", "EXPIRED"):
        pointer, remedy = only(orders_file(order(1, status=status)))
        assert pointer == "/orders/0/status"
        assert "The status alone" in remedy


def test_a_status_with_its_record_is_not_noted() -> None:
    pause = {
        "order_id": "O1",
        "recorded_at": RECORDED,
        "from_at": "2026-02-01T00:00:00Z",
        "until_at": "2026-02-02T00:00:00Z",
        "reason_text": "hearing",
    }
    recall = {"order_id": "O1", "recorded_at": RECORDED, "recalled_at": RECORDED, "reason_text": "dismissed"}
    assert pointers(orders_file(order(1, status="SUSPENDED"), suspensions=[pause])) == []
    assert pointers(orders_file(order(1, status="VACATED"), recalls=[recall])) == []


def test_nothing_is_said_to_be_missing_where_a_record_of_the_order_was_refused() -> None:
    """The record that has an error may be the very one."""
    file = orders_file(order(1, status="VACATED"))
    file["notices"][0]["kind"] = "SHOUTED"
    file["recalls"] = [{"order_id": "O1"}]
    parsed = parse_orders_file(json.dumps(file).encode())
    assert parsed.has_errors
    assert advise(parsed) == ()


# ---------------------------------------------------------------- recalls and suspensions


def recall_at(at: str, **changes: Any) -> list[dict[str, Any]]:
    recall = {"order_id": "O1", "recorded_at": RECORDED, "recalled_at": at, "reason_text": "dismissed"}
    return [recall | changes]


def test_a_recall_outside_the_orders_life_is_noted_at_the_recall() -> None:
    early = orders_file(order(1), recalls=recall_at("2026-01-01T00:00:00Z"))
    pointer, remedy = only(early)
    assert (pointer, "say void" in remedy) == ("/recalls/0/recalled_at", True)
    assert pointers(orders_file(order(1), recalls=recall_at("2026-01-01T00:00:00Z", void=True))) == []
    assert pointers(orders_file(order(1), recalls=recall_at("2027-02-01T00:00:00Z"))) == [
        "/recalls/0/recalled_at"
    ]
    assert pointers(orders_file(order(1), recalls=recall_at("2026-01-06T00:00:00Z"))) == []


@pytest.mark.parametrize(
    ("from_at", "until_at", "expected"),
    [
        ("2026-01-01T00:00:00Z", "2026-01-02T00:00:00Z", ["/suspensions/0/until_at"]),
        ("2027-02-01T00:00:00Z", "2027-02-02T00:00:00Z", ["/suspensions/0/from_at"]),
        ("2026-01-01T00:00:00Z", "2026-02-02T00:00:00Z", []),
    ],
)
def test_a_suspension_outside_the_orders_life_is_noted(
    from_at: str, until_at: str, expected: list[str]
) -> None:
    pause = {
        "order_id": "O1",
        "recorded_at": RECORDED,
        "from_at": from_at,
        "until_at": until_at,
        "reason_text": "hearing",
    }
    assert pointers(orders_file(order(1), suspensions=[pause])) == expected


def test_a_version_recorded_after_the_recall_is_noted_once_the_recall_has_taken_the_order_back() -> None:
    """Nothing is said of a file that tells a whole history, the recall last."""
    later = order(1, version=2, recorded_at="2026-02-01T00:00:00Z")
    told = [notice(later)]
    file = orders_file(order(1), later, notices=told, recalls=recall_at("2026-01-06T00:00:00Z"))
    pointer, remedy = only(file)
    assert (pointer, "no version of a recalled order" in remedy) == ("/orders/1/order_id", True)
    last = recall_at("2026-01-06T00:00:00Z", recorded_at="2026-02-02T00:00:00Z")
    assert pointers(file | {"recalls": last}) == []
    assert pointers(file | {"recalls": recall_at("2026-12-01T00:00:00Z")}) == []


def test_a_recalled_order_is_asked_nothing_else() -> None:
    bad = order(1, zones=[zone(0.5, 0.5)], conditions=["06"])
    assert len(findings(orders_file(bad))) > 1
    assert pointers(orders_file(bad, recalls=recall_at("2026-01-06T00:00:00Z"))) == []
