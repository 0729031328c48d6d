"""The only place that reads the wall clock; everything else is given the instant."""

from datetime import UTC, datetime


def now() -> datetime:
    """This moment, UTC-aware."""
    return datetime.now(UTC)
