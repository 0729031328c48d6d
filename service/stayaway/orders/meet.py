"""The registry's orders that a file or a draft must be compared with.

Found by the tokens of what identifies people, vehicles and devices, so that a clerk who enters one order
need not wait until a hundred thousand are unsealed.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from stayaway.access.person import Person
from stayaway.audit.entries import EntryType
from stayaway.kernel.instants import EPOCH
from stayaway.orders.approvals import find_approved_here
from stayaway.orders.change import load_state
from stayaway.orders.history_load import load_court_orders
from stayaway.orders.looks import record_look
from stayaway.orders.marks import marks_of, marks_sought
from stayaway.orders.model import CourtOrder, OrderVersion
from stayaway.orders.recorded import find_recorded, order_id_of
from stayaway.orders.records import ParsedOrders
from stayaway.orders.standing import Met
from stayaway.orders.tokens import find_marked
from stayaway.platform.postgres import Connection
from stayaway.platform.seal import Seal

_AT_ONCE = 500
"""Orders unsealed at once; those that only share a token with the file are let go before the next."""


async def load_met(conn: Connection, seal: Seal, parsed: ParsedOrders) -> Met:
    """What the registry holds of the file's orders besides the file, and of those that they meet.

    Raises StoredOrderError or SealError rather than leave an order out. The caller audits the look.
    """
    state = await load_state(conn)
    usable = [record for record in parsed.records if record.value is not None]
    versions = [record.value for record in usable if isinstance(record.value, OrderVersion)]
    own = {order_id_of(record) for record in usable}
    named = {version.supersedes_order_id for version in versions if version.supersedes_order_id}
    recorded = await find_recorded(conn, usable)
    wanted = (named - own) | recorded.with_more(seal, usable)
    sought = {mark for version in versions for mark in marks_sought(version)}
    marked = await find_marked(conn, seal, sought)
    orders: dict[str, CourtOrder] = {}
    for some in _pieces(sorted(wanted | (marked.order_ids - own))):
        found = await load_court_orders(conn, seal, some)
        orders |= {name: order for name, order in found.items() if name in wanted or _meets(order, sought)}
    approved = await find_approved_here(conn, seal, own & recorded.order_ids)
    over = ((record, approved.get(order_id_of(record))) for record in (usable if approved else ()))
    return Met(
        orders,
        state.registry_sequence,
        state.known_at or EPOCH,
        frozenset(marked.common),
        tuple((record, here) for record, here in over if here and not recorded.has(seal, record)),
    )


async def look_at_met(
    conn: Connection, seal: Seal, parsed: ParsedOrders, person: Person, *, now: datetime, view: str
) -> Met:
    """The same for a file, audited: a file could be written to find out whose plate the registry has."""
    async with conn.transaction():
        met = await load_met(conn, seal, parsed)
        payload = {
            "view": view,
            "registry_sequence": met.registry_sequence,
            "compared": len(parsed.versions),
            "order_ids": sorted(met.orders),
        }
        await record_look(conn, seal, EntryType.ORDERS_COMPARED, person, None, payload, now)
    return met


@dataclass(frozen=True, slots=True)
class Sharing:
    """Other orders whose last version has a mark of a version, by id; `common`: marks that too many have."""

    orders: Mapping[str, CourtOrder]
    common: frozenset[str]


async def load_sharing(conn: Connection, seal: Seal, version: OrderVersion) -> Sharing:
    """The registry's orders of the same people, plates or devices. Raises as `load_met`; to be audited."""
    marks = marks_of(version)
    marked = await find_marked(conn, seal, marks)
    orders: dict[str, CourtOrder] = {}
    for some in _pieces(sorted(marked.order_ids - {version.order_id})):
        found = await load_court_orders(conn, seal, some)
        orders |= {name: order for name, order in found.items() if _meets(order, marks)}
    return Sharing(orders, frozenset(marked.common))


def _meets(order: CourtOrder, sought: Collection[str]) -> bool:
    return not marks_of(order.versions[-1]).isdisjoint(sought)


def _pieces(order_ids: Sequence[str]) -> Iterator[Sequence[str]]:
    return (order_ids[start : start + _AT_ONCE] for start in range(0, len(order_ids), _AT_ONCE))
