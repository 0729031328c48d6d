"""What changed in the registry, read order by order into the columns that the gates need.

An order is held for as long as its columns are made: a start on a million orders, and an import of as
many, take the memory of columns.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime

from stayaway.matching.columns import OrderColumns
from stayaway.orders.load import RegistryPoint, StoredOrder, load_changed, load_stored, pages
from stayaway.platform.postgres import Connection
from stayaway.platform.seal import Seal
from stayaway.platform.turns import let_others


@dataclass(frozen=True, slots=True, kw_only=True)
class Intake:
    """The registry at a point: `columns` of the orders that changed on the way to it.

    `recorded`: for each sequence passed, ascending, the instant at which it was published.
    """

    point: RegistryPoint
    known_at: datetime
    columns: OrderColumns
    recorded: tuple[tuple[int, datetime], ...]


def to_columns(stored: dict[str, StoredOrder]) -> OrderColumns:
    """The columns of these orders."""
    heads = {order_id: item.head_change for order_id, item in stored.items()}
    return OrderColumns.of((item.order for item in stored.values()), heads)


async def take_in(
    conn: Connection,
    seal: Seal,
    after: RegistryPoint,
    *,
    at_once: int,
    rest: Callable[[], Awaitable[None]] = let_others,
    on_progress: Callable[[], None] = lambda: None,
) -> Intake:
    """All that changed after `after`; after BEGINNING all there is.

    `at_once`: orders read between two rests. `rest`: longer for work that can wait. `on_progress` is
    called as the database answers. Raises StoredOrderError or SealError rather than leave an order out, and
    OtherHistoryError as `load_changed` does.
    """
    changed = await load_changed(conn, after)
    on_progress()
    parts = []
    for page in pages(changed.order_ids, at_once):
        stored = await load_stored(conn, seal, page, changed.point.registry_sequence)
        on_progress()
        parts.append(to_columns(stored))
        await rest()
    return Intake(
        point=changed.point,
        known_at=changed.known_at,
        columns=OrderColumns.joined(parts),
        recorded=changed.recorded,
    )
