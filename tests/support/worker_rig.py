"""A matcher on servers of our own: publish, run until it is done, look at every table."""

import asyncio
import json
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import asyncpg
from aiokafka import TopicPartition
from confluent_kafka import Producer

from stayaway.access.policy import Policy
from stayaway.audit.store import list_streams, verify_stream
from stayaway.orders.parse import parse_orders_file
from stayaway.orders.store import record_orders
from stayaway.platform.kafka import ensure_topics, make_consumer
from stayaway.platform.seal import FileSeal
from stayaway.worker.breaker import Breaker
from stayaway.worker.database import Database
from stayaway.worker.loop import TOPICS, MatcherSettings, MatcherWorker
from support.range_digests import range_digest
from support.wire_examples import CHECK_IN, ORDERS, PLATE_READ, example_policy

READS, CHECKS = TOPICS
NOW = datetime(2026, 3, 6, 21, 0, tzinfo=UTC)


def read(**changes: Any) -> bytes:
    """WIRE.md's plate read, with `changes`."""
    return json.dumps({**PLATE_READ, **changes}).encode()


def check_in(**changes: Any) -> bytes:
    """WIRE.md's check-in, with `changes`."""
    return json.dumps({**CHECK_IN, **changes}).encode()


def check_in_at(minute: int, **changes: Any) -> bytes:
    """A check-in at 20:`minute`, with an id of its own."""
    instant = f"2026-03-06T20:{minute:02d}:00Z"
    return check_in(event_id=f"c{minute}", observed_at=instant, received_at=instant, **changes)


def orders_file(**changes: Any) -> bytes:
    """WIRE.md's orders file, with `changes` at its top."""
    return json.dumps({**ORDERS, **changes}).encode()


@dataclass
class Rig:
    """One database, one broker, one keys file."""

    dsn: str
    bootstrap: str
    seal: FileSeal
    policy: Policy = field(default_factory=example_policy)
    databases: list[Database] = field(default_factory=list)
    topics: tuple[str, ...] = TOPICS

    async def import_orders(self, data: bytes | None = None) -> None:
        conn = await asyncpg.connect(self.dsn)
        async with conn.transaction():
            outcome = await record_orders(
                conn, self.seal, parse_orders_file(data or orders_file()), actor="clerk", recorded_now=NOW
            )
        assert not outcome.has_errors, outcome.findings
        await conn.close()

    async def make_topics(self) -> None:
        await ensure_topics(self.bootstrap, dict.fromkeys(self.topics, 4))

    def publish(self, topic: str, values: Sequence[bytes | None], partition: int = 0) -> None:
        producer = Producer({"bootstrap.servers": self.bootstrap, "log_level": 0})
        for value in values:
            producer.produce(topic, value=value, partition=partition)
            producer.poll(0)
        assert producer.flush(20) == 0

    def worker(
        self, owner: str = "m1", breaker: Breaker | None = None, group: str | None = None
    ) -> MatcherWorker:
        settings = MatcherSettings(
            dsn=self.dsn,
            bootstrap=self.bootstrap,
            group=group,
            owner=owner,
            first_position="earliest",
            topics=self.topics,
            session_timeout_ms=6_000,
            wait_s=10,
        )
        return MatcherWorker(settings, self.seal, self.policy, breaker=breaker)

    async def run_until(self, records: int, worker: MatcherWorker | None = None) -> MatcherWorker:
        """Run a matcher until the database has `records` records behind it; stop it in order."""
        worker = worker or self.worker()
        async with running(worker) as task:
            waiting = asyncio.create_task(self.wait_for(records))
            await asyncio.wait({task, waiting}, return_when=asyncio.FIRST_COMPLETED)
            if not waiting.done():
                waiting.cancel()
            else:
                await waiting
        return worker

    async def wait_for(self, records: int, timeout_s: float = 20) -> None:
        conn = await asyncpg.connect(self.dsn)
        try:
            async with asyncio.timeout(timeout_s):
                while await self.done(conn) < records:  # noqa: ASYNC110 - what is waited for is in the database
                    await asyncio.sleep(0.02)
        finally:
            await conn.close()

    async def done(self, conn: asyncpg.Connection) -> int:
        total: int = await conn.fetchval(
            "SELECT coalesce(sum(next_offset - first_offset), 0)::bigint FROM partition_position"
        )
        return total

    async def rows(self, sql: str, *arguments: Any) -> list[dict[str, Any]]:
        conn = await asyncpg.connect(self.dsn)
        found = await conn.fetch(sql, *arguments)
        await conn.close()
        return [dict(row) for row in found]

    async def execute(self, sql: str, *arguments: Any) -> None:
        conn = await asyncpg.connect(self.dsn)
        await conn.execute(sql, *arguments)
        await conn.close()

    async def streams_verify(self) -> None:
        conn = await asyncpg.connect(self.dsn)
        for stream in await list_streams(conn):
            assert await verify_stream(conn, self.seal, stream) == [], stream
        await conn.close()

    async def alerts(self) -> list[dict[str, Any]]:
        return await self.rows("SELECT * FROM alert ORDER BY alert_number")

    async def raised_entries(self) -> list[str]:
        """The alert ids that ALERT_RAISED entries name."""
        return sorted(payload["alert_id"] for payload in await self.payloads("ALERT_RAISED"))

    async def payloads(self, entry_type: str) -> list[Mapping[str, Any]]:
        """What the entries of a type say, opened."""
        found = await self.rows(
            "SELECT order_id, payload_sealed FROM audit_entry WHERE entry_type = $1"
            " ORDER BY stream, stream_sequence",
            entry_type,
        )
        opened = []
        for row in found:
            inside = json.loads(
                self.seal.unseal(row["order_id"] or "@system", "audit", row["payload_sealed"])
            )
            opened.append(json.loads(inside["payload"])["details"])
        return opened

    async def check_promises(self) -> None:
        """What must hold after any run: streams whole, one entry an alert, coverage without a gap."""
        await self.streams_verify()
        assert await self.raised_entries() == sorted(row["alert_id"] for row in await self.alerts())
        ranges: dict[tuple[str, int], list[tuple[int, int]]] = {}
        for payload in await self.payloads("COVERAGE"):
            key = (payload["topic"], payload["partition"])
            ranges.setdefault(key, []).append((payload["from"], payload["to"]))
        for row in await self.rows("SELECT * FROM partition_position"):
            position = row["first_offset"]
            for start, end in ranges.get((row["topic"], row["partition"]), []):
                assert start == position
                position = end
            assert position == row["coverage_from"]

    async def check_log(self) -> None:
        """Every sealed range says how many records the log has there, and their digest."""
        sealed = await self.payloads("COVERAGE")
        assert sealed
        for payload in sealed:
            values = await self.log_between(
                payload["topic"], payload["partition"], payload["from"], payload["to"]
            )
            assert len(values) == payload["records"]
            assert range_digest(bytes.fromhex(payload["salt"]), values).hex() == payload["digest"]

    async def log_between(self, topic: str, partition: int, start: int, end: int) -> list[bytes | None]:
        """The values of the records from offset `start` to before `end`."""
        where, values = TopicPartition(topic, partition), list[bytes | None]()
        async with make_consumer(self.bootstrap, None, client_id="rig") as consumer, asyncio.timeout(30):
            consumer.assign([where])
            consumer.seek(where, start)
            while await consumer.position(where) < end:
                fetched = await consumer.getmany(where, timeout_ms=200)
                values += [record.value for record in fetched.get(where, ()) if record.offset < end]
        return values

    async def dump(self) -> str:
        """Every table as text."""
        conn = await asyncpg.connect(self.dsn)
        tables = await conn.fetch(
            "SELECT schemaname, tablename FROM pg_tables WHERE schemaname IN ('public', 'export')"
        )
        texts = []
        for table in tables:
            rows = await conn.fetch(f'SELECT t::text FROM "{table["schemaname"]}"."{table["tablename"]}" t')
            texts += [row[0] for row in rows]
        await conn.close()
        return "\n".join(texts)


@asynccontextmanager
async def running(worker: MatcherWorker) -> AsyncIterator[asyncio.Task[None]]:
    """The worker in a task; stopped at the end, within the 5 seconds it has."""
    stop = asyncio.Event()
    task = asyncio.create_task(worker.run(stop))
    try:
        yield task
    finally:
        stop.set()
        async with asyncio.timeout(5.5):
            await task
