"""The registry from Postgres into memory: all of it once, then what was added since."""

import hmac
from collections import defaultdict
from typing import Any

from stayaway.kernel.instants import EPOCH
from stayaway.orders.codec import StoredOrderError, decode_record
from stayaway.orders.model import CourtOrder, Record
from stayaway.orders.registry import RegistrySnapshot
from stayaway.orders.store import SEAL_PURPOSE, content_digest
from stayaway.platform.postgres import Connection, load_queries
from stayaway.platform.seal import Seal

_QUERIES = load_queries("stayaway.orders", "orders.sql")
_PREFETCH = 50
"""Records read between two turns of the event loop: some 10 ms of work."""


async def load_sequence(connection: Connection) -> int:
    """The registry's sequence, to compare with a snapshot's."""
    sequence: int = await connection.fetchval(_QUERIES.load_sequence)
    return sequence


async def load_registry(
    connection: Connection, seal: Seal, previous: RegistrySnapshot | None = None
) -> RegistrySnapshot:
    """The registry as it stands; from `previous` on only what was added is read.

    One consistent state in any isolation: sequences commit in order, so all records up to the
    one read are there. Raises StoredOrderError or SealError rather than leave an order out.
    """
    head = await connection.fetchrow(_QUERIES.load_sequence)
    assert head is not None
    sequence = head["registry_sequence"]
    if previous is not None and sequence <= previous.registry_sequence:
        return previous
    after = 0 if previous is None else previous.registry_sequence
    added: dict[str, list[Record]] = defaultdict(list)
    heads: dict[str, int] = {} if previous is None else dict(previous.head_sequences)
    async with connection.transaction():
        async for row in connection.cursor(_QUERIES.load_records, after, sequence, prefetch=_PREFETCH):
            added[row["order_id"]].append(read_row(seal, row))
            heads[row["order_id"]] = row["registry_sequence"]
    orders = {} if previous is None else dict(previous.orders)
    for order_id, records in added.items():
        orders[order_id] = _extended(orders.get(order_id), order_id, records)
    return RegistrySnapshot(
        orders=orders,
        registry_sequence=sequence,
        known_at=head["known_at"] or EPOCH,
        head_sequences=heads,
    )


def read_row(seal: Seal, row: Any) -> Record:
    """The record of one row, checked to be the one recorded there. Raises StoredOrderError, SealError."""
    order_id = row["order_id"]
    draft = decode_record(row["record_kind"], seal.unseal(order_id, SEAL_PURPOSE, row["payload_sealed"]))
    expected = content_digest(seal, draft.digest, order_id)
    if (
        draft.value is None
        or draft.order_id != order_id
        or not hmac.compare_digest(expected, row["content_digest"])
    ):
        raise StoredOrderError(
            f"A stored record of order {order_id} is not the one that was recorded there.",
            "The row was changed outside stayaway: restore it from a backup.",
        )
    return draft.value


def _extended(before: CourtOrder | None, order_id: str, records: list[Record]) -> CourtOrder:
    return (before or CourtOrder(order_id=order_id, versions=())).with_records(records)
