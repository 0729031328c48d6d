"""Orders from Postgres as they were at a registry sequence, and what changed since an earlier one.

An order that changed is read whole again. Records are never changed and sequences commit in order, so
what an order was at any sequence so far can be read at any time, and is the same each time. That holds within
one history: after a restore, or a failover that lost changes, the same sequences mean other changes.
"""

import hmac
from collections import defaultdict
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from stayaway.kernel.bucketmap import BucketMap
from stayaway.kernel.errors import StayawayError
from stayaway.kernel.instants import EPOCH
from stayaway.orders.change import content_digest
from stayaway.orders.codec import SEAL_PURPOSE, StoredOrderError, decode_values
from stayaway.orders.model import CourtOrder, Record
from stayaway.orders.registry import RegistrySnapshot
from stayaway.platform.postgres import Connection, load_queries
from stayaway.platform.seal import Seal

_QUERIES = load_queries("stayaway.orders", "orders.sql")


class OtherHistoryError(StayawayError):
    """The registry in the database did not grow out of what is held of it, so none of that may be used."""


class RegistryPoint(NamedTuple):
    """A sequence in one history of the registry. `change_number`, `applied_at`: of the last change up to it.

    By these the history is known again: another one may have as many changes, but none of the same number
    that was published at the same instant.
    """

    registry_sequence: int
    change_number: int | None
    applied_at: datetime | None


BEGINNING = RegistryPoint(0, None, None)
"""Before all changes; the same in every history."""


class ChangedOrders(NamedTuple):
    """The registry at a point, and what changed on the way to it from an earlier one.

    `order_ids`: at least those with new records, each once. `recorded`: for each sequence passed, ascending,
    the instant at which it was published (`registry_change.applied_at`, the writer's clock).
    """

    point: RegistryPoint
    known_at: datetime
    order_ids: tuple[str, ...]
    recorded: tuple[tuple[int, datetime], ...]


class StoredOrder(NamedTuple):
    """An order at a sequence, and the number of its last change by then."""

    order: CourtOrder
    head_change: int


async def load_changed(connection: Connection, after: RegistryPoint) -> ChangedOrders:
    """What changed after `after`, up to now; after BEGINNING all orders there are.

    In two statements, as a matcher waits for each answer before an order that changed is in use. Raises
    OtherHistoryError where the registry did not come by `after` on its way to now.
    """
    changes = await connection.fetch(_QUERIES.load_changes, after.registry_sequence)
    first = changes[0]
    sequence, known_at = first["until"], first["known_at"] or EPOCH
    found = RegistryPoint(after.registry_sequence, first["last_number"], first["last_applied_at"])
    if sequence < after.registry_sequence or found != after:
        raise _other_history(after, sequence)
    if sequence == after.registry_sequence:
        return ChangedOrders(after, known_at, (), ())
    changes = [row for row in changes if row["registry_sequence"] is not None]
    if after.registry_sequence:
        numbers = [row["change_number"] for row in changes]
        rows = await connection.fetch(_QUERIES.load_changed_ids, numbers)
    else:
        rows = await connection.fetch(_QUERIES.load_ids)
    last = (changes[-1]["change_number"], changes[-1]["applied_at"]) if changes else after[1:]
    return ChangedOrders(
        RegistryPoint(sequence, *last),
        known_at,
        tuple(row["order_id"] for row in rows),
        tuple((row["registry_sequence"], row["applied_at"]) for row in changes),
    )


async def load_stored(
    connection: Connection, seal: Seal, order_ids: Sequence[str], upto: int
) -> dict[str, StoredOrder]:
    """These orders as they were at registry sequence `upto`; one that had no record then is not there.

    Raises StoredOrderError or SealError rather than leave a record out.
    """
    records: dict[str, list[Record]] = defaultdict(list)
    heads: dict[str, int] = {}
    for row in await connection.fetch(_QUERIES.load_records_of, list(order_ids), upto):
        records[row["order_id"]].append(read_row(seal, row))
        heads[row["order_id"]] = row["change_number"]
    return {
        order_id: StoredOrder(CourtOrder(order_id=order_id, versions=()).with_records(own), heads[order_id])
        for order_id, own in records.items()
    }


async def load_orders(connection: Connection, seal: Seal, order_ids: Sequence[str]) -> RegistrySnapshot:
    """The registry as it stands, with these orders alone: for whoever judges by them only.

    The caller has locked their heads, or the registry. Raises as `load_stored` does.
    """
    head = await connection.fetchrow(_QUERIES.load_sequence)
    assert head is not None
    stored = await load_stored(connection, seal, order_ids, head["registry_sequence"])
    return RegistrySnapshot(
        orders=BucketMap({order_id: item.order for order_id, item in stored.items()}),
        registry_sequence=head["registry_sequence"],
        known_at=head["known_at"] or EPOCH,
        head_changes={order_id: item.head_change for order_id, item in stored.items()},
    )


def _other_history(held: RegistryPoint, sequence: int) -> OtherHistoryError:
    return OtherHistoryError(
        f"The database's registry, at sequence {sequence}, is of another history than what is in use here, of"
        f" sequence {held.registry_sequence}: a restore or a failover has lost changes of orders.",
        "Start again: a start takes the registry as it is now. Changes that were lost must be recorded anew.",
    )


def pages(order_ids: Sequence[str], size: int) -> Iterator[Sequence[str]]:
    """All of them, `size` at a time."""
    return (order_ids[start : start + size] for start in range(0, len(order_ids), size))


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
