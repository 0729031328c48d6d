"""The registry's pack: the same engine in less time, or none at all, and a start on every order then."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import asyncpg
import numpy as np
import pytest
import structlog.testing

from integration.test_registry_live import another
from stayaway.matching.columns import OrderColumns
from stayaway.matching.engine import Engine
from stayaway.matching.model import Judgement
from stayaway.orders.codec import StoredOrderError
from stayaway.orders.load import load_registry
from stayaway.platform.embedded.broker import EmbeddedBroker
from stayaway.platform.seal import FileSeal, SealError
from stayaway.sightings.batch import decode_batch
from stayaway.worker import follow, keeper, packs, shelf
from stayaway.worker.database import PASSING_ERRORS, Database
from stayaway.worker.follow import RegistryFollower
from stayaway.worker.intake import take_in
from stayaway.worker.keeper import PackKeeper
from stayaway.worker.packs import PackError, drop_packs, in_blocks, load_pack, write_pack, writing
from stayaway.worker.shelf import OrderShelf
from support.wire_examples import ORDERS
from support.worker_rig import READS, Rig, read, running

RECALL = {
    "order_id": "O03",
    "recorded_at": "2026-03-06T20:00:00Z",
    "recalled_at": "2026-03-01T00:00:00Z",
    "reason_text": "dismissed",
}


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """A few orders are worth a pack of several blocks."""
    monkeypatch.setattr(packs, "BLOCK_ORDERS", 3)
    for module in (follow, keeper):
        monkeypatch.setattr(module, "PACKED_FROM", 1)
    monkeypatch.setattr(keeper, "_LOOK_S", 0.05)
    monkeypatch.setattr(keeper, "_PAUSE_S", 0.0)
    monkeypatch.setattr(keeper, "_AT_ONCE", 2)


@pytest.fixture
async def rig(database: str, embedded_broker: EmbeddedBroker, seal: FileSeal) -> AsyncIterator[Rig]:
    """A registry of ten orders, one import each."""
    rig = Rig(database, embedded_broker.bootstrap, seal)
    for number in range(10):
        await rig.import_orders(another(f"O{number:02d}", f"ZZZ {number:04d}"))
    yield rig
    for opened in rig.databases:
        await opened.close()


@pytest.fixture
async def conn(rig: Rig) -> AsyncIterator[asyncpg.Connection]:
    opened = await asyncpg.connect(rig.dsn)
    yield opened
    await opened.close()


def new_database(rig: Rig) -> Database:
    rig.databases.append(Database(rig.dsn, wait_s=5, on_wait=lambda _: None))
    return rig.databases[-1]


def follower_of(rig: Rig) -> RegistryFollower:
    source = OrderShelf(new_database(rig), rig.seal, wait_s=5)
    return RegistryFollower(new_database(rig), rig.seal, rig.policy, source=source)


def keeper_of(rig: Rig, follower: RegistryFollower, told: list[int] | None = None) -> PackKeeper:
    told = [] if told is None else told
    return PackKeeper(follower, new_database(rig), rig.seal, on_unopened=told.append)


async def write(conn: asyncpg.Connection, seal: FileSeal) -> int:
    """A pack of everything as it stands; its sequence."""
    intake = await take_in(conn, seal, 0, at_once=4)
    async with writing(conn) as may_write:
        assert may_write
        await write_pack(conn, seal, intake.registry_sequence, in_blocks(intake.columns))
    return intake.registry_sequence


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


async def test_a_pack_holds_what_the_records_say(rig: Rig, conn: asyncpg.Connection) -> None:
    sequence = await write(conn, rig.seal)
    loaded = await load_pack(conn, rig.seal)
    assert loaded is not None
    assert loaded[0] == sequence == 10
    assert loaded[1].equals((await take_in(conn, rig.seal, 0, at_once=100)).columns)
    assert await conn.fetchval("SELECT count(*) FROM registry_pack") == 5
    stored = b"".join(row[0] for row in await conn.fetch("SELECT content_sealed FROM registry_pack"))
    for secret in (b"ZZZ0001", b"O01"):
        assert secret not in stored


async def test_a_start_from_a_pack_and_what_came_after_is_a_start_on_everything(
    rig: Rig, conn: asyncpg.Connection
) -> None:
    """A new order, a new version with another plate, a recall; and no order is read before it is needed."""
    await write(conn, rig.seal)
    await rig.import_orders(another("O10", "ZZZ 0010"))
    await rig.import_orders(another("O02", "ZZZ 0012").replace(b'"version": 1', b'"version": 2'))
    await rig.import_orders(
        json.dumps({**ORDERS, "orders": [], "notices": [], "suspensions": [], "recalls": [RECALL]}).encode()
    )
    follower = follower_of(rig)
    await follower.reload()
    first = follower.take_first()
    assert (first.from_pack, first.registry_sequence, follower.changed) == (True, 10, 3)
    await assert_same_as_whole(rig, conn, follower)
    await rig.import_orders(another("O11", "ZZZ 0011"))
    await follower.reload()
    await assert_same_as_whole(rig, conn, follower)


async def test_one_pack_serves_every_policy(rig: Rig, conn: asyncpg.Connection) -> None:
    await write(conn, rig.seal)
    rig.policy = rig.policy.model_copy(update={"accuracy_cap_m": 3_000.0, "loose_min_length": 3})
    follower = follower_of(rig)
    await follower.reload()
    assert follower.take_first().from_pack
    await assert_same_as_whole(rig, conn, follower)


# ---------------------------------------------------------------- packs that may not be used


SWAP = """
    UPDATE registry_pack p SET content_sealed = q.content_sealed FROM registry_pack q
     WHERE p.block_number + q.block_number = 3 AND p.block_number IN (1, 2)
"""
FORGERIES = {
    "a changed byte": "UPDATE registry_pack SET content_sealed = set_byte(content_sealed, 90,"
    " get_byte(content_sealed, 90) # 1) WHERE block_number = 2",
    "a changed head": "UPDATE registry_pack SET content_sealed = set_byte(content_sealed, 20,"
    " get_byte(content_sealed, 20) # 1) WHERE block_number = 0",
    "two blocks swapped": SWAP,
    "a block left out": "DELETE FROM registry_pack WHERE block_number = 4",
    "the last block in the place of the one before": "UPDATE registry_pack SET content_sealed = (SELECT"
    " content_sealed FROM registry_pack WHERE block_number = 4) WHERE block_number = 3",
    "another sequence": "UPDATE registry_pack SET registry_sequence = registry_sequence - 1",
    "another pack's id": "UPDATE registry_pack SET pack_id = decode(repeat('00', 16), 'hex')",
    "another history": "UPDATE registry_change SET applied_at = applied_at + interval '1 microsecond'"
    " WHERE registry_sequence = 10",
}


@pytest.mark.parametrize("name", sorted(FORGERIES))
async def test_a_pack_that_was_touched_is_refused_and_written_anew(
    name: str, rig: Rig, conn: asyncpg.Connection
) -> None:
    """Said as an error; the start opens every order, judges the same, and a good pack takes its place."""
    await write(conn, rig.seal)
    done = await conn.execute(FORGERIES[name])
    assert done.split()[-1] != "0"
    with pytest.raises(PackError):
        await load_pack(conn, rig.seal)
    follower = follower_of(rig)
    said = await events_of(follower.reload())
    assert ("error", "registry pack refused") in said
    assert ("warning", "started without a registry pack") in said
    await assert_same_as_whole(rig, conn, follower)
    await keeper_of(rig, follower)._settle(follower.take_first())
    assert await load_pack(conn, rig.seal) is not None


async def events_of(work: Any) -> list[tuple[str, str]]:
    """What is said while `work` runs: level and event."""
    with structlog.testing.capture_logs() as said:
        await work
    return [(line["log_level"], line["event"]) for line in said]


async def test_a_block_of_an_earlier_pack_is_refused(rig: Rig, conn: asyncpg.Connection) -> None:
    """Of the same number, with the same orders but one: it opens under its own pack's name only."""
    await write(conn, rig.seal)
    old = await conn.fetchval("SELECT content_sealed FROM registry_pack WHERE block_number = 1")
    await rig.import_orders(another("O01", "ZZZ 0021").replace(b'"version": 1', b'"version": 2'))
    await write(conn, rig.seal)
    await conn.execute("UPDATE registry_pack SET content_sealed = $1 WHERE block_number = 1", old)
    with pytest.raises(PackError):
        await load_pack(conn, rig.seal)


async def test_an_earlier_pack_put_back_as_a_whole_is_only_older(rig: Rig, conn: asyncpg.Connection) -> None:
    """What changed since is read from the records, as always."""
    await write(conn, rig.seal)
    await conn.execute("CREATE TEMPORARY TABLE kept AS SELECT * FROM registry_pack")
    await rig.import_orders(another("O01", "ZZZ 0012").replace(b'"version": 1', b'"version": 2'))
    await write(conn, rig.seal)
    await conn.execute("DELETE FROM registry_pack")
    await conn.execute("INSERT INTO registry_pack SELECT * FROM kept")
    follower = follower_of(rig)
    await follower.reload()
    assert follower.take_first().registry_sequence == 10
    await assert_same_as_whole(rig, conn, follower)


async def test_a_pack_beyond_the_registry_is_not_looked_at(rig: Rig, conn: asyncpg.Connection) -> None:
    """A database that was put back to an earlier state."""
    await write(conn, rig.seal)
    await conn.execute("UPDATE registry SET registry_sequence = 9")
    assert await load_pack(conn, rig.seal) is None


async def test_a_pack_of_a_change_that_never_was_is_refused(rig: Rig, conn: asyncpg.Connection) -> None:
    """A history that took another turn before the pack's sequence, and has not come there again."""
    await write(conn, rig.seal)
    await conn.execute("UPDATE registry_change SET registry_sequence = 11 WHERE registry_sequence = 10")
    with pytest.raises(PackError):
        await load_pack(conn, rig.seal)


async def test_with_other_keys_it_does_not_open(rig: Rig, conn: asyncpg.Connection, tmp_path: Any) -> None:
    await write(conn, rig.seal)
    for seal in (FileSeal(tmp_path / "other"), FileSeal(tmp_path / "another")):
        with pytest.raises(PackError):
            await load_pack(conn, seal)
        seal.ensure([packs.PACK_SCOPE])


# ---------------------------------------------------------------- writers


async def test_two_writers_do_not_write_at_once(rig: Rig, conn: asyncpg.Connection) -> None:
    other = await asyncpg.connect(rig.dsn)
    async with writing(conn) as first, writing(other) as second:
        assert (first, second) == (True, False)
    async with writing(other) as later:
        assert later
    await other.close()


async def test_a_writer_that_dies_leaves_the_pack_there_was(rig: Rig, conn: asyncpg.Connection) -> None:
    """Cut off by the server after its first blocks: no half pack, and the next writer may write."""
    await write(conn, rig.seal)
    before = await conn.fetch("SELECT * FROM registry_pack ORDER BY block_number")
    dying = await asyncpg.connect(rig.dsn)
    columns = (await take_in(dying, rig.seal, 0, at_once=100)).columns

    async def blocks() -> AsyncIterator[OrderColumns]:
        async for number, block in _numbered(in_blocks(columns)):
            if number == 2:
                await conn.execute("SELECT pg_terminate_backend($1)", dying.get_server_pid())
            yield block

    with pytest.raises(PASSING_ERRORS):
        async with writing(dying):
            await write_pack(dying, rig.seal, 10, blocks())
    assert await conn.fetch("SELECT * FROM registry_pack ORDER BY block_number") == before
    await write(conn, rig.seal)
    assert await load_pack(conn, rig.seal) is not None
    await dying.close()


async def _numbered(blocks: AsyncIterator[OrderColumns]) -> AsyncIterator[tuple[int, OrderColumns]]:
    number = 0
    async for block in blocks:
        yield number, block
        number += 1


async def test_packs_are_dropped_also_the_one_being_written(rig: Rig, conn: asyncpg.Connection) -> None:
    """Nothing is left of them that a matcher could start from."""
    await write(conn, rig.seal)
    other = await asyncpg.connect(rig.dsn)

    async def drop() -> None:
        async with other.transaction():
            await drop_packs(other)

    columns = (await take_in(conn, rig.seal, 0, at_once=100)).columns
    async with writing(conn):
        await write_pack(conn, rig.seal, 10, in_blocks(columns))
        dropping = asyncio.create_task(drop())
        await until(lambda: _waits(rig))
    await dropping
    assert await conn.fetchval("SELECT count(*) FROM registry_pack") == 0
    await other.close()


async def _waits(rig: Rig) -> bool:
    rows = await rig.rows("SELECT 1 FROM pg_locks WHERE locktype = 'advisory' AND NOT granted")
    return bool(rows)


async def test_it_is_written_anew_from_the_last_one_when_enough_changed(
    rig: Rig, conn: asyncpg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Orders before, within and after the old blocks; the same pack as one made of everything."""
    monkeypatch.setattr(keeper, "_CHANGED_SHARE", 2)
    await write(conn, rig.seal)
    follower = follower_of(rig)
    await follower.reload()
    keeping = asyncio.create_task(keeper_of(rig, follower).run())
    for order_id in ("A1", "A2", "A3", "A4"):
        await rig.import_orders(another(order_id, "AAA 1111"))
    await follower.reload()
    await asyncio.sleep(0.3)  # several looks: four of fourteen are not enough
    assert await conn.fetchval("SELECT DISTINCT registry_sequence FROM registry_pack") == 10
    for order_id in ("O03x", "O05x", "Z1", "Z2"):
        await rig.import_orders(another(order_id, "AAA 2222"))
    await rig.import_orders(another("O04", "ZZZ 9999").replace(b'"version": 1', b'"version": 2'))
    await follower.reload()
    await until(lambda: _sequence_is(rig, 19))
    loaded = await load_pack(conn, rig.seal)
    assert loaded is not None
    assert loaded[1].equals((await take_in(conn, rig.seal, 0, at_once=100)).columns)
    keeping.cancel()
    await asyncio.wait({keeping})


async def _sequence_is(rig: Rig, sequence: int) -> bool:
    rows = await rig.rows("SELECT DISTINCT registry_sequence FROM registry_pack")
    return [row["registry_sequence"] for row in rows] == [sequence]


async def test_a_block_that_does_not_open_is_not_merged(rig: Rig, conn: asyncpg.Connection) -> None:
    """The new pack is made of every order then."""
    await write(conn, rig.seal)
    follower = follower_of(rig)
    await follower.reload()
    await rig.import_orders(another("O11", "ZZZ 0011"))
    await follower.reload()
    await conn.execute(SWAP)
    said = await events_of(keeper_of(rig, follower)._renew(conn))
    assert ("error", "registry pack refused") in said
    loaded = await load_pack(conn, rig.seal)
    assert loaded is not None
    assert loaded[0] == 11


async def test_a_start_does_not_replace_a_newer_pack(rig: Rig, conn: asyncpg.Connection) -> None:
    follower = follower_of(rig)
    await follower.reload()
    await rig.import_orders(another("O11", "ZZZ 0011"))
    assert await write(conn, rig.seal) == 11
    await keeper_of(rig, follower)._settle(follower.take_first())
    assert await _sequence_is(rig, 11)


# ---------------------------------------------------------------- the check after the start


async def test_every_order_is_opened_after_a_start_from_a_pack(rig: Rig, conn: asyncpg.Connection) -> None:
    """The number of those left falls to nothing, and the pack stays."""
    await write(conn, rig.seal)
    await rig.import_orders(another("O11", "ZZZ 0011"))  # not the pack's: opened at the start
    follower, told = follower_of(rig), list[int]()
    await follower.reload()
    await keeper_of(rig, follower, told)._settle(follower.take_first())
    assert list(dict.fromkeys(told)) == [10, 8, 6, 4, 2, 0]
    assert await load_pack(conn, rig.seal) is not None


BROKEN = {
    "a row that does not open": "UPDATE order_record SET payload_sealed = 'x'::bytea WHERE order_id = 'O07'",
    "a row of another record": "UPDATE order_record SET content_digest = sha256(content_digest)"
    " WHERE order_id = 'O07'",
    "an order without records": "DELETE FROM order_record WHERE order_id = 'O07'",
    "a record gone": "DELETE FROM order_record WHERE order_id = 'O07' AND record_kind = 'VERSION'",
}


@pytest.mark.parametrize("name", sorted(BROKEN))
async def test_an_order_that_does_not_open_ends_the_check_and_the_pack(
    name: str, rig: Rig, conn: asyncpg.Connection
) -> None:
    await write(conn, rig.seal)
    await conn.execute(BROKEN[name])
    follower = follower_of(rig)
    await follower.reload()
    with pytest.raises((StoredOrderError, SealError)):
        await keeper_of(rig, follower)._settle(follower.take_first())
    assert await conn.fetchval("SELECT count(*) FROM registry_pack") == 0


async def test_a_pack_that_says_something_else_is_found(rig: Rig, conn: asyncpg.Connection) -> None:
    """Sealed with the right key, whole, and wrong: a plate changed, an order too few, one too many."""
    whole = (await take_in(conn, rig.seal, 0, at_once=100)).columns
    plates = whole.plates.copy()
    plates[3, 0] ^= 1
    fields = {name: getattr(whole, name) for name in OrderColumns.__slots__}
    other_id = OrderColumns(**{**fields, "order_ids": np.append(whole.order_ids[:-1], np.bytes_(b"P99"))})
    for wrong in (
        OrderColumns(**{**fields, "plates": plates}),
        whole.take(np.arange(9)),
        OrderColumns.joined([whole, other_id.take(np.array([9]))]),
    ):
        async with writing(conn):
            await write_pack(conn, rig.seal, 10, in_blocks(wrong))
        follower = follower_of(rig)
        await follower.reload()
        with pytest.raises(StoredOrderError):
            await keeper_of(rig, follower)._settle(follower.take_first())
        assert await load_pack(conn, rig.seal) is None


# ---------------------------------------------------------------- orders on demand


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
    await write(conn, rig.seal)
    await conn.execute(BROKEN[name])
    follower = follower_of(rig)
    await follower.reload()
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
    await conn.execute(BROKEN["a row that does not open"])
    worker = rig.worker()
    with pytest.raises(SealError):
        async with asyncio.timeout(10), running(worker) as task:
            await task
