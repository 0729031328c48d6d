"""What platform.kafka promises on any broker; run on the embedded one and on Apache Kafka.

A subclass gives the fixture `bootstrap`.
"""

import asyncio
from collections.abc import AsyncIterator

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.errors import NoOffsetForPartitionError, OffsetOutOfRangeError
from aiokafka.structs import ConsumerRecord

from stayaway.kernel.errors import SettingsError
from stayaway.platform import kafka
from support.names import unique_name

CODECS = ("gzip", "snappy", "lz4", "zstd", None)
DEADLINE_S = 20.0


def unheard(line: str) -> None:
    raise AssertionError(f"nothing should wait here: {line}")


async def consume(consumer: AIOKafkaConsumer, topic: str, start: int, count: int) -> list[bytes | None]:
    """`count` values of partition 0 from offset `start`."""
    where = TopicPartition(topic, 0)
    consumer.assign([where])
    consumer.seek(where, start)
    values: list[bytes | None] = []
    async with asyncio.timeout(DEADLINE_S):
        while len(values) < count:
            fetched = await consumer.getmany(where, timeout_ms=100)
            values += [record.value for record in fetched.get(where, ())]
    return values


class KafkaContract:
    """The tests; each makes its own topic."""

    @pytest.fixture
    async def topic(self, bootstrap: str) -> str:
        name = unique_name("contract")
        assert (await kafka.ensure_topics(bootstrap, {name: 2}))[name] >= 2
        return name

    @pytest.fixture
    async def producer(self, bootstrap: str) -> AsyncIterator[AIOKafkaProducer]:
        async with kafka.make_producer(bootstrap) as producer:
            yield producer

    @pytest.fixture
    async def consumer(self, bootstrap: str) -> AsyncIterator[AIOKafkaConsumer]:
        async with kafka.make_consumer(bootstrap, None, client_id="contract") as consumer:
            yield consumer

    async def test_bytes_come_back_as_they_went(
        self, topic: str, producer: AIOKafkaProducer, consumer: AIOKafkaConsumer
    ) -> None:
        """Whatever the bytes are: empty, no UTF-8, an event of the largest size, and no value."""
        sent = [b"", b"\xff\x00\xfe", b'{"a":1}', b"x" * 65_536, None]
        for value in sent:
            await producer.send_and_wait(topic, value, key=b"k", partition=0)
        assert await consume(consumer, topic, 0, len(sent)) == sent

    @pytest.mark.parametrize("codec", CODECS)
    async def test_every_codec_is_read(
        self, bootstrap: str, topic: str, consumer: AIOKafkaConsumer, codec: str | None
    ) -> None:
        sent: list[bytes | None] = [b"%d " % n * 50 for n in range(100)]
        async with kafka.make_producer(bootstrap, compression=codec, linger_ms=20) as producer:
            for value in sent:
                await producer.send(topic, value, partition=0)
            await producer.flush()
        assert await consume(consumer, topic, 0, len(sent)) == sent

    async def test_keys_and_headers_decide_nothing(
        self, topic: str, producer: AIOKafkaProducer, consumer: AIOKafkaConsumer
    ) -> None:
        """Keys and headers that are no text travel beside the value and do not disturb it."""
        await producer.send_and_wait(topic, b"1", key=b"\xff", partition=0)
        await producer.send_and_wait(topic, b"2", headers=[("h", b"\xff"), ("h", b"")], partition=0)
        assert await consume(consumer, topic, 0, 2) == [b"1", b"2"]

    async def test_records_come_as_the_client_reads_them(
        self, topic: str, producer: AIOKafkaProducer, consumer: AIOKafkaConsumer
    ) -> None:
        """Not copied once more: a client that no longer asks `ReadRecords` for them would only be slower."""
        await producer.send_and_wait(topic, b"1", key=b"k", headers=[("h", b"v")], partition=0)
        where = TopicPartition(topic, 0)
        consumer.assign([where])
        consumer.seek(where, 0)
        record = await asyncio.wait_for(consumer.getone(where), DEADLINE_S)
        assert not isinstance(record, ConsumerRecord)
        assert (record.offset, record.value, record.key) == (0, b"1", b"k")
        assert list(record.headers) == [("h", b"v")]

    async def test_a_record_is_read_by_its_offset(
        self, bootstrap: str, topic: str, producer: AIOKafkaProducer
    ) -> None:
        sent = [b"first", None, b"third"]
        for value in sent:
            await producer.send_and_wait(topic, value, key=b"k", partition=1)
        for offset, value in enumerate(sent):
            found = await kafka.fetch_record(bootstrap, topic, 1, offset)
            assert found == kafka.StoredRecord(topic, 1, offset, value)
            assert await kafka.read_record(bootstrap, topic, 1, offset) == value

    @pytest.mark.parametrize("offset", [-1, 1, 10**12])
    async def test_an_offset_that_the_log_lacks_is_none(
        self, bootstrap: str, topic: str, producer: AIOKafkaProducer, offset: int
    ) -> None:
        await producer.send_and_wait(topic, b"only", partition=0)
        assert await kafka.fetch_record(bootstrap, topic, 0, offset) is None

    async def test_a_record_of_an_unknown_place_is_none(self, bootstrap: str, topic: str) -> None:
        assert await kafka.fetch_record(bootstrap, topic, 99, 0) is None

    async def test_a_position_that_nobody_set_is_an_error(
        self, topic: str, consumer: AIOKafkaConsumer
    ) -> None:
        """Neither the earliest nor the latest is taken in its place."""
        consumer.assign([TopicPartition(topic, 0)])
        with pytest.raises(NoOffsetForPartitionError):
            async with asyncio.timeout(DEADLINE_S):
                await consumer.getone()

    async def test_a_position_beyond_the_log_is_an_error(
        self, topic: str, producer: AIOKafkaProducer, consumer: AIOKafkaConsumer
    ) -> None:
        await producer.send_and_wait(topic, b"only", partition=0)
        where = TopicPartition(topic, 0)
        consumer.assign([where])
        consumer.seek(where, 1000)
        with pytest.raises(OffsetOutOfRangeError):
            async with asyncio.timeout(DEADLINE_S):
                await consumer.getone()

    async def test_nothing_is_committed_to_the_group(self, bootstrap: str, topic: str) -> None:
        """A group's member that consumed and left leaves no offset behind: Postgres keeps them."""
        where, group = TopicPartition(topic, 0), unique_name("group")
        async with kafka.make_producer(bootstrap) as producer:
            await producer.send_and_wait(topic, b"1", partition=0)
        async with kafka.make_consumer(bootstrap, group, client_id="contract") as consumer:
            assert await consume(consumer, topic, 0, 1) == [b"1"]
        async with kafka.make_consumer(bootstrap, group, client_id="contract") as consumer:
            consumer.assign([where])
            assert await consumer.committed(where) is None

    async def test_topics_that_exist_are_left_alone(self, bootstrap: str, topic: str) -> None:
        before = await kafka.list_partitions(bootstrap)
        again = await kafka.ensure_topics(bootstrap, {topic: 2})
        assert again == {topic: before[topic]}
        assert await kafka.list_partitions(bootstrap) == before

    async def test_an_answering_broker_is_not_waited_for(self, bootstrap: str, topic: str) -> None:
        assert topic in await kafka.wait_for_kafka(bootstrap, 10, unheard, topics=(topic,))

    async def test_an_unknown_topic_is_named_at_once(self, bootstrap: str) -> None:
        with pytest.raises(SettingsError, match="no-such-topic"):
            await kafka.wait_for_kafka(bootstrap, 10, unheard, topics=("no-such-topic",))
        assert "no-such-topic" not in await kafka.list_partitions(bootstrap)
