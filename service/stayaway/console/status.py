"""Proof of life: that reads still come in, said on every page, above all on an empty one."""

import inspect
from datetime import datetime
from typing import Any

from stayaway.alerts import review
from stayaway.api.settings import ReviewSettings, StreamStatus
from stayaway.kernel.instants import format_instant
from stayaway.platform.postgres import Connection, Pool, load_queries

_CLOCKS_APART_S = 5.0
"""An instant further ahead proves no life, only that two clocks differ."""
_SQL = load_queries("stayaway.alerts", "review.sql")


async def read_status(settings: ReviewSettings, source: Connection | Pool) -> StreamStatus:
    """What the settings' source says, else when a partition last moved by the database."""
    if settings.status is None:
        return await _database_status(source, settings)
    status = settings.status()
    return await status if inspect.isawaitable(status) else status


async def tick_facts(settings: ReviewSettings, conn: Connection) -> dict[str, Any]:
    """What every page is told every few seconds, whoever looks: life, counts, and who holds what."""
    status = await read_status(settings, conn)
    claims = await conn.fetch(_SQL.open_claims, settings.wall_clock())
    return {
        "status": status_words(status),
        "stale": is_stale(status, settings.stale_after_s),
        "counts": await review.open_counts(conn),
        "claims": [
            {
                "number": claim["alert_number"],
                "by": claim["claimed_by"],
                "until": format_instant(claim["claimed_until"]),
            }
            for claim in claims
        ],
    }


async def _database_status(source: Connection | Pool, settings: ReviewSettings) -> StreamStatus:
    row = await source.fetchrow(_SQL.stream_progress)
    assert row is not None
    last_at = row["last_at"]
    now = settings.wall_clock()
    last_s = None if last_at is None else (now - last_at).total_seconds()
    return StreamStatus(
        last_read_s=last_s, note=_quietest(row["quietest_at"], now, settings), holds=tuple(row["holds"] or ())
    )


def _quietest(quietest_at: datetime | None, now: datetime, settings: ReviewSettings) -> str | None:
    """A partition that stands behind others that live. Said only: it may have no reads to take in."""
    if quietest_at is None or (now - quietest_at).total_seconds() <= settings.stale_after_s:
        return None
    return f"The quietest partition last moved {_span((now - quietest_at).total_seconds())} ago."


def is_stale(status: StreamStatus, stale_after_s: float) -> bool:
    """Whether an empty list proves nothing."""
    last_s = status.last_read_s
    return last_s is None or not -_CLOCKS_APART_S <= last_s <= stale_after_s or bool(status.holds)


def status_words(status: StreamStatus) -> str:
    """Such as: Last read 4 s ago, 37 of 40 readers."""
    if status.last_read_s is None:
        words = "No read has arrived yet"
    elif status.last_read_s < -_CLOCKS_APART_S:
        words = f"The matcher's clock is {_span(-status.last_read_s)} ahead: when it last read is not known"
    else:
        words = f"Last read {_span(max(status.last_read_s, 0.0))} ago"
    if status.readers_heard is not None and status.readers_known is not None:
        words += f", {status.readers_heard} of {status.readers_known} readers"
    held = f" Standing still: {'; '.join(status.holds)}." if status.holds else ""
    note = f" {status.note}" if status.note else ""
    return f"{words}.{held}{note}"


def _span(seconds: float) -> str:
    if seconds < 120:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 7200 else f"{seconds / 3600:.0f} h"
