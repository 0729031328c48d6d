"""Proof of life: that reads still come in, said on every page, above all on an empty one."""

import inspect

from stayaway.api.settings import ReviewSettings, StreamStatus
from stayaway.platform.postgres import Pool, load_queries

_SQL = load_queries("stayaway.alerts", "review.sql")


async def read_status(settings: ReviewSettings) -> StreamStatus:
    """What the settings' source says, else when a partition last moved by the database."""
    if settings.status is None:
        return await _database_status(settings.pool, settings)
    status = settings.status()
    return await status if inspect.isawaitable(status) else status


async def _database_status(pool: Pool, settings: ReviewSettings) -> StreamStatus:
    row = await pool.fetchrow(_SQL.stream_progress)
    assert row is not None
    last_at = row["last_at"]
    last_s = None if last_at is None else max((settings.wall_clock() - last_at).total_seconds(), 0.0)
    return StreamStatus(last_read_s=last_s, holds=tuple(row["holds"] or ()))


def is_stale(status: StreamStatus, stale_after_s: float) -> bool:
    """Whether an empty list proves nothing."""
    return status.last_read_s is None or status.last_read_s > stale_after_s or bool(status.holds)


def status_words(status: StreamStatus) -> str:
    """Such as: Last read 4 s ago, 37 of 40 readers."""
    if status.last_read_s is None:
        words = "No read has arrived yet"
    else:
        words = f"Last read {_span(status.last_read_s)} ago"
    if status.readers_heard is not None and status.readers_known is not None:
        words += f", {status.readers_heard} of {status.readers_known} readers"
    held = f" Standing still: {'; '.join(status.holds)}." if status.holds else ""
    note = f" {status.note}" if status.note else ""
    return f"{words}.{held}{note}"


def _span(seconds: float) -> str:
    if seconds < 120:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 7200 else f"{seconds / 3600:.0f} h"
