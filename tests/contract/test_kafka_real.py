"""The Kafka contract on Apache Kafka, and what only a real broker has: transactions, restarts."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer

from contract.kafka_contract import KafkaContract, consume
from stayaway.platform import kafka
from support.kafka_server import KafkaServer
from support.names import unique_name
from support.waiting import eventually

pytestmark = pytest.mark.real_kafka


class TestRealKafka(KafkaContract):
    @pytest.fixture
    def bootstrap(self, real_kafka: KafkaServer) -> str:
        return real_kafka.bootstrap

    @pytest.fixture
    async def transactional(self, bootstrap: str) -> AsyncIterator[AIOKafkaProducer]:
        async with kafka.make_producer(bootstrap, transactional_id=unique_name("tx")) as producer:
            yield producer

    async def test_markers_and_aborted_records_are_passed_over(
        self, bootstrap: str, topic: str, transactional: AIOKafkaProducer, consumer: AIOKafkaConsumer
    ) -> None:
        """Offsets: 0 committed, 1 its marker, 2 aborted, 3 its marker, 4 committed."""
        for value, commit in ((b"kept", True), (b"dropped", False), (b"kept too", True)):
            await transactional.begin_transaction()
            await transactional.send_and_wait(topic, value, partition=0)
            await (transactional.commit_transaction() if commit else transactional.abort_transaction())
        assert await consume(consumer, topic, 0, 2) == [b"kept", b"kept too"]
        found = [await kafka.read_record(bootstrap, topic, 0, offset) for offset in range(6)]
        assert found == [b"kept", None, None, None, b"kept too", None]

    async def test_an_open_transaction_is_not_read(
        self, bootstrap: str, topic: str, transactional: AIOKafkaProducer
    ) -> None:
        await transactional.begin_transaction()
        await transactional.send_and_wait(topic, b"perhaps", partition=0)
        assert await kafka.fetch_record(bootstrap, topic, 0, 0) is None
        await transactional.commit_transaction()
        assert await kafka.read_record(bootstrap, topic, 0, 0) == b"perhaps"

    async def test_a_group_shares_its_partitions(self, bootstrap: str, topic: str) -> None:
        """Two members of one group come to hold one partition each."""
        group = unique_name("group")
        members = [kafka.make_consumer(bootstrap, group, client_id=f"m{n}") for n in range(2)]
        try:
            for member in members:
                member.subscribe([topic])
                await member.start()
            await eventually(lambda: [len(member.assignment()) for member in members] == [1, 1])
        finally:
            for member in members:
                await member.stop()


async def test_records_outlive_a_killed_broker(real_kafka: KafkaServer) -> None:
    """After SIGKILL and a start the broker has its address and what it acknowledged."""
    topic = unique_name("restart")
    before = real_kafka.bootstrap
    await kafka.ensure_topics(before, {topic: 1})
    async with kafka.make_producer(before) as producer:
        await producer.send_and_wait(topic, b"acknowledged", partition=0)
    await asyncio.to_thread(real_kafka.kill)
    await asyncio.to_thread(real_kafka.start)
    assert real_kafka.bootstrap == before
    await kafka.wait_for_kafka(before, 30, unheard_or_passing)
    await kafka.ensure_topics(before, {topic: 1})
    assert await kafka.read_record(before, topic, 0, 0) == b"acknowledged"


def unheard_or_passing(line: str) -> None:
    assert line.startswith("waiting for Kafka at ")
