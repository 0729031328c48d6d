"""What speaks against an act on an order: what cannot be, and what must be meant (pure).

A file's records get a clerk's second look as warnings. An act is one record typed by one person and
cannot be taken back, so what cannot be is refused, and what is unusual until they say that it is so.
"""

from collections.abc import Collection, Iterator
from datetime import UTC, datetime, time, timedelta

from stayaway.kernel.instants import EPOCH, format_instant
from stayaway.orders.advice_times import advise_off_order, advise_pauses
from stayaway.orders.model import CourtOrder, Notice, OrderVersion, Recall, Record, Suspension, Validation
from stayaway.orders.questions import Problem
from stayaway.orders.records import ParsedOrders
from stayaway.orders.rules import version_expires_at
from stayaway.orders.standing import Met, gather_standing

CLOCK_SKEW = timedelta(minutes=5)
"""So far ahead of our clock may lie what somebody says has happened: theirs may be fast. Ours."""
BEFORE_ORDER = timedelta(days=60)
"""Nothing happened to an order longer than this before its first date. A respondent may be told in court
weeks before the written order takes effect; a wrong year is further away. Ours.
"""
LONG_PAUSE = timedelta(days=366)
"""A longer pause, or one that begins later than this from now, is asked about: a wrong year. Ours."""


def find_impossible(order: CourtOrder, record: Record, now: datetime) -> list[Problem]:
    """What cannot be: by the order as recorded, by the clock, or for want of a word."""
    match record:
        case Notice():
            return [*_addressee(order, record), *_happened(order, "noticed_at", record.noticed_at, now)]
        case Recall():
            reason, at = record.reason_text, record.recalled_at
            return [*_blank("reason_text", reason), *_old(order, "recalled_at", at)]
        case Suspension():
            return [*_blank("reason_text", record.reason_text), *_old(order, "from_at", record.from_at)]
        case Validation():
            source, at = record.source_text, record.validated_at
            return [*_blank("source_text", source), *_happened(order, "validated_at", at, now)]
        case _:
            return []


def find_unusual(
    order: CourtOrder, act: ParsedOrders, now: datetime, notice_kinds: Collection[str] | None
) -> list[Problem]:
    """What may be so but is rarely meant, each with what it would do. `act`: the act as a file of its own.

    `notice_kinds`: those that count as notice; None where no policy says so: any kind then.
    """
    record = act.records[0].value
    if isinstance(record, Notice):
        return list(_ends_by_notice(order, record, now, notice_kinds))
    return [*_outside(order, act, now), *_far_ahead(record, now)]


def _addressee(order: CourtOrder, notice: Notice) -> Iterator[Problem]:
    version = next((item for item in order.versions if item.version == notice.order_version), None)
    if version is None:
        yield ("order_version",), "The order has no such version."
    elif not _names(version, notice):
        yield ("respondent_id",), "That version of the order names no such respondent."


def _names(version: OrderVersion, notice: Notice) -> bool:
    return any(item.respondent_id == notice.respondent_id for item in version.respondents)


def _blank(name: str, text: str) -> Iterator[Problem]:
    if not text.strip():
        yield (name,), "It is blank: say it in words, it is recorded with the act."


def _happened(order: CourtOrder, name: str, at: datetime, now: datetime) -> Iterator[Problem]:
    if at > now + CLOCK_SKEW:
        yield (name,), f"It lies in the future (now it is {format_instant(now)}): record what has happened."
    yield from _old(order, name, at)


def _old(order: CourtOrder, name: str, at: datetime) -> Iterator[Problem]:
    began_at = _began_at(order)
    if began_at - at > BEFORE_ORDER:
        remedy = f"The order's first date is {format_instant(began_at)}, over {BEFORE_ORDER.days} days later"
        yield (name,), f"{remedy}: check the date."


def _began_at(order: CourtOrder) -> datetime:
    """The earliest date of any version; a day of issue at midnight UTC, which is near enough for 60 days."""
    issued = (item.issued_on for item in order.versions if item.issued_on is not None)
    days = [datetime.combine(day, time.min, UTC) for day in issued]
    return min([*days, *(version.effective_at for version in order.versions)])


# ---------------------------------------------------------------- unusual


def _ends_by_notice(
    order: CourtOrder, notice: Notice, now: datetime, kinds: Collection[str] | None
) -> Iterator[Problem]:
    """An interval runs from the first notice: a wrong year ends the order, and no later notice mends it."""
    if kinds is not None and notice.kind not in kinds:
        return
    own = (item for item in order.notices if item.respondent_id == notice.respondent_id)
    before = [item for item in own if kinds is None or item.kind in kinds]
    for version in order.versions:
        ends_at = version_expires_at(version, [*before, notice])
        if ends_at is None or not _names(version, notice) or ends_at == version_expires_at(version, before):
            continue
        over = "before it takes effect" if ends_at <= version.effective_at else "before now"
        if ends_at <= max(now, version.effective_at):
            counted = f"Counted from this notice version {version.version} ends at {format_instant(ends_at)}"
            effect = "its alerts would be marked or withdrawn, and no later notice could change that."
            yield ("noticed_at",), f"{counted}, {over}: {effect}"


def _outside(order: CourtOrder, act: ParsedOrders, now: datetime) -> Iterator[Problem]:
    """What a file's recalls and suspensions are warned of: dates outside the order's life."""
    for standing in gather_standing(act, Met({order.order_id: order}, 0, EPOCH)):
        advise_off_order(standing, now)
        advise_pauses(standing)
        for noted in standing.lone:
            yield from ((tuple(item.pointer.split("/")[1:]), item.remedy) for item in noted.findings)


def _far_ahead(record: Record | None, now: datetime) -> Iterator[Problem]:
    if isinstance(record, Recall) and record.recalled_at > now + CLOCK_SKEW:
        effect = "though it is void from the beginning" if record.void else "and the order alerts until then"
        yield ("recalled_at",), f"It lies ahead (now it is {format_instant(now)}), {effect}."
    elif isinstance(record, Suspension) and record.until_at - record.from_at > LONG_PAUSE:
        yield ("until_at",), f"The order would not alert for {(record.until_at - record.from_at).days} days."
    elif isinstance(record, Suspension) and record.from_at > now + LONG_PAUSE:
        yield ("from_at",), f"The pause begins only in {(record.from_at - now).days} days."
