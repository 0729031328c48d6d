"""Orders that change while a matcher runs: in use at once, timed, and never judged without."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from typing import Any

import asyncpg
import pytest

from stayaway.alerts.order_changes import import_orders
from stayaway.orders.codec import StoredOrderError
from stayaway.orders.parse import parse_orders_file
from stayaway.orders.store import record_orders
from stayaway.platform.clock import now
from stayaway.platform.postgres import Connection, open_pool
from stayaway.worker import follow, watch
from stayaway.worker.latency import latency_lines
from stayaway.worker.loop import MatcherWorker
from support.handed_batches import Matcher
from support.tampering import tamper
from support.waiting import eventually
from support.wire_examples import ORDERS
from support.worker_rig import NOW, READS, Rig, read, running


def another(order_id: str, plate: str) -> bytes:
    """WIRE.md's order under another id, for another car."""
    text = json.dumps({**ORDERS, "suspensions": [], "recalls": []})
    return text.replace('"O1"', f'"{order_id}"').replace("BAK 471", plate).encode()


async def change(rig: Rig, data: bytes) -> None:
    """As a clerk's import does it, with the clock of today."""
    async with await open_pool(rig.dsn, wait_s=10, on_wait=lambda _: None, max_size=2) as pool:
        imported = await import_orders(pool, rig.seal, data, rig.policy, actor="clerk", at=now())
    assert not imported.outcome.has_errors, imported.outcome.findings


def sequence(worker: MatcherWorker) -> int:
    return worker._follower.current.knowledge.registry_sequence


async def until(worker: MatcherWorker, wanted: int, timeout_s: float = 10) -> float:
    """Seconds until the registry in use has that sequence."""
    began = asyncio.get_running_loop().time()
    async with asyncio.timeout(timeout_s):
        while sequence(worker) < wanted:  # noqa: ASYNC110 - what is waited for is swapped without an event
            await asyncio.sleep(0.001)
    return asyncio.get_running_loop().time() - began


@asynccontextmanager
async def begun(worker: MatcherWorker) -> AsyncIterator[asyncio.Task[None]]:
    async with running(worker) as task:
        await eventually(lambda: worker.began and len(worker.assignment.states) == 8)
        yield task


async def test_a_change_is_in_use_and_timed(rig: Rig, conn: Connection) -> None:
    """Only what was followed live has a row; the histogram and the command line show it."""
    worker = rig.worker()
    async with begun(worker):
        assert sequence(worker) == 1
        await change(rig, another("O2", "ZZZ 9999"))
        await until(worker, 2)
        rig.publish(READS, [read(plate="ZZZ9999")])
        await rig.wait_for(1)
        await change(rig, another("O3", "QQQ 1111"))
        await until(worker, 3)
        await eventually(lambda: worker.metrics.render().count(b"_apply_seconds_count 2.0") == 1)
    alerts = await rig.alerts()
    assert [row["order_id"] for row in alerts] == ["O2"]
    rows = await rig.rows("SELECT * FROM registry_applied ORDER BY registry_sequence")
    assert [(row["registry_sequence"], row["owner"]) for row in rows] == [(2, "m1"), (3, "m1")]
    for row in rows:
        assert timedelta(0) < row["applied_at"] - row["recorded_at"] < timedelta(seconds=5)
    since_at = now() - timedelta(hours=1)
    lines = await latency_lines(conn, since_at)
    assert lines[0].startswith("m1: 2 changes in use after p50 ")
    assert len(lines) == 3
    later = await latency_lines(conn, now() + timedelta(hours=1))
    assert later == ["No change of the registry was followed by a running matcher in this time."]


async def test_a_lost_notice_costs_a_second(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    """The sequence is the truth: without any hint the change is found by asking."""
    monkeypatch.setattr(watch, "REGISTRY_CHANNEL", "nobody_notifies_here")
    worker = rig.worker()
    async with begun(worker):
        await change(rig, another("O2", "ZZZ 9999"))
        assert await until(worker, 2) < 3 * watch._POLL_S


async def test_a_lost_connection_is_opened_anew_and_caught_up(rig: Rig) -> None:
    worker = rig.worker()
    async with begun(worker):
        for number in (2, 3):
            await rig.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE application_name = 'stayaway matcher' AND datname = current_database()"
            )
            await change(rig, another(f"O{number}", "ZZZ 9999"))
            await until(worker, number)
        rig.publish(READS, [read()])
        await rig.wait_for(1)


async def test_out_of_touch_it_holds_and_then_judges_by_the_new_orders(rig: Rig) -> None:
    """While the registry cannot be read no read is judged, and health says why; afterwards the order
    that came meanwhile counts.
    """
    plain = rig.worker()
    worker = MatcherWorker(replace(plain.settings, registry_limit_s=1.5), rig.seal, rig.policy)
    async with begun(worker):
        blocker = await asyncpg.connect(rig.dsn)
        async with blocker.transaction():
            await blocker.execute("LOCK TABLE registry IN ACCESS EXCLUSIVE MODE")
            parsed = parse_orders_file(another("O2", "ZZZ 9999"))
            await record_orders(blocker, rig.seal, parsed, actor="clerk", recorded_now=NOW)
            await eventually(lambda: worker.is_out_of_touch)
            await eventually(lambda: b"stayaway_registry_hold 1.0" in worker.metrics.render())
            rig.publish(READS, [read(plate="ZZZ9999")])
            await asyncio.sleep(
                1.3
            )  # many turns of the loop: none may fetch, and none waits for the database
            assert worker.counters.read == 0
            assert worker.since_turn_s() < 1
        await blocker.close()
        await rig.wait_for(1)
        assert not worker.is_out_of_touch
    assert [row["order_id"] for row in await rig.alerts()] == ["O2"]
    await rig.check_promises()


async def test_a_batch_in_hand_is_not_judged_by_old_orders(rig: Rig) -> None:
    """What was fetched before the registry went out of touch is judged after it was loaded anew."""
    matcher = Matcher(rig)
    state = await matcher.claim()
    await rig.import_orders(another("O2", "ZZZ 9999"))
    matcher.follower._in_touch_at -= 1_000
    assert await matcher.judge(state, [read(plate="ZZZ9999")]) is not None
    assert [row["order_id"] for row in await rig.alerts()] == ["O2"]
    assert not matcher.follower.is_out_of_touch
    await matcher.close()


async def test_an_order_that_cannot_be_read_ends_the_run(rig: Rig) -> None:
    """No second try can mend it, and nothing may be judged without it: the error comes out of `run`."""
    worker = rig.worker()
    task = asyncio.create_task(worker.run(asyncio.Event()))
    await eventually(lambda: worker.began)
    conn = await asyncpg.connect(rig.dsn)
    async with conn.transaction():
        parsed = parse_orders_file(another("O2", "ZZZ 9999"))
        await record_orders(conn, rig.seal, parsed, actor="clerk", recorded_now=NOW)
        await tamper(
            conn, "UPDATE order_record SET content_digest = sha256(content_digest) WHERE order_id = 'O2'"
        )
    await conn.close()
    with pytest.raises(StoredOrderError):
        await asyncio.wait_for(task, 10)


async def test_many_changes_at_once_stall_nothing_and_compact(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Changes come while a compaction runs; in the end all are in use, the base is new, nothing is lost."""
    monkeypatch.setattr("stayaway.matching.layers.TOP_BOXES", 2)
    monkeypatch.setattr("stayaway.matching.layers.MIDDLE_BOXES", 4)
    compacted: list[int] = []
    compact = follow.RegistryFollower.compact

    async def counted(self: Any) -> None:
        await compact(self)
        compacted.append(1)

    monkeypatch.setattr(follow.RegistryFollower, "compact", counted)
    worker = rig.worker()
    async with begun(worker):
        for number in range(2, 22):
            await change(rig, another(f"O{number}", f"ZZZ {number:04d}"))
        await until(worker, 21)
        await eventually(lambda: bool(compacted))
        rig.publish(READS, [read(event_id=str(n), plate=f"ZZZ{n:04d}") for n in range(2, 22)])
        await rig.wait_for(20)
    assert sorted(row["order_id"] for row in await rig.alerts()) == sorted(f"O{n}" for n in range(2, 22))
