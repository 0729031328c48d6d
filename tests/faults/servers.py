"""The servers of a run: one fsynced Postgres behind the proxy, one Apache Kafka; fresh things a round."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Self, TypeVar
from urllib.parse import parse_qs, urlsplit

import asyncpg
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError
from aiokafka.protocol.group import LeaveGroupRequest
from confluent_kafka import Consumer, TopicPartition
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic

from faults.matchers import Matcher
from faults.proxy import CuttingProxy
from stayaway.platform.embedded.postgres import EmbeddedPostgres
from stayaway.platform.migrations import migrate
from stayaway.sightings.dead_letters import DEAD_LETTER_TOPIC
from stayaway.worker.loop import TOPICS
from support.kafka_server import KafkaServer

_T = TypeVar("_T")
PARTITIONS = 4
TEMPLATE = "faults_template"
Log = dict[tuple[str, int], list[tuple[int, bytes | None]]]
"""What the broker holds of each partition: (offset, value), ascending."""
PASSING = (
    OSError,
    TimeoutError,
    KafkaError,
    asyncpg.PostgresConnectionError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,
    asyncpg.OperatorInterventionError,
)


class Servers:
    """Started once, used by all rounds; ended on leaving the `with` block."""

    def __init__(self, folder: Path, kafka: KafkaServer) -> None:
        self.folder = folder
        self.kafka = kafka
        self.postgres = EmbeddedPostgres(folder / "postgres")
        self.proxy: CuttingProxy

    async def __aenter__(self) -> Self:
        """Started."""
        await asyncio.to_thread(self.postgres.start)
        try:
            await self._prepare()
        except BaseException:
            await asyncio.to_thread(self.postgres.destroy)
            raise
        return self

    async def _prepare(self) -> None:
        await _execute(self.postgres.dsn, f"CREATE DATABASE {TEMPLATE} TEMPLATE template0")
        conn = await asyncpg.connect(self.postgres.dsn_of(TEMPLATE))
        await migrate(conn)
        await conn.close()
        host = Path(parse_qs(urlsplit(self.postgres.dsn).query)["host"][0])
        self.proxy = CuttingProxy(host / ".s.PGSQL.5432")
        self.proxy.start()
        await asyncio.to_thread(self.make_topics)

    async def __aexit__(self, *exc_info: object) -> None:
        """Stopped, whatever happened inside."""
        self.proxy.stop()
        await asyncio.to_thread(self.postgres.destroy)

    # ------------------------------------------------------------ Postgres

    async def make_database(self, name: str) -> str:
        """A migrated database; its address."""
        await _execute(self.postgres.dsn, f"CREATE DATABASE {name} TEMPLATE {TEMPLATE}")
        return self.postgres.dsn_of(name)

    def through_proxy(self, name: str) -> str:
        """The address that matchers get."""
        return f"postgresql://postgres@127.0.0.1:{self.proxy.port}/{name}?sslmode=disable"

    async def crash_postgres(self) -> None:
        """SIGKILL to all of it, then recovery."""
        await asyncio.to_thread(self.postgres.kill)
        await asyncio.to_thread(self.postgres.start)

    # ------------------------------------------------------------ Kafka

    async def crash_kafka(self) -> None:
        """SIGKILL to the broker, then back with its data."""
        await asyncio.to_thread(self.kafka.kill)
        await asyncio.to_thread(self.kafka.start)

    def _admin(self) -> AdminClient:
        """Keep it until its answers are there: without it they fail."""
        return AdminClient({"bootstrap.servers": self.kafka.bootstrap, "log_level": 0})

    def make_topics(self, topics: tuple[str, ...] = (*TOPICS, DEAD_LETTER_TOPIC)) -> None:
        """Create those of these topics that are not there."""
        admin = self._admin()
        there = set(admin.list_topics(timeout=20).topics)
        wanted = [NewTopic(topic, PARTITIONS, 1) for topic in topics if topic not in there]
        for future in admin.create_topics(wanted).values() if wanted else ():
            future.result(20)

    def delete_topics(self, topics: tuple[str, ...]) -> None:
        """And wait until they are gone."""
        admin = self._admin()
        for future in admin.delete_topics(list(topics)).values():
            future.result(20)

    def ends(self, topics: tuple[str, ...] = TOPICS) -> dict[tuple[str, int], tuple[int, int]]:
        """First and next offset of each partition."""
        consumer = Consumer({"bootstrap.servers": self.kafka.bootstrap, "group.id": "ends", "log_level": 0})
        try:
            there = consumer.list_topics(timeout=20).topics
            return {
                (topic, partition): consumer.get_watermark_offsets(TopicPartition(topic, partition), 20)
                for topic in topics
                for partition in there[topic].partitions
            }
        finally:
            consumer.close()

    def delete_before(self, offsets: dict[tuple[str, int], int]) -> None:
        """As retention would: the logs begin at these offsets."""
        wanted = [TopicPartition(*key, offset) for key, offset in offsets.items()]
        admin = self._admin()
        for future in admin.delete_records(wanted).values():
            future.result(20)

    def empty_topics(self) -> dict[tuple[str, int], int]:
        """Nothing of earlier rounds is left to read; where the logs begin now."""
        begins = {key: end for key, (_, end) in self.ends((*TOPICS, DEAD_LETTER_TOPIC)).items()}
        self.delete_before(begins)
        return begins

    def read_log(self, topics: tuple[str, ...] = TOPICS) -> Log:
        """Everything that the broker holds."""
        ends = self.ends(topics)
        log: Log = {key: [] for key in ends}
        settings = {"bootstrap.servers": self.kafka.bootstrap, "group.id": "log", "log_level": 0}
        consumer = Consumer({**settings, "enable.auto.commit": False})
        left = {key: end for key, (begin, end) in ends.items() if end > begin}
        consumer.assign([TopicPartition(*key, ends[key][0]) for key in left])
        try:
            while left:
                for message in consumer.consume(5_000, 1):
                    if message.error() is not None:
                        continue
                    key = (str(message.topic()), int(message.partition() or 0))
                    offset = int(message.offset() or 0)
                    log[key].append((offset, message.value()))
                    if offset + 1 >= left.get(key, 0):
                        left.pop(key, None)
        finally:
            consumer.close()
        return log

    @asynccontextmanager
    async def _group_admin(self) -> AsyncIterator[AIOKafkaAdminClient]:
        admin = AIOKafkaAdminClient(bootstrap_servers=self.kafka.bootstrap, request_timeout_ms=5_000)
        try:
            await admin.start()
            yield admin
        finally:
            await admin.close()

    async def evict(self, group: str, matcher: Matcher) -> bool:
        """The session timeout brought forward: the broker drops the member, as it does 10 s later."""

        async def attempt() -> bool:
            async with self._group_admin() as admin:
                described = (await admin.describe_consumer_groups([group]))[0]
                members = {member[1]: member[0] for member in described.groups[0][5]}
                member = members.get(matcher.owner)
                if member is None:
                    return False
                node = await admin.find_coordinator(group)
                await admin._client.send(node, LeaveGroupRequest(group, member))
            return True

        return await patiently(attempt)


async def patiently(attempt: Callable[[], Awaitable[_T]], within_s: float = 30.0) -> _T:
    """Its answer, tried again while servers come back."""
    loop = asyncio.get_running_loop()
    deadline = loop.time() + within_s
    while True:
        try:
            return await attempt()
        except PASSING:
            if loop.time() > deadline:
                raise
        await asyncio.sleep(0.05)


async def _execute(dsn: str, statement: str) -> None:
    conn = await asyncpg.connect(dsn)
    await conn.execute(statement)
    await conn.close()


async def rows(dsn: str, sql: str, *arguments: Any) -> list[asyncpg.Record]:
    """One query on a connection of its own, around the proxy, also while the server comes back."""

    async def attempt() -> list[asyncpg.Record]:
        conn = await asyncpg.connect(dsn)
        try:
            found: list[asyncpg.Record] = await conn.fetch(sql, *arguments)
            return found
        finally:
            conn.terminate()

    return await patiently(attempt)
