"""The whole road: real Kafka, fsynced Postgres, the matcher as its own process."""

import asyncio
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import asyncpg
import numpy as np
import numpy.typing as npt
from confluent_kafka import Consumer, Producer, TopicPartition
from confluent_kafka.admin import AdminClient
from confluent_kafka.admin._config import AlterConfigOpType, ConfigEntry, ConfigResource

from bench.feed import POOL, renamed
from bench.workload import Workload, make_workload, orders_file
from stayaway.platform.embedded.postgres import EmbeddedPostgres
from stayaway.platform.kafka import ensure_topics
from stayaway.sightings.wire import CHECK_IN_TOPIC, PLATE_READ_TOPIC
from support.kafka_server import KafkaServer, find_reason_to_skip

REPO = Path(__file__).resolve().parents[2]
PARTITIONS = 8
POSITIONS = "SELECT coalesce(sum(next_offset), 0) FROM partition_position WHERE topic = $1"
LIMIT_S = 600.0
WARM_UP_S = 30
DRAINS = (
    ("drain by 1, real servers", "stayaway", 1),
    ("drain by 1 without audit and coverage", "bench.bare_matcher", 1),
    ("drain by 2, real servers", "stayaway", 2),
)
# Only so that the moment of each commit can be read afterwards.
_POSTGRES = {"track_commit_timestamp": "on"}
Floats = npt.NDArray[np.float64]


@dataclass
class Road:
    """Addresses and files that a matcher is started with."""

    dsn: str
    bootstrap: str
    folder: Path

    def stayaway(self, *arguments: str) -> list[str]:
        return [sys.executable, "-m", "stayaway", *arguments]

    @property
    def environment(self) -> dict[str, str]:
        return {
            **os.environ,
            "STAYAWAY_DATABASE": self.dsn,
            "STAYAWAY_BOOTSTRAP": self.bootstrap,
            "STAYAWAY_KEYS_FILE": str(self.folder / "keys"),
            "STAYAWAY_POLICY_FILE": str(self.folder / "policy.json"),
            "STAYAWAY_FIRST_POSITION": "earliest",
        }

    def run(self, *arguments: str) -> None:
        silent = subprocess.DEVNULL
        subprocess.run(
            self.stayaway(*arguments), env=self.environment, check=True, stdout=silent, stderr=silent
        )

    @contextmanager
    def matchers(self, count: int, module: str = "stayaway") -> Iterator[None]:
        command = [sys.executable, "-m", module, "matcher"]
        started = [
            subprocess.Popen(command, env=self.environment, stderr=subprocess.DEVNULL) for _ in range(count)
        ]
        try:
            yield
        finally:
            for process in started:
                process.send_signal(signal.SIGTERM)
            for process in started:
                process.wait()

    @contextmanager
    def feeding(self, zones: int, count: int, rate: int, prefix: str) -> Iterator["subprocess.Popen[bytes]"]:
        """A feed that has made its events and begins now; its instants go to PREFIX.npy."""
        options = {
            "--bootstrap": self.bootstrap,
            "--partitions": str(PARTITIONS),
            "--zones": str(zones),
            "--count": str(count),
            "--rate": str(rate),
            "--prefix": prefix,
            "--out": str(self.folder / f"{prefix}.npy"),
        }
        command = [sys.executable, "-m", "bench.feed", *(part for item in options.items() for part in item)]
        feed = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        try:
            assert feed.stdin is not None
            assert feed.stdout is not None
            feed.stdout.readline()
            feed.stdin.write(b"go\n")
            feed.stdin.flush()
            yield feed
        finally:
            feed.kill()
            feed.wait()


@contextmanager
def make_road(workload: Workload) -> Iterator[Road]:
    """Servers up, tables made, orders in, topics there."""
    with tempfile.TemporaryDirectory() as name, KafkaServer(REPO) as kafka:
        folder = Path(name)
        with EmbeddedPostgres(folder / "postgres", settings=_POSTGRES) as postgres:
            road = Road(postgres.dsn, kafka.bootstrap, folder)
            (folder / "policy.json").write_bytes(workload.policy.model_dump_json(by_alias=True).encode())
            (folder / "orders.json").write_text(json.dumps(orders_file(workload)))
            road.run("migrate")
            start = time.perf_counter()
            road.run("orders", "import", str(folder / "orders.json"))
            print(f"  {len(workload.plates):,} orders imported in {time.perf_counter() - start:.1f} s")
            topics = {PLATE_READ_TOPIC: PARTITIONS, CHECK_IN_TOPIC: 1}
            asyncio.run(ensure_topics(road.bootstrap, topics))
            admin = AdminClient({"bootstrap.servers": road.bootstrap})
            for altered in admin.incremental_alter_configs([let_broker_say_when()]).values():
                altered.result()
            yield road
            postgres.destroy()


def publish(road: Road, events: Iterable[bytes]) -> None:
    """Spread over the partitions as fast as it goes."""
    producer = Producer(
        {
            "bootstrap.servers": road.bootstrap,
            "linger.ms": 20,
            "queue.buffering.max.messages": 200_000,
            "batch.size": 500_000,
        }
    )
    for number, event in enumerate(events):
        while True:
            try:
                producer.produce(PLATE_READ_TOPIC, event, partition=number % PARTITIONS)
                break
            except BufferError:
                producer.poll(0.1)
        if number % 1_000 == 0:
            producer.poll(0)
    if producer.flush(300):
        raise RuntimeError("Kafka did not take every event")


async def wait_for(road: Road, offset: int) -> None:
    """Until the positions of all partitions together reach `offset`."""
    conn = await asyncpg.connect(road.dsn)
    deadline = time.monotonic() + LIMIT_S
    while await conn.fetchval(POSITIONS, PLATE_READ_TOPIC) < offset:
        if time.monotonic() > deadline:
            raise TimeoutError("the matcher did not get through in time")
        await asyncio.sleep(0.02)
    await conn.close()


def appended_at(road: Road, count: int) -> Floats:
    """The broker's own instant (epoch seconds, whole milliseconds) of each record, [partition, offset]."""
    found = np.full((PARTITIONS, count), np.nan)
    settings = {"bootstrap.servers": road.bootstrap, "group.id": "bench", "enable.auto.commit": False}
    consumer = Consumer({**settings, "auto.offset.reset": "earliest"})
    consumer.assign([TopicPartition(PLATE_READ_TOPIC, partition, 0) for partition in range(PARTITIONS)])
    read = 0
    while read < count:
        for message in consumer.consume(10_000, LIMIT_S):
            found[message.partition(), message.offset()] = message.timestamp()[1] / 1000
            read += 1
    consumer.close()
    return found


@dataclass(frozen=True)
class Committed:
    """Where an alerting read lay, and when Postgres had committed its decision (epoch seconds)."""

    number: int
    partition: int
    offset: int
    at: float


async def committed(road: Road, prefix: str) -> list[Committed]:
    """The first of each alerting event."""
    conn = await asyncpg.connect(road.dsn)
    rows = await conn.fetch(
        "SELECT d.event_id, s.partition, s.record_offset, pg_xact_commit_timestamp(d.xmin) AS at"
        "  FROM decision d JOIN sighting s USING (order_id, source, event_id, observed_at, content_digest)"
        " WHERE d.outcome = 'ALERT' AND d.event_id LIKE $1",
        prefix + "-%",
    )
    await conn.close()
    first: dict[int, Committed] = {}
    for row in rows:
        number = int(row["event_id"].removeprefix(prefix + "-"))
        found = Committed(number, row["partition"], row["record_offset"], row["at"].timestamp())
        first.setdefault(number, found)
    return list(first.values())


def let_broker_say_when() -> ConfigResource:
    """The topic's records get the instant of their append, not the producer's."""
    entry = ConfigEntry(
        "message.timestamp.type", "LogAppendTime", incremental_operation=AlterConfigOpType.SET
    )
    return ConfigResource("topic", PLATE_READ_TOPIC, incremental_configs=[entry])


def bench_road(zones: int, backlog: int, live_s: int = 150) -> list[tuple[str, float]]:
    """Drain of a backlog by one matcher, by one without audit and coverage, and by two; then latency."""
    reason = find_reason_to_skip()
    if reason:
        print(f"  the whole road was left out: {reason}")
        return []
    workload = make_workload(zones)
    rates = []
    with make_road(workload) as road:
        done = 0
        pool = workload.events(POOL)
        for name, module, matchers in DRAINS:
            publish(road, renamed(pool, backlog, f"drain{done}"))
            with road.matchers(matchers, module):
                # Rate between the first and the last fifth: start-up and rebalances are not the drain.
                asyncio.run(wait_for(road, done + backlog // 5))
                start = time.perf_counter()
                asyncio.run(wait_for(road, done + backlog))
                rates.append((name, backlog * 0.8 / (time.perf_counter() - start)))
            done += backlog
        bench_latency(road, zones, done, live_s)
    return rates


def bench_latency(road: Road, zones: int, done: int, live_s: int, rate: int = 10_000) -> None:
    """Append to committed alert at `rate` reads a second; not counted while the JVM warms up."""
    count = rate * live_s
    with road.matchers(1), road.feeding(zones, count, rate, "live") as feed:
        asyncio.run(wait_for(road, done + count))
        if feed.wait():
            raise RuntimeError("the feed failed")
        sent = np.load(road.folder / "live.npy")
    found = [item for item in asyncio.run(committed(road, "live")) if item.number >= rate * WARM_UP_S]
    appended = appended_at(road, done + count)
    print(f"  at {rate:,}/s over {live_s - WARM_UP_S} s, {len(found)} alerting reads, to Postgres' commit:")
    print_percentiles("append", [item.at - appended[item.partition, item.offset] for item in found])
    print_percentiles("handed to the producer's client", [item.at - sent[item.number] for item in found])


def print_percentiles(since: str, spans_s: list[float]) -> None:
    """Of the time since that moment."""
    p50, p99, largest = np.percentile(np.array(spans_s) * 1000, [50, 99, 100])
    print(f"  since {since}: p50 {p50:.1f} ms, p99 {p99:.1f} ms, largest {largest:.1f} ms")
