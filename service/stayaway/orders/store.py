"""The order registry in Postgres: append-only, sealed by order, followed by its sequence.

A record is never changed. Changes are published one after the other under the registry row's lock, so
whoever has read sequence S sees every record up to S; what is long about them comes before that lock
(see `orders.change`).
"""

from collections import Counter, defaultdict
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any

import asyncpg

from stayaway.audit.entries import NAMED_HEAD, EntryType, NewEntry, name_head
from stayaway.audit.store import record_entries
from stayaway.kernel.errors import ConflictError, StayawayError
from stayaway.orders.addressees import check_addressee, no_such_order
from stayaway.orders.ahead import refuse_ahead
from stayaway.orders.approvals import find_approved_here
from stayaway.orders.change import (
    AUDIT_STREAM,
    WrittenChange,
    load_state,
    publish,
    write_change,
)
from stayaway.orders.findings import Finding, FindingList, has_errors
from stayaway.orders.history_load import load_court_orders
from stayaway.orders.load import pages
from stayaway.orders.model import Notice, OrderVersion
from stayaway.orders.over_approved import say_over_approved
from stayaway.orders.recorded import Recorded, find_recorded, order_id_of
from stayaway.orders.records import ParsedOrders, ParsedRecord, RecordKind
from stayaway.platform.postgres import Connection
from stayaway.platform.seal import Seal

_ORDERS_AT_ONCE = 500
"""Orders unsealed at once to look whom they name; then they are let go."""
_TRIES = 4
"""Whoever recorded the same meanwhile is done when the next try begins; a second rival is rare."""


class RegistryError(StayawayError):
    """The registry was used in a way that could lose its promises."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportOutcome:
    """What an import did. `applied`: records by kind; `unchanged`: known already.

    `registry_sequence` and `known_at` are those after it (unmoved where nothing was applied).
    `moved_order_ids`: the changed orders that the registry had before.
    `findings`: the file's and the registry's; with an ERROR in a version no version was applied.
    `held_back`: versions without one that were not applied for that reason.
    """

    registry_sequence: int
    known_at: datetime | None
    changed_order_ids: tuple[str, ...]
    moved_order_ids: tuple[str, ...]
    applied: Mapping[RecordKind, int]
    unchanged: int
    held_back: int
    findings: tuple[Finding, ...]

    @property
    def has_errors(self) -> bool:
        """Whether something in the file was refused."""
        return has_errors(self.findings)


@dataclass(frozen=True, slots=True)
class _Plan:
    """What of a file is new and applies. `findings`: what the registry has against the rest.

    `held_back`: sound versions that do not apply, because others of the file are not.
    """

    accepted: tuple[ParsedRecord, ...]
    unchanged: int
    held_back: int
    findings: tuple[Finding, ...]


@dataclass(frozen=True, slots=True)
class _Planning:
    """Whether the records come with a file, and whether that may change what people approved here."""

    is_file: bool
    may_change_approved: bool


async def record_orders(
    connection: Connection,
    seal: Seal,
    parsed: ParsedOrders,
    *,
    actor: str,
    recorded_now: datetime,
    clock: Callable[[], datetime] | None = None,
    holds_registry: bool = False,
    may_change_approved: bool = True,
) -> ImportOutcome:
    """Apply what can be applied of `parsed`, in the caller's transaction, audited.

    Versions are all or nothing; usable notices, recalls and suspensions apply whatever else
    fails, but none that says it was recorded in the future (see `ahead`), nor what the registry has
    already. Locks the registry, then the
    heads of orders that were there before, in id order, until the transaction ends, but not before
    everything is written. `clock`: the instant of that, where writing takes long; else `recorded_now`.
    `holds_registry`: the caller has locked the registry and the order already, for an act of a person here.
    `may_change_approved`: whether a file may bring versions of orders that people approved here; it is said
    where one does. Raises ConflictError where somebody else is just recording the same.
    """
    if not connection.is_in_transaction():
        raise RegistryError("An import needs a transaction around it.")
    parsed = refuse_ahead(parsed, recorded_now)
    writing = partial(write_change, actor=actor, at=recorded_now, holds_registry=holds_registry)
    planning = _Planning(is_file=not holds_registry, may_change_approved=may_change_approved)
    plan, change = await _write(connection, seal, parsed, planning, writing)
    if change is None:
        state, order_ids = await load_state(connection), tuple[str, ...]()
    else:
        state = await publish(connection, change, clock or (lambda: recorded_now))
        order_ids = change.order_ids
    outcome = ImportOutcome(
        registry_sequence=state.registry_sequence,
        known_at=state.known_at,
        changed_order_ids=order_ids,
        moved_order_ids=change.moved if change else (),
        applied=Counter(record.kind for record in plan.accepted),
        unchanged=plan.unchanged,
        held_back=plan.held_back,
        findings=(*parsed.findings, *plan.findings),
    )
    entries = change.entries if change else ()
    last = _import_entry(outcome, change, actor, recorded_now)
    await record_entries(connection, seal, AUDIT_STREAM, (*entries, last))
    return outcome


async def _write(
    connection: Connection,
    seal: Seal,
    parsed: ParsedOrders,
    planning: _Planning,
    writing: Callable[..., Awaitable[WrittenChange]],
) -> tuple[_Plan, WrittenChange | None]:
    """Everything but the publication; again from the start where somebody recorded the same meanwhile."""
    for _ in range(_TRIES):
        plan = await _plan(connection, seal, parsed, planning)
        if not plan.accepted:
            return plan, None
        try:
            async with connection.transaction():
                return plan, await writing(connection, seal, plan.accepted)
        except asyncpg.UniqueViolationError:
            continue
        except asyncpg.LockNotAvailableError:
            break
    raise ConflictError("Somebody else is just recording this order.", "Look at the order, then try again.")


async def _plan(connection: Connection, seal: Seal, parsed: ParsedOrders, planning: _Planning) -> _Plan:
    usable = [record for record in parsed.records if record.value is not None]
    recorded = await find_recorded(connection, usable)
    new = [record for record in usable if not recorded.has(seal, record)]
    versions = [record for record in new if record.kind == "VERSION"]
    findings = [finding for record in versions for finding in _contradictions(record, recorded)]
    over = await _over_approved(connection, seal, new, recorded, planning) if planning.is_file else []
    wrong = len({finding.pointer for finding in (*findings, *over) if finding.severity == "ERROR"})
    accepted = [] if parsed.blocks_orders or wrong else versions
    held_back = len(versions) - len(accepted) - (0 if accepted else wrong)
    lone = [record for record in new if record.kind != "VERSION"]
    known = recorded.order_ids | {order_id_of(record) for record in accepted}
    findings += [no_such_order(record) for record in lone if order_id_of(record) not in known]
    there = [record for record in lone if order_id_of(record) in known]
    astray = await _astray(connection, seal, there, accepted, recorded)
    return _Plan(
        accepted=(*accepted, *there),
        unchanged=len(usable) - len(new),
        held_back=held_back,
        findings=(*findings, *over, *astray),
    )


async def _over_approved(
    connection: Connection,
    seal: Seal,
    new: Sequence[ParsedRecord],
    recorded: Recorded,
    planning: _Planning,
) -> list[Finding]:
    """What is to be said of a file's new records of orders that people approved here, in their order."""
    known = recorded.order_ids.intersection(order_id_of(record) for record in new)
    approved = await find_approved_here(connection, seal, known)
    return [
        finding
        for record in (new if approved else ())
        if (here := approved.get(order_id_of(record))) is not None
        for finding in say_over_approved(record, here, may_change=planning.may_change_approved)
    ]


async def _astray(
    connection: Connection,
    seal: Seal,
    lone: Sequence[ParsedRecord],
    accepted: Sequence[ParsedRecord],
    recorded: Recorded,
) -> list[Finding]:
    """What is to be said of the notices of `lone` that reach nobody, in their order.

    Only orders with a notice are opened: a recall must be recorded whatever became of its order's records.
    """
    brought: dict[str, list[OrderVersion]] = defaultdict(list)
    for record in accepted:
        assert isinstance(record.value, OrderVersion)
        brought[record.value.order_id].append(record.value)
    notices: dict[str, list[tuple[int, Notice]]] = defaultdict(list)
    for place, record in enumerate(lone):
        if isinstance(record.value, Notice):
            notices[record.value.order_id].append((place, record.value))
    found: dict[int, Sequence[Finding]] = {}
    for page in pages(sorted(notices), _ORDERS_AT_ONCE):
        there = await load_court_orders(connection, seal, recorded.order_ids.intersection(page))
        for order_id in page:
            registered = there[order_id].versions if order_id in there else ()
            versions = (*registered, *brought.get(order_id, ()))
            found |= {at: check_addressee(lone[at], notice, versions) for at, notice in notices[order_id]}
    return [finding for place in sorted(found) for finding in found[place]]


def _contradictions(record: ParsedRecord, recorded: Recorded) -> list[Finding]:
    value = record.value
    assert isinstance(value, OrderVersion)
    if (value.order_id, value.version) not in recorded.versions:
        return []
    noted = FindingList(value.order_id, record.path)
    noted.error(
        ("version",),
        value.version,
        "The registry has this version with other content, and nothing is overwritten:"
        " give it the next number.",
    )
    return noted.findings


def _import_entry(
    outcome: ImportOutcome, change: WrittenChange | None, actor: str, now: datetime
) -> NewEntry:
    payload: dict[str, Any] = {
        "registry_sequence": outcome.registry_sequence,
        "applied": dict(outcome.applied),
        "unchanged": outcome.unchanged,
        "errors": sum(finding.severity == "ERROR" for finding in outcome.findings),
    }
    if change is not None:
        payload["change_number"] = change.change_number
        if change.own_stream is not None:
            payload[NAMED_HEAD] = name_head(change.own_stream)
    return NewEntry(
        entry_type=EntryType.ORDERS_IMPORTED,
        order_id=None,
        actor=actor,
        subject="registry",
        payload=payload,
        recorded_at=now,
    )
