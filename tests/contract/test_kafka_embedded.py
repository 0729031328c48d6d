"""The Kafka contract on the embedded broker."""

import pytest

from contract.kafka_contract import KafkaContract
from stayaway.platform.embedded.broker import EmbeddedBroker


class TestEmbeddedKafka(KafkaContract):
    @pytest.fixture
    def bootstrap(self, embedded_broker: EmbeddedBroker) -> str:
        return embedded_broker.bootstrap
