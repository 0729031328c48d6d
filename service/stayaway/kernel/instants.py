"""Instants on the wire: RFC 3339 with `Z` only, at most microseconds; integers inside.

The hot path holds instants as whole microseconds since 1970-01-01T00:00:00Z (`*_us`);
everything else holds UTC-aware `datetime` values called `*_at`.
"""

import re
from datetime import UTC, datetime, timedelta
from functools import lru_cache

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
FIRST_INSTANT, LAST_INSTANT = datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)
"""The calendar's ends."""
_MICROSECOND = timedelta(microseconds=1)
_INSTANT = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,6})?Z", re.ASCII)
_LOCAL = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,6})?", re.ASCII)

# For the published schemas. They refuse all that is refused here but a day that its month does not have;
# no look-ahead, which not every validator's patterns know.
_YEAR = "(000[1-9]|00[1-9][0-9]|0[1-9][0-9]{2}|[1-9][0-9]{3})"
_DAY = rf"{_YEAR}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])"
_WALL_CLOCK = rf"{_DAY}T([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](\.[0-9]{{1,6}})?"
DATE_PATTERN = rf"^{_DAY}$"
INSTANT_PATTERN = rf"^{_WALL_CLOCK}Z$"
LOCAL_PATTERN = rf"^{_WALL_CLOCK}$"


@lru_cache(maxsize=4096)
def parse_instant(text: str) -> datetime:
    """The UTC-aware instant of `2026-03-06T20:15:00Z`.

    Raises ValueError for any other form: an offset, lower case, more than 6 decimals,
    `:60`, `24:`, a day the calendar does not have (WIRE.md, "Common").
    """
    if _INSTANT.fullmatch(text) is None:
        raise ValueError("not an instant like 2026-03-06T20:15:00Z")
    return _from_digits(text[:-1]).replace(tzinfo=UTC)


def parse_local(text: str) -> datetime:
    """The naive wall-clock time of `2026-03-06T13:15:00`; ValueError for any other form."""
    if _LOCAL.fullmatch(text) is None:
        raise ValueError("not a local time like 2026-03-06T13:15:00")
    return _from_digits(text)


def _from_digits(text: str) -> datetime:
    # fromisoformat takes 24:00:00 as the next day from Python 3.13 on; the wire refuses it.
    if text[11:13] == "24":
        raise ValueError("hour 24")
    head, _, fraction = text.partition(".")
    return datetime.fromisoformat(head) + int((fraction + "000000")[:6]) * _MICROSECOND


def format_instant(at: datetime) -> str:
    """`at` as the wire prints it: 6 decimals, or none if they are zero."""
    if at.tzinfo is not UTC:
        at = at.astimezone(UTC)
    # isoformat prints no decimals exactly when the microseconds are zero.
    return at.isoformat().removesuffix("+00:00") + "Z"


def to_us(at: datetime) -> int:
    """Whole microseconds since the epoch, exactly."""
    return (at - EPOCH) // _MICROSECOND


def from_us(us: int) -> datetime:
    """The instant `us` microseconds after the epoch."""
    return EPOCH + us * _MICROSECOND


def moved(at: datetime, by: timedelta) -> datetime:
    """`at` and `by` later, or the calendar's end or beginning where that lies beyond it; aware as `at` is.

    An event may say 9999-12-31T23:59:59Z: some systems write that where they know no instant.
    """
    try:
        return at + by
    except OverflowError:
        return (FIRST_INSTANT if by < timedelta(0) else LAST_INSTANT).replace(tzinfo=at.tzinfo)
