"""Single orders from Postgres, with who recorded what; every look leaves its audit entry."""

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from stayaway.access.person import Person
from stayaway.audit.entries import AuditRow, EntryType, open_entry
from stayaway.kernel.errors import NotFoundError
from stayaway.kernel.instants import format_instant
from stayaway.orders.approval import Approval, stands_behind
from stayaway.orders.approvals import load_approvals
from stayaway.orders.change import SOURCE_PURPOSE
from stayaway.orders.codec import decode_source
from stayaway.orders.history import OrderStatement, Recorded, state_order
from stayaway.orders.load import read_row, read_sealed
from stayaway.orders.looks import record_look
from stayaway.orders.model import CourtOrder, OrderVersion, Record
from stayaway.platform.postgres import Connection, load_queries
from stayaway.platform.seal import Seal

_SQL = load_queries("stayaway.orders", "history.sql")


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderPage:
    """A page of orders by id, each as it stands now; `next_after` starts the next page."""

    statements: tuple[OrderStatement, ...]
    next_after: str | None


async def load_court_orders(
    conn: Connection, seal: Seal, order_ids: Collection[str]
) -> dict[str, CourtOrder]:
    """These orders with everything recorded; those without a version are left out.

    Raises StoredOrderError or SealError rather than leave a record out.
    """
    gathered: dict[str, list[Record]] = defaultdict(list)
    for row in await conn.fetch(_SQL.load_records_of, sorted(order_ids)):
        gathered[row["order_id"]].append(read_row(seal, row))
    orders = (CourtOrder(order_id=name, versions=()).with_records(own) for name, own in gathered.items())
    return {order.order_id: order for order in orders if order.versions}


async def load_recorded(conn: Connection, seal: Seal, order_id: str) -> list[tuple[int, Record]]:
    """Every record of the order with the registry sequence that applied it, in the order applied.

    Raises StoredOrderError or SealError rather than leave a record out.
    """
    rows = await conn.fetch(_SQL.load_records_of, [order_id])
    return [(row["registry_sequence"], read_row(seal, row)) for row in rows]


async def latest_known_at(conn: Connection, now: datetime) -> datetime:
    """K where nobody names one: now, or the latest recorded_at if a court's clock is ahead of ours."""
    known = await conn.fetchrow(_SQL.load_known)
    assert known is not None
    return max(now, known["known_at"] or now)


async def look_at_order(
    conn: Connection,
    seal: Seal,
    order_id: str,
    person: Person,
    *,
    notice_kinds: Collection[str],
    now: datetime,
    at: datetime | None = None,
    known_at: datetime | None = None,
    view: str,
) -> OrderStatement:
    """What the order said for `at` (else now) as known at `known_at` (else all that is recorded).

    One query and one audit entry. Raises NotFoundError where there is no such order, or none was
    known by then.
    """
    async with conn.transaction():
        orders = await load_court_orders(conn, seal, (order_id,))
        if order_id not in orders:
            raise _no_order()
        asked = known_at or await latest_known_at(conn, now)
        statement = state_order(orders[order_id], at or now, asked, notice_kinds)
        payload = {
            "order_id": order_id,
            "view": view,
            "at": format_instant(at or now),
            "known_at": format_instant(asked),
        }
        await record_look(conn, seal, EntryType.ORDER_VIEWED, person, order_id, payload, now)
    if statement is None:
        raise NotFoundError("Nothing of this order was known by then.", "Ask for a later known_at.")
    return statement


async def look_at_history(
    conn: Connection, seal: Seal, order_id: str, person: Person, *, now: datetime, view: str
) -> tuple[Recorded, ...]:
    """Every record of the order, in the order applied, with who applied it; the look is audited."""
    async with conn.transaction():
        rows = await conn.fetch(_SQL.load_records_of, [order_id])
        if not rows:
            raise _no_order()
        appliers = _appliers(seal, await conn.fetch(_SQL.load_appliers, order_id))
        approvals = await load_approvals(conn, seal, order_id)
        history = tuple(_recorded(seal, row, appliers, approvals) for row in rows)
        payload = {"order_id": order_id, "view": view, "records": len(history)}
        await record_look(conn, seal, EntryType.ORDER_VIEWED, person, order_id, payload, now)
    return history


async def look_at_version(
    conn: Connection, seal: Seal, order_id: str, version: int, person: Person, *, now: datetime, view: str
) -> dict[str, Any]:
    """One version's record as orders.v1 has it, to write the next one from; the look is audited."""
    async with conn.transaction():
        row = await conn.fetchrow(_SQL.load_version, order_id, version)
        if row is None:
            raise NotFoundError("There is no such version.", "Look at the order's history.")
        digest, _ = read_sealed(seal, row)  # it is the one that was recorded there, or nothing is shown
        raw = decode_source(seal.unseal(order_id, SOURCE_PURPOSE, row["source_sealed"]), digest)
        payload = {"order_id": order_id, "view": view, "version": version}
        await record_look(conn, seal, EntryType.ORDER_VIEWED, person, order_id, payload, now)
    return raw


async def list_orders(
    conn: Connection,
    seal: Seal,
    person: Person,
    *,
    notice_kinds: Collection[str],
    now: datetime,
    after: str,
    limit: int,
    view: str,
) -> OrderPage:
    """A page of orders by id (keyset), each as it stands now; the look is audited."""
    async with conn.transaction():
        heads = await conn.fetch(_SQL.list_heads, after, limit + 1)
        ids = [row["order_id"] for row in heads[:limit]]
        orders = await load_court_orders(conn, seal, ids)
        known_at = await latest_known_at(conn, now)
        payload = {"view": view, "after": after, "order_ids": ids}
        await record_look(conn, seal, EntryType.ORDERS_LISTED, person, None, payload, now)
    stated = (state_order(orders[name], now, known_at, notice_kinds) for name in ids if name in orders)
    return OrderPage(
        statements=tuple(item for item in stated if item is not None),
        next_after=ids[-1] if len(heads) > limit else None,
    )


def _recorded(seal: Seal, row: Any, appliers: dict[int, str], approvals: dict[int, Approval]) -> Recorded:
    name = appliers.get(row["change_number"])
    # A name is shown only where the row itself was written under it.
    is_theirs = name is not None and seal.reference(row["order_id"], name) == row["applied_by_ref"]
    record = read_row(seal, row)
    return Recorded(
        kind=row["record_kind"],
        record=record,
        registry_sequence=row["registry_sequence"],
        ordinal=row["ordinal"],
        applied_at=row["applied_at"],
        applied_by=name if is_theirs else None,
        behind=stands_behind(record.version, approvals) if isinstance(record, OrderVersion) else None,
    )


def _appliers(seal: Seal, rows: Sequence[Any]) -> dict[int, str]:
    """Who applied each change, by its number, from the entries' sealed payloads."""
    found = {}
    for row in rows:
        opened = open_entry(seal, AuditRow(**{name: row[name] for name in AuditRow._fields}))
        found[int(opened.details["change_number"])] = opened.actor
    return found


def _no_order() -> NotFoundError:
    return NotFoundError("There is no such order.", "Check the order's id, or look at the list.")
