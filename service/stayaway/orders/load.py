"""The registry from Postgres into memory: all of it once, then what was added since."""

import asyncio
import hmac
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from itertools import islice
from typing import Any, NamedTuple, TypeVar

from stayaway.kernel.bucketmap import BucketMap
from stayaway.kernel.instants import EPOCH
from stayaway.orders.change import SEAL_PURPOSE, content_digest
from stayaway.orders.codec import StoredOrderError, decode_values
from stayaway.orders.model import CourtOrder, Record
from stayaway.orders.registry import RegistryChange, RegistrySnapshot
from stayaway.platform.postgres import Connection, load_queries
from stayaway.platform.seal import Seal

_QUERIES = load_queries("stayaway.orders", "orders.sql")
_V = TypeVar("_V")

_PREFETCH_FIRST = 250
"""Records read between two turns of the event loop at the start: some 10 ms of work."""
_PREFETCH = 50
"""The same while others use the loop: some 2 ms."""
_PIECE = 500
"""Entries of a mapping changed between two turns of the loop: about 1 ms."""


class _Added(NamedTuple):
    """A record and its place among those of its order."""

    registry_sequence: int
    ordinal: int
    change_number: int
    record: Record


_NOTHING = RegistrySnapshot(orders={}, registry_sequence=0, known_at=EPOCH, head_changes={})


async def load_sequence(connection: Connection) -> int:
    """The registry's sequence, to compare with a snapshot's."""
    sequence: int = await connection.fetchval(_QUERIES.load_sequence)
    return sequence


async def load_registry(
    connection: Connection, seal: Seal, previous: RegistrySnapshot | None = None
) -> RegistrySnapshot:
    """The registry as it stands; from `previous` on only what was added is read (see `load_change`)."""
    return (await load_change(connection, seal, previous)).snapshot


async def load_change(
    connection: Connection,
    seal: Seal,
    previous: RegistrySnapshot | None = None,
    *,
    on_progress: Callable[[], None] = lambda: None,
) -> RegistryChange:
    """The registry as it stands, and what was added since `previous`: only that is read.

    One consistent state in any isolation: sequences commit in order, so all records up to the
    one read are there. `previous` stays as it is. Raises StoredOrderError or SealError rather than
    leave an order out. `on_progress` is called as records come.
    """
    head = await connection.fetchrow(_QUERIES.load_sequence)
    assert head is not None
    before = previous or _NOTHING
    if head["registry_sequence"] <= before.registry_sequence and previous is not None:
        return RegistryChange(snapshot=previous, order_ids=(), recorded=())
    changes = await connection.fetch(
        _QUERIES.load_changes, before.registry_sequence, head["registry_sequence"]
    )
    added = await _read_added(connection, seal, changes, is_first=previous is None, on_progress=on_progress)
    orders, heads = await _with_added(before.orders, added)
    snapshot = RegistrySnapshot(
        orders=orders,
        registry_sequence=head["registry_sequence"],
        known_at=head["known_at"] or EPOCH,
        head_changes=await _updated(before.head_changes, heads),
    )
    recorded = tuple((row["registry_sequence"], row["applied_at"]) for row in changes)
    return RegistryChange(snapshot=snapshot, order_ids=tuple(added), recorded=recorded)


async def _read_added(
    connection: Connection,
    seal: Seal,
    changes: Sequence[Any],
    *,
    is_first: bool,
    on_progress: Callable[[], None],
) -> dict[str, list[_Added]]:
    """The records of these changes by order."""
    sequences = {row["change_number"]: row["registry_sequence"] for row in changes}
    added: dict[str, list[_Added]] = defaultdict(list)
    prefetch = _PREFETCH_FIRST if is_first else _PREFETCH
    async with connection.transaction():
        async for row in connection.cursor(_QUERIES.load_records, list(sequences), prefetch=prefetch):
            place = (sequences[row["change_number"]], row["ordinal"])
            added[row["order_id"]].append(_Added(*place, row["change_number"], read_row(seal, row)))
            on_progress()
    return added


async def load_orders(connection: Connection, seal: Seal, order_ids: Sequence[str]) -> RegistrySnapshot:
    """The registry as it stands, with these orders alone: for whoever judges by them only.

    The caller has locked their heads, or the registry. Raises StoredOrderError or SealError.
    """
    head = await connection.fetchrow(_QUERIES.load_sequence)
    assert head is not None
    records: dict[str, list[Record]] = defaultdict(list)
    heads: dict[str, int] = {}
    for row in await connection.fetch(_QUERIES.load_records_of, list(order_ids)):
        records[row["order_id"]].append(read_row(seal, row))
        heads[row["order_id"]] = row["change_number"]
    return RegistrySnapshot(
        orders=BucketMap({name: _extended(None, name, own) for name, own in records.items()}),
        registry_sequence=head["registry_sequence"],
        known_at=head["known_at"] or EPOCH,
        head_changes=heads,
    )


async def _with_added(
    orders: Mapping[str, CourtOrder], added: Mapping[str, list[_Added]]
) -> tuple[BucketMap[CourtOrder], dict[str, int]]:
    """The orders with what was added, in the order it was applied, and the last change of each of those."""
    changed, heads = {}, {}
    for number, (order_id, own) in enumerate(added.items(), start=1):
        own.sort(key=lambda item: (item.registry_sequence, item.ordinal))
        changed[order_id] = _extended(orders.get(order_id), order_id, [item.record for item in own])
        heads[order_id] = own[-1].change_number
        if number % _PIECE == 0:
            await asyncio.sleep(0)
    return await _updated(orders, changed), heads


async def _updated(before: Mapping[str, _V], changes: Mapping[str, _V]) -> BucketMap[_V]:
    """With these keys set, a piece at a time: the loop of whoever asks goes on meanwhile."""
    if not before:
        return BucketMap(changes)
    made = before if isinstance(before, BucketMap) else BucketMap(before)
    rest = iter(changes.items())
    while piece := dict(islice(rest, _PIECE)):
        made = made.updated(piece)
        await asyncio.sleep(0)
    return made


def read_row(seal: Seal, row: Any) -> Record:
    """The record of one row, checked to be the one recorded there. Raises StoredOrderError, SealError."""
    return read_sealed(seal, row)[1]


def read_sealed(seal: Seal, row: Any) -> tuple[bytes, Record]:
    """The same with the digest of the record as it came."""
    order_id = row["order_id"]
    payload = seal.unseal(order_id, SEAL_PURPOSE, row["payload_sealed"])
    digest, value = decode_values(row["record_kind"], payload)
    expected = content_digest(seal, digest, order_id)
    if value.order_id != order_id or not hmac.compare_digest(expected, row["content_digest"]):
        raise StoredOrderError(
            f"A stored record of order {order_id} is not the one that was recorded there.",
            "The row was changed outside stayaway: restore it from a backup.",
        )
    return digest, value


def _extended(before: CourtOrder | None, order_id: str, records: list[Record]) -> CourtOrder:
    return (before or CourtOrder(order_id=order_id, versions=())).with_records(records)
