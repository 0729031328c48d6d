"""The blind index: keyed tokens of what identifies people, vehicles and devices, and whose they are.

Whoever has the database alone cannot tell what a token stands for (deploy/adr/0014-blind-index.md).
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from stayaway.orders.marks import marks_of
from stayaway.orders.model import OrderVersion
from stayaway.orders.records import ParsedRecord
from stayaway.platform.postgres import Connection, load_queries
from stayaway.platform.seal import Seal

_QUERIES = load_queries("stayaway.orders", "orders.sql")
_COLUMNS = ("token", "order_id")
_LOOKED_UP = 5_000
"""Tokens in one query."""
MOST_MARKED = 1_000
"""Ours: what more orders have in common is nobody's plate or id but a placeholder. They are not unsealed for
it: that would take as long as a matcher's start, and say a thousand times the same."""


@dataclass(frozen=True, slots=True)
class Marked:
    """`order_ids`: orders that have one of the marks, or its token; `common`: marks that too many have."""

    order_ids: set[str]
    common: set[str]


async def write_tokens(
    connection: Connection, seal: Seal, by_order: Mapping[str, Sequence[ParsedRecord]]
) -> None:
    """The tokens of the versions among these records, in the transaction that writes them."""
    rows = list(_rows(seal, by_order))
    if rows:
        await connection.copy_records_to_table("order_token", records=rows, columns=_COLUMNS)


async def find_marked(connection: Connection, seal: Seal, marks: Collection[str]) -> Marked:
    """The orders that have one of these marks, and some that only share its token."""
    by_token: dict[int, list[str]] = defaultdict(list)
    for mark in marks:
        by_token[seal.blind(mark)].append(mark)
    tokens, order_ids, common = sorted(by_token), set[str](), set[str]()
    for start in range(0, len(tokens), _LOOKED_UP):
        some = tokens[start : start + _LOOKED_UP]
        for row in await connection.fetch(_QUERIES.find_marked, some, MOST_MARKED + 1):
            if len(row["order_ids"]) > MOST_MARKED:
                common.update(by_token[row["token"]])
            else:
                order_ids.update(row["order_ids"])
    return Marked(order_ids, common)


async def forget_tokens(connection: Connection, order_ids: Iterable[str]) -> None:
    """Remove these orders from the index, in the transaction that removes or shreds them."""
    await connection.execute(_QUERIES.forget_tokens, list(order_ids))


def _rows(seal: Seal, by_order: Mapping[str, Sequence[ParsedRecord]]) -> Iterator[tuple[int, str]]:
    for order_id, records in by_order.items():
        marks = {
            mark
            for record in records
            if isinstance(record.value, OrderVersion)
            for mark in marks_of(record.value)
        }
        yield from ((token, order_id) for token in sorted({seal.blind(mark) for mark in marks}))
