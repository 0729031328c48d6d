"""When a version of an order ends."""

import re
from calendar import monthrange
from datetime import UTC, date, datetime

from stayaway.kernel.timezones import end_of_day, load_time_zone, local_day
from stayaway.orders.model import Expiry, IntervalUnit, OrderVersion

_INTERVAL = re.compile(r"P([1-9][0-9]{0,4})([YMD])", re.ASCII)
INTERVAL_PATTERN = rf"^{_INTERVAL.pattern}$"

_UNITS: dict[str, IntervalUnit] = {"Y": "Y", "M": "M", "D": "D"}


def parse_interval(text: str) -> tuple[int, IntervalUnit]:
    """`P2Y`, `P6M` or `P90D` as (2, "Y") and so on; ValueError for any other form."""
    match = _INTERVAL.fullmatch(text)
    if match is None:
        raise ValueError("not an interval like P2Y, P6M or P90D")
    return int(match[1]), _UNITS[match[2]]


def expiry_field(expiry: Expiry) -> str:
    """The name of the field of orders.v1 that gives the expiry."""
    if expiry.after_notice is not None:
        return "expires_after_notice"
    if expiry.at is not None:
        return "expires_at"
    return "expires_on" if expiry.on is not None else "no_expiration"


def expires_at(version: OrderVersion, first_notice_at: datetime | None) -> datetime | None:
    """The instant from which `version` is expired; None where it never is, as far as is known.

    `first_notice_at`: the earliest notice to the respondent that counts under the policy; an
    interval after notice runs from its local day in the court's zone, through its last day.
    Months and years clamp to the month's last day (WIRE.md, "orders").
    """
    expiry = version.expiry
    if expiry.at is not None:
        return expiry.at
    zone = load_time_zone(version.court_time_zone)
    last_day = expiry.on
    if expiry.after_notice is not None and first_notice_at is not None:
        last_day = _day_after(_noticed_day(first_notice_at, version), *expiry.after_notice)
    if last_day is None:
        return None
    try:
        return end_of_day(last_day, zone)
    except OverflowError:  # the calendar's last day: never
        return None


def _noticed_day(at: datetime, version: OrderVersion) -> date:
    try:
        return local_day(at, load_time_zone(version.court_time_zone))
    except OverflowError:
        return at.astimezone(UTC).date()


def _day_after(day: date, count: int, unit: IntervalUnit) -> date | None:
    """`day` plus `count` years, months or days; None beyond the calendar."""
    if unit == "D":
        ordinal = day.toordinal() + count
        return date.fromordinal(ordinal) if ordinal <= date.max.toordinal() else None
    months = day.year * 12 + day.month - 1 + count * (12 if unit == "Y" else 1)
    year, month = divmod(months, 12)
    if year > date.max.year:
        return None
    return date(year, month + 1, min(day.day, monthrange(year, month + 1)[1]))
