"""When a version ends: its last day in the court's zone, an instant, or an interval after notice."""

from datetime import UTC, date, datetime

import pytest
from dateutil.relativedelta import relativedelta
from hypothesis import given
from hypothesis import strategies as st

from stayaway.kernel.instants import parse_instant
from stayaway.kernel.timezones import end_of_day, load_time_zone
from stayaway.orders.expiry import expires_at, parse_interval
from stayaway.orders.model import Agency, Expiry, IntervalUnit, OrderVersion

LOS_ANGELES = "America/Los_Angeles"


def version(expiry: Expiry, zone: str = LOS_ANGELES) -> OrderVersion:
    return OrderVersion(
        order_id="O1",
        version=1,
        recorded_at=datetime(2026, 1, 1, tzinfo=UTC),
        kind="FINAL",
        status="ACTIVE",
        court_ori="CA0190000",
        court_time_zone=zone,
        agency=Agency(ori="CA0190000", telephone="+1 555 0100"),
        case_number="F-1",
        effective_at=datetime(2026, 1, 1, tzinfo=UTC),
        expiry=expiry,
        relief=False,
        respondents=(),
        zones=(),
        exceptions=(),
        content_sha256="",
    )


@pytest.mark.parametrize(
    ("day", "expected"),
    [
        (date(2026, 3, 7), "2026-03-08T08:00:00Z"),
        (date(2026, 3, 8), "2026-03-09T07:00:00Z"),  # the clock moved on that day
        (date(2026, 11, 1), "2026-11-02T08:00:00Z"),
    ],
)
def test_a_date_lasts_through_its_local_day(day: date, expected: str) -> None:
    """At 23:59 it holds, at 00:00 it does not."""
    assert expires_at(version(Expiry(on=day)), None) == parse_instant(expected)


def test_an_instant_is_itself_and_no_expiration_is_never() -> None:
    """Notices change neither."""
    at = parse_instant("2026-06-01T00:00:00Z")
    assert expires_at(version(Expiry(at=at)), at) == at
    assert expires_at(version(Expiry()), at) is None


@pytest.mark.parametrize(
    ("interval", "noticed", "last_day"),
    [
        ((2, "Y"), "2026-01-07T18:30:00Z", date(2028, 1, 7)),
        ((1, "M"), "2026-01-31T20:00:00Z", date(2026, 2, 28)),
        ((1, "Y"), "2028-02-29T20:00:00Z", date(2029, 2, 28)),
        ((90, "D"), "2026-01-01T07:30:00Z", date(2026, 3, 31)),  # still 31 December in Los Angeles
    ],
)
def test_an_interval_runs_from_the_local_day_of_notice(
    interval: tuple[int, IntervalUnit], noticed: str, last_day: date
) -> None:
    """Through its last day; months and years clamp to the month's end."""
    expected = end_of_day(last_day, load_time_zone(LOS_ANGELES))
    assert expires_at(version(Expiry(after_notice=interval)), parse_instant(noticed)) == expected


def test_without_a_notice_an_interval_never_ends() -> None:
    """Nothing has begun to run."""
    assert expires_at(version(Expiry(after_notice=(2, "Y"))), None) is None


@given(
    st.datetimes(datetime.fromisoformat("1990-01-01"), datetime.fromisoformat("2090-01-01")),
    st.integers(1, 3000),
    st.sampled_from([("Y", "years"), ("M", "months"), ("D", "days")]),
)
def test_intervals_agree_with_dateutil(noticed: datetime, count: int, unit: tuple[IntervalUnit, str]) -> None:
    """Calendar arithmetic on the local day, in a zone whose day is the UTC day."""
    ends = expires_at(version(Expiry(after_notice=(count, unit[0])), "UTC"), noticed.replace(tzinfo=UTC))
    last = noticed.date() + relativedelta(**{unit[1]: count})
    assert ends == datetime(last.year, last.month, last.day, tzinfo=UTC) + relativedelta(days=1)


def test_the_calendars_end_is_never() -> None:
    """No overflow for the last day or an interval beyond it, and for instants at the calendar's ends."""
    assert expires_at(version(Expiry(on=date(9999, 12, 31))), None) is None
    last = parse_instant("9999-12-31T23:59:59Z")
    for interval in ((99999, "Y"), (99999, "M"), (99999, "D")):
        parsed = parse_interval(f"P{interval[0]}{interval[1]}")
        assert expires_at(version(Expiry(after_notice=parsed), "Asia/Tokyo"), last) is None
    assert (
        expires_at(version(Expiry(after_notice=(1, "D"))), parse_instant("0001-01-01T00:00:00Z")) is not None
    )


@pytest.mark.parametrize(
    "text", ["", "P0D", "P1W", "P1Y6M", "PT1H", "P-1D", "P1.5Y", "p2y", "P2Y\n", "P٢Y", "P123456D"]
)
def test_other_intervals_are_refused(text: str) -> None:
    """One number from 1 on and one unit."""
    with pytest.raises(ValueError, match="P2Y"):
        parse_interval(text)
