"""Faults by a seeded schedule against real matcher processes, and what must hold afterwards.

Each round has its own database and topics on shared servers: a random world is published a few
records at a time, and at each step a matcher is started that something happens to.
"""

import asyncio
import os
import random
import signal
import uuid
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from multiprocessing.context import ForkServerProcess
from pathlib import Path

import asyncpg
import psutil
from confluent_kafka import Producer

import oracle
from faults.matcher import Start, start
from faults.proxy import CommitCutter
from stayaway.access.policy import parse_policy
from stayaway.platform.embedded.postgres import EmbeddedPostgres
from stayaway.platform.migrations import migrate
from stayaway.platform.seal import FileSeal
from stayaway.worker.loop import MatcherSettings
from support.kafka_server import KafkaServer
from support.stored import stored_differences
from support.worker_rig import Rig
from support.worlds import World, draw_world

PARTITIONS = 3
LIMIT_S = 60.0
PLACES = (
    "after_fetch",
    "after_decide",
    "before_dead_letters",
    "after_dead_letters",
    "in_transaction",
    "before_commit",
    "after_commit",
    "on_assign",
)
KINDS = ("kill", "kill", "kill", "kill", "raise", "cancel", "delay:0.2", "stop")
OUTSIDE = ("commit-reply", "commit-send", "backend-terminated", "postgres-killed", "killed-anywhere")


@dataclass
class Servers:
    """One Postgres with fsync and one Apache Kafka for all rounds, and a folder."""

    postgres: EmbeddedPostgres
    kafka: KafkaServer
    folder: Path


@dataclass
class Tally:
    """What was injected, and what was found wrong."""

    injected: Counter[str] = field(default_factory=Counter)
    problems: list[str] = field(default_factory=list)

    def lines(self) -> list[str]:
        """For people."""
        rows = [f"  {name:32} {count:5}" for name, count in sorted(self.injected.items())]
        return [
            *rows,
            f"  {'faults in all':32} {self.injected.total():5}",
            f"  problems: {len(self.problems)}",
        ]


class Round:
    """One world, one database, one pair of topics."""

    def __init__(self, servers: Servers, seed: int, steps: int, tally: Tally) -> None:
        self.rng = random.Random(seed)
        self.seed = seed
        self.steps = steps
        self.tally = tally
        self.servers = servers
        self.name = f"r{seed}-{uuid.uuid4().hex[:6]}"
        self.world: World = draw_world(seed, orders=5, events=steps * 8)
        self.topics = (f"reads-{self.name}", f"checks-{self.name}")
        self.log = servers.folder / f"{self.name}.log"
        self.published = 0
        self.cutter = CommitCutter(Path(servers.postgres.dsn.split("host=")[1]) / ".s.PGSQL.5432")
        self.rig = Rig(
            servers.postgres.dsn_of(self.name.replace("-", "_")),
            servers.kafka.bootstrap,
            FileSeal(servers.folder / f"{self.name}.keys"),
            parse_policy(self.world.policy_bytes()),
            topics=self.topics,
        )

    async def run(self, wrap: Callable[[Start], Start] = lambda what: what) -> None:
        """Publish and break, then finish in peace and check."""
        self.wrap = wrap
        await self._prepare()
        lines = [line.removesuffix(b"\n") for line in self.world.lines]
        chunks = [lines[at :: self.steps] for at in range(self.steps)]
        for chunk in chunks:
            self._publish([*chunk, b"{}"])
            await self._step()
        await self._finish()
        published = [line for chunk in chunks for line in [*chunk, b"{}"]]
        expected = list(oracle.decide(self.world.orders, self.world.policy, published, None))
        self.tally.problems += await stored_differences(self.rig.dsn, expected)
        try:
            await self.rig.check_promises()
        except AssertionError as error:
            self.tally.problems.append(f"promises: {error}")

    async def _prepare(self) -> None:
        database = self.rig.dsn.split("@/")[1].split("?")[0]
        conn = await asyncpg.connect(self.servers.postgres.dsn)
        await conn.execute(f"CREATE DATABASE {database}")
        await conn.close()
        conn = await asyncpg.connect(self.rig.dsn)
        await migrate(conn)
        await conn.close()
        await self.rig.make_topics()
        await self.rig.import_orders(self.world.orders_bytes())

    def _publish(self, values: list[bytes]) -> None:
        producer = Producer({"bootstrap.servers": self.rig.bootstrap, "log_level": 0})
        for value in values:
            producer.produce(self.rng.choice(self.topics), value, partition=self.rng.randrange(PARTITIONS))
        assert producer.flush(30) == 0
        self.published += len(values)

    # ------------------------------------------------------------ one fault

    async def _step(self) -> None:
        if self.rng.random() < 0.3:
            await self._outside(self.rng.choice(OUTSIDE))
            return
        place, kind = self.rng.choice(PLACES), self.rng.choice(KINDS)
        fired = self._fired()
        process = self._start(f"{place}={kind}@1")
        await self._until(lambda: self._fired() > fired, f"{place}={kind} fired")
        self.tally.injected[f"{kind.partition(':')[0]} at {place}"] += 1
        if kind == "stop":
            await self._zombie(process)
        elif kind.startswith("delay"):
            await self._stop(process)
        else:
            await self._until(lambda: not process.is_alive(), "the matcher ended")
            if kind == "kill" and process.exitcode != -signal.SIGKILL:
                self.tally.problems.append(f"exit code {process.exitcode} after kill at {place}")

    async def _zombie(self, stopped: ForkServerProcess) -> None:
        """Another takes over; then the stopped one wakes and must find its fence gone."""
        assert stopped.pid is not None
        await self._until(lambda: psutil.Process(stopped.pid).status() == "stopped", "stopped")
        # What it holds in an open transaction is the server's to end, as a lost machine's would be.
        other = self._start("")
        await self._terminate_idle()
        await self._caught_up()
        os.kill(stopped.pid, signal.SIGCONT)
        await self._stop(other)
        await self._stop(stopped)

    async def _outside(self, kind: str) -> None:
        self.tally.injected[kind] += 1
        cuts = self.cutter.cuts
        if kind.startswith("commit"):
            self.cutter.arm("REPLY" if kind == "commit-reply" else "BEFORE")
        process = self._start("", through_proxy=kind.startswith("commit"))
        if kind.startswith("commit"):
            await self._until(lambda: self.cutter.cuts > cuts, "a COMMIT was cut")
        elif kind == "backend-terminated":
            await self._terminate_idle(everyone=True)
        elif kind == "postgres-killed":
            self.servers.postgres.kill()
            self.servers.postgres.start()
        else:
            await asyncio.sleep(self.rng.uniform(0, 0.6))  # a moment drawn from the seed, not a wait
            process.kill()
            await self._until(lambda: not process.is_alive(), "killed")
            return
        await self._caught_up()
        await self._stop(process)

    async def _terminate_idle(self, *, everyone: bool = False) -> None:
        conn = await asyncpg.connect(self.rig.dsn)
        states = "" if everyone else "AND state LIKE 'idle in transaction%'"
        await conn.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            f" WHERE datname = current_database() AND pid <> pg_backend_pid() {states}"
        )
        await conn.close()

    # ------------------------------------------------------------ processes

    def _start(self, failpoints: str, *, through_proxy: bool = False) -> ForkServerProcess:
        dsn = self.rig.dsn
        if through_proxy:
            database = dsn.split("@/")[1].split("?")[0]
            dsn = f"postgresql://postgres@127.0.0.1:{self.cutter.port}/{database}"
        settings = MatcherSettings(
            dsn=dsn,
            bootstrap=self.rig.bootstrap,
            group=None,
            owner=f"m{self.rng.randrange(1 << 30)}",
            first_position="earliest",
            topics=self.topics,
            wait_s=30,
        )
        keys = self.servers.folder / f"{self.name}.keys"
        what = Start(settings, keys, self.world.policy_bytes(), failpoints, self.log)
        return start(self.wrap(what))

    async def _stop(self, process: ForkServerProcess) -> None:
        """SIGTERM: gone within 5 seconds (and what a machine under load adds)."""
        process.terminate()
        await self._until(lambda: not process.is_alive(), "stopped in order", within_s=10)

    async def _finish(self) -> None:
        process = self._start("")
        await self._caught_up()
        await self._stop(process)
        self.cutter.close()

    async def _caught_up(self) -> None:
        await self.rig.wait_for(self.published, timeout_s=LIMIT_S)

    def _fired(self) -> int:
        return len(self.log.read_text().splitlines()) if self.log.exists() else 0

    async def _until(self, holds: Callable[[], bool], what: str, within_s: float = LIMIT_S) -> None:
        try:
            async with asyncio.timeout(within_s):
                while not holds():
                    await asyncio.sleep(0.01)
        except TimeoutError:
            raise AssertionError(f"not within {within_s} s: {what} (seed {self.seed})") from None
