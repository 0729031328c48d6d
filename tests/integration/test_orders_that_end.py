"""Orders that end by themselves: each open alert is told once, whoever marked it; looking holds nobody up."""

import asyncio
import copy
import json
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import asyncpg
import pytest

from stayaway.alerts.order_expiry import mark_ended_orders
from stayaway.alerts.review import acknowledge, claim, dismiss
from stayaway.alerts.review_model import Dismissal, Reviewer
from stayaway.audit.store import verify_stream
from stayaway.kernel.instants import format_instant
from stayaway.platform.seal import FileSeal
from support.databases import SERVERS
from support.direct_writer import DirectWriter
from support.recording import record
from support.waiting import backend_that_waits
from support.wire_examples import CHECK_IN, ORDERS, example_policy

pytestmark = pytest.mark.parametrize("databases", SERVERS, indirect=True)

POLICY = example_policy()
DAY = datetime(2026, 3, 6, tzinfo=UTC)
END_MINUTE = 100
WHO = Reviewer(name="dora", channel="cli")
LOCK_REGISTRY = "SELECT FROM registry FOR UPDATE"


def minute(number: int) -> datetime:
    return DAY + timedelta(minutes=number)


def seen_at(number: int, **changes: Any) -> bytes:
    """A check-in in the zone, so many minutes into the day."""
    at, received = minute(number), minute(number) + timedelta(seconds=2)
    event = {
        "event_id": f"e{number}",
        "observed_at": format_instant(at),
        "received_at": format_instant(received),
    }
    return json.dumps({**CHECK_IN, **event, **changes}).encode()


class World:
    """An order that expires at END_MINUTE, one matcher, and somebody who looks what has ended."""

    def __init__(self, conn: asyncpg.Connection, seal: FileSeal) -> None:
        self.conn, self.seal = conn, seal
        self.matcher = DirectWriter(conn, seal, POLICY)

    async def open(self) -> None:
        file = copy.deepcopy(ORDERS)
        (order,) = file["orders"]
        del order["expires_after_notice"]
        order["expires_at"] = format_instant(minute(END_MINUTE))
        zone = {**order["zones"][0], "zone_id": "Z2", "place_type": "WORK"}
        order["zones"].append({**zone, "geometry": {"type": "Point", "coordinates": [-111.89, 33.4]}})
        await record(self.conn, self.seal, file)
        await self.matcher.load()

    async def another_order_after_the_end(self) -> None:
        """The matcher knows more than the end from now on, by a change that has nothing to do with it."""
        file = copy.deepcopy(ORDERS)
        (order,) = file["orders"]
        order |= {"order_id": "O2", "recorded_at": format_instant(minute(END_MINUTE + 1))}
        order["respondents"][0]["devices"] = [{"device_id": "D10"}]
        file["notices"][0]["order_id"] = "O2"
        await record(self.conn, self.seal, file)
        await self.matcher.load()

    async def look(self, number: int) -> tuple[str, ...]:
        marked = await mark_ended_orders(self.conn, self.seal, POLICY, actor="timer", at=minute(number))
        assert marked.unread == {}
        return marked.alert_ids

    async def alert(self) -> Any:
        """The alert that was raised last."""
        return await self.conn.fetchrow("SELECT * FROM alert ORDER BY alert_number DESC LIMIT 1")

    async def decisions(self) -> list[tuple[str, list[str]]]:
        rows = await self.conn.fetch("SELECT event_id, cautions FROM decision ORDER BY observed_at")
        return [(row["event_id"], row["cautions"]) for row in rows]

    async def told(self) -> list[str]:
        """What the log has of ends, in any order."""
        rows = await self.conn.fetch("SELECT entry_type FROM audit_entry WHERE entry_type LIKE '%ENDED'")
        return sorted(row["entry_type"] for row in rows)

    async def everything(self) -> Sequence[Any]:
        """What a look that finds nothing must leave as it is."""
        return await self.conn.fetch(
            """SELECT (SELECT registry_sequence FROM registry), (SELECT count(*) FROM audit_entry),
                      (SELECT count(*) FROM outbox),
                      (SELECT array_agg(alert ORDER BY alert_id)::text FROM alert),
                      (SELECT array_agg(decision ORDER BY event_id)::text FROM decision)"""
        )


@pytest.fixture
async def world(database: str, seal: FileSeal) -> AsyncIterator[World]:
    conn = await asyncpg.connect(database)
    opened = World(conn, seal)
    await opened.open()
    yield opened
    assert await verify_stream(conn, seal, "orders") == []
    await conn.close()


MARKED = ["ORDER_SINCE_ENDED"]


@pytest.mark.parametrize("is_claimed", [True, False])
async def test_what_a_matcher_marked_is_told_by_the_next_look_once(world: World, *, is_claimed: bool) -> None:
    """It knew of the end by another order's change and judged a late sighting on that."""
    await world.matcher.write([seen_at(80)])
    if is_claimed:
        number = (await world.alert())["alert_number"]
        await claim(world.conn, world.seal, number, WHO, now=minute(81))
    await world.another_order_after_the_end()
    await world.matcher.write([seen_at(85)])
    before = await world.alert()
    assert (before["cautions"], before["to_acknowledge_by"]) == (MARKED, None)
    assert await world.decisions() == [("e80", []), ("e85", MARKED)]

    assert await world.look(END_MINUTE + 2) == (before["alert_id"],)
    alert = await world.alert()
    assert alert["to_acknowledge_by"] == ("dora" if is_claimed else None)
    assert await world.decisions() == [("e80", MARKED), ("e85", MARKED)]
    assert await world.told() == ["ALERT_ORDER_ENDED", "ORDERS_ENDED"]
    assert await world.conn.fetchval("SELECT count(*) FROM outbox WHERE change = 'ORDER_ENDED'") == 1

    settled = await world.everything()
    assert await world.look(END_MINUTE + 3) == ()
    assert await world.everything() == settled


async def test_who_was_asked_is_not_asked_again_by_a_matcher_that_did_not_know(world: World) -> None:
    """It wrote a sighting after the look by what it knew before: it is judged again, that is all."""
    await world.matcher.write([seen_at(80)])
    number = (await world.alert())["alert_number"]
    await claim(world.conn, world.seal, number, WHO, now=minute(81))
    assert len(await world.look(END_MINUTE)) == 1
    await acknowledge(world.conn, world.seal, number, WHO, now=minute(END_MINUTE))
    await world.matcher.write([seen_at(85)])
    assert await world.decisions() == [("e80", MARKED), ("e85", [])]

    assert await world.look(END_MINUTE + 1) == ()
    assert await world.decisions() == [("e80", MARKED), ("e85", MARKED)]
    alert = await world.alert()
    assert (alert["to_acknowledge_by"], alert["acknowledged_at"]) == ("dora", minute(END_MINUTE))
    assert (await world.told()).count("ALERT_ORDER_ENDED") == 1

    settled = await world.everything()
    assert await world.look(END_MINUTE + 2) == ()
    assert await world.everything() == settled


async def test_decisions_that_point_to_a_closed_alert_are_judged_again_too(world: World) -> None:
    """The open alert was raised anew from it, and one of the two was bridged into it: all of the episode."""
    for at in (0, 60, 30):
        await world.matcher.write([seen_at(at)])
    (root,) = await world.conn.fetch("SELECT * FROM alert WHERE state = 'OPEN'")
    await dismiss(
        world.conn, world.seal, root["alert_number"], Dismissal(reason_code="MISREAD"), WHO, now=minute(61)
    )
    await world.matcher.write([seen_at(65, lon=-111.89)])
    anew = await world.alert()
    assert anew["raised_anew_from"] == root["alert_id"]
    await claim(world.conn, world.seal, anew["alert_number"], WHO, now=minute(66))
    await world.another_order_after_the_end()
    await world.matcher.write([seen_at(70)])
    assert (await world.decisions())[-1] == ("e70", MARKED)

    assert await world.look(END_MINUTE + 2) == (anew["alert_id"],)
    assert (await world.alert())["to_acknowledge_by"] == "dora"
    assert [cautions for _, cautions in await world.decisions()] == [MARKED] * 5
    settled = await world.everything()
    assert await world.look(END_MINUTE + 3) == ()
    assert await world.everything() == settled


async def test_a_look_waits_for_nobody_where_nothing_has_ended(world: World, database: str) -> None:
    """To open every order with an open alert takes a while: not while the registry is locked."""
    await world.matcher.write([seen_at(80)])
    other = await asyncpg.connect(database)
    try:
        async with other.transaction():
            await other.execute(LOCK_REGISTRY)
            async with asyncio.timeout(10):
                assert await world.look(END_MINUTE - 1) == ()
    finally:
        await other.close()


async def test_what_has_ended_is_looked_at_again_once_the_registry_is_locked(
    world: World, database: str
) -> None:
    """Whoever held the lock has changed what was seen without it."""
    await world.matcher.write([seen_at(80)])
    other = await asyncpg.connect(database)
    try:
        async with other.transaction():
            await other.execute(LOCK_REGISTRY)
            looking = asyncio.create_task(world.look(END_MINUTE))
            await backend_that_waits(other)
            await other.execute("UPDATE alert SET state = 'DISMISSED'")
        before = await other.fetchval("SELECT registry_sequence FROM registry")
        assert await looking == ()
        assert await other.fetchval("SELECT registry_sequence FROM registry") == before
        assert await world.told() == []
    finally:
        await other.close()
