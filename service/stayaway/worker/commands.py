"""What the command line runs: the matcher until it is told to stop, positions, gaps. Prints nothing."""

import asyncio
import signal
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime

from stayaway.access.policy import Policy
from stayaway.kernel.errors import StayawayError
from stayaway.kernel.instants import format_instant
from stayaway.platform.postgres import connect
from stayaway.platform.seal import Seal
from stayaway.worker.breaker import BreakerTrippedError
from stayaway.worker.loop import MatcherSettings, MatcherWorker
from stayaway.worker.partitions import SQL, record_gap

EXIT_STOPPED = 0
EXIT_FAILED = 1
EXIT_BREAKER = 3


def run_matcher(settings: MatcherSettings, seal: Seal, policy: Policy, *, say: Callable[[str], None]) -> int:
    """Run one matcher until SIGTERM or SIGINT; the exit code.

    0: stopped in order. 1: a server stayed away or a setting is wrong. 3: the breaker stopped it.
    `say` gets one line for people each time.
    """
    return asyncio.run(_run_matcher(settings, seal, policy, say))


async def _run_matcher(
    settings: MatcherSettings, seal: Seal, policy: Policy, say: Callable[[str], None]
) -> int:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        with suppress(NotImplementedError):
            loop.add_signal_handler(number, stop.set)
    worker = MatcherWorker(settings, seal, policy, on_wait=say)
    try:
        await worker.run(stop)
    except BreakerTrippedError as error:
        say(str(error))
        return EXIT_BREAKER
    except StayawayError as error:
        say(str(error))
        return EXIT_FAILED
    counters = worker.counters
    say(
        f"Stopped in order: {counters.read} read, {counters.refused} refused, {counters.none} matched"
        f" nothing, {counters.suppressed} suppressed, {counters.alert} alerting,"
        f" {counters.alerts_raised} alerts raised."
    )
    return EXIT_STOPPED


async def position_lines(dsn: str, *, wait_s: float, on_wait: Callable[[str], None]) -> list[str]:
    """One line for each partition: where it stands, since when, and what holds it."""
    conn = await connect(dsn, wait_s=wait_s, on_wait=on_wait)
    try:
        rows = await conn.fetch(SQL.list_positions)
    finally:
        await conn.close()
    return [
        f"{row['topic']}/{row['partition']} next {row['next_offset']} (first {row['first_offset']})"
        f" epoch {row['epoch']} owner {row['owner']} at {format_instant(row['updated_at'])}"
        + (f" HELD {row['hold_reason']}" if row["hold_reason"] else "")
        for row in rows
    ]


async def run_gap(
    dsn: str,
    seal: Seal,
    *,
    topic: str,
    partition: int,
    to_offset: int,
    actor: str,
    reason_text: str,
    at: datetime,
    wait_s: float,
    on_wait: Callable[[str], None],
) -> None:
    """Record a GAP for a held partition, so that reading goes on at `to_offset` (see `record_gap`)."""
    conn = await connect(dsn, wait_s=wait_s, on_wait=on_wait)
    try:
        await record_gap(
            conn, seal, (topic, partition), to_offset, actor=actor, reason_text=reason_text, at=at
        )
    finally:
        await conn.close()
