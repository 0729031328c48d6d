"""Acts on an alert: claim, confirm, dismiss, acknowledge. Each is one transaction with its audit entry.

Lock order: the order's head shared, the alert's row, the audit stream, the outbox last.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from stayaway.access.policy import Policy
from stayaway.alerts.model import OUTBOX_CHANNEL
from stayaway.alerts.review_audit import record_look_or_act
from stayaway.alerts.review_model import (
    CLAIM_LEASE_S,
    ActRefusedError,
    AlertRow,
    Confirmation,
    Dismissal,
    Reviewer,
    check_confirmation,
    check_dismissal,
)
from stayaway.alerts.review_rows import alert_row
from stayaway.audit.entries import EntryType
from stayaway.kernel.errors import ConflictError, NotFoundError
from stayaway.kernel.jsontext import canonical_json, parse_json
from stayaway.platform.postgres import Connection, load_queries
from stayaway.platform.seal import Seal

_SQL = load_queries("stayaway.alerts", "review.sql")


async def claim(
    conn: Connection, seal: Seal, alert_number: int, reviewer: Reviewer, *, now: datetime
) -> AlertRow:
    """Take the alert for 90 s, or hold it for 90 s more; of many at once exactly one wins.

    Raises ConflictError where somebody else holds it or it is closed. Claiming is not
    confirming; a renewal by its holder is no new act.
    """
    until = now + timedelta(seconds=CLAIM_LEASE_S)
    async with conn.transaction():
        row, _ = await _locked(conn, alert_number)
        _check_actable(row, reviewer, now)
        if row.claim_holder(now) == reviewer.name:
            await conn.execute(_SQL.renew_claim, alert_number, reviewer.name, until)
        else:
            await conn.execute(_SQL.take_claim, alert_number, reviewer.name, until)
            await _act(conn, seal, EntryType.ALERT_CLAIMED, row, reviewer, None, {}, now)
        fresh = await conn.fetchrow(_SQL.load_alert, alert_number)
    assert fresh is not None
    return alert_row(fresh)


async def confirm(
    conn: Connection,
    seal: Seal,
    alert_number: int,
    confirmation: Confirmation,
    reviewer: Reviewer,
    *,
    policy: Policy,
    has_image: bool,
    now: datetime,
) -> AlertRow:
    """Record VERIFIED_LEAD. `has_image`: an image of this alert's reads can be shown.

    Raises ActRefusedError where a needed statement is missing, ConflictError where somebody
    else holds the alert, it is closed, or its evidence changed since it was looked at. The same act
    of the same person on the same evidence again is no act: the alert as it is.
    """
    stated = {"sight": confirmation.sight, "second_look": confirmation.second_look}
    async with conn.transaction():
        row, root_id = await _locked(conn, alert_number)
        if await _is_repeat(conn, seal, row, reviewer, "VERIFIED_LEAD", stated, confirmation.seen):
            return row
        _check_actable(row, reviewer, now)
        _check_seen(row, confirmation.seen)
        has_plate = await conn.fetchval(_SQL.has_plate, root_id, row.order_id, row.respondent_id)
        problems = check_confirmation(
            confirmation,
            has_plate=has_plate,
            needs_second_look=row.match_kind in policy.second_look_kinds,
            has_image=has_image,
        )
        if problems:
            raise ActRefusedError(problems)
        await conn.execute(_SQL.dispose, alert_number, "CONFIRMED", "VERIFIED_LEAD", now, reviewer.name)
        await _act(conn, seal, EntryType.ALERT_CONFIRMED, row, reviewer, "VERIFIED_LEAD", stated, now)
        fresh = await conn.fetchrow(_SQL.load_alert, alert_number)
    assert fresh is not None
    return alert_row(fresh)


async def dismiss(
    conn: Connection,
    seal: Seal,
    alert_number: int,
    dismissal: Dismissal,
    reviewer: Reviewer,
    *,
    now: datetime,
) -> AlertRow:
    """Close the alert with a reason of the closed list. Raises as `confirm` does."""
    problems = check_dismissal(dismissal)
    if problems:
        raise ActRefusedError(problems)
    async with conn.transaction():
        row, _ = await _locked(conn, alert_number)
        if await _is_repeat(conn, seal, row, reviewer, dismissal.reason_code, {}, dismissal.seen):
            return row
        _check_actable(row, reviewer, now)
        _check_seen(row, dismissal.seen)
        await conn.execute(_SQL.dispose, alert_number, "DISMISSED", dismissal.reason_code, now, reviewer.name)
        await _act(conn, seal, EntryType.ALERT_DISMISSED, row, reviewer, dismissal.reason_code, {}, now)
        fresh = await conn.fetchrow(_SQL.load_alert, alert_number)
    assert fresh is not None
    return alert_row(fresh)


async def acknowledge(
    conn: Connection, seal: Seal, alert_number: int, reviewer: Reviewer, *, now: datetime
) -> AlertRow:
    """Whoever held the alert says that they know: it was withdrawn, or its order has ended.

    Raises ConflictError where nothing is to be acknowledged, or by somebody else.
    """
    async with conn.transaction():
        row, _ = await _locked(conn, alert_number)
        awaited = row.awaits_acknowledgement
        if awaited is None and row.to_acknowledge_by == reviewer.name:
            return row  # acknowledged already, by whom it was asked of
        if awaited is None:
            raise ConflictError("Nothing about this alert is to be acknowledged.", "Load it again.")
        if awaited != reviewer.name:
            raise ConflictError(
                f"It is to be acknowledged by {awaited}, who held it.", "Tell them: they may be acting on it."
            )
        await conn.execute(_SQL.acknowledge, alert_number, now)
        await _act(conn, seal, EntryType.ALERT_ACKNOWLEDGED, row, reviewer, None, {}, now)
        fresh = await conn.fetchrow(_SQL.load_alert, alert_number)
    assert fresh is not None
    return alert_row(fresh)


async def _locked(conn: Connection, alert_number: int) -> tuple[AlertRow, str]:
    """The alert under its row's lock, its order's head shared before it (lock order), and its root's id."""
    found = await conn.fetchrow(_SQL.find_by_number, alert_number)
    if found is None:
        raise NotFoundError("There is no such alert.", "Look at the list for the alerts there are.")
    await conn.execute(_SQL.limit_waiting)
    await conn.fetchrow(_SQL.share_order_head, found["order_id"])
    row = await conn.fetchrow(_SQL.lock_alert, alert_number)
    assert row is not None
    return alert_row(row), row["root_id"]


def _check_actable(row: AlertRow, reviewer: Reviewer, now: datetime) -> None:
    if row.state not in ("OPEN", "CLAIMED"):
        raise ConflictError(f"This alert is closed already: {row.state}.", "Load it again to see how.")
    holder = row.claim_holder(now)
    if holder is not None and holder != reviewer.name:
        raise ConflictError(f"{holder} holds this alert.", "Wait until the claim runs out, or ask them.")


async def _is_repeat(
    conn: Connection,
    seal: Seal,
    row: AlertRow,
    reviewer: Reviewer,
    disposition: str,
    stated: Mapping[str, Any],
    seen: str | None,
) -> bool:
    """Whether it is recorded already, in just these words on the same evidence, and stands: sent again by
    whoever got no answer the first time.
    """
    is_theirs = (row.disposition, row.disposed_by) == (disposition, reviewer.name)
    if row.state not in ("CONFIRMED", "DISMISSED") or not is_theirs:
        return False
    act = await conn.fetchrow(_SQL.load_last_act, row.alert_id)
    assert act is not None
    detail = parse_json(seal.unseal(row.order_id, "alert_act", act["detail_sealed"]))
    return all(detail[name] == value for name, value in stated.items()) and seen in (None, detail["seen"])


def _check_seen(row: AlertRow, seen: str | None) -> None:
    if seen is not None and seen != row.seen:
        raise ConflictError("The evidence changed since you looked.", "Look at it again, then decide.")


async def _act(
    conn: Connection,
    seal: Seal,
    entry_type: EntryType,
    row: AlertRow,
    reviewer: Reviewer,
    reason_code: str | None,
    stated: Mapping[str, Any],
    now: datetime,
) -> None:
    """The act's row, its audit entry and its place in the outbox."""
    act = entry_type.value.removeprefix("ALERT_")
    detail = {**stated, "seen": row.seen, "purpose": reviewer.purpose, "channel": reviewer.channel}
    sealed = seal.seal(row.order_id, "alert_act", canonical_json(detail))
    await conn.execute(
        _SQL.insert_act,
        row.alert_id,
        row.order_id,
        act,
        now,
        reviewer.name,
        reviewer.verified,
        reason_code,
        sealed,
    )
    payload = {
        "alert_id": row.alert_id,
        "alert_number": row.alert_number,
        "act": act,
        "state_before": row.state,
        "reason_code": reason_code,
        "match_kind": row.match_kind,
        **detail,
    }
    await record_look_or_act(conn, seal, entry_type, reviewer, row.order_id, row.alert_id, payload, now)
    # Last of all: every writer waits for this row (alerts.store.publish_changes does the same).
    sequence: int = await conn.fetchval(_SQL.next_outbox)
    await conn.execute(_SQL.insert_outbox, sequence, row.alert_id, act, now)
    await conn.execute(_SQL.notify_outbox, OUTBOX_CHANNEL, str(sequence))
