"""Kafka clients with our settings, and the few look-ups that need more than one call.

Offsets live in Postgres: consumers never commit, never reset a position by themselves, and
hand out bytes (a raising deserializer would return nothing for ever).
"""

import asyncio
import random
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import TypeVar

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.errors import KafkaError, TopicAlreadyExistsError, for_code

from stayaway.kernel.errors import SettingsError, UnreachableError
from stayaway.platform.kafka_records import hand_out_read_records

_T = TypeVar("_T")

_ANSWER_S = 10.0
_FIRST_PAUSE_S, _LONGEST_PAUSE_S = 0.1, 2.0
_PASSING = (KafkaError, OSError, TimeoutError)
# The producer refuses larger requests; an event has at most 65,536 bytes (WIRE.md, "Common").
_MAX_REQUEST_BYTES = 4 * 1024 * 1024
# An answer is received, copied and taken apart in stretches in which nothing else of the process runs:
# with 4 MB of each partition they took up to 100 ms. So much as here is a large batch's records, some ms.
_FETCH_MAX_BYTES = 4 * 1024 * 1024
_MAX_PARTITION_FETCH_BYTES = 512 * 1024
_MIN_PARTITION_FETCH_BYTES = 128 * 1024
# The client holds one answer ahead for each partition, and asks a partition again only when its
# answer is used up: a backlog of any length takes this much memory.
_FETCH_BUDGET_BYTES = 128 * 1024 * 1024
# The client keeps one request in flight for each broker, and asks nothing for the other partitions
# meanwhile: while the broker waits for a quiet partition's next record, what the busy ones have is
# not asked for. So up to this wait is added to a record's latency.
_FETCH_MAX_WAIT_MS = 5


@dataclass(frozen=True, slots=True)
class StoredRecord:
    """One record as the log keeps it; `value` None is a record without a value."""

    topic: str
    partition: int
    offset: int
    value: bytes | None


def partition_fetch_bytes(partitions: int) -> int:
    """How much to ask of each of so many partitions, so that all of them together stay bounded."""
    share = _FETCH_BUDGET_BYTES // max(1, partitions)
    return max(_MIN_PARTITION_FETCH_BYTES, min(_MAX_PARTITION_FETCH_BYTES, share))


def make_consumer(
    bootstrap: str,
    group: str | None,
    *,
    client_id: str,
    fetch_max_wait_ms: int = _FETCH_MAX_WAIT_MS,
    max_partition_fetch_bytes: int = _MAX_PARTITION_FETCH_BYTES,
    session_timeout_ms: int = 10_000,
    max_poll_interval_ms: int = 300_000,
) -> AIOKafkaConsumer:
    """A consumer that is not started yet: call `subscribe(topics, listener=...)`, then `start()`.

    `read_committed`, so records of aborted transactions are not seen. A position that nobody
    set with `seek` raises NoOffsetForPartitionError, one that the log no longer has raises
    OffsetOutOfRangeError: neither is ever replaced by the earliest or the latest. Its records know
    offset, value, key, timestamp and headers; the partition is what `getmany` has them under.
    """
    hand_out_read_records()
    return AIOKafkaConsumer(
        bootstrap_servers=bootstrap,
        group_id=group,
        client_id=client_id,
        enable_auto_commit=False,
        auto_offset_reset="none",
        isolation_level="read_committed",
        check_crcs=True,
        fetch_max_wait_ms=fetch_max_wait_ms,
        fetch_max_bytes=_FETCH_MAX_BYTES,
        max_partition_fetch_bytes=max_partition_fetch_bytes,
        session_timeout_ms=session_timeout_ms,
        heartbeat_interval_ms=max(session_timeout_ms // 4, 100),
        max_poll_interval_ms=max_poll_interval_ms,
        metadata_max_age_ms=30_000,
    )


def make_producer(
    bootstrap: str,
    *,
    client_id: str = "stayaway",
    linger_ms: int = 0,
    compression: str | None = None,
    transactional_id: str | None = None,
) -> AIOKafkaProducer:
    """A producer that is not started yet: acknowledged by all replicas, each record once.

    `compression`: gzip, snappy, lz4 or zstd. The embedded broker knows idempotence too.
    """
    return AIOKafkaProducer(
        bootstrap_servers=bootstrap,
        client_id=client_id,
        acks="all",
        enable_idempotence=True,
        linger_ms=linger_ms,
        compression_type=compression,
        transactional_id=transactional_id,
        max_request_size=_MAX_REQUEST_BYTES,
        request_timeout_ms=30_000,
    )


async def _patiently(
    what: str, wait_s: float, on_wait: Callable[[str], None], attempt: Callable[[], Awaitable[_T | None]]
) -> _T:
    """The answer of `attempt` as soon as there is one; UnreachableError after `wait_s` seconds."""
    loop = asyncio.get_running_loop()
    deadline = loop.time() + wait_s
    pause_s, told, last = _FIRST_PAUSE_S, False, "no answer"
    while True:
        try:
            answer = await asyncio.wait_for(attempt(), max(deadline - loop.time(), _FIRST_PAUSE_S))
            if answer is not None:
                return answer
        except _PASSING as error:
            last = type(error).__name__
        left_s = deadline - loop.time()
        if left_s <= 0:
            raise UnreachableError(
                f"{what} did not answer within {wait_s:.0f} s ({last}).",
                "Start it, or name another with --bootstrap.",
            )
        if not told:
            on_wait(f"waiting for {what} (up to {wait_s:.0f} s)")
            told = True
        await asyncio.sleep(min(left_s, pause_s * random.uniform(0.5, 1.0)))  # noqa: S311 - no secret
        pause_s = min(2 * pause_s, _LONGEST_PAUSE_S)


class _Admin:
    """An admin client for the length of a `with` block."""

    def __init__(self, bootstrap: str) -> None:
        self._client = AIOKafkaAdminClient(bootstrap_servers=bootstrap, request_timeout_ms=10_000)

    async def __aenter__(self) -> AIOKafkaAdminClient:
        try:
            await self._client.start()
        except BaseException:
            await self._client.close()
            raise
        return self._client

    async def __aexit__(self, *exc_info: object) -> None:
        await self._client.close()


async def list_partitions(bootstrap: str) -> dict[str, int]:
    """How many partitions each topic has. Creates none, whatever the broker's settings."""
    async with _Admin(bootstrap) as admin:
        described = await admin.describe_topics()
    return {topic["topic"]: len(topic["partitions"]) for topic in described}


async def wait_for_kafka(
    bootstrap: str, wait_s: float, on_wait: Callable[[str], None], *, topics: tuple[str, ...] = ()
) -> dict[str, int]:
    """Wait until the broker answers; the partitions of each topic.

    `on_wait` gets one line when the waiting starts. Raises UnreachableError after `wait_s`
    seconds, and SettingsError at once if the broker answers and lacks one of `topics`, or if
    `bootstrap` is no address.
    """
    _check_bootstrap(bootstrap)
    found = await _patiently(f"Kafka at {bootstrap}", wait_s, on_wait, lambda: list_partitions(bootstrap))
    unknown = [topic for topic in topics if topic not in found]
    if unknown:
        raise SettingsError(
            f"Kafka at {bootstrap} has no topic {', '.join(unknown)}.",
            "Create it, or correct the topic's name.",
        )
    return found


def _check_bootstrap(bootstrap: str) -> None:
    for address in bootstrap.split(","):
        host, _, port = address.strip().rpartition(":")
        if not host or not port.isdecimal() or not 0 < int(port) < 65_536:
            raise SettingsError(
                f"{address.strip()!r} is no Kafka address.", "Write host:port, several with commas between."
            )


async def ensure_topics(bootstrap: str, wanted: Mapping[str, int]) -> dict[str, int]:
    """Create the topics that are missing and wait until each has a leader; their partitions.

    A topic that exists keeps the partitions it has. The embedded broker gives every topic 4.
    Raises UnreachableError if the broker does not answer, SettingsError if it refuses.
    """
    try:
        async with asyncio.timeout(_ANSWER_S * 3), _Admin(bootstrap) as admin:
            described = await admin.describe_topics()
            missing = sorted(wanted.keys() - {topic["topic"] for topic in described})
            if missing:
                await _create(admin, {topic: wanted[topic] for topic in missing})
            return await _wait_for_leaders(admin, sorted(wanted))
    except _PASSING as error:
        raise UnreachableError(
            f"topics could not be made sure of at {bootstrap} ({type(error).__name__})."
        ) from error


async def _create(admin: AIOKafkaAdminClient, wanted: Mapping[str, int]) -> None:
    cluster = await admin.describe_cluster()
    if cluster["controller_id"] not in {broker["node_id"] for broker in cluster["brokers"]}:
        # The embedded broker has no controller and makes a topic when it is first asked for.
        await admin.describe_topics(list(wanted))
        return
    # -1: as many replicas as the broker's default says.
    new = [NewTopic(topic, count, -1, replica_assignments={}) for topic, count in wanted.items()]
    response = await admin.create_topics(new, timeout_ms=int(_ANSWER_S * 1000))
    for topic, code, *_ in response.topic_errors:
        if code not in (0, TopicAlreadyExistsError.errno):
            raise SettingsError(f"Kafka refuses to create topic {topic}: {for_code(code).__name__}.")


async def _wait_for_leaders(admin: AIOKafkaAdminClient, topics: list[str]) -> dict[str, int]:
    while True:
        described = {topic["topic"]: topic for topic in await admin.describe_topics()}
        chosen = [described[topic] for topic in topics if topic in described]
        partitions = [partition for topic in chosen for partition in topic["partitions"]]
        if len(chosen) == len(topics) and all(p["error_code"] == 0 and p["leader"] >= 0 for p in partitions):
            return {topic["topic"]: len(topic["partitions"]) for topic in chosen}
        await asyncio.sleep(_FIRST_PAUSE_S / 2)


async def read_record(bootstrap: str, topic: str, partition: int, offset: int) -> bytes | None:
    """The value at exactly that offset; None if the log has no such record, or one without value."""
    found = await fetch_record(bootstrap, topic, partition, offset)
    return None if found is None else found.value


async def fetch_record(bootstrap: str, topic: str, partition: int, offset: int) -> StoredRecord | None:
    """The record at exactly that offset.

    None if the log no longer or not yet has it, or if the offset is a transaction's marker, a
    record of an aborted transaction, or compacted away. Raises UnreachableError.
    """
    consumer = make_consumer(bootstrap, None, client_id="stayaway-read")
    where = TopicPartition(topic, partition)
    try:
        async with asyncio.timeout(_ANSWER_S):
            await consumer.start()
            return await _fetch(consumer, where, offset)
    except _PASSING as error:
        raise UnreachableError(
            f"{topic} partition {partition} could not be read at {bootstrap} ({type(error).__name__})."
        ) from error
    finally:
        await consumer.stop()


async def _fetch(consumer: AIOKafkaConsumer, where: TopicPartition, offset: int) -> StoredRecord | None:
    if where.partition not in (await _partitions_of(consumer, where.topic)):
        return None
    consumer.assign([where])
    first = (await consumer.beginning_offsets([where]))[where]
    end = (await consumer.end_offsets([where]))[where]
    if not first <= offset < end:
        return None
    consumer.seek(where, offset)
    while await consumer.position(where) <= offset:
        fetched = await consumer.getmany(where, timeout_ms=200, max_records=1)
        for record in fetched.get(where, ()):
            exact = record.offset == offset
            return StoredRecord(where.topic, where.partition, offset, record.value) if exact else None
    return None


async def _partitions_of(consumer: AIOKafkaConsumer, topic: str) -> set[int]:
    await consumer._client.force_metadata_update()  # noqa: SLF001 - topics() only looks at a stale copy
    found: set[int] | None = consumer.partitions_for_topic(topic)
    return found or set()
