"""Which records of a file the registry has already."""

from collections.abc import Sequence
from dataclasses import dataclass

from stayaway.orders.change import content_digest
from stayaway.orders.records import ParsedRecord
from stayaway.platform.postgres import Connection, load_queries
from stayaway.platform.seal import Seal

_QUERIES = load_queries("stayaway.orders", "orders.sql")
_Digest = tuple[str, str, bytes]


@dataclass(frozen=True, slots=True)
class Recorded:
    """What the registry holds of the orders that a file names.

    `digests`: order id, kind and keyed digest of each record; `versions`: order id and number.
    """

    digests: frozenset[_Digest]
    versions: frozenset[tuple[str, int]]
    order_ids: frozenset[str]

    def has(self, seal: Seal, record: ParsedRecord) -> bool:
        """Whether this usable record is there."""
        return order_id_of(record) in self.order_ids and _digest(seal, record) in self.digests

    def with_more(self, seal: Seal, records: Sequence[ParsedRecord]) -> set[str]:
        """The orders of which the registry has a record that is not among these usable ones."""
        known = (record for record in records if order_id_of(record) in self.order_ids)
        return {order_id for order_id, _, _ in self.digests - {_digest(seal, record) for record in known}}


async def find_recorded(connection: Connection, records: Sequence[ParsedRecord]) -> Recorded:
    """What is recorded of the orders of these usable records."""
    order_ids = sorted({order_id_of(record) for record in records})
    rows = await connection.fetch(_QUERIES.find_recorded, order_ids)
    return Recorded(
        digests=frozenset((row["order_id"], row["record_kind"], row["content_digest"]) for row in rows),
        versions=frozenset((row["order_id"], row["version"]) for row in rows if row["version"] is not None),
        order_ids=frozenset(row["order_id"] for row in rows),
    )


def order_id_of(record: ParsedRecord) -> str:
    """The order of a usable record."""
    assert record.value is not None
    return record.value.order_id


def _digest(seal: Seal, record: ParsedRecord) -> _Digest:
    order_id = order_id_of(record)
    return order_id, record.kind, content_digest(seal, record.digest, order_id)
