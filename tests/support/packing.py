"""Packs written, started from and kept, without a matcher's loop; a registry of ten orders."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import asyncpg
import numpy as np
import structlog.testing

from stayaway.matching.engine import Engine
from stayaway.matching.model import Judgement
from stayaway.orders.load import BEGINNING
from stayaway.platform.seal import FileSeal
from stayaway.sightings.batch import decode_batch
from stayaway.worker.database import Database
from stayaway.worker.follow import RegistryFollower
from stayaway.worker.intake import take_in
from stayaway.worker.keeper import PackKeeper
from stayaway.worker.packs import in_blocks, write_pack, writing
from stayaway.worker.shelf import OrderShelf
from support.tampering import tamper
from support.whole_registry import load_registry
from support.worker_rig import Rig, read

RECALL = {
    "order_id": "O03",
    "recorded_at": "2026-03-06T20:00:00Z",
    "recalled_at": "2026-03-01T00:00:00Z",
    "reason_text": "dismissed",
}

SWAP = """
    UPDATE registry_pack p SET content_sealed = q.content_sealed FROM registry_pack q
     WHERE p.block_number + q.block_number = 3 AND p.block_number IN (1, 2)
"""

BROKEN = {
    "a row that does not open": "UPDATE order_record SET payload_sealed = 'x'::bytea WHERE order_id = 'O07'",
    "a row of another record": "UPDATE order_record SET content_digest = sha256(content_digest)"
    " WHERE order_id = 'O07'",
    "an order without records": "DELETE FROM order_record WHERE order_id = 'O07'",
    "a record gone": "DELETE FROM order_record WHERE order_id = 'O07' AND record_kind = 'VERSION'",
}


def new_database(rig: Rig) -> Database:
    rig.databases.append(Database(rig.dsn, wait_s=5, on_wait=lambda _: None))
    return rig.databases[-1]


def follower_of(rig: Rig) -> RegistryFollower:
    source = OrderShelf(new_database(rig), rig.seal, wait_s=5)
    return RegistryFollower(new_database(rig), rig.seal, rig.policy, source=source)


def keeper_of(
    rig: Rig,
    follower: RegistryFollower,
    told: list[int] | None = None,
    *,
    is_busy: Callable[[], bool] = lambda: False,
) -> PackKeeper:
    told = [] if told is None else told
    return PackKeeper(follower, new_database(rig), rig.seal, on_unopened=told.append, is_busy=is_busy)


async def write(conn: asyncpg.Connection, seal: FileSeal) -> int:
    """A pack of everything as it stands; its sequence."""
    intake = await take_in(conn, seal, BEGINNING, at_once=4)
    async with writing(conn) as may_write:
        assert may_write
        await write_pack(conn, seal, intake.point, in_blocks(intake.columns))
    return intake.point.registry_sequence


EVENTS = [
    *(read(event_id=f"r{n}", plate=f"ZZZ{n:04d}") for n in range(14)),
    read(event_id="nobody", plate="QQQ1111"),
    read(event_id="elsewhere", plate="ZZZ0001", lon=0.0),
]


async def until(condition: Callable[[], Awaitable[bool]]) -> None:
    async with asyncio.timeout(20):
        while not await condition():  # noqa: ASYNC110 - what is waited for is in the database
            await asyncio.sleep(0.01)


async def judged(rig: Rig, follower: RegistryFollower) -> Judgement:
    """By the registry in use, its orders read when they are needed."""
    registry, batch = follower.current, decode_batch(EVENTS, rig.policy)
    passed = registry.engine.pass_gates(batch)
    return registry.engine.decide(batch, passed, await registry.orders_for([passed]))


async def assert_same_as_whole(rig: Rig, conn: asyncpg.Connection, follower: RegistryFollower) -> None:
    """As an engine that holds every order; and something is found."""
    found = await judged(rig, follower)
    whole = Engine(await load_registry(conn, rig.seal), rig.policy)
    wanted = whole.judge(decode_batch(EVENTS, rig.policy))
    assert found.decisions == wanted.decisions
    assert found.decisions
    assert np.array_equal(found.candidates, wanted.candidates)
    assert follower.current.engine.snapshot.head_changes == whole.snapshot.head_changes
    assert follower.current.knowledge.known_at == whole.snapshot.known_at


async def events_of(work: Any) -> list[tuple[str, str]]:
    """What is said while `work` runs: level and event."""
    with structlog.testing.capture_logs() as said:
        await work
    return [(line["log_level"], line["event"]) for line in said]


async def sequence_is(rig: Rig, sequence: int) -> bool:
    rows = await rig.rows("SELECT DISTINCT registry_sequence FROM registry_pack")
    return [row["registry_sequence"] for row in rows] == [sequence]


async def begun_on_broken(rig: Rig, conn: asyncpg.Connection, name: str) -> RegistryFollower:
    """A follower that began with a pack, after a record was broken in the way of that name."""
    await write(conn, rig.seal)
    await tamper(conn, BROKEN[name])
    follower = follower_of(rig)
    await follower.reload()
    return follower
