"""The pack: what the gates need of every order at one registry sequence, sealed, beside the records.

A start reads it in place of opening every record (deploy/adr/0013). Its blocks and its head are sealed under
a key of its own, each bound to the pack, its sequence and its own number; the head says how many blocks and
orders there are, and which change was the last by then. So no block can be left out, come twice, come from
another pack or be read as another's, and no pack outlives the history that it was made of.
"""

import secrets
from collections.abc import AsyncIterable, AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import msgspec
import numpy as np

from stayaway.kernel.errors import StayawayError
from stayaway.kernel.instants import from_us, to_us
from stayaway.matching.column_codec import ColumnFormatError, decode_columns, encode_columns
from stayaway.matching.columns import OrderColumns
from stayaway.orders.load import RegistryPoint
from stayaway.platform.postgres import Connection, load_queries
from stayaway.platform.seal import Seal, SealError

SQL = load_queries("stayaway.worker", "packs.sql")
PACK_SCOPE = "@registry-pack"
"""The packs' key, no order's (ids have no "@"): destroying it makes every copy of a pack unreadable."""
PACKED_FROM = 2_000
"""A registry of fewer orders is opened within half a second, and has no pack."""
BLOCK_ORDERS = 8_192
"""About 0.6 MB a block: some milliseconds to seal, open or merge."""
_LOCK_KEY = int.from_bytes(b"regpack\0", "big")


class PackError(StayawayError):
    """There is a pack, but it does not prove to be whole and of this registry; it is not used."""


class PackHead(msgspec.Struct, array_like=True, frozen=True):
    """What a pack holds. `change_number`, `applied_us`: of the last change up to its sequence."""

    registry_sequence: int
    change_number: int
    applied_us: int
    blocks: int
    orders: int

    @property
    def point(self) -> RegistryPoint:
        """Where in the registry's history the pack was made."""
        return RegistryPoint(self.registry_sequence, self.change_number, from_us(self.applied_us))


@dataclass(frozen=True, slots=True)
class FoundPack:
    """A pack whose head was opened and fits the registry's history; its blocks are still closed."""

    pack_id: bytes
    head: PackHead


_HEAD_DECODER = msgspec.msgpack.Decoder(PackHead)


async def find_pack(conn: Connection, seal: Seal) -> FoundPack | None:
    """The newest pack not beyond the registry; None where there is none.

    Raises PackError where there is one that may not be used.
    """
    row = await conn.fetchrow(SQL.find_pack)
    if row is None:
        return None
    pack_id, sequence = row["pack_id"], row["registry_sequence"]
    try:
        head = _HEAD_DECODER.decode(_opened(seal, pack_id, sequence, 0, row["content_sealed"]))
    except msgspec.DecodeError as error:
        raise PackError("The head of the registry's pack is in another format.") from error
    published = None if row["applied_at"] is None else (row["change_number"], to_us(row["applied_at"]))
    if published != (head.change_number, head.applied_us):
        raise PackError("The registry's pack was made of another history than the database has.")
    return FoundPack(pack_id, head)


async def open_block(conn: Connection, seal: Seal, pack: FoundPack, number: int) -> OrderColumns:
    """Block `number` of the pack, from 1. Raises PackError."""
    sealed = await conn.fetchval(SQL.load_block, pack.pack_id, number)
    if sealed is None:
        raise PackError("The registry's pack lacks a block.")
    try:
        return decode_columns(_opened(seal, pack.pack_id, pack.head.registry_sequence, number, sealed))
    except ColumnFormatError as error:
        raise PackError("The registry's pack is in another format.") from error


def _opened(seal: Seal, pack_id: bytes, registry_sequence: int, number: int, sealed: bytes) -> bytes:
    try:
        return seal.unseal(PACK_SCOPE, _purpose(pack_id, registry_sequence, number), sealed)
    except SealError as error:
        raise PackError("The registry's pack does not open.") from error


async def load_pack(conn: Connection, seal: Seal) -> tuple[RegistryPoint, OrderColumns] | None:
    """(point in the registry's history, every order's columns at it) from the newest pack; None without one.

    One consistent state, whoever replaces the pack meanwhile. Raises PackError where it may not be used.
    """
    async with conn.transaction(isolation="repeatable_read", readonly=True):
        found = await find_pack(conn, seal)
        if found is None:
            return None
        blocks = [await open_block(conn, seal, found, number + 1) for number in range(found.head.blocks)]
    columns = OrderColumns.joined(blocks)
    if len(columns) != found.head.orders or (columns.order_ids[1:] <= columns.order_ids[:-1]).any():
        raise PackError("The registry's pack does not hold the orders that it should.")
    return found.head.point, columns


@asynccontextmanager
async def writing(conn: Connection) -> AsyncIterator[bool]:
    """A transaction in which a pack may be written: False where another process is writing one."""
    async with conn.transaction():
        yield await conn.fetchval(SQL.try_lock, _LOCK_KEY)


async def write_pack(
    conn: Connection, seal: Seal, point: RegistryPoint, blocks: AsyncIterable[OrderColumns]
) -> int:
    """Write a pack of `blocks`, ascending, and delete all others; the number of its orders.

    `point`: where the blocks were read; not asked for here, as the database may have another history by now.
    In the transaction of `writing`: before its commit there is no part of it for anyone.
    """
    seal.ensure([PACK_SCOPE])
    registry_sequence, change_number, applied_at = point
    assert change_number is not None, "what there is was recorded by some change"
    assert applied_at is not None, "and published"
    pack_id, number, orders = secrets.token_bytes(16), 0, 0
    async for columns in blocks:
        number, orders = number + 1, orders + len(columns)
        sealed = seal.seal(PACK_SCOPE, _purpose(pack_id, registry_sequence, number), encode_columns(columns))
        await conn.execute(SQL.insert_block, pack_id, number, registry_sequence, sealed)
    head = PackHead(registry_sequence, change_number, to_us(applied_at), number, orders)
    sealed = seal.seal(PACK_SCOPE, _purpose(pack_id, registry_sequence, 0), msgspec.msgpack.encode(head))
    await conn.execute(SQL.insert_block, pack_id, 0, registry_sequence, sealed)
    await conn.execute(SQL.delete_others, pack_id)
    return orders


async def drop_packs(conn: Connection) -> None:
    """Delete every pack, also one that is being written now: it is waited for. In a transaction.

    Whoever destroys an order's key calls this after the change that ends the order is published, and
    destroys the packs' key with it: until both are done the order's plates and places are still there
    (deploy/adr/0013).
    """
    await conn.execute(SQL.wait_for_lock, _LOCK_KEY)
    await conn.execute(SQL.delete_all)


async def in_blocks(columns: OrderColumns) -> AsyncIterator[OrderColumns]:
    """The columns in blocks of a pack's size."""
    for start in range(0, len(columns), BLOCK_ORDERS):
        yield columns.take(np.arange(start, min(len(columns), start + BLOCK_ORDERS)))


def _purpose(pack_id: bytes, registry_sequence: int, number: int) -> str:
    return f"registry_pack:{pack_id.hex()}:{registry_sequence}:{number}"
