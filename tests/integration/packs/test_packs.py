"""The registry's pack: the same engine in less time, or none at all, and a start on every order then."""

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import asyncpg
import pytest

from integration.test_registry_live import another
from stayaway.matching.columns import OrderColumns
from stayaway.orders.load import BEGINNING
from stayaway.worker import packs
from stayaway.worker.database import PASSING_ERRORS
from stayaway.worker.intake import take_in
from stayaway.worker.packs import PackError, drop_packs, in_blocks, load_pack, write_pack, writing
from support.keys import made_keys
from support.packing import (
    RECALL,
    SWAP,
    assert_same_as_whole,
    events_of,
    follower_of,
    keeper_of,
    until,
    write,
)
from support.tampering import tamper
from support.wire_examples import ORDERS
from support.worker_rig import Rig


async def test_a_pack_holds_what_the_records_say(rig: Rig, conn: asyncpg.Connection) -> None:
    sequence = await write(conn, rig.seal)
    loaded = await load_pack(conn, rig.seal)
    assert loaded is not None
    assert loaded[0].registry_sequence == sequence == 10
    assert loaded[1].equals((await take_in(conn, rig.seal, BEGINNING, at_once=100)).columns)
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
    assert (first.from_pack, first.point.registry_sequence, follower.changed) == (True, 10, 3)
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


async def test_a_sequence_that_no_change_has_may_be_packed(rig: Rig, conn: asyncpg.Connection) -> None:
    """Orders that end by themselves raise the registry's sequence and K, and record nothing."""
    await conn.execute("UPDATE registry SET registry_sequence = 11, known_at = known_at + interval '1 day'")
    assert await write(conn, rig.seal) == 11
    follower = follower_of(rig)
    await follower.reload()
    assert follower.take_first().from_pack
    await assert_same_as_whole(rig, conn, follower)


# ---------------------------------------------------------------- packs that may not be used


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
    done = await tamper(conn, FORGERIES[name])
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
    assert follower.take_first().point.registry_sequence == 10
    await assert_same_as_whole(rig, conn, follower)


async def test_a_pack_beyond_the_registry_is_not_looked_at(rig: Rig, conn: asyncpg.Connection) -> None:
    """A database that was put back to an earlier state."""
    await write(conn, rig.seal)
    await tamper(conn, "UPDATE registry SET registry_sequence = 9")
    assert await load_pack(conn, rig.seal) is None


async def test_a_pack_of_a_change_that_never_was_is_refused(rig: Rig, conn: asyncpg.Connection) -> None:
    """A history that took another turn before the pack's sequence, and has not come there again."""
    await write(conn, rig.seal)
    await tamper(conn, "UPDATE registry_change SET registry_sequence = 11 WHERE registry_sequence = 10")
    with pytest.raises(PackError):
        await load_pack(conn, rig.seal)


async def test_with_other_keys_it_does_not_open(rig: Rig, conn: asyncpg.Connection, tmp_path: Any) -> None:
    await write(conn, rig.seal)
    for seal in (made_keys(tmp_path / "other"), made_keys(tmp_path / "another")):
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
    intake = await take_in(dying, rig.seal, BEGINNING, at_once=100)

    async def blocks() -> AsyncIterator[OrderColumns]:
        async for number, block in _numbered(in_blocks(intake.columns)):
            if number == 2:
                await conn.execute("SELECT pg_terminate_backend($1)", dying.get_server_pid())
            yield block

    with pytest.raises(PASSING_ERRORS):
        async with writing(dying):
            await write_pack(dying, rig.seal, intake.point, blocks())
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

    intake = await take_in(conn, rig.seal, BEGINNING, at_once=100)
    async with writing(conn):
        await write_pack(conn, rig.seal, intake.point, in_blocks(intake.columns))
        dropping = asyncio.create_task(drop())
        await until(lambda: _waits(rig))
    await dropping
    assert await conn.fetchval("SELECT count(*) FROM registry_pack") == 0
    await other.close()


async def _waits(rig: Rig) -> bool:
    rows = await rig.rows("SELECT 1 FROM pg_locks WHERE locktype = 'advisory' AND NOT granted")
    return bool(rows)
