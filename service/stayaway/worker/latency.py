"""From an order's recording to its enforcement: measured by each matcher, kept, shown.

Both instants are clocks' of the hosts that took them: the recording one's before its transaction,
the matcher's when the change was in use. On hosts whose clocks differ the difference is in there.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from stayaway.kernel.instants import format_instant
from stayaway.platform.postgres import Connection, load_queries

_QUERIES = load_queries("stayaway.worker", "latency.sql")


@dataclass(frozen=True, slots=True)
class Applied:
    """A change of the registry, followed live: recorded when, in use when."""

    registry_sequence: int
    recorded_at: datetime
    applied_at: datetime

    @property
    def latency_s(self) -> float:
        """Seconds between; below 0 where the recording host's clock is ahead."""
        return (self.applied_at - self.recorded_at).total_seconds()


async def record_applied(conn: Connection, owner: str, applied: Sequence[Applied]) -> None:
    """Keep them; a second time changes nothing."""
    await conn.execute(
        _QUERIES.record_applied,
        owner,
        [item.registry_sequence for item in applied],
        [item.recorded_at for item in applied],
        [item.applied_at for item in applied],
    )


async def latency_lines(conn: Connection, since_at: datetime) -> list[str]:
    """For people: a line for each matcher that put changes in use since `since_at`, then the slowest."""
    rows = await conn.fetch(_QUERIES.summary, since_at)
    slowest = await conn.fetch(_QUERIES.slowest, since_at)
    if not rows:
        return ["No change of the registry was followed by a running matcher in this time."]
    lines = [
        f"{row['owner']}: {row['changes']} changes in use after p50 {row['p50_ms']:.1f} ms,"
        f" p99 {row['p99_ms']:.1f} ms, longest {row['longest_ms']:.1f} ms;"
        f" last sequence {row['last_sequence']} at {format_instant(row['last_at'])}"
        for row in rows
    ]
    lines += [
        f"slowest: sequence {row['registry_sequence']} at {row['owner']}, recorded"
        f" {format_instant(row['recorded_at'])}, in use {format_instant(row['applied_at'])}"
        f" ({row['ms']:.1f} ms)"
        for row in slowest
    ]
    return lines
