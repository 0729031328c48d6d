"""Records that say they were recorded in the future (pure).

K, by which alerts are marked as ended, is the latest `recorded_at` applied and never goes back: one record
of the year 2099 would end every order that has an expiry for all alerts to come, without a word.
"""

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta

from stayaway.kernel.instants import format_instant
from stayaway.orders.findings import Finding, FindingList
from stayaway.orders.rawjson import instant_of
from stayaway.orders.records import ParsedOrders, ParsedRecord

MAX_AHEAD = timedelta(days=1)
"""So far after now a record may say it was recorded. The clocks of courts' feeds differ from ours, and one
that writes its local time as UTC is off by up to 14 hours; a day covers both. Ours.
"""


def refuse_ahead(parsed: ParsedOrders, now: datetime) -> ParsedOrders:
    """The file without the records recorded more than `MAX_AHEAD` after `now`: an ERROR each, no value.

    A version among them blocks the others as any ERROR in a version does.
    """
    latest = now + MAX_AHEAD
    if parsed.known_at is None or parsed.known_at <= latest:
        return parsed
    kept, findings, recorded = list[ParsedRecord](), list[Finding](), list[datetime]()
    blocks = parsed.blocks_orders
    for record in parsed.records:
        at = _recorded_at(record)
        if at is None or at <= latest:
            recorded += [] if at is None else [at]
            kept.append(record)
            continue
        kept.append(replace(record, value=None))
        findings += _refused(record, at, now)
        blocks = blocks or (record.kind == "VERSION" and not record.repeated)
    return replace(
        parsed,
        records=tuple(kept),
        findings=(*parsed.findings, *findings),
        known_at=max(recorded, default=None),
        blocks_orders=blocks,
    )


def _recorded_at(record: ParsedRecord) -> datetime | None:
    """When it says it was recorded, usable or not; None where the field cannot be read."""
    if record.value is not None:
        return record.value.recorded_at
    raw = record.raw
    return instant_of(raw, "recorded_at") if isinstance(raw, dict) else None


def _refused(record: ParsedRecord, at: datetime, now: datetime) -> Iterator[Finding]:
    if record.repeated:  # the first of its kind has said it
        return
    noted = FindingList(record.order_id, record.path)
    noted.error(
        ("recorded_at",),
        format_instant(at),
        f"It says it was recorded in the future (now it is {format_instant(now)}), and orders would count as"
        " ended from then on: write when it was recorded, and check the clock of where it comes from, and"
        " ours.",
    )
    yield from noted.findings
