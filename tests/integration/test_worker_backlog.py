"""A backlog takes bounded memory, and malformed messages in it stall nothing."""

import json
import subprocess
import sys
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from aiokafka import AIOKafkaConsumer
from aiokafka.errors import KafkaConnectionError

import stayaway
from stayaway.platform.kafka import partition_fetch_bytes
from stayaway.platform.seal import FileSeal
from stayaway.worker.batch import BatchRunner
from stayaway.worker.judge import JudgedBatch
from support.commands import plain_environment
from support.kafka_server import KafkaServer
from support.names import unique_name
from support.waiting import eventually
from support.wire_examples import POLICY
from support.worker_rig import READS, Rig, read, running

BAD = {
    b"{": "NOT_JSON",
    b"\xff\xfe": "NOT_JSON",
    b"[" * 5_000: "NOT_JSON",
    b'{"schema":"plate_read.v1"}': "MISSING_FIELD",
    b'{"schema":"other.v9"}': "UNKNOWN_SCHEMA",
}
PEAK_BYTES = 400_000_000

# One matcher over topics of its own: argv is database, broker, keys, policy and the two topics.
_MATCHER = """
import sys, pathlib
from stayaway.access.policy_file import load_policy
from stayaway.platform.seal import FileSeal
from stayaway.worker.commands import run_matcher
from stayaway.worker.loop import MatcherSettings
dsn, bootstrap, keys, policy, *topics = sys.argv[1:]
settings = MatcherSettings(
    dsn=dsn, bootstrap=bootstrap, group=None, owner="m1", first_position="earliest", topics=tuple(topics)
)
seal, rules = FileSeal(pathlib.Path(keys)), load_policy(pathlib.Path(policy))
sys.exit(run_matcher(settings, seal, rules, say=lambda _: None))
"""


def stranger(number: int) -> bytes:
    return read(event_id=f"s{number}", plate="ZZZ9999")


async def test_five_per_cent_malformed_stall_nothing(rig: Rig) -> None:
    """Each is a dead letter with its reason, every other message is judged, and no batch comes twice."""
    bad = [*BAD]
    sent = [bad[n // 20 % len(bad)] if n % 20 == 7 else stranger(n) for n in range(20_000)]
    for partition in range(4):
        rig.publish(READS, sent[partition::4], partition=partition)
    worker = await rig.run_until(len(sent))
    counters = worker.counters
    assert (counters.read, counters.refused, counters.none) == (20_000, 1_000, 19_000)
    expected = {"NOT_JSON": 600, "MISSING_FIELD": 200, "UNKNOWN_SCHEMA": 200}
    assert counters.refused_by_reason == expected
    letters = await rig.rows("SELECT reason, count(*)::int AS n FROM dead_letter GROUP BY reason")
    assert {row["reason"]: row["n"] for row in letters} == expected
    text = worker.metrics.render().decode()
    assert "stayaway_batch_retries_total{" not in text
    await rig.check_promises()
    await rig.check_log()


async def test_it_knows_whether_records_come(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is done beside the records, and can wait, goes by it."""
    commit, seen = BatchRunner.commit, set[bool]()
    worker = rig.worker()

    async def watched(runner: BatchRunner, batch: JudgedBatch) -> Any:
        seen.add(worker._batches.found_records)
        return await commit(runner, batch)

    monkeypatch.setattr(BatchRunner, "commit", watched)
    rig.publish(READS, [stranger(number) for number in range(5_500)])
    async with running(worker):
        await rig.wait_for(5_500)
        rig.publish(READS, [stranger(0)])
        await rig.wait_for(5_501)
        assert seen == {True}
        await eventually(lambda: not worker._batches.found_records)


async def test_what_was_taken_before_the_client_failed_is_judged(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The client has moved past what it gave: whoever threw that away would lose it without a trace."""
    rig.publish(READS, [stranger(number) for number in range(5_500)])
    getmany, asked, failed = AIOKafkaConsumer.getmany, count(1), []

    async def failing(*arguments: Any, timeout_ms: int, **named: Any) -> Any:
        is_first_after_a_full_one = timeout_ms == 0 and 0 not in failed
        if next(asked) % 3 == 0 or is_first_after_a_full_one:
            failed.append(timeout_ms)
            raise KafkaConnectionError
        return await getmany(*arguments, timeout_ms=timeout_ms, **named)

    monkeypatch.setattr(AIOKafkaConsumer, "getmany", failing)
    worker = await rig.run_until(5_500)
    assert 0 in failed, "no take after a full one failed"
    assert (worker.counters.read, worker.counters.none) == (5_500, 5_500)
    await rig.check_promises()


@pytest.mark.real_kafka
async def test_a_backlog_takes_bounded_memory(
    database: str, real_kafka: KafkaServer, seal: FileSeal, tmp_path: Path
) -> None:
    """200,000 messages wait; the peak of the matcher's memory is far below the 1 GB it may take."""
    name = unique_name("backlog")
    rig = Rig(database, real_kafka.bootstrap, seal, topics=(f"reads-{name}", f"checks-{name}"))
    await rig.make_topics()
    await rig.import_orders()
    messages = [stranger(number) for number in range(50_000)]
    for partition in range(4):
        rig.publish(rig.topics[0], messages, partition=partition)
    (tmp_path / "policy.json").write_text(json.dumps(POLICY))
    what = [rig.dsn, rig.bootstrap, str(tmp_path / "keys.jsonl"), str(tmp_path / "policy.json"), *rig.topics]
    environment = plain_environment(PYTHONPATH=str(Path(stayaway.__file__).parent.parent))
    with subprocess.Popen([sys.executable, "-c", _MATCHER, *what], env=environment) as process:  # noqa: ASYNC220 - only its start blocks
        try:
            await rig.wait_for(200_000, timeout_s=120)
            peak = peak_bytes(process.pid)
        finally:
            process.terminate()
    assert process.returncode == 0
    assert peak < PEAK_BYTES, f"{peak / 1e6:.0f} MB"


@pytest.mark.parametrize("partitions", [1, 8, 32, 100, 1_000])
def test_what_is_fetched_ahead_is_bounded_over_all_partitions(partitions: int) -> None:
    """A message of the largest size, 65,536 bytes, always fits."""
    each = partition_fetch_bytes(partitions)
    assert each >= 65_536 * 2
    assert each * partitions <= max(128 * 1024 * 1024, partitions * 128 * 1024)


def peak_bytes(pid: int) -> int:
    """The most memory that the process has had resident."""
    status = Path(f"/proc/{pid}/status").read_text()
    return int(status.split("VmHWM:")[1].split()[0]) * 1024
