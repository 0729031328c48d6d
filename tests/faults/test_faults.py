"""Nothing lost, nothing doubled, whatever dies when: FAULTS faults by the schedule of SEED."""

import os
import random
from collections.abc import Iterator
from pathlib import Path

import pytest

from faults.driver import Round, Servers, Tally
from stayaway.platform.embedded.postgres import EmbeddedPostgres
from support.kafka_server import KafkaServer

pytestmark = pytest.mark.real_kafka
FAULTS = int(os.environ.get("FAULTS", "150"))
SEED = int(os.environ.get("SEED", str(random.SystemRandom().randrange(1 << 20))))
STEPS = 25


@pytest.fixture
def servers(real_kafka: KafkaServer, tmp_path: Path) -> Iterator[Servers]:
    postgres = EmbeddedPostgres(tmp_path / "postgres")
    postgres.start()
    yield Servers(postgres, real_kafka, tmp_path)
    postgres.destroy()


async def test_faults_lose_nothing_and_double_nothing(servers: Servers) -> None:
    tally = Tally()
    print(f"SEED={SEED} FAULTS={FAULTS}")
    number = 0
    while tally.injected.total() < FAULTS:
        steps = min(STEPS, FAULTS - tally.injected.total())
        await Round(servers, SEED + number, steps, tally).run()
        number += 1
        assert tally.problems == [], f"make faults SEED={SEED + number - 1} FAULTS={steps}"
    print("\n".join(tally.lines()))
