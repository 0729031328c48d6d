"""Orders that end by themselves: their open alerts are marked once that is known.

A recall is a record, and whoever records it judges the open alerts again. An expiry, a recall that
was recorded ahead of its time and an emergency entry that lapses just happen. Somebody has to look:
each look moves the registry's known_at to now where something has ended, so that matchers know it
too, and judges the open alerts of those orders again by the road of any other change.
"""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from stayaway.access.policy import Policy
from stayaway.alerts.order_changes import rejudge_open_alerts
from stayaway.alerts.queries import SQL
from stayaway.audit.entries import EntryType, NewEntry
from stayaway.audit.store import record_entry
from stayaway.kernel.instants import format_instant
from stayaway.orders.change import AUDIT_STREAM, REGISTRY_CHANNEL
from stayaway.orders.history_load import load_court_orders
from stayaway.orders.model import CourtOrder
from stayaway.orders.rules import counting_notices, has_ended_by
from stayaway.platform.postgres import Connection, load_queries
from stayaway.platform.seal import Seal

_ORDERS = load_queries("stayaway.orders", "orders.sql")


async def mark_ended_orders(
    conn: Connection, seal: Seal, policy: Policy, *, actor: str, at: datetime
) -> tuple[str, ...]:
    """Mark the open alerts whose orders have ended by `at`; their ids. Nothing else is recorded then.

    Looks without a lock first: to open every order with an open alert takes a while, and nobody shall
    wait for that. What has ended is looked at again in one transaction, which locks the registry, then
    the heads of those orders.
    """
    async with conn.transaction(isolation="repeatable_read", readonly=True):
        seen = await _ended_among(conn, seal, policy, at, None)
    if not seen:
        return ()
    async with conn.transaction():
        registry = await conn.fetchrow(_ORDERS.lock_registry)
        assert registry is not None
        ended = await _ended_among(conn, seal, policy, at, seen)
        if not ended:
            return ()
        await conn.fetch(_ORDERS.lock_heads, ended)
        sequence = registry["registry_sequence"] + 1
        await conn.execute(_ORDERS.move_registry, sequence, at, at)
        await conn.execute(_ORDERS.notify_registry, REGISTRY_CHANNEL, str(sequence))
        await record_entry(conn, seal, AUDIT_STREAM, _entry(sequence, ended, actor, at))
        work = await rejudge_open_alerts(conn, seal, ended, policy, actor=actor, at=at)
    return tuple(work.ended) if work else ()


async def _ended_among(
    conn: Connection, seal: Seal, policy: Policy, at: datetime, order_ids: list[str] | None
) -> list[str]:
    """The orders with an alert to be marked, by id. `order_ids`: which to look at; None: all."""
    rows = await conn.fetch(SQL.open_unmarked, order_ids)
    orders = await load_court_orders(conn, seal, {row["order_id"] for row in rows})
    return sorted(_ended(rows, orders, policy, at))


def _ended(rows: Iterable[Any], orders: dict[str, CourtOrder], policy: Policy, at: datetime) -> set[str]:
    """The orders of which some open alert was decided by a version that has ended."""
    found = set()
    for row in rows:
        order = orders[row["order_id"]]
        notices = counting_notices(order, row["respondent_id"], policy.notice_kinds)
        versions = [version for version in order.versions if version.version in row["order_versions"]]
        if any(has_ended_by(order, version, notices, at) for version in versions):
            found.add(order.order_id)
    return found


def _entry(sequence: int, order_ids: list[str], actor: str, at: datetime) -> NewEntry:
    return NewEntry(
        entry_type=EntryType.ORDERS_ENDED,
        order_id=None,
        actor=actor,
        subject="registry",
        payload={"registry_sequence": sequence, "known_at": format_instant(at), "order_ids": order_ids},
        recorded_at=at,
    )
