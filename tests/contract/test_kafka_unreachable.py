"""A broker that is not there: said once, waited for, and given up on in words."""

import asyncio
import socket
from collections.abc import Iterator

import pytest

from stayaway.kernel.errors import SettingsError, UnreachableError
from stayaway.platform import kafka
from stayaway.platform.embedded.broker import EmbeddedBroker


@pytest.fixture
def nobody() -> Iterator[str]:
    """An address that is taken, where nobody listens."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield f"127.0.0.1:{taken.getsockname()[1]}"


async def test_waiting_is_said_once_and_ends(nobody: str) -> None:
    lines: list[str] = []
    with pytest.raises(UnreachableError, match=f"Kafka at {nobody} did not answer within 1 s"):
        await kafka.wait_for_kafka(nobody, 1, lines.append)
    assert lines == [f"waiting for Kafka at {nobody} (up to 1 s)"]


async def test_a_broker_that_accepts_and_says_nothing_is_given_up_on() -> None:
    async def say_nothing(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()

    server = await asyncio.start_server(say_nothing, "127.0.0.1", 0)
    address = f"127.0.0.1:{server.sockets[0].getsockname()[1]}"
    with pytest.raises(UnreachableError, match="TimeoutError"):
        await kafka.wait_for_kafka(address, 0.5, lambda _: None)
    server.close()


async def test_look_ups_say_that_it_is_unreachable(nobody: str) -> None:
    with pytest.raises(UnreachableError, match="t partition 0 could not be read"):
        await kafka.read_record(nobody, "t", 0, 0)
    with pytest.raises(UnreachableError, match="topics could not be made sure of"):
        await kafka.ensure_topics(nobody, {"t": 1})


@pytest.mark.parametrize("address", ["", "host", "host:", ":9092", "host:kafka", "host:99999", "a:1,b"])
async def test_what_is_no_address_is_said_at_once(address: str) -> None:
    with pytest.raises(SettingsError, match="is no Kafka address"):
        await kafka.wait_for_kafka(address, 60, lambda _: None)


async def test_a_closed_embedded_broker_is_gone() -> None:
    broker = EmbeddedBroker()
    assert await kafka.list_partitions(broker.bootstrap) == {}
    broker.close()
    broker.close()
    with pytest.raises(UnreachableError):
        await kafka.wait_for_kafka(broker.bootstrap, 0.3, lambda _: None)
