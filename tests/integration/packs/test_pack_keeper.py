"""Packs are written anew when much has changed, and what a start took from one is checked."""

import asyncio

import asyncpg
import numpy as np
import pytest

from integration.test_registry_live import another
from stayaway.matching.columns import OrderColumns
from stayaway.orders.codec import StoredOrderError
from stayaway.orders.load import BEGINNING
from stayaway.platform.seal import SealError
from stayaway.worker import keeper
from stayaway.worker.intake import take_in
from stayaway.worker.keeper import PackKeeper
from stayaway.worker.packs import in_blocks, load_pack, write_pack, writing
from support.packing import (
    BROKEN,
    SWAP,
    begun_on_broken,
    events_of,
    follower_of,
    keeper_of,
    sequence_is,
    until,
    write,
)
from support.worker_rig import Rig


async def test_it_is_written_anew_from_the_last_one_when_enough_changed(
    rig: Rig, conn: asyncpg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Orders before, within and after the old blocks; the same pack as one made of everything."""
    monkeypatch.setattr(keeper, "_CHANGED_SHARE", 2)
    await write(conn, rig.seal)
    follower = follower_of(rig)
    await follower.reload()
    kept = keeper_of(rig, follower)
    for order_id in ("A1", "A2", "A3", "A4"):
        await rig.import_orders(another(order_id, "AAA 1111"))
    await follower.reload()
    assert not kept._is_due()  # four of fourteen are not enough
    for order_id in ("O03x", "O05x", "Z1", "Z2"):
        await rig.import_orders(another(order_id, "AAA 2222"))
    await rig.import_orders(another("O04", "ZZZ 9999").replace(b'"version": 1', b'"version": 2'))
    await follower.reload()
    assert kept._is_due()
    keeping = asyncio.create_task(kept.run())
    await until(lambda: sequence_is(rig, 19))
    await until(lambda: _is_quiet(kept))
    loaded = await load_pack(conn, rig.seal)
    assert loaded is not None
    assert loaded[1].equals((await take_in(conn, rig.seal, BEGINNING, at_once=100)).columns)
    keeping.cancel()
    await asyncio.wait({keeping})


async def _is_quiet(kept: PackKeeper) -> bool:
    return not kept._is_due()


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
    assert loaded[0].registry_sequence == 11


async def test_a_start_does_not_replace_a_newer_pack(rig: Rig, conn: asyncpg.Connection) -> None:
    follower = follower_of(rig)
    await follower.reload()
    await rig.import_orders(another("O11", "ZZZ 0011"))
    assert await write(conn, rig.seal) == 11
    await keeper_of(rig, follower)._settle(follower.take_first())
    assert await sequence_is(rig, 11)


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


async def test_the_check_rests_longer_while_records_come(
    rig: Rig, conn: asyncpg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every order is opened all the same; how long a rest takes is asked at each."""
    monkeypatch.setattr(keeper, "_PAUSE_BUSY_S", 0.1)
    monkeypatch.setattr(keeper, "_PAUSE_S", 0.0)
    await write(conn, rig.seal)
    follower, told = follower_of(rig), list[int]()
    await follower.reload()
    answers = iter([True, True, True])
    kept = keeper_of(rig, follower, told, is_busy=lambda: next(answers, False))
    began_s = asyncio.get_running_loop().time()
    await kept._settle(follower.take_first())
    assert asyncio.get_running_loop().time() - began_s >= 0.3
    assert told[-1] == 0


@pytest.mark.parametrize("name", sorted(BROKEN))
async def test_an_order_that_does_not_open_ends_the_check_and_the_pack(
    name: str, rig: Rig, conn: asyncpg.Connection
) -> None:
    follower = await begun_on_broken(rig, conn, name)
    with pytest.raises((StoredOrderError, SealError)):
        await keeper_of(rig, follower)._settle(follower.take_first())
    assert await conn.fetchval("SELECT count(*) FROM registry_pack") == 0


async def test_a_pack_that_says_something_else_is_found(rig: Rig, conn: asyncpg.Connection) -> None:
    """Sealed with the right key, whole, and wrong: a plate changed, an order too few, one too many."""
    intake = await take_in(conn, rig.seal, BEGINNING, at_once=100)
    whole = intake.columns
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
            await write_pack(conn, rig.seal, intake.point, in_blocks(wrong))
        follower = follower_of(rig)
        await follower.reload()
        with pytest.raises(StoredOrderError):
            await keeper_of(rig, follower)._settle(follower.take_first())
        assert await load_pack(conn, rig.seal) is None
