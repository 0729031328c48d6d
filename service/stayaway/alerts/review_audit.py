"""The audit entry of a look or an act: who, through what, what for; never verified yet."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from stayaway.alerts.review_model import (
    Reviewer,
)
from stayaway.audit.entries import EntryType, NewEntry
from stayaway.audit.store import record_entry
from stayaway.platform.postgres import Connection
from stayaway.platform.seal import Seal


async def record_look_or_act(
    conn: Connection,
    seal: Seal,
    entry_type: EntryType,
    reviewer: Reviewer,
    order_id: str | None,
    subject: str,
    payload: Mapping[str, Any],
    now: datetime,
) -> None:
    """Append to the channel's stream, in the caller's transaction.

    `order_id` is the key scope; None: no order's.
    """
    entry = NewEntry(
        entry_type=entry_type,
        order_id=order_id,
        actor=reviewer.name,
        subject=subject,
        payload={
            **payload,
            "actor": reviewer.name,
            "actor_verified": reviewer.verified,
            "channel": reviewer.channel,
            "purpose": reviewer.purpose,
        },
        recorded_at=now,
        policy_sha256=None,
    )
    await record_entry(conn, seal, reviewer.channel, entry)
