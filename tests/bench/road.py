"""The whole road: real Kafka, fsynced Postgres, the matcher as its own process."""

import asyncio
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import asyncpg
from confluent_kafka import Producer

from bench.workload import Workload, make_workload, orders_file
from stayaway.platform.embedded.postgres import EmbeddedPostgres
from stayaway.platform.kafka import ensure_topics
from stayaway.sightings.wire import CHECK_IN_TOPIC, PLATE_READ_TOPIC
from support.kafka_server import KafkaServer, find_reason_to_skip

REPO = Path(__file__).resolve().parents[2]
PARTITIONS = 8
POSITIONS = "SELECT coalesce(sum(next_offset), 0) FROM partition_position WHERE topic = $1"
LIMIT_S = 600.0


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
        subprocess.run(self.stayaway(*arguments), env=self.environment, check=True, stdout=subprocess.DEVNULL)

    @contextmanager
    def matchers(self, count: int) -> Iterator[None]:
        started = [
            subprocess.Popen(self.stayaway("matcher"), env=self.environment, stderr=subprocess.DEVNULL)
            for _ in range(count)
        ]
        try:
            yield
        finally:
            for process in started:
                process.send_signal(signal.SIGTERM)
            for process in started:
                process.wait()


@contextmanager
def make_road(workload: Workload) -> Iterator[Road]:
    """Servers up, tables made, orders in, topics there."""
    with tempfile.TemporaryDirectory() as name, KafkaServer(REPO) as kafka:
        folder = Path(name)
        with EmbeddedPostgres(folder / "postgres") as postgres:
            road = Road(postgres.dsn, kafka.bootstrap, folder)
            (folder / "policy.json").write_bytes(workload.policy.model_dump_json(by_alias=True).encode())
            (folder / "orders.json").write_text(json.dumps(orders_file(workload)))
            road.run("migrate")
            start = time.perf_counter()
            road.run("orders", "import", str(folder / "orders.json"))
            print(f"  {len(workload.plates):,} orders imported in {time.perf_counter() - start:.1f} s")
            topics = {PLATE_READ_TOPIC: PARTITIONS, CHECK_IN_TOPIC: 1}
            asyncio.run(ensure_topics(road.bootstrap, topics))
            yield road
            postgres.destroy()


def publish(road: Road, events: list[bytes], rate: float = 0) -> list[float]:
    """Spread over the partitions, at `rate` a second or as fast as it goes; when each was sent."""
    producer = Producer(
        {"bootstrap.servers": road.bootstrap, "linger.ms": 5, "queue.buffering.max.messages": 1_000_000}
    )
    sent = []
    start = time.perf_counter()
    for number, event in enumerate(events):
        while rate and time.perf_counter() - start < number / rate:
            producer.poll(0.0005)
        sent.append(time.time())
        producer.produce(PLATE_READ_TOPIC, event, partition=number % PARTITIONS)
        if number % 1000 == 0:
            producer.poll(0)
    if producer.flush(120):
        raise RuntimeError("Kafka did not take every event")
    return sent


async def wait_for(road: Road, offset: int) -> None:
    """Until the positions of all partitions together reach `offset`."""
    conn = await asyncpg.connect(road.dsn)
    deadline = time.monotonic() + LIMIT_S
    while await conn.fetchval(POSITIONS, PLATE_READ_TOPIC) < offset:
        if time.monotonic() > deadline:
            raise TimeoutError("the matcher did not get through in time")
        await asyncio.sleep(0.02)
    await conn.close()


async def latencies_ms(road: Road, sent: dict[str, float]) -> list[float]:
    """Append to committed, for each alerting event, ascending."""
    conn = await asyncpg.connect(road.dsn)
    rows = await conn.fetch("SELECT event_id, decided_at FROM decision WHERE outcome = 'ALERT'")
    await conn.close()
    known = ((row["decided_at"].timestamp(), sent.get(row["event_id"])) for row in rows)
    return sorted((at - was) * 1000 for at, was in known if was is not None)


def bench_road(zones: int = 10_000, backlog: int = 500_000, live_s: int = 30) -> list[tuple[str, float]]:
    """Drain of a backlog by one and by two matchers."""
    reason = find_reason_to_skip()
    if reason:
        print(f"  the whole road was left out: {reason}")
        return []
    workload = make_workload(zones)
    rates = []
    with make_road(workload) as road:
        done = 0
        for matchers in (1, 2):
            events = workload.events(backlog)
            publish(road, events)
            start = time.perf_counter()
            with road.matchers(matchers):
                # Rate between the first and the last fifth: start-up and rebalances are not the drain.
                asyncio.run(wait_for(road, done + backlog // 5))
                start = time.perf_counter()
                asyncio.run(wait_for(road, done + backlog))
                rates.append(
                    (f"drain by {matchers}, real servers", backlog * 0.8 / (time.perf_counter() - start))
                )
            done += backlog
        bench_latency(road, workload, done, live_s)
    return rates


def bench_latency(road: Road, workload: Workload, done: int, live_s: int) -> None:
    """Append to committed alert at 10,000 reads a second (the decision's instant, before COMMIT's reply)."""
    rate = 10_000
    events = workload.events(rate * live_s, prefix="live")
    with road.matchers(1):
        publish(road, workload.events(rate, prefix="warm"), rate=rate)
        asyncio.run(wait_for(road, done + rate))
        sent = publish(road, events, rate=rate)
        asyncio.run(wait_for(road, done + rate + len(events)))
        ids = {json.loads(event)["event_id"]: at for event, at in zip(events, sent, strict=True)}
        found = asyncio.run(latencies_ms(road, ids))
    if found:
        p50, p99 = found[len(found) // 2], found[int(len(found) * 0.99)]
        print(f"  append to alert at {rate:,}/s over {live_s} s, {len(found)} alerts:")
        print(f"  p50 {p50:.1f} ms, p99 {p99:.1f} ms")
