"""A broker that goes away while a matcher starts is waited for, as one that has not come yet."""

from collections.abc import Callable
from typing import Any

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.errors import GroupAuthorizationFailedError, KafkaConnectionError

from stayaway.kernel.errors import UnreachableError
from stayaway.platform import kafka
from stayaway.platform.embedded.broker import EmbeddedBroker
from stayaway.platform.seal import FileSeal
from stayaway.worker import start
from support.worker_rig import READS, Rig, read


@pytest.fixture
async def rig(database: str, embedded_broker: EmbeddedBroker, seal: FileSeal) -> Rig:
    rig = Rig(database, embedded_broker.bootstrap, seal)
    await rig.make_topics()
    await rig.import_orders()
    rig.publish(READS, [read()])
    return rig


def failing_once(call: Callable[..., Any], error: Exception) -> tuple[Callable[..., Any], list[str]]:
    """`call`, but the first time it raises `error`; and what happened."""
    happened: list[str] = []

    async def stand_in(*arguments: Any, **named: Any) -> Any:
        happened.append("called")
        if len(happened) == 1:
            raise error
        return await call(*arguments, **named)

    return stand_in, happened


async def test_a_broker_that_dies_between_two_questions(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    stand_in, happened = failing_once(kafka.ensure_topics, UnreachableError("gone"))
    monkeypatch.setattr(start, "ensure_topics", stand_in)
    await rig.run_until(1)
    assert len(happened) == 2


@pytest.mark.parametrize("client", [AIOKafkaConsumer, AIOKafkaProducer])
async def test_a_broker_that_dies_before_a_client_is_there(
    rig: Rig, client: type, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another client is made; the one that failed leaves nothing behind."""
    stand_in, happened = failing_once(client.start, KafkaConnectionError())  # type: ignore[attr-defined]
    monkeypatch.setattr(client, "start", stand_in)
    await rig.run_until(1)
    assert len(happened) >= 2
    assert len(await rig.alerts()) == 1
    await rig.check_promises()


async def test_what_trying_again_cannot_mend_ends_the_start(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    stand_in, _ = failing_once(AIOKafkaConsumer.start, GroupAuthorizationFailedError("g"))
    monkeypatch.setattr(AIOKafkaConsumer, "start", stand_in)
    with pytest.raises(UnreachableError, match="GroupAuthorizationFailed"):
        await rig.run_until(1)
