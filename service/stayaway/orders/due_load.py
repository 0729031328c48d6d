"""What is due of the whole registry, read a piece at a time: no more of it is kept than what is due.

When an order expires, whether it was served and when it was last validated are sealed with it, so Postgres
cannot be asked for what is due, and every order is opened.
"""

from collections.abc import Collection
from datetime import datetime, timedelta

from stayaway.access.person import Person
from stayaway.access.registry_policy import RegistryPolicy
from stayaway.audit.entries import EntryType
from stayaway.orders.change import load_state
from stayaway.orders.due import DueItem, due_of, most_urgent_first
from stayaway.orders.load import load_stored
from stayaway.orders.looks import record_look
from stayaway.platform.postgres import Connection, load_queries
from stayaway.platform.seal import Seal

_SQL = load_queries("stayaway.orders", "history.sql")
_AT_ONCE = 50
"""Orders opened between two turns of the event loop: some 6 ms, as a dispatcher's page waits for them."""


async def look_at_due(
    conn: Connection,
    seal: Seal,
    person: Person,
    *,
    policy: RegistryPolicy,
    notice_kinds: Collection[str],
    within: timedelta,
    now: datetime,
    view: str,
) -> tuple[DueItem, ...]:
    """Everything due at `now`, the most urgent kind first; the look is audited with the orders it names.

    All orders as they were at one registry sequence. Call it outside a transaction: it takes some 15 s for
    100,000 orders. Raises StoredOrderError or SealError rather than leave an order out.
    """
    state = await load_state(conn)
    known_at = max(now, state.known_at or now)
    items, last = list[DueItem](), ""
    while heads := await conn.fetch(_SQL.list_heads, last, _AT_ONCE):
        last = heads[-1]["order_id"]
        ids = [row["order_id"] for row in heads]
        for stored in (await load_stored(conn, seal, ids, state.registry_sequence)).values():
            items += due_of(
                stored.order,
                policy=policy,
                notice_kinds=notice_kinds,
                within=within,
                now=now,
                known_at=known_at,
            )
    payload = {"view": view, "order_ids": sorted({item.order_id for item in items})}
    async with conn.transaction():
        await record_look(conn, seal, EntryType.ORDERS_LISTED, person, None, payload, now)
    return most_urgent_first(items)
