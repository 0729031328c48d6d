"""One command: servers up, orders in, a day published, judged and shown, everything down again."""

import asyncio
import json
import signal
import sys
import threading
import time
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from stayaway.access.policy import Policy
from stayaway.access.policy_file import load_policy
from stayaway.alerts.order_changes import import_orders
from stayaway.alerts.replay import run_versions
from stayaway.api.settings import ReviewSettings, StreamStatus
from stayaway.console.app import create_app
from stayaway.console.serve import serve
from stayaway.demo.day import DayFiles, image_reader, read_events
from stayaway.demo.progress import Progress, report
from stayaway.demo.publisher import PartitionKey, Publisher
from stayaway.demo.servers import kafka_at, postgres_at, reap_dead_runs, run_folder, state_folder
from stayaway.kernel.errors import SettingsError
from stayaway.kernel.instants import format_instant
from stayaway.orders.cli_support import check_lines
from stayaway.platform.clock import now
from stayaway.platform.files import read_file
from stayaway.platform.kafka import ensure_topics, wait_for_kafka
from stayaway.platform.migrations import migrate
from stayaway.platform.postgres import Pool, open_pool
from stayaway.platform.seal import FileSeal, Seal
from stayaway.sightings.wire import CHECK_IN_TOPIC, PLATE_READ_TOPIC
from stayaway.worker.loop import MatcherSettings, MatcherWorker

_PARTITIONS = 4
_WAIT_S = 60.0
_TICK_S = 0.1
# A day that has been read to its end is no outage: the page does not warn of a silent stream.
_DAY_OVER_S = 86_400.0


@dataclass(frozen=True, slots=True, kw_only=True)
class DemoSettings:
    """`speed`: times faster than the day; 0: as fast as it is read. `port` 0: a free one."""

    files: DayFiles
    speed: float
    port: int
    bootstrap: str | None
    database: str | None
    keys: Path | None
    exit_when_done: bool
    as_json: bool


def run_demo(settings: DemoSettings) -> int:
    """Exit 0 when all went well, 2 where a file is bad, 1 where something else stopped it."""
    policy = load_policy(settings.files.policy)
    orders = _checked_orders(settings.files.orders)
    if orders is None:
        return 2
    folder = state_folder()
    reaped = reap_dead_runs(folder)
    if reaped:
        _say(f"cleaned up after {reaped} run(s) that had been killed")
    if settings.database is not None and settings.keys is None:
        raise SettingsError("With --database the keys must outlive the demo.", "Give --keys FILE.")
    with ExitStack() as stack:
        home = stack.enter_context(run_folder(folder))
        _say("starting Postgres and Kafka")
        dsn = stack.enter_context(postgres_at(settings.database, home))
        bootstrap = stack.enter_context(kafka_at(settings.bootstrap))
        seal = FileSeal(settings.keys or home / "keys")
        demo = _Demo(settings, policy, seal, dsn, bootstrap)
        with asyncio.Runner() as runner:
            return runner.run(demo.run(orders))


def _checked_orders(path: Path) -> bytes | None:
    data = read_file(path, "orders file")
    lines, code = check_lines(data, now=now())
    if code:
        for line in lines:
            print(line, file=sys.stderr)  # noqa: T201 - the command's own output
        return None
    return data


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)  # noqa: T201 - the command's own output


def _tell(text: str) -> None:
    print(text, flush=True)  # noqa: T201 - the command's own output


class _Demo:
    def __init__(self, settings: DemoSettings, policy: Policy, seal: Seal, dsn: str, bootstrap: str) -> None:
        self._settings = settings
        self._policy = policy
        self._seal = seal
        self._dsn = dsn
        self._bootstrap = bootstrap
        self._stop = asyncio.Event()
        self._stop_thread = threading.Event()
        self._worker = self._make_worker()
        self._known_at: datetime | None = None
        self._partition_count = 0
        self._read_at_s: float | None = None

    def _make_worker(self) -> MatcherWorker:
        settings = MatcherSettings(
            dsn=self._dsn,
            bootstrap=self._bootstrap,
            group="stayaway-demo",
            owner="stayaway-demo",
            # The embedded broker starts empty; on a real one only what the demo publishes is its own.
            first_position="latest" if self._settings.bootstrap else "earliest",
            wait_s=_WAIT_S,
        )
        return MatcherWorker(settings, self._seal, self._policy, on_wait=_say)

    async def run(self, orders: bytes) -> int:
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, self._end)
        pool = await open_pool(self._dsn, wait_s=_WAIT_S, on_wait=_say)
        async with pool:
            await self._prepare(pool, orders)
            publisher = await self._make_publisher()
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._serve(pool, publisher))
                tasks.create_task(self._match())
                tasks.create_task(self._replay(pool, publisher))
        return 0

    def _end(self) -> None:
        self._stop_thread.set()
        self._stop.set()

    async def _prepare(self, pool: Pool, orders: bytes) -> None:
        async with pool.acquire() as conn:
            await migrate(conn)
        outcome = await import_orders(pool, self._seal, orders, policy=self._policy, actor="demo", at=now())
        self._known_at = outcome.outcome.known_at
        await wait_for_kafka(self._bootstrap, _WAIT_S, _say)

    async def _make_publisher(self) -> Publisher:
        wanted = {PLATE_READ_TOPIC: _PARTITIONS, CHECK_IN_TOPIC: _PARTITIONS}
        partitions = await ensure_topics(self._bootstrap, wanted)
        self._partition_count = sum(partitions.values())
        follows = None if self._settings.bootstrap else self._next_offset
        return Publisher(self._bootstrap, partitions, speed=self._settings.speed, next_offsets=follows)

    def _next_offset(self, key: PartitionKey) -> int:
        state = self._worker.assignment.states.get(key)
        return 0 if state is None else state.next_offset

    async def _serve(self, pool: Pool, publisher: Publisher) -> None:
        def clock() -> datetime:
            return publisher.reached_at or now()

        def status() -> StreamStatus:
            reached = publisher.reached_at
            note = f"The day's clock shows {format_instant(reached)}." if reached else None
            since_s = None if self._read_at_s is None else time.monotonic() - self._read_at_s
            return StreamStatus(last_read_s=since_s, note=note)

        app = create_app(
            ReviewSettings(
                pool=pool,
                seal=self._seal,
                policy=self._policy,
                clock=clock,
                images=image_reader(self._settings.files.images),
                status=status,
                stale_after_s=_DAY_OVER_S,
            ),
            self._dsn,
        )
        await serve(app, "127.0.0.1", self._settings.port, self._stop, on_listening=self._announce)

    def _announce(self, address: str) -> None:
        _tell(f"page: {address}")
        _tell(f"database: {self._dsn}")

    async def _match(self) -> None:
        try:
            await self._worker.run(self._stop)
        finally:
            self._end()

    async def _replay(self, pool: Pool, publisher: Publisher) -> None:
        await self._wait_for_claims()
        started_s = time.monotonic()
        events = read_events(self._settings.files.events)
        publishing = asyncio.create_task(asyncio.to_thread(publisher.publish, events, self._stop_thread))
        try:
            with Progress(publisher, self._worker.counters) as progress:
                read = 0
                while not self._stop.is_set():
                    progress.show()
                    if self._worker.counters.read > read:
                        read, self._read_at_s = self._worker.counters.read, time.monotonic()
                    if publishing.done() and self._worker.counters.read >= publisher.published:
                        break
                    await asyncio.sleep(_TICK_S)
        finally:
            self._stop_thread.set()
            await publishing
        await self._conclude(pool, time.monotonic() - started_s)

    async def _wait_for_claims(self) -> None:
        """Until the matcher has its partitions: what is published before is nobody's yet."""
        while not self._stop.is_set():
            assignment = getattr(self._worker, "assignment", None)
            if assignment is not None and len(assignment.states) >= self._partition_count:
                return
            await asyncio.sleep(_TICK_S)

    async def _conclude(self, pool: Pool, elapsed_s: float) -> None:
        summary = await self._summary(pool, elapsed_s)
        if not self._settings.as_json:
            _tell(report(summary, self._worker.counters))
        if self._settings.exit_when_done:
            self._end()
        elif not self._stop.is_set():
            _say("the page stays up; Ctrl-C ends everything")
            await self._stop.wait()
        if self._settings.as_json:
            _tell(json.dumps(summary, separators=(",", ":")))

    async def _summary(self, pool: Pool, elapsed_s: float) -> dict[str, Any]:
        c = self._worker.counters
        alerts = await pool.fetchval(
            "SELECT count(*) FROM export.alerts_v1"
            " WHERE state NOT IN ('MERGED', 'WITHDRAWN') AND raised_anew_from IS NULL"
        )
        return {
            "schema": "summary.v1",
            "read": c.read,
            "refused": c.refused,
            "none": c.none,
            "suppressed": c.suppressed,
            "alert": c.alert,
            "alerts": alerts,
            "known_at": format_instant(self._known_at) if self._known_at else None,
            "versions": run_versions(self._policy),
            "elapsed_s": round(elapsed_s, 3),
        }
