"""Reaching Kafka at the start, while a broker may come and go at any moment."""

from collections.abc import Callable
from contextlib import suppress
from typing import Any

from aiokafka.errors import KafkaError

from stayaway.kernel.errors import UnreachableError
from stayaway.platform.kafka import ensure_topics, wait_for_kafka
from stayaway.sightings.dead_letters import DEAD_LETTER_TOPIC
from stayaway.worker.patience import Patience
from stayaway.worker.settings import MatcherSettings


async def reach_kafka(settings: MatcherSettings, on_wait: Callable[[str], None]) -> dict[str, int]:
    """The partitions of every topic, once the broker answers and the dead letters have theirs.

    A broker that goes away between two questions is waited for as one that has not come yet.
    Raises UnreachableError after the limit, SettingsError where a topic is missing.
    """
    patience = Patience(settings.wait_s)
    while True:
        partitions = await wait_for_kafka(
            settings.bootstrap, settings.wait_s, on_wait, topics=settings.topics
        )
        try:
            await ensure_topics(settings.bootstrap, {DEAD_LETTER_TOPIC: 1})
        except UnreachableError as error:
            await patience.pause(error)
        else:
            return partitions


async def start_client(make: Callable[[], Any], wait_s: float) -> Any:
    """A client made and started; made anew where the broker went away meanwhile.

    Raises UnreachableError after `wait_s` seconds, or at once where trying again cannot help.
    """
    patience = Patience(wait_s)
    while True:
        client = make()
        try:
            await client.start()
        except KafkaError as error:
            with suppress(KafkaError):
                await client.stop()
            raise_if_lasting(error)
            await patience.pause(error)
        else:
            return client


def raise_if_lasting(error: KafkaError) -> None:
    """Raises UnreachableError for an error of Kafka that trying again does not mend."""
    if not error.retriable:
        raise UnreachableError(
            f"Kafka refuses to go on ({type(error).__name__}).",
            "Nothing was skipped: the next start goes on at the same offsets.",
        ) from error
