"""Orders that end by themselves: their open alerts are marked once that is known.

A recall is a record, and whoever records it judges the open alerts again. An expiry, a recall that
was recorded ahead of its time and an emergency entry that lapses just happen. Somebody has to look:
each look moves the registry's known_at to now where something has ended, so that matchers know it
too, and judges the open alerts of those orders again by the road of any other change.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple

from stayaway.access.policy import Policy
from stayaway.alerts.order_changes import rejudge_open_alerts
from stayaway.alerts.queries import SQL
from stayaway.audit.entries import EntryType, NewEntry
from stayaway.audit.store import record_entry
from stayaway.kernel.instants import format_instant
from stayaway.orders.change import AUDIT_STREAM, REGISTRY_CHANNEL
from stayaway.orders.codec import StoredOrderError
from stayaway.orders.history_load import load_court_orders
from stayaway.orders.load import pages
from stayaway.orders.model import CourtOrder
from stayaway.orders.rules import counting_notices, has_ended_by
from stayaway.platform.postgres import Connection, load_queries
from stayaway.platform.seal import Seal, SealError

_ORDERS = load_queries("stayaway.orders", "orders.sql")


_UNREAD = (SealError, StoredOrderError)
"""Of one order that does not open: a lost key, a row that was changed. It hides no other order's end."""
_PAGE = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class MarkedEnds:
    """The open alerts that a look marked, by id, and what it could not tell: why, by order id."""

    alert_ids: tuple[str, ...] = ()
    unread: Mapping[str, str] = field(default_factory=dict)


async def mark_ended_orders(
    conn: Connection, seal: Seal, policy: Policy, *, actor: str, at: datetime
) -> MarkedEnds:
    """Mark the open alerts whose orders have ended by `at`. Where none has, nothing is recorded.

    Looks without a lock first: to open every order with an open alert takes a while, and nobody shall
    wait for that. What has ended is looked at again in one transaction, which locks the registry, then
    the heads of those orders. An order that does not open is named and left as it is.
    """
    async with conn.transaction(isolation="repeatable_read", readonly=True):
        rows = await conn.fetch(SQL.open_unmarked, None)
        orders, unread = await _open_what_opens(conn, seal, {row["order_id"] for row in rows})
    seen = _ended([row for row in rows if row["order_id"] in orders], orders, policy, at)
    look = _Look(conn, seal, policy, actor, at)
    try:
        alert_ids = await _mark(look, seen)
    except _UNREAD:  # an order opens, but not all the evidence under it
        alert_ids, more = await _mark_each(look, seen)
        unread |= more
    return MarkedEnds(alert_ids=alert_ids, unread=unread)


class _Look(NamedTuple):
    """What one look works with."""

    conn: Connection
    seal: Seal
    policy: Policy
    actor: str
    at: datetime


async def _open_what_opens(
    conn: Connection, seal: Seal, order_ids: Collection[str]
) -> tuple[dict[str, CourtOrder], dict[str, str]]:
    """The orders, and why others do not open, by id: a page at a time, one by one where a page does not."""
    orders: dict[str, CourtOrder] = {}
    unread: dict[str, str] = {}
    for page in pages(sorted(order_ids), _PAGE):
        try:
            orders |= await load_court_orders(conn, seal, page)
        except _UNREAD:
            for order_id in page:
                try:
                    orders |= await load_court_orders(conn, seal, (order_id,))
                except _UNREAD as error:
                    unread[order_id] = error.message
    return orders, unread


async def _mark_each(look: _Look, seen: Sequence[str]) -> tuple[tuple[str, ...], dict[str, str]]:
    """The same in a transaction for each order: the alerts, and why others could not be judged again."""
    alert_ids: list[str] = []
    unread: dict[str, str] = {}
    for order_id in seen:
        try:
            alert_ids += await _mark(look, [order_id])
        except _UNREAD as error:
            unread[order_id] = error.message
    return tuple(alert_ids), unread


async def _mark(look: _Look, seen: Sequence[str]) -> tuple[str, ...]:
    """Mark the alerts of those orders that have ended still, once nobody else can change that."""
    if not seen:
        return ()
    conn, seal, policy, actor, at = look
    async with conn.transaction():
        registry = await conn.fetchrow(_ORDERS.lock_registry)
        assert registry is not None
        rows = await conn.fetch(SQL.open_unmarked, seen)
        orders = await load_court_orders(conn, seal, {row["order_id"] for row in rows})
        ended = _ended(rows, orders, policy, at)
        if not ended:
            return ()
        await conn.fetch(_ORDERS.lock_heads, ended)
        sequence = registry["registry_sequence"] + 1
        await conn.execute(_ORDERS.move_registry, sequence, at, at)
        await conn.execute(_ORDERS.notify_registry, REGISTRY_CHANNEL, str(sequence))
        await record_entry(conn, seal, AUDIT_STREAM, _entry(sequence, ended, actor, at))
        work = await rejudge_open_alerts(conn, seal, ended, policy, actor=actor, at=at)
    return tuple(work.ended) if work else ()


def _ended(rows: Iterable[Any], orders: dict[str, CourtOrder], policy: Policy, at: datetime) -> list[str]:
    """The orders of which some open alert was decided by a version that has ended, by id."""
    found = set()
    for row in rows:
        order = orders[row["order_id"]]
        notices = counting_notices(order, row["respondent_id"], policy.notice_kinds)
        versions = [version for version in order.versions if version.version in row["order_versions"]]
        if any(has_ended_by(order, version, notices, at) for version in versions):
            found.add(order.order_id)
    return sorted(found)


def _entry(sequence: int, order_ids: list[str], actor: str, at: datetime) -> NewEntry:
    return NewEntry(
        entry_type=EntryType.ORDERS_ENDED,
        order_id=None,
        actor=actor,
        subject="registry",
        payload={"registry_sequence": sequence, "known_at": format_instant(at), "order_ids": order_ids},
        recorded_at=at,
    )
