"""Approving a draft, and confirming what one person put in force alone; each one transaction.

The version is recorded by the same road as an orders file's, so open alerts are judged again in the
transaction that approves. An orders file itself needs no approval here: it is the feed of a court
system that has its own. Lock order: the draft or approval, the registry, the order's head, episodes.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from typing import Any

import asyncpg

from stayaway.access.person import Person, is_same_person
from stayaway.access.policy import Policy
from stayaway.access.registry_policy import RegistryPolicy
from stayaway.alerts.order_changes import Imported, apply_records
from stayaway.audit.entries import EntryType
from stayaway.kernel.errors import ConflictError, NotAllowedError, NotFoundError, RefusedError
from stayaway.kernel.instants import format_instant
from stayaway.kernel.jsontext import canonical_json, parse_json
from stayaway.orders.approvals import SEAL_PURPOSE as _PURPOSE
from stayaway.orders.draft import OrderDraft, require_usable
from stayaway.orders.draft_store import load_draft, lock_open_draft, lock_order
from stayaway.orders.draft_views import compare_draft
from stayaway.orders.emergency import (
    TWO_PEOPLE,
    AloneAgainError,
    Road,
    emergency_road,
    record_refusal,
    require_first_alone,
)
from stayaway.orders.findings import Finding
from stayaway.orders.history_load import load_court_orders
from stayaway.orders.known_places import KnownPlaces
from stayaway.orders.looks import record_order_act
from stayaway.orders.model import CourtOrder, OrderVersion
from stayaway.orders.parse import read_own
from stayaway.orders.preview import version_before
from stayaway.orders.questions import ApprovalStatement, Question, check_typed, questions, require_statement
from stayaway.orders.records import ParsedOrders, RecordKind
from stayaway.orders.rules import is_recalled
from stayaway.orders.store import RegistryError
from stayaway.platform.postgres import Connection, load_queries
from stayaway.platform.seal import Seal

_SQL = load_queries("stayaway.orders", "drafts.sql")
_ANOTHER = "Another person must: ask somebody who wrote no part of it."


@dataclass(frozen=True, slots=True, kw_only=True)
class Approved:
    """A version put in force. `until_at`: by when somebody else must confirm an emergency entry.

    `findings`: the warnings about it, beside the registry as it stood then; they point into the draft.
    `not_checked`: what could not be checked, in words.
    """

    order_id: str
    version: int
    until_at: datetime | None
    imported: Imported
    findings: tuple[Finding, ...]
    not_checked: tuple[str, ...]


async def approve_draft(
    conn: Connection,
    seal: Seal,
    draft_number: int,
    stated: ApprovalStatement,
    person: Person,
    *,
    if_match: str | None,
    places: KnownPlaces,
    policy: Policy | None,
    now: datetime,
) -> Approved:
    """Put the draft in force, by another person than any of its writers.

    Raises NotAllowedError for a writer, StaleError where it was edited since `if_match`, RefusedError
    where it has errors, an answer is missing or what was retyped differs, ConflictError where it is
    closed or the order got another version meanwhile. Nothing is recorded then.
    """
    async with conn.transaction():
        draft = await lock_open_draft(conn, seal, draft_number, if_match)
        require_another(draft.writers, person)
        return await _approve(
            conn, seal, draft, stated, person, TWO_PEOPLE, places=places, policy=policy, now=now
        )


async def approve_emergency(
    conn: Connection,
    seal: Seal,
    draft_number: int,
    stated: ApprovalStatement,
    person: Person,
    *,
    reason_text: str,
    if_match: str | None,
    places: KnownPlaces,
    policy: Policy | None,
    registry_policy: RegistryPolicy | None,
    now: datetime,
) -> Approved:
    """Put an emergency order in force alone, for as long as the registry's policy allows.

    It stops counting then unless another person confirms it. Raises NotAllowedError where the policy
    does not allow it for this kind of order, the draft is not of an order's first version, or one person
    alone put an order for the same people in force before (`require_first_alone`); else as
    `approve_draft` does.
    """
    try:
        async with conn.transaction():
            draft = await lock_open_draft(conn, seal, draft_number, if_match)
            road = emergency_road(draft, registry_policy, reason_text, now)
            return await _approve(
                conn, seal, draft, stated, person, road, places=places, policy=policy, now=now
            )
    except AloneAgainError as refused:
        await record_refusal(conn, seal, refused, draft_number, person, now)
        raise


async def confirm_version(
    conn: Connection,
    seal: Seal,
    order_id: str,
    version: int,
    person: Person,
    *,
    case_number: str,
    expiry: str,
    policy: Policy | None,
    now: datetime,
) -> Imported:
    """A second person confirms an emergency entry in time; it counts for good from then on.

    Raises NotFoundError, NotAllowedError for whoever wrote or approved it, RefusedError where what
    was retyped differs, ConflictError where there is nothing to confirm any more.
    """
    async with conn.transaction():
        found = await conn.fetchrow(_SQL.lock_approval, order_id, version)
        draft, approver = await _confirmable(conn, seal, order_id, found, now)
        require_another((*draft.writers, approver), person)
        await lock_order(conn, order_id)
        order = (await load_court_orders(conn, seal, (order_id,)))[order_id]
        if is_recalled(order.recalls, now):
            raise ConflictError("The order was recalled: nothing is left to confirm.", "See its history.")
        problems = check_typed(_version(order, version), case_number, expiry)
        if problems:
            raise RefusedError(problems)
        ref = seal.reference(order_id, person.key)
        await _insert(conn, _SQL.insert_confirmation, draft.draft_number, ref, now)
        record = {"order_id": order_id, "version": version, "recorded_at": format_instant(now)}
        parsed = read_own("CONFIRMATION", record)
        imported = await apply_records(conn, seal, parsed, policy, actor=person.name, at=now)
        payload = {"version": version, "draft_number": draft.draft_number, **alerts_of(imported)}
        await record_order_act(conn, seal, EntryType.ORDER_CONFIRMED, person, order_id, payload, now)
    return imported


async def _confirmable(
    conn: Connection, seal: Seal, order_id: str, found: Any, now: datetime
) -> tuple[OrderDraft, str]:
    """The draft behind the approval and the approver's name, where a confirmation can still count."""
    if found is None:
        raise NotFoundError(
            "No draft of this order was approved with this version.", "Look at the order's history."
        )
    if found["approval_kind"] != "EMERGENCY" or found["confirmed_at"] is not None:
        raise ConflictError("Two people stand behind this version already.", "There is nothing to confirm.")
    if found["until_at"] <= now:
        raise ConflictError(
            f"The emergency entry lapsed at {format_instant(found['until_at'])}: it does not count any more.",
            "Make a new draft of the order and have it approved.",
        )
    stated = parse_json(seal.unseal(order_id, _PURPOSE, found["answers_sealed"]))
    return await load_draft(conn, seal, found["draft_number"]), stated["approver"]


def require_another(writers: Sequence[str], person: Person) -> None:
    """NotAllowedError where `person` is one of `writers`; the database refuses them a second time."""
    if any(is_same_person(writer, person.name) for writer in writers):
        raise NotAllowedError("Whoever wrote or approved a part of it cannot be its second person.", _ANOTHER)


async def _approve(
    conn: Connection,
    seal: Seal,
    draft: OrderDraft,
    stated: ApprovalStatement,
    person: Person,
    road: Road,
    *,
    places: KnownPlaces,
    policy: Policy | None,
    now: datetime,
) -> Approved:
    """The locked draft becomes a version: approval, records, alerts, audit."""
    order_id = draft.order_id
    # Before the registry is locked: a zone of many vertices takes its time, and others need not wait.
    check = await compare_draft(conn, seal, draft, places, now)
    version = require_usable(check)
    await lock_order(conn, order_id)
    order = (await load_court_orders(conn, seal, (order_id,))).get(order_id)
    _require_next(order, draft.version, now)
    before = version_before(order, now)
    require_statement(version, before, stated)
    compared = set(check.compared_with)
    if road.kind == "EMERGENCY":
        compared |= set(await require_first_alone(conn, seal, version, now))
    answered = _answered(stated, questions(version, before), person, road)
    await _insert_approval(conn, seal, draft, answered, person, road, now)
    parsed = _with_provisional(check.parsed, version, road.until_at, now)
    imported = await apply_records(conn, seal, parsed, policy, actor=person.name, at=now)
    if imported.outcome.applied.get("VERSION") != 1:
        raise RegistryError("The registry did not take the version.", "Look at the order's history.")
    await conn.execute(_SQL.set_state, draft.draft_number, "APPROVED", now)
    payload = {
        "draft_number": draft.draft_number,
        "row_version": draft.row_version,
        "content_digest": draft.content_digest.hex(),
        "version": version.version,
        "approval_kind": road.kind,
        "until_at": format_instant(road.until_at) if road.until_at else None,
        "statement": answered,
        "compared_with": sorted(compared),
        "known_places_sha256": dict(places.file_sha256),
        **alerts_of(imported),
    }
    await record_order_act(conn, seal, EntryType.ORDER_APPROVED, person, order_id, payload, now)
    return Approved(
        order_id=order_id,
        version=version.version,
        until_at=road.until_at,
        imported=imported,
        findings=check.findings,
        not_checked=check.not_checked,
    )


def _answered(
    stated: ApprovalStatement, asked: Sequence[Question], person: Person, road: Road
) -> dict[str, Any]:
    """What is kept of the approval, sealed: who, what was asked, answered and typed."""
    return {
        "approver": person.name,
        "typed": {"case_number": stated.case_number, "expiry": stated.expiry},
        "asked": [asdict(question) for question in asked],
        "answers": {name: asdict(answer) for name, answer in stated.answers.items()},
        **road.more,
    }


async def _insert_approval(
    conn: Connection,
    seal: Seal,
    draft: OrderDraft,
    answered: dict[str, Any],
    person: Person,
    road: Road,
    now: datetime,
) -> None:
    await _insert(
        conn,
        _SQL.insert_approval,
        draft.draft_number,
        draft.row_version,
        draft.content_digest,
        road.kind,
        seal.reference(draft.order_id, person.key),
        now,
        road.until_at,
        seal.seal(draft.order_id, _PURPOSE, canonical_json(answered)),
    )


def _require_next(order: CourtOrder | None, version: int, now: datetime) -> None:
    """ConflictError where the order has moved since the draft was checked: another version, or a recall."""
    if order is not None and is_recalled(order.recalls, now):
        raise ConflictError(
            "The order was recalled, and no version of it binds any more.",
            "If the court made another order, write a draft of that under an order_id of its own.",
        )
    newest = order.versions[-1].version if order else 0
    if newest + 1 != version:
        raise ConflictError(
            f"The order has got version {newest} since this draft was last written.",
            "Send the draft's content again, look at the new preview, then decide.",
        )


def _with_provisional(
    parsed: ParsedOrders, version: OrderVersion, until_at: datetime | None, now: datetime
) -> ParsedOrders:
    if until_at is None:
        return parsed
    record = {
        "order_id": version.order_id,
        "version": version.version,
        "until_at": format_instant(until_at),
        "recorded_at": format_instant(now),
    }
    kind: RecordKind = "PROVISIONAL"
    return replace(parsed, records=(*parsed.records, *read_own(kind, record).records))


async def _insert(conn: Connection, sql: str, *arguments: Any) -> None:
    """Insert an approval or a confirmation; what the database refuses is said in words."""
    try:
        done = await conn.execute(sql, *arguments)
    except (asyncpg.CheckViolationError, asyncpg.ForeignKeyViolationError) as error:
        raise NotAllowedError(
            f"The database refuses it (constraint {error.constraint_name}).", _ANOTHER
        ) from None
    except asyncpg.UniqueViolationError:
        raise ConflictError("Somebody else was first.", "Load it again to see what stands.") from None
    if done != "INSERT 0 1":
        raise RegistryError("There is nothing that could be approved or confirmed.", "Load it again.")


def _version(order: CourtOrder, number: int) -> OrderVersion:
    return next(version for version in order.versions if version.version == number)


def alerts_of(imported: Imported) -> dict[str, list[str]]:
    """The open alerts that a change of an order changed, by what became of them."""
    return {
        "alerts_withdrawn": list(imported.withdrawn),
        "alerts_ended": list(imported.ended),
        "alerts_revised": list(imported.revised),
        "alerts_raised": list(imported.raised),
    }
