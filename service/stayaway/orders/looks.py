"""The audit entry of a look at orders or of an act on them: who, through what, what for."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from stayaway.access.person import Person
from stayaway.audit.entries import EntryType, NewEntry
from stayaway.audit.store import record_entry
from stayaway.orders.change import AUDIT_STREAM
from stayaway.platform.postgres import Connection
from stayaway.platform.seal import Seal


async def record_look(
    conn: Connection,
    seal: Seal,
    entry_type: EntryType,
    person: Person,
    order_id: str | None,
    payload: Mapping[str, Any],
    now: datetime,
) -> None:
    """Append a look to the channel's stream, last in the caller's transaction."""
    await _record(conn, seal, person.channel, entry_type, person, order_id, payload, now)


async def record_order_act(
    conn: Connection,
    seal: Seal,
    entry_type: EntryType,
    person: Person,
    order_id: str,
    payload: Mapping[str, Any],
    now: datetime,
    policy_sha256: str | None = None,
) -> None:
    """Append an act on an order to the registry's stream, where imports stand too.

    An act that changes open alerts holds that stream and the outbox already: a stream of another
    name, taken now, could wait for a reviewer who waits for the outbox.
    """
    await _record(conn, seal, AUDIT_STREAM, entry_type, person, order_id, payload, now, policy_sha256)


async def _record(
    conn: Connection,
    seal: Seal,
    stream: str,
    entry_type: EntryType,
    person: Person,
    order_id: str | None,
    payload: Mapping[str, Any],
    now: datetime,
    policy_sha256: str | None = None,
) -> None:
    entry = NewEntry(
        entry_type=entry_type,
        order_id=order_id,
        actor=person.name,
        subject=order_id or "orders",
        payload={
            **payload,
            "actor": person.name,
            "actor_verified": person.verified,
            "channel": person.channel,
            "purpose": person.purpose,
        },
        recorded_at=now,
        policy_sha256=policy_sha256,
    )
    await record_entry(conn, seal, stream, entry)
