"""Windows against dateutil's RFC 5545, through clock changes, far from the rule's start."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from dateutil.rrule import rrulestr
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from stayaway.kernel.instants import parse_instant
from stayaway.kernel.timezones import load_time_zone
from stayaway.orders.model import Window
from stayaway.orders.schedule import RecurrenceError, covers, open_until, opens_between, parse_rrule

ZONES = [
    "America/Phoenix",
    "America/Los_Angeles",
    "Australia/Lord_Howe",
    "Pacific/Apia",
    "Europe/Dublin",
    "UTC",
]
DAYS = ["MO", "TU", "WE", "TH", "FR", "SA", "SU"]


def wall(text: str) -> datetime:
    """A wall-clock time, which has no zone."""
    return datetime.fromisoformat(text)


def window(start: str, end: str, rule: str | None = None, zone: str = "America/Los_Angeles") -> Window:
    start_local = wall(start)
    return Window(
        time_zone=zone,
        start_local=start_local,
        end_local=wall(end),
        recurrence=None if rule is None else parse_rrule(rule, start_local, load_time_zone(zone)),
    )


def oracle(given_window: Window, rule: str, at: datetime) -> bool:
    """Walk every occurrence from the start with dateutil; naive until each end is resolved."""
    zone = ZoneInfo(given_window.time_zone)
    span = given_window.end_local - given_window.start_local
    parts = dict(part.split("=") for part in rule.split(";"))
    until = parts.pop("UNTIL", None)
    naive = ";".join(f"{name}={value}" for name, value in parts.items())
    for start in rrulestr(naive, dtstart=given_window.start_local):
        if start.replace(tzinfo=UTC) > at + timedelta(days=3):
            return False
        opens, closes = (moment.replace(tzinfo=zone).astimezone(UTC) for moment in (start, start + span))
        if until and opens > datetime.strptime(until, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC):
            continue
        if opens <= at < closes:
            return True
    return False


@st.composite
def rules(draw: st.DrawFn) -> str:
    frequency = draw(st.sampled_from(["DAILY", "WEEKLY", "MONTHLY"]))
    parts = [f"FREQ={frequency}"]
    if draw(st.booleans()):
        parts.append(f"INTERVAL={draw(st.integers(1, 7))}")
    if draw(st.booleans()):
        # All with an ordinal or none: dateutil takes a list of both for their intersection,
        # RFC 5545 (and we) for their union.
        ordinals = st.sampled_from(["1", "2", "+3", "5", "-1", "-2", "-5"])
        prefix = ordinals if frequency == "MONTHLY" and draw(st.booleans()) else st.just("")
        days = draw(st.lists(st.tuples(prefix, st.sampled_from(DAYS)), min_size=1, max_size=3))
        parts.append("BYDAY=" + ",".join(number + day for number, day in days))
    if frequency != "WEEKLY" and draw(st.booleans()):
        numbers = draw(st.lists(st.integers(-31, 31).filter(bool), min_size=1, max_size=8))
        parts.append("BYMONTHDAY=" + ",".join(map(str, numbers)))
    if draw(st.booleans()):
        parts.append("BYMONTH=" + ",".join(map(str, draw(st.lists(st.integers(1, 12), min_size=3)))))
    end = draw(st.sampled_from(["", "COUNT", "UNTIL"]))
    if end == "COUNT":
        parts.append(f"COUNT={draw(st.integers(1, 40))}")
    elif end == "UNTIL":
        until = draw(st.datetimes(wall("2011-06-01"), wall("2014-01-01")))
        parts.append(f"UNTIL={until:%Y%m%dT%H%M%SZ}")
    return ";".join(parts)


@settings(max_examples=400, deadline=None)
@given(
    rule=rules(),
    zone=st.sampled_from(ZONES),
    near=st.datetimes(wall("2011-01-01"), wall("2011-06-01")).map(lambda at: at.replace(microsecond=0)),
    span=st.one_of(st.integers(1, 86_400), st.integers(1, 86_400 * 400)).map(lambda s: timedelta(seconds=s)),
    ats=st.lists(st.datetimes(wall("2010-12-01"), wall("2013-01-01")), min_size=4, max_size=12),
)
@example(
    "FREQ=DAILY", "Pacific/Apia", wall("2011-01-01T12:00"), timedelta(days=1), [wall("2011-12-30T12:00")]
)
def test_a_window_covers_what_dateutil_says(
    rule: str, zone: str, near: datetime, span: timedelta, ats: list[datetime]
) -> None:
    """Any rule of the form, its start moved to the first occurrence, at chance and edge instants."""
    without_end = ";".join(part for part in rule.split(";") if not part.startswith(("COUNT", "UNTIL")))
    start = rrulestr(without_end, dtstart=near).after(near, inc=True)
    assume(start is not None and start < wall("2012-12-01"))
    try:
        recurrence = parse_rrule(rule, start, load_time_zone(zone))
    except RecurrenceError:
        assume(False)
    made = Window(time_zone=zone, start_local=start, end_local=start + span, recurrence=recurrence)
    edges = [start.replace(tzinfo=ZoneInfo(zone)).astimezone(UTC), (start + span).replace(tzinfo=UTC)]
    for at in [*(at.replace(tzinfo=UTC) for at in ats), *edges]:
        assert covers(made, at) == oracle(made, rule, at), at


@settings(max_examples=60, deadline=None)
@given(minutes=st.integers(-72 * 60, 72 * 60), hour=st.integers(0, 23), length=st.integers(1, 30))
@pytest.mark.parametrize(
    ("zone", "change"),
    [
        ("America/Los_Angeles", "2026-03-08T10:00:00"),
        ("America/Los_Angeles", "2026-11-01T09:00:00"),
        ("America/Phoenix", "2026-03-08T09:00:00"),
        ("Australia/Lord_Howe", "2026-04-04T15:00:00"),
        ("Pacific/Apia", "2011-12-30T10:00:00"),
    ],
)
def test_daily_windows_around_clock_changes(
    zone: str, change: str, minutes: int, hour: int, length: int
) -> None:
    """Both changes, a half-hour one, a skipped day, and Arizona, which has none."""
    start = wall(f"2011-01-01T{hour:02}:30")
    made = Window(
        time_zone=zone,
        start_local=start,
        end_local=start + timedelta(hours=length),
        recurrence=parse_rrule("FREQ=DAILY", start, load_time_zone(zone)),
    )
    at = datetime.fromisoformat(change).replace(tzinfo=UTC) + timedelta(minutes=minutes)
    near = Window(
        time_zone=zone,
        start_local=datetime.combine(at.date() - timedelta(days=8), start.time()),
        end_local=datetime.combine(at.date() - timedelta(days=8), start.time()) + timedelta(hours=length),
    )
    assert covers(made, at) == oracle(near, "FREQ=DAILY", at)


@pytest.mark.parametrize(
    ("at", "is_open"),
    [
        ("2026-03-07T16:00:00Z", True),  # 08:00 standard time
        ("2026-03-07T15:59:59.999999Z", False),
        ("2026-03-08T15:00:00Z", True),  # 08:00 daylight time
        ("2026-03-08T14:59:59Z", False),
        ("2026-03-08T23:59:59.999999Z", True),
        ("2026-03-09T00:00:00Z", False),  # 17:00 daylight time: the end is out
        ("2025-12-31T18:00:00Z", False),  # before the first
    ],
)
def test_school_hours_follow_the_wall_clock(at: str, *, is_open: bool) -> None:
    """8 to 17 every day in Los Angeles, across the change of 8 March 2026."""
    made = window("2026-01-01T08:00:00", "2026-01-01T17:00:00", "FREQ=DAILY")
    assert covers(made, parse_instant(at)) is is_open


def test_a_time_in_the_gap_has_the_offset_before_the_change() -> None:
    """02:30 on 8 March 2026 does not exist in Los Angeles: it is 10:30Z (RFC 5545)."""
    made = window("2026-03-08T02:30:00", "2026-03-08T04:00:00")
    assert not covers(made, parse_instant("2026-03-08T10:29:59Z"))
    assert covers(made, parse_instant("2026-03-08T10:30:00Z"))
    assert not covers(made, parse_instant("2026-03-08T11:00:00Z"))


def test_a_time_that_comes_twice_is_the_first() -> None:
    """01:30 on 1 November 2026 in Los Angeles is 08:30Z, not 09:30Z."""
    made = window("2026-11-01T01:30:00", "2026-11-01T02:30:00")
    assert covers(made, parse_instant("2026-11-01T08:30:00Z"))
    assert covers(made, parse_instant("2026-11-01T10:29:00Z"))
    assert not covers(made, parse_instant("2026-11-01T10:30:00Z"))


def test_weeks_start_on_monday() -> None:
    """Every second week from Sunday 4 January 2026: its week began on 29 December."""
    made = window("2026-01-04T10:00:00", "2026-01-04T11:00:00", "FREQ=WEEKLY;INTERVAL=2;BYDAY=MO,SU", "UTC")
    assert not covers(made, parse_instant("2026-01-05T10:30:00Z"))
    assert covers(made, parse_instant("2026-01-12T10:30:00Z"))
    assert covers(made, parse_instant("2026-01-18T10:30:00Z"))


def test_days_with_and_without_an_ordinal_add_up() -> None:
    """Each item of BYDAY names days (RFC 5545): every Friday, and the first Monday."""
    made = window("2026-01-02T10:00:00", "2026-01-02T11:00:00", "FREQ=MONTHLY;BYDAY=FR,1MO", "UTC")
    open_days = [day for day in range(1, 32) if covers(made, parse_instant(f"2026-01-{day:02}T10:30:00Z"))]
    assert open_days == [2, 5, 9, 16, 23, 30]


def test_until_is_compared_with_starts_and_belongs() -> None:
    """An occurrence that starts at UNTIL is the last, and runs to its own end."""
    rule = "FREQ=DAILY;UNTIL=20260103T180000Z"
    made = window("2026-01-01T10:00:00", "2026-01-01T12:00:00", rule)  # 18:00Z
    assert covers(made, parse_instant("2026-01-03T19:59:59Z"))
    assert not covers(made, parse_instant("2026-01-04T18:00:00Z"))


def test_an_instant_long_after_the_start_is_as_quick_and_right() -> None:
    """Seven thousand years of alternate days; and the calendar's own ends do not break it."""
    made = window("0001-01-01T00:00:00", "0001-01-02T00:00:00", "FREQ=DAILY;INTERVAL=2", "America/Phoenix")
    start = wall("0001-01-01").toordinal()
    for year in (1, 1970, 2026, 7026, 9999):
        day = wall(f"{year:04}-06-01T12:00")
        expected = (day.toordinal() - start) % 2 == 0
        assert covers(made, (day + timedelta(hours=7)).replace(tzinfo=UTC)) is expected
    for at in ("0001-01-01T00:00:00Z", "9999-12-31T23:59:59.999999Z"):
        assert covers(made, parse_instant(at)) in (True, False)
    endless = window("2020-01-01T00:00:00", "9999-12-31T23:59:59", "FREQ=MONTHLY", "America/Phoenix")
    assert covers(endless, parse_instant("9999-12-31T23:00:00Z"))


def test_a_count_far_away_does_not_hold_up_reading() -> None:
    """A COUNT beyond the calendar is endless; one within it ends on its day."""
    huge = window("2026-01-01T10:00:00", "2026-01-01T11:00:00", "FREQ=DAILY;COUNT=999999999", "UTC")
    assert covers(huge, parse_instant("9000-01-01T10:30:00Z"))
    three = window("2026-01-31T10:00:00", "2026-01-31T11:00:00", "FREQ=MONTHLY;COUNT=3", "UTC")
    assert covers(three, parse_instant("2026-05-31T10:30:00Z"))  # January, March, May: RFC 5545 skips
    assert not covers(three, parse_instant("2026-07-31T10:30:00Z"))


@pytest.mark.parametrize(
    ("rule", "said"),
    [
        ("", "cannot be used"),
        ("FREQ=YEARLY", "DAILY, WEEKLY or MONTHLY"),
        ("FREQ=HOURLY", "DAILY, WEEKLY or MONTHLY"),
        ("INTERVAL=2", "FREQ must be"),
        ("FREQ=DAILY;BYHOUR=9", "BYHOUR"),
        ("FREQ=DAILY;WKST=SU", "WKST"),
        ("RRULE:FREQ=DAILY", "cannot be used"),
        ("freq=daily", "capitals"),
        ("FREQ=DAILY;", "cannot be used"),
        ("FREQ=DAILY;FREQ=DAILY", "stands twice"),
        ("FREQ=DAILY;INTERVAL=0", "from 1"),
        ("FREQ=DAILY;INTERVAL=-1", "from 1"),
        ("FREQ=DAILY;INTERVAL=", "from 1"),
        ("FREQ=DAILY;COUNT=0", "from 1"),
        ("FREQ=DAILY;COUNT=3;UNTIL=20270101T000000Z", "not both"),
        ("FREQ=DAILY;UNTIL=20270101", "UTC instant"),
        ("FREQ=DAILY;UNTIL=20270101T000000", "UTC instant"),
        ("FREQ=DAILY;UNTIL=20271301T000000Z", "UTC instant"),
        ("FREQ=DAILY;UNTIL=20250101T000000Z", "before start_local"),
        ("FREQ=WEEKLY;BYDAY=1MO", "MONTHLY only"),
        ("FREQ=DAILY;BYDAY=-1MO", "MONTHLY only"),
        ("FREQ=MONTHLY;BYDAY=6MO", "1MO to 5SU"),
        ("FREQ=MONTHLY;BYDAY=0MO", "1MO to 5SU"),
        ("FREQ=WEEKLY;BYDAY=XX", "BYDAY takes"),
        ("FREQ=WEEKLY;BYDAY=", "BYDAY takes"),
        ("FREQ=WEEKLY;BYMONTHDAY=1", "FREQ=WEEKLY"),
        ("FREQ=MONTHLY;BYMONTHDAY=0", "-31 to 31"),
        ("FREQ=MONTHLY;BYMONTHDAY=32", "-31 to 31"),
        ("FREQ=MONTHLY;BYMONTH=13", "1 to 12"),
        ("FREQ=MONTHLY;BYMONTH=1,,2", "1 to 12"),
        ("FREQ=WEEKLY;BYDAY=MO", "itself be an occurrence"),
        ("FREQ=DAILY;BYMONTH=2", "itself be an occurrence"),
        ("FREQ=MONTHLY;BYMONTHDAY=-1", "itself be an occurrence"),
        ("FREQ=MONTHLY;BYDAY=2TH", "itself be an occurrence"),
    ],
)
def test_a_rule_outside_the_form_is_refused_in_words(rule: str, said: str) -> None:
    """Each refusal says which part and what is possible. 1 January 2026 is the first Thursday."""
    with pytest.raises(RecurrenceError, match=said):
        parse_rrule(rule, wall("2026-01-01T08:00"), load_time_zone("America/Phoenix"))


# ---------------------------------------------------------------- open until, opens between


def spans(given_window: Window, rule: str, end: datetime) -> list[tuple[datetime, datetime]]:
    """The open spans that begin before `end`, walked with dateutil."""
    zone = ZoneInfo(given_window.time_zone)
    span = given_window.end_local - given_window.start_local
    parts = dict(part.split("=") for part in rule.split(";"))
    until = parts.pop("UNTIL", None)
    naive = ";".join(f"{name}={value}" for name, value in parts.items())
    found = []
    for start in rrulestr(naive, dtstart=given_window.start_local):
        if start.replace(tzinfo=UTC) > end + timedelta(days=3):
            break
        opens, closes = (moment.replace(tzinfo=zone).astimezone(UTC) for moment in (start, start + span))
        if until and opens > datetime.strptime(until, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC):
            continue
        found.append((opens, closes))
    return found


@settings(max_examples=250, deadline=None)
@given(
    rule=rules(),
    zone=st.sampled_from(ZONES),
    near=st.datetimes(wall("2011-01-01"), wall("2011-06-01")).map(lambda at: at.replace(microsecond=0)),
    span=st.integers(1, 86_400 * 40).map(lambda s: timedelta(seconds=s)),
    begin=st.datetimes(wall("2010-12-01"), wall("2013-01-01")).map(lambda at: at.replace(tzinfo=UTC)),
    length=st.integers(1, 86_400 * 60).map(lambda s: timedelta(seconds=s)),
)
def test_opens_between_and_open_until_agree_with_dateutil(
    rule: str, zone: str, near: datetime, span: timedelta, begin: datetime, length: timedelta
) -> None:
    """Any rule of the form against the spans themselves: met at all, and until when at the first instant."""
    without_end = ";".join(part for part in rule.split(";") if not part.startswith(("COUNT", "UNTIL")))
    start = rrulestr(without_end, dtstart=near).after(near, inc=True)
    assume(start is not None and start < wall("2012-12-01"))
    try:
        recurrence = parse_rrule(rule, start, load_time_zone(zone))
    except RecurrenceError:
        assume(False)
    made = Window(time_zone=zone, start_local=start, end_local=start + span, recurrence=recurrence)
    end = begin + length
    met = [(low, high) for low, high in spans(made, rule, end) if max(low, begin) < min(high, end)]
    assert opens_between(made, begin, end) == bool(met)
    assert not met or opens_between(made, begin, None)
    at_begin = [high for low, high in met if low <= begin]
    assert open_until(made, begin) == max(at_begin, default=None)


def test_opens_between_of_a_single_span_is_half_open() -> None:
    once = window("2026-01-05T08:00", "2026-01-05T10:00")
    opens, closes = parse_instant("2026-01-05T16:00:00Z"), parse_instant("2026-01-05T18:00:00Z")
    hour = timedelta(hours=1)
    assert opens_between(once, opens - hour, opens + timedelta(seconds=1))
    assert not opens_between(once, opens - hour, opens)
    assert not opens_between(once, closes, None)
    assert open_until(once, opens) == closes


def test_opens_between_of_a_rule_that_has_run_out() -> None:
    """With a last day, and asked without an end."""
    made = window("2026-01-05T08:00", "2026-01-05T10:00", "FREQ=DAILY;COUNT=3")
    assert opens_between(made, parse_instant("2026-01-07T17:00:00Z"), None)
    assert not opens_between(made, parse_instant("2026-01-07T18:00:00Z"), None)
