"""IANA time zones from the pinned `tzdata` package only, so that every machine has the same rules."""

from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from importlib import resources
from zoneinfo import ZoneInfo

import tzdata

TZDATA_VERSION = str(tzdata.IANA_VERSION)


@cache
def time_zone_names() -> frozenset[str]:
    """Every zone name of the pinned database."""
    text = resources.files("tzdata").joinpath("zones").read_text(encoding="ascii")
    return frozenset(text.split())


@cache
def load_time_zone(name: str) -> ZoneInfo:
    """The zone called `name` (exact case); KeyError where the pinned database has none."""
    if name not in time_zone_names():
        raise KeyError(name)
    path = resources.files("tzdata").joinpath("zoneinfo", *name.split("/"))
    with path.open("rb") as file:
        return ZoneInfo.from_file(file, key=name)


def resolve_local(local: datetime, zone: ZoneInfo) -> datetime:
    """The UTC instant of a wall-clock time.

    In a gap or a repeat of the clock the offset before the change holds
    (RFC 5545 section 3.3.5; PEP 495's fold=0).
    """
    return local.replace(tzinfo=zone, fold=0).astimezone(UTC)


def local_day(at: datetime, zone: ZoneInfo) -> date:
    """The calendar day that the wall clock of `zone` shows at `at`."""
    return at.astimezone(zone).date()


def end_of_day(day: date, zone: ZoneInfo) -> datetime:
    """The first instant after `day` in `zone`."""
    return resolve_local(datetime.combine(day + timedelta(days=1), time.min), zone)
