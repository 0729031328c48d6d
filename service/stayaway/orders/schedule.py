"""When a window is open: RFC 5545 recurrences of a wall-clock span, in its own time zone.

WIRE.md, "window": [start, end), wall clock at both ends, the same wall-clock span each time; in a
gap or a repeat of the clock the offset before the change holds (RFC 5545 section 3.3.5).
Occurrences are found by stepping back from the instant asked for, never from the rule's start.
"""

import re
from calendar import monthrange
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from stayaway.kernel.instants import FIRST_INSTANT, LAST_INSTANT, moved
from stayaway.kernel.timezones import load_time_zone, resolve_local
from stayaway.orders.model import Frequency, Recurrence, Window

WEEKDAYS = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")
FREQUENCIES: tuple[Frequency, ...] = ("DAILY", "WEEKLY", "MONTHLY")

MAX_COUNTED_YEARS = 400
"""A COUNT that lasts longer than the calendar's own period is taken as endless."""

_DAY = timedelta(days=1)
_SLACK = timedelta(days=2)
"""More than any clock has ever been moved (a whole day, Apia in 2011): beyond it, order on the
wall clock is order in time."""

_BY_DAY = re.compile(r"([+-]?[0-9]{1,2})?(MO|TU|WE|TH|FR|SA|SU)", re.ASCII)
_UNTIL = re.compile(r"[0-9]{8}T[0-9]{6}Z", re.ASCII)
_NUMBER = re.compile(r"[+-]?[0-9]{1,9}", re.ASCII)


class RecurrenceError(ValueError):
    """The rule is outside the part of RFC 5545 that windows use; the message says which part."""


# ---------------------------------------------------------------- reading a rule


def parse_rrule(text: str, start_local: datetime, zone: ZoneInfo) -> Recurrence:
    """The recurrence `text` of a window that first opens at `start_local`.

    Raises RecurrenceError, whose text is a remedy, for anything but FREQ, INTERVAL, BYDAY,
    BYMONTHDAY, BYMONTH, COUNT and UNTIL as WIRE.md has them, and where `start_local` is not
    itself an occurrence.
    """
    parts = _split(text)
    rule = _read_parts(parts)
    if not _is_occurrence(rule, start_local.date(), start_local.date()):
        raise RecurrenceError(
            "start_local must itself be an occurrence of the rule; move it to the first one."
        )
    if "UNTIL" in parts:
        rule = _with_end(rule, until_at=_read_until(parts["UNTIL"]))
        if rule.until_at is not None and _instant(start_local, zone) > rule.until_at:
            raise RecurrenceError("UNTIL lies before start_local; the window would never open.")
    elif "COUNT" in parts:
        count = _positive("COUNT", parts["COUNT"])
        rule = _with_end(rule, last_day=_day_of_count(rule, start_local.date(), count))
    return rule


def _split(text: str) -> dict[str, str]:
    parts: dict[str, str] = {}
    for part in text.split(";"):
        name, equals, value = part.partition("=")
        if name not in {"FREQ", "INTERVAL", "BYDAY", "BYMONTHDAY", "BYMONTH", "COUNT", "UNTIL"} or not equals:
            raise RecurrenceError(
                f"{part[:40]!r} cannot be used; write FREQ, INTERVAL, BYDAY, BYMONTHDAY, BYMONTH, COUNT or"
                " UNTIL in capitals, as NAME=VALUE, separated by ';'."
            )
        if name in parts:
            raise RecurrenceError(f"{name} stands twice; keep one.")
        parts[name] = value
    if "COUNT" in parts and "UNTIL" in parts:
        raise RecurrenceError("Give COUNT or UNTIL, not both.")
    return parts


def _read_parts(parts: dict[str, str]) -> Recurrence:
    frequency = next((name for name in FREQUENCIES if name == parts.get("FREQ")), None)
    if frequency is None:
        raise RecurrenceError("FREQ must be DAILY, WEEKLY or MONTHLY.")
    if frequency == "WEEKLY" and "BYMONTHDAY" in parts:
        raise RecurrenceError("BYMONTHDAY cannot go with FREQ=WEEKLY (RFC 5545); use FREQ=MONTHLY.")
    return Recurrence(
        frequency=frequency,
        interval=_positive("INTERVAL", parts.get("INTERVAL", "1")),
        by_day=_read_by_day(parts["BYDAY"], frequency) if "BYDAY" in parts else (),
        by_month_day=_read_numbers("BYMONTHDAY", parts, -31, 31),
        by_month=_read_numbers("BYMONTH", parts, 1, 12),
    )


def _with_end(
    rule: Recurrence, *, last_day: date | None = None, until_at: datetime | None = None
) -> Recurrence:
    return Recurrence(
        frequency=rule.frequency,
        interval=rule.interval,
        by_day=rule.by_day,
        by_month_day=rule.by_month_day,
        by_month=rule.by_month,
        last_day=last_day,
        until_at=until_at,
    )


def _positive(name: str, text: str) -> int:
    if _NUMBER.fullmatch(text) is None or text[0] in "+-" or int(text) < 1:
        raise RecurrenceError(f"{name} must be a whole number from 1 on.")
    return int(text)


def _read_numbers(name: str, parts: dict[str, str], low: int, high: int) -> tuple[int, ...]:
    if name not in parts:
        return ()
    numbers: set[int] = set()
    for item in parts[name].split(","):
        if _NUMBER.fullmatch(item) is None or not low <= int(item) <= high or int(item) == 0:
            raise RecurrenceError(
                f"{name} takes numbers from {low} to {high} without 0, separated by commas."
            )
        numbers.add(int(item))
    return tuple(sorted(numbers))


def _read_by_day(text: str, frequency: Frequency) -> tuple[tuple[int, int], ...]:
    days: set[tuple[int, int]] = set()
    for item in text.split(","):
        match = _BY_DAY.fullmatch(item)
        ordinal = int(match[1]) if match and match[1] else 0
        if match is None or (match[1] and not 1 <= abs(ordinal) <= 5):
            raise RecurrenceError(
                "BYDAY takes MO TU WE TH FR SA SU, separated by commas;"
                " with MONTHLY also 1MO to 5SU and -1MO to -5SU."
            )
        if ordinal and frequency != "MONTHLY":
            raise RecurrenceError(f"BYDAY={item}: an ordinal goes with FREQ=MONTHLY only.")
        days.add((ordinal, WEEKDAYS.index(match[2])))
    return tuple(sorted(days))


def _read_until(text: str) -> datetime:
    remedy = "UNTIL must be a UTC instant like 20261231T235959Z."
    if _UNTIL.fullmatch(text) is None:
        raise RecurrenceError(remedy)
    try:
        return datetime.strptime(text, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
    except ValueError as error:
        raise RecurrenceError(remedy) from error


# ---------------------------------------------------------------- days of a rule


def _is_occurrence(rule: Recurrence, first: date, day: date) -> bool:
    """Whether an occurrence of the rule, apart from its end, starts on `day` (on or after `first`)."""
    return _period_offset(rule, first, day) % rule.interval == 0 and _fits(rule, first, day)


def _fits(rule: Recurrence, first: date, day: date) -> bool:
    if rule.by_month and day.month not in rule.by_month:
        return False
    length = monthrange(day.year, day.month)[1]
    if rule.by_month_day and not {day.day, day.day - length - 1} & set(rule.by_month_day):
        return False
    if rule.by_day:
        from_start = (day.day - 1) // 7 + 1
        from_end = -((length - day.day) // 7 + 1)
        return not {(n, day.weekday()) for n in (0, from_start, from_end)}.isdisjoint(rule.by_day)
    if rule.frequency == "WEEKLY":
        return day.weekday() == first.weekday()
    if rule.frequency == "MONTHLY" and not rule.by_month_day:
        return day.day == first.day
    return True


def _period_offset(rule: Recurrence, first: date, day: date) -> int:
    """How many days, weeks (from Monday) or months lie from `first`'s to `day`'s."""
    if rule.frequency == "DAILY":
        return day.toordinal() - first.toordinal()
    if rule.frequency == "WEEKLY":
        return (day.toordinal() - 1) // 7 - (first.toordinal() - 1) // 7
    return (day.year - first.year) * 12 + day.month - first.month


def _days_back(rule: Recurrence, first: date, day: date, floor: date) -> Iterator[date]:
    """The days on which occurrences start, from `day` back to the later of `first` and `floor`."""
    floor = max(first, floor)
    while day >= floor:
        skipped = _period_offset(rule, first, day) % rule.interval
        if skipped:
            day = _end_of_earlier_period(rule, day, skipped)
            continue
        if _fits(rule, first, day):
            yield day
        is_out = bool(rule.by_month) and day.month not in rule.by_month
        back = day.day if is_out else 1  # out of the rule's months: to the end of the one before
        if day.toordinal() <= back:
            return
        day -= back * _DAY


def _end_of_earlier_period(rule: Recurrence, day: date, periods: int) -> date:
    if rule.frequency == "DAILY":
        return day - periods * _DAY
    if rule.frequency == "WEEKLY":
        return day - _DAY * (day.weekday() + 1 + 7 * (periods - 1))
    months = day.year * 12 + day.month - 1 - periods
    year, month = divmod(months, 12)
    return date(year, month + 1, monthrange(year, month + 1)[1])


def _day_of_count(rule: Recurrence, first: date, count: int) -> date | None:
    """The day of the `count`-th occurrence; None where it lies too far to matter."""
    horizon = min(first.toordinal() + MAX_COUNTED_YEARS * 366, date.max.toordinal())
    if count > horizon + 1 - first.toordinal():  # at most one a day: nothing to count
        return None
    if rule.frequency == "DAILY" and not (rule.by_day or rule.by_month_day or rule.by_month):
        ordinal = first.toordinal() + (count - 1) * rule.interval
        return date.fromordinal(ordinal) if ordinal <= date.max.toordinal() else None
    for ordinal in range(first.toordinal(), horizon + 1):
        count -= _is_occurrence(rule, first, date.fromordinal(ordinal))
        if count == 0:
            return date.fromordinal(ordinal)
    return None


# ---------------------------------------------------------------- asking


def covers(window: Window, at: datetime) -> bool:
    """Whether some occurrence of `window` is open at the instant `at` (starts belong, ends do not)."""
    return open_until(window, at) is not None


def open_until(window: Window, at: datetime) -> datetime | None:
    """When the occurrence of `window` that is open at `at` ends; None where none is open.

    Where several are, the newest, which ends last.
    """
    zone = load_time_zone(window.time_zone)
    rule = window.recurrence
    if rule is None:
        end_at = _instant(window.end_local, zone)
        return end_at if _instant(window.start_local, zone) <= at < end_at else None
    span = window.end_local - window.start_local
    wall = _wall_clock(at, zone)
    newest = _newest_day(rule, zone, moved(wall, _DAY + _SLACK).date())
    oldest = moved(wall, -span - _SLACK).date()
    settled = moved(wall, -_SLACK)
    for day in _days_back(rule, window.start_local.date(), newest, oldest):
        start_local = datetime.combine(day, window.start_local.time())
        start_at = _instant(start_local, zone)
        if start_at <= at and (rule.until_at is None or start_at <= rule.until_at):
            end_at = _instant(moved(start_local, span), zone)
            if at < end_at:
                return end_at
            if start_local < settled:
                return None  # every earlier occurrence ends earlier
    return None


def opens_between(window: Window, begin: datetime, end: datetime | None) -> bool:
    """Whether some occurrence of `window` is open at some instant of [begin, end); None: no end."""
    zone = load_time_zone(window.time_zone)
    rule = window.recurrence
    if rule is None:
        return _meets(window.start_local, window.end_local, zone, begin, end)
    if end is None and rule.last_day is None and rule.until_at is None:
        return True  # a rule without an end always comes again
    span = window.end_local - window.start_local
    newest = date.max if end is None else moved(_wall_clock(end, zone), _DAY + _SLACK).date()
    settled = moved(_wall_clock(begin, zone), -span - _SLACK)
    first = window.start_local.date()
    for day in _days_back(rule, first, _newest_day(rule, zone, newest), first):
        start_local = datetime.combine(day, window.start_local.time())
        if start_local < settled:
            return False  # every earlier occurrence ends earlier
        if rule.until_at is not None and _instant(start_local, zone) > rule.until_at:
            continue
        if _meets(start_local, moved(start_local, span), zone, begin, end):
            return True
    return False


def _newest_day(rule: Recurrence, zone: ZoneInfo, newest: date) -> date:
    """`newest`, or the last day on which the rule itself lets an occurrence start."""
    if rule.last_day is not None:
        newest = min(newest, rule.last_day)
    if rule.until_at is not None:
        newest = min(newest, moved(_wall_clock(rule.until_at, zone), _SLACK).date())
    return newest


def _meets(
    start_local: datetime, end_local: datetime, zone: ZoneInfo, begin: datetime, end: datetime | None
) -> bool:
    start_at, end_at = max(_instant(start_local, zone), begin), _instant(end_local, zone)
    return start_at < (end_at if end is None else min(end_at, end))


def _instant(local: datetime, zone: ZoneInfo) -> datetime:
    try:
        return resolve_local(local, zone)
    except OverflowError:  # within a day of the calendar's ends
        return FIRST_INSTANT if local.year == 1 else LAST_INSTANT


def _wall_clock(at: datetime, zone: ZoneInfo) -> datetime:
    try:
        return at.astimezone(zone).replace(tzinfo=None)
    except OverflowError:
        return at.astimezone(UTC).replace(tzinfo=None)
