"""What the matcher logs when things go well and badly: JSON lines that name nobody."""

import asyncio
import io
import json
import logging
import sys
from collections.abc import Iterator
from typing import Any

import pytest
import structlog

from stayaway.alerts.store import record_decisions
from stayaway.platform.embedded.broker import EmbeddedBroker
from stayaway.platform.logging import LOG_KEYS, configure_logging
from stayaway.platform.seal import FileSeal
from stayaway.worker import batch
from stayaway.worker.breaker import Breaker, BreakerTrippedError
from support.wire_examples import ORDERS
from support.worker_rig import CHECKS, READS, Rig, check_in, read, running

SECRETS = ("ZZZ9999", "BAK", "8AK", "Jane Roe", "D9", "-111.9", "33.4", "reader-77")


@pytest.fixture
def stream() -> Iterator[io.StringIO]:
    root, hook = logging.getLogger(), sys.excepthook
    before, level = root.handlers[:], root.level
    written = io.StringIO()
    configure_logging(stream=written)
    yield written
    root.handlers[:], sys.excepthook = before, hook
    root.setLevel(level)
    logging.captureWarnings(capture=False)
    structlog.reset_defaults()


@pytest.fixture
async def rig(database: str, embedded_broker: EmbeddedBroker, seal: FileSeal) -> Rig:
    rig = Rig(database, embedded_broker.bootstrap, seal)
    await rig.make_topics()
    orders = json.loads(json.dumps(ORDERS))
    orders["orders"][0]["respondents"][0]["name"] = "Jane Roe"
    await rig.import_orders(json.dumps(orders).encode())
    return rig


def lines(stream: io.StringIO) -> list[dict[str, Any]]:
    """Every line, after a look that none holds what it must not and none has a key of its own."""
    found = [json.loads(line) for line in stream.getvalue().splitlines()]
    for line in found:
        told = json.dumps({**line, "at": None})  # a line written at second 33.4 tells no latitude
        for secret in SECRETS:
            assert secret not in told, secret
        assert line.keys() <= {"at", "level", "event", "error", "library", *LOG_KEYS}
    return found


async def test_a_good_day_is_a_few_lines(rig: Rig, stream: io.StringIO) -> None:
    rig.publish(READS, [read(), b"{", read(owner="Jane Roe"), read(plate="ZZZ9999", event_id="z")])
    rig.publish(CHECKS, [check_in()])
    await rig.run_until(5)
    events = [line["event"] for line in lines(stream)]
    assert events == ["registry applied"] + ["partition claimed"] * 8


async def test_failures_around_the_transaction_are_told_without_their_words(
    rig: Rig, stream: io.StringIO, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A backend ended in the middle of writing an alert: Postgres' and asyncpg's texts carry values."""
    failures = iter([True])

    async def ended(conn: Any, *arguments: Any) -> Any:
        recorded = await record_decisions(conn, *arguments)
        if next(failures, False):
            pid = await conn.fetchval("SELECT pg_backend_pid()")
            await rig.execute(f"SELECT pg_terminate_backend({pid}, 5000)")
        return recorded

    monkeypatch.setattr(batch, "record_decisions", ended)
    rig.publish(READS, [read()])
    await rig.run_until(1)
    told = {line["event"]: line for line in lines(stream)}
    assert told["batch again"]["reason"] == "SERVER"
    assert told["commit unknown"]["topic"] == READS
    assert len(await rig.alerts()) == 1


async def test_an_error_nobody_foresaw_is_a_type_and_places(
    rig: Rig, stream: io.StringIO, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As when a statement is wrong: the error's text would repeat the row."""

    def wrong(*_: object, **__: object) -> None:
        raise ValueError("Jane Roe drives 8AK471 at -111.9, 33.4")

    monkeypatch.setattr(batch, "judge_parts", wrong)
    rig.publish(READS, [read()])
    with pytest.raises(ValueError, match="drives") as caught:
        await rig.worker().run(asyncio.Event())
    sys.excepthook(ValueError, caught.value, None)
    assert lines(stream)[-1]["event"] == "uncaught exception"


async def test_a_hold_a_lost_fence_and_the_breaker_are_told(rig: Rig, stream: io.StringIO) -> None:
    rig.publish(READS, [read()])
    await rig.run_until(1)
    await rig.execute("UPDATE partition_position SET last_record_digest = '\\x00' WHERE next_offset = 1")
    rig.publish(READS, [read(event_id="2")])
    rig.publish(READS, [read(event_id="3")], partition=1)
    worker = rig.worker("m2")
    async with running(worker):
        await rig.wait_for(2)
        await rig.execute("UPDATE partition_position SET epoch = epoch + 1 WHERE partition = 1")
        rig.publish(READS, [read(event_id="4")], partition=1)
        async with asyncio.timeout(20):
            while '"fence lost"' not in stream.getvalue() or '"partition held"' not in stream.getvalue():  # noqa: ASYNC110
                await asyncio.sleep(0.01)
    told = {line["event"]: line for line in lines(stream)}
    assert (told["partition held"]["partition"], told["partition held"]["reason"]) == (
        0,
        "LAST_RECORD_DIFFERS",
    )
    assert (told["fence lost"]["topic"], told["fence lost"]["partition"]) == (READS, 1)
    rig.publish(CHECKS, [b"{"] * 50)
    with pytest.raises(BreakerTrippedError):
        await rig.worker("m3", breaker=Breaker(window=20)).run(asyncio.Event())
    lines(stream)
