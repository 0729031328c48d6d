"""Health and metrics of a matcher over HTTP: every reason is named, and no label names anybody."""

import asyncio
import json
import signal
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest
from aiokafka import TopicPartition

from stayaway.kernel.errors import SettingsError
from stayaway.platform.serving import listen
from stayaway.worker.health import Health, serve_health
from stayaway.worker.loop import MatcherWorker
from support.commands import STAYAWAY, plain_environment
from support.waiting import eventually
from support.wire_examples import POLICY
from support.worker_rig import READS, Rig, orders_file, read, running

NAME = "Jane Roe"
READY = "/health/ready"
NOTICE = {
    "order_id": "O1",
    "order_version": 1,
    "respondent_id": "R1",
    "kind": "PERSONAL",
    "noticed_at": "2026-01-08T18:30:00Z",
    "recorded_at": "2026-01-08T19:00:00Z",
}


@asynccontextmanager
async def served(worker: MatcherWorker, policy_file: Path | None = None) -> AsyncIterator[httpx.AsyncClient]:
    listening: asyncio.Future[str] = asyncio.get_running_loop().create_future()
    async with (
        serve_health(Health(worker, policy_file), listen("It", 0), listening.set_result),
        httpx.AsyncClient(base_url=await listening) as client,
    ):
        yield client


async def codes(client: httpx.AsyncClient, path: str = READY) -> list[str]:
    answer = await client.get(path)
    found = [reason["code"] for reason in answer.json()["reasons"]]
    assert answer.status_code == (503 if found else 200)
    return found


async def until_ready(client: httpx.AsyncClient, path: str = READY) -> None:
    async with asyncio.timeout(20):
        while await codes(client, path):  # noqa: ASYNC110 - over HTTP, as a supervisor asks
            await asyncio.sleep(0.02)


async def test_a_working_matcher_is_ready(rig: Rig) -> None:
    worker = rig.worker()
    async with running(worker), served(worker) as client:
        await until_ready(client)
        live = await client.get("/health/live")
        assert (live.status_code, live.json()) == (200, {"status": "live", "reasons": []})


async def test_not_begun_and_no_database_are_two_reasons(rig: Rig) -> None:
    nowhere = Rig("postgresql://nobody@127.0.0.1:1/none", rig.bootstrap, rig.seal)
    async with served(nowhere.worker()) as client:
        assert await codes(client) == ["DATABASE_UNREACHABLE", "STARTING"]
        assert (await client.get("/metrics")).status_code == 200


async def test_a_held_partition_is_named(rig: Rig) -> None:
    rig.publish(READS, [read()])
    await rig.run_until(1)
    await rig.execute("UPDATE partition_position SET hold_reason = 'OFFSET_GONE' WHERE next_offset = 1")
    worker = rig.worker("m2")
    async with running(worker), served(worker) as client:
        await eventually(lambda: worker.began and bool(worker.assignment.held))
        answer = (await client.get("/health/ready")).json()
        assert {"code": "PARTITION_HELD", "detail": f"{READS}/0: OFFSET_GONE"} in answer["reasons"]
        metrics = (await client.get("/metrics")).text
        assert f'stayaway_partition_held{{partition="0",topic="{READS}"}} 1.0' in metrics
        assert f'stayaway_partition_held{{partition="1",topic="{READS}"}} 0.0' in metrics


async def test_an_old_registry_and_a_stuck_loop_are_named(rig: Rig) -> None:
    worker = rig.worker()
    async with running(worker), served(worker) as client:
        await until_ready(client)
        async with worker._batches.busy, worker._follower._lock:  # the loop and the watch can do nothing now
            await eventually(lambda: worker.since_turn_s() > 0.5)  # a turn without records takes 0.05 s
            await rig.import_orders(orders_file(orders=[], notices=[NOTICE]))
            worker._follower._in_touch_at -= 1000
            assert "REGISTRY_OLD" in await codes(client)
            assert "stayaway_registry_hold 1.0" in (await client.get("/metrics")).text
            worker._turned_at -= 1000
            live = await client.get("/health/live")
            assert live.status_code == 503
            assert "LOOP_STUCK" in await codes(client)
        await until_ready(client)


async def test_a_matcher_without_partitions_says_so(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    worker = rig.worker()
    async with running(worker), served(worker) as client:
        await until_ready(client)
        async with worker._batches.busy:  # the loop does not look meanwhile
            monkeypatch.setattr(worker.assignment.consumer, "assignment", frozenset[TopicPartition])
            assert await codes(client) == ["NO_PARTITIONS"]
            monkeypatch.undo()


async def test_the_policy_file_must_stay_as_it_was(rig: Rig, tmp_path: Path) -> None:
    file = tmp_path / "policy.json"
    file.write_text(json.dumps(POLICY))
    worker = rig.worker()
    async with running(worker), served(worker, file) as client:
        await until_ready(client)
        file.write_text(json.dumps({**POLICY, "policy_id": "p2"}))
        assert await codes(client) == ["POLICY_CHANGED"]
        file.unlink()
        assert await codes(client) == ["POLICY_MISSING"]


async def test_another_host_name_is_refused(rig: Rig) -> None:
    """A page of somebody's web site cannot read it by DNS rebinding."""
    async with served(rig.worker()) as client:
        assert (await client.get("/metrics", headers={"host": "evil.example"})).status_code == 400


def test_a_port_in_use_is_said_in_words() -> None:
    with listen("It", 0) as taken, pytest.raises(SettingsError, match=r"It cannot listen on 127\.0\.0\.1"):
        listen("It", taken.getsockname()[1])


async def test_metrics_tell_what_was_done_and_name_nobody(rig: Rig) -> None:
    """Lag, batches, decisions and refusals by reason, the registry, the readers' clocks."""
    late = read(event_id="late", observed_at="2026-03-06T20:14:00Z", received_at="2026-03-06T20:15:40Z")
    ahead = read(event_id="ahead", observed_at="2026-03-06T20:15:03Z", received_at="2026-03-06T20:15:00Z")
    future = read(event_id="f", observed_at="2026-03-06T21:15:03Z", received_at="2026-03-06T20:15:00Z")
    strangers = [read(event_id=f"s{n}", plate="ZZZ9999", reader_id="reader-77") for n in range(3)]
    rig.publish(READS, [read(), late, ahead, future, *strangers, b"{", read(owner=NAME)])
    worker = rig.worker()
    async with running(worker), served(worker) as client:
        await rig.wait_for(9)
        text = (await client.get("/metrics")).text
    for line in (
        f'stayaway_events_total{{topic="{READS}"}} 9.0',
        'stayaway_events_refused_total{reason="NOT_JSON"} 1.0',
        'stayaway_events_refused_total{reason="FUTURE"} 1.0',
        'stayaway_dead_letters_total{reason="UNKNOWN_FIELD"} 1.0',
        'stayaway_decisions_total{outcome="ALERT"} 3.0',
        'stayaway_decisions_total{outcome="NONE"} 3.0',
        f'stayaway_lag_records{{partition="0",topic="{READS}"}} 0.0',
        "stayaway_partitions_claimed 8.0",
        "stayaway_registry_sequence 1.0",
        "stayaway_registry_orders 1.0",
        'stayaway_reader_age_seconds_bucket{le="-1.0"} 1.0',
        'stayaway_reader_age_seconds_bucket{le="5.0"} 5.0',
        'stayaway_reader_age_seconds_bucket{le="+Inf"} 6.0',
    ):
        assert line in text.splitlines(), line
    for name in (
        "stayaway_registry_age_seconds ",
        "stayaway_batch_seconds_count",
        "stayaway_judge_seconds_count",
    ):
        assert name in text
    for secret in ("ZZZ9999", "BAK", "8AK", NAME, "reader-77", "O1", "R1"):
        assert secret not in text


async def test_the_command_serves_it_where_it_was_asked_to(rig: Rig, tmp_path: Path) -> None:
    """And what it prints while plates and names flow names nobody."""
    (tmp_path / "policy.json").write_text(json.dumps(POLICY))
    environment = plain_environment(
        STAYAWAY_DATABASE=rig.dsn,
        STAYAWAY_BOOTSTRAP=rig.bootstrap,
        STAYAWAY_KEYS_FILE=str(tmp_path / "keys.jsonl"),
        STAYAWAY_POLICY_FILE=str(tmp_path / "policy.json"),
        STAYAWAY_FIRST_POSITION="earliest",
        STAYAWAY_HEALTH_PORT="0",
    )
    rig.publish(READS, [read(), b"{", read(event_id="x", owner=NAME), read(event_id="y", plate="ZZZ9999")])
    with subprocess.Popen(  # noqa: ASYNC220 - only its start blocks
        [*STAYAWAY, "matcher"], env=environment, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stderr is not None
        said: list[str] = []
        try:
            while not said or not said[-1].startswith("health: "):
                said.append(await asyncio.to_thread(process.stderr.readline))
            async with httpx.AsyncClient() as client:
                ready = said[-1].removeprefix("health: ").strip()
                await until_ready(client, ready)
            await rig.wait_for(4)
        finally:
            process.send_signal(signal.SIGTERM)
            said += process.stderr.readlines()
        assert process.wait(10) == 0
    lines = [json.loads(line) for line in said if line.startswith("{")]
    events = [line["event"] for line in lines]
    assert (events[0], events[-1]) == ("matcher started", "matcher stopped")
    assert {"registry applied", "partition claimed"} <= set(events)
    assert lines[0]["version"]
    assert (lines[-1]["records"], lines[-1]["refused"], lines[-1]["alerts"]) == (4, 2, 1)
    for secret in ("ZZZ9999", "BAK", "8AK", NAME):
        assert secret not in "".join(said)
