"""Orders read when a sighting comes near them: the snapshot's, or nothing is judged."""

import asyncio
import json

import asyncpg
import pytest

from stayaway.orders.codec import StoredOrderError
from stayaway.platform.seal import SealError
from stayaway.sightings.batch import decode_batch
from stayaway.worker import shelf
from stayaway.worker.shelf import OrderShelf
from support.packing import (
    BROKEN,
    EVENTS,
    RECALL,
    assert_same_as_whole,
    begun_on_broken,
    follower_of,
    judged,
    write,
)
from support.tampering import tamper
from support.wire_examples import ORDERS
from support.worker_rig import READS, Rig, read, running


async def test_an_order_that_changes_between_gates_and_reading_is_read_as_it_was(
    rig: Rig, conn: asyncpg.Connection
) -> None:
    """The snapshot's order, never a newer one; the next snapshot has the newer one."""
    await write(conn, rig.seal)
    follower = follower_of(rig)
    before = await follower.reload()
    batch = decode_batch(EVENTS[3:4], rig.policy)
    passed = before.engine.pass_gates(batch)
    await rig.import_orders(
        json.dumps({**ORDERS, "orders": [], "notices": [], "suspensions": [], "recalls": [RECALL]}).encode()
    )
    orders = await before.orders_for([passed])
    assert orders["O03"].recalls == ()
    assert before.engine.decide(batch, passed, orders).decisions[0].outcome == "ALERT"
    after = await follower.reload()
    orders = await after.orders_for([passed])
    assert len(orders["O03"].recalls) == 1
    assert (await before.orders_for([passed]))["O03"].recalls == ()


async def test_few_orders_are_kept_and_all_are_right(
    rig: Rig, conn: asyncpg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By number or by weight; more than that at once are read all the same."""
    monkeypatch.setattr(shelf, "MAX_ORDERS", 3)
    follower = follower_of(rig)
    await follower.reload()
    source = follower.current.source
    assert isinstance(source, OrderShelf)
    await assert_same_as_whole(rig, conn, follower)
    assert len(source._kept) == 3
    monkeypatch.setattr(shelf, "MAX_BYTES", 1)
    await assert_same_as_whole(rig, conn, follower)
    assert len(source._kept) == 1
    assert source._bytes == sum(map(shelf._weight, source._kept.values()))


async def test_a_lost_connection_is_opened_anew(rig: Rig, conn: asyncpg.Connection) -> None:
    follower = follower_of(rig)
    await follower.reload()
    await assert_same_as_whole(rig, conn, follower)
    await conn.execute(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'stayaway matcher'"
        " AND datname = current_database()"
    )
    source = follower.current.source
    assert isinstance(source, OrderShelf)
    source._kept.clear()
    await assert_same_as_whole(rig, conn, follower)


@pytest.mark.parametrize("name", sorted(BROKEN.keys() - {"a record gone"}))
async def test_a_sighting_is_not_judged_without_its_order(
    name: str, rig: Rig, conn: asyncpg.Connection
) -> None:
    """Where a change has lost one of several records, only the check finds it, by the columns."""
    follower = await begun_on_broken(rig, conn, name)
    with pytest.raises((StoredOrderError, SealError)):
        await judged(rig, follower)


async def test_a_matcher_from_a_pack_raises_the_alert_and_shows_the_check(
    rig: Rig, conn: asyncpg.Connection
) -> None:
    await rig.make_topics()
    await write(conn, rig.seal)
    rig.publish(READS, [read(event_id=str(n), plate=f"ZZZ{n:04d}") for n in range(10)])
    worker = rig.worker()
    await rig.run_until(10, worker)
    assert sorted(row["order_id"] for row in await rig.alerts()) == [f"O{n:02d}" for n in range(10)]
    await rig.check_promises()


async def test_an_order_that_does_not_open_ends_a_run(rig: Rig, conn: asyncpg.Connection) -> None:
    """As it would at the start; within moments here, by the check."""
    await rig.make_topics()
    await write(conn, rig.seal)
    await tamper(conn, BROKEN["a row that does not open"])
    worker = rig.worker()
    with pytest.raises(SealError):
        async with asyncio.timeout(10), running(worker) as task:
            await task
