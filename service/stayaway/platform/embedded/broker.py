"""A broker inside this process that speaks Kafka's protocol: for the demo and quick tests.

It keeps about 5 MB or 100,000 messages a partition, in memory, and serves one member a group.
Nothing that must not be lost may rest on it.
"""

import logging
from typing import Self

from confluent_kafka import Producer

from stayaway.kernel.errors import UnreachableError

_ANSWER_S = 10.0


class EmbeddedBroker:
    """Up from construction until `close`; the broker lives as long as this object."""

    def __init__(self) -> None:
        # librdkafka's mock cluster: one broker on a free loopback port.
        logger = logging.getLogger("stayaway.embedded_broker")
        logger.addHandler(logging.NullHandler())
        self._producer: Producer | None = Producer(
            {"test.mock.num.brokers": 1, "log_level": 3}, logger=logger
        )
        brokers = self._producer.list_topics(timeout=_ANSWER_S).brokers.values()
        if not brokers:
            raise UnreachableError("the embedded broker did not start")
        self.bootstrap = ",".join(f"{broker.host}:{broker.port}" for broker in brokers)

    def close(self) -> None:
        """Stop the broker; what it held is gone. A second call does nothing."""
        self._producer = None  # the mock cluster ends with its client

    def __enter__(self) -> Self:
        """Started, for a `with` block."""
        return self

    def __exit__(self, *exc_info: object) -> None:
        """Stopped, whatever happened inside."""
        self.close()
