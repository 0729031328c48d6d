"""What the command line runs: the matcher until it is told to stop, and positions. Prints nothing."""

import asyncio
import gc
import platform
import signal
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import shapely
import uvloop

from stayaway import ENGINE_VERSION
from stayaway.access.policy import Policy
from stayaway.kernel.errors import StayawayError
from stayaway.kernel.instants import format_instant
from stayaway.kernel.timezones import TZDATA_VERSION
from stayaway.platform.logging import get_logger
from stayaway.platform.postgres import Connection
from stayaway.platform.seal import Seal
from stayaway.worker.breaker import BreakerTrippedError
from stayaway.worker.counters import Counters
from stayaway.worker.health import Health, serve_health
from stayaway.worker.loop import MatcherSettings, MatcherWorker
from stayaway.worker.partitions import SQL

EXIT_STOPPED = 0
EXIT_FAILED = 1
EXIT_BREAKER = 3

# A batch makes some ten thousand objects that all go with it. The collector would look through them
# every 700 (Python's own figure) and find nothing: 6 % of a drain's time (deploy/benchmarks.md).
_YOUNG_OBJECTS = 20_000


@dataclass(frozen=True, slots=True)
class HealthSettings:
    """Where a matcher says how it does. `policy_file`: what it was started with."""

    listener: socket.socket
    policy_file: Path | None = None


def run_matcher(
    settings: MatcherSettings,
    seal: Seal,
    policy: Policy,
    *,
    say: Callable[[str], None],
    health: HealthSettings | None = None,
) -> int:
    """Run one matcher until SIGTERM or SIGINT; the exit code.

    0: stopped in order. 1: a server stayed away or a setting is wrong. 3: the breaker stopped it.
    `say` gets one line for people each time.
    """
    gc.set_threshold(_YOUNG_OBJECTS)
    # A loop in C: of each batch's time a fifth was the loop's own (deploy/benchmarks.md).
    return uvloop.run(_run_matcher(settings, seal, policy, say, health))


async def _run_matcher(
    settings: MatcherSettings,
    seal: Seal,
    policy: Policy,
    say: Callable[[str], None],
    health: HealthSettings | None,
) -> int:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        with suppress(NotImplementedError):
            loop.add_signal_handler(number, stop.set)
    worker = MatcherWorker(settings, seal, policy, on_wait=say)
    _log_start(settings, policy)
    try:
        async with _serving(worker, health, say):
            await worker.run(stop)
    except BreakerTrippedError as error:
        get_logger().critical("breaker tripped", exc_info=error)
        say(str(error))
        return EXIT_BREAKER
    except StayawayError as error:
        get_logger().critical("matcher failed", exc_info=error)
        say(str(error))
        return EXIT_FAILED
    counters = worker.counters
    _log_stop(counters)
    say(
        f"Stopped in order: {counters.read} read, {counters.refused} refused, {counters.none} matched"
        f" nothing, {counters.suppressed} suppressed, {counters.alert} alerting,"
        f" {counters.alerts_raised} alerts raised."
    )
    return EXIT_STOPPED


@asynccontextmanager
async def _serving(
    worker: MatcherWorker, health: HealthSettings | None, say: Callable[[str], None]
) -> AsyncIterator[None]:
    if health is None:
        yield
        return
    page = Health(worker, health.policy_file)
    async with serve_health(page, health.listener, lambda address: say(f"health: {address}/health/ready")):
        yield


def _log_start(settings: MatcherSettings, policy: Policy) -> None:
    get_logger().info(
        "matcher started",
        version=ENGINE_VERSION,
        python=platform.python_version(),
        numpy=np.__version__,
        geos=shapely.geos_version_string,
        tzdata=TZDATA_VERSION,
        policy_sha256=policy.sha256,
        server=settings.bootstrap,
        group=settings.group,
        client_id=settings.owner,
        first_position=settings.first_position,
    )


def _log_stop(counters: Counters) -> None:
    get_logger().info(
        "matcher stopped",
        records=counters.read,
        refused=counters.refused,
        none=counters.none,
        suppressed=counters.suppressed,
        alerting=counters.alert,
        alerts=counters.alerts_raised,
        batches=counters.batches,
    )


async def position_lines(conn: Connection) -> list[str]:
    """One line for each partition: where it stands, since when, and what holds it."""
    rows = await conn.fetch(SQL.list_positions)
    return [
        f"{row['topic']}/{row['partition']} next {row['next_offset']} (first {row['first_offset']})"
        f" epoch {row['epoch']} owner {row['owner']} at {format_instant(row['updated_at'])}"
        + (f" HELD {row['hold_reason']}" if row["hold_reason"] else "")
        for row in rows
    ]
