"""Matchers in one consumer group, orders that change meanwhile, servers that die: nothing is lost."""

import os
import random

import pytest

from faults.run import run_faults
from support.kafka_server import KafkaServer

pytestmark = pytest.mark.real_kafka
FAULTS = int(os.environ.get("FAULTS", "150"))
SEED = os.environ.get("SEED") or str(random.SystemRandom().randrange(1 << 20))


async def test_faults_in_a_group_lose_nothing_and_double_nothing(real_kafka: KafkaServer) -> None:
    print(f"SEED={SEED} FAULTS={FAULTS}")
    total = await run_faults(real_kafka, SEED, FAULTS, say=print)
    print("\n".join(total.lines()))
    assert total.wrong == [], f"make faults SEED={SEED} FAULTS={FAULTS}"
    assert total.injected.total() == FAULTS
