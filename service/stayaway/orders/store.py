"""The order registry in Postgres: append-only, sealed by order, followed by its sequence.

A record is never changed. Changes are published one after the other under the registry row's lock, so
whoever has read sequence S sees every record up to S; what is long about them comes before that lock
(see `orders.change`).
"""

from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any

import asyncpg

from stayaway.audit.entries import NAMED_HEAD, EntryType, NewEntry, name_head
from stayaway.audit.store import record_entries
from stayaway.kernel.errors import ConflictError, StayawayError
from stayaway.orders.ahead import refuse_ahead
from stayaway.orders.change import (
    AUDIT_STREAM,
    WrittenChange,
    load_state,
    publish,
    write_change,
)
from stayaway.orders.findings import Finding, FindingList, has_errors
from stayaway.orders.model import OrderVersion
from stayaway.orders.recorded import Recorded, find_recorded, order_id_of
from stayaway.orders.records import ParsedOrders, ParsedRecord, RecordKind
from stayaway.platform.postgres import Connection
from stayaway.platform.seal import Seal

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
    """

    registry_sequence: int
    known_at: datetime | None
    changed_order_ids: tuple[str, ...]
    moved_order_ids: tuple[str, ...]
    applied: Mapping[RecordKind, int]
    unchanged: int
    findings: tuple[Finding, ...]

    @property
    def has_errors(self) -> bool:
        """Whether something in the file was refused."""
        return has_errors(self.findings)


@dataclass(frozen=True, slots=True)
class _Plan:
    """What of a file is new and applies. `findings`: what the registry has against the rest."""

    accepted: tuple[ParsedRecord, ...]
    unchanged: int
    findings: tuple[Finding, ...]


async def record_orders(
    connection: Connection,
    seal: Seal,
    parsed: ParsedOrders,
    *,
    actor: str,
    recorded_now: datetime,
    clock: Callable[[], datetime] | None = None,
    holds_registry: bool = False,
) -> ImportOutcome:
    """Apply what can be applied of `parsed`, in the caller's transaction, audited.

    Versions are all or nothing; usable notices, recalls and suspensions apply whatever else
    fails, but none that says it was recorded in the future (see `ahead`), nor what the registry has
    already. Locks the registry, then the
    heads of orders that were there before, in id order, until the transaction ends, but not before
    everything is written. `clock`: the instant of that, where writing takes long; else `recorded_now`.
    `holds_registry`: the caller has locked the registry and the order already. Raises ConflictError
    where somebody else is just recording the same.
    """
    if not connection.is_in_transaction():
        raise RegistryError("An import needs a transaction around it.")
    parsed = refuse_ahead(parsed, recorded_now)
    writing = partial(write_change, actor=actor, at=recorded_now, holds_registry=holds_registry)
    plan, change = await _write(connection, seal, parsed, writing)
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
        findings=(*parsed.findings, *plan.findings),
    )
    entries = change.entries if change else ()
    last = _import_entry(outcome, change, actor, recorded_now)
    await record_entries(connection, seal, AUDIT_STREAM, (*entries, last))
    return outcome


async def _write(
    connection: Connection, seal: Seal, parsed: ParsedOrders, writing: Callable[..., Awaitable[WrittenChange]]
) -> tuple[_Plan, WrittenChange | None]:
    """Everything but the publication; again from the start where somebody recorded the same meanwhile."""
    for _ in range(_TRIES):
        plan = await _plan(connection, seal, parsed)
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


async def _plan(connection: Connection, seal: Seal, parsed: ParsedOrders) -> _Plan:
    usable = [record for record in parsed.records if record.value is not None]
    recorded = await find_recorded(connection, usable)
    new = [record for record in usable if not recorded.has(seal, record)]
    accepted, findings = _accept(new, is_blocked=parsed.blocks_orders, recorded=recorded)
    return _Plan(tuple(accepted), len(usable) - len(new), tuple(findings))


def _accept(
    new: Sequence[ParsedRecord], *, is_blocked: bool, recorded: Recorded
) -> tuple[list[ParsedRecord], list[Finding]]:
    """The records that apply, and what the registry has against the others."""
    findings: list[Finding] = []
    versions = [record for record in new if record.kind == "VERSION"]
    for record in versions:
        findings += _contradictions(record, recorded)
    if is_blocked or findings:
        versions = []
    known = recorded.order_ids | {order_id_of(record) for record in versions}
    lone = [record for record in new if record.kind != "VERSION"]
    for record in lone:
        if order_id_of(record) not in known:
            findings += _orphan(record)
    return versions + [record for record in lone if order_id_of(record) in known], findings


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


def _orphan(record: ParsedRecord) -> list[Finding]:
    noted = FindingList(record.order_id, record.path)
    noted.error(
        ("order_id",),
        record.order_id,
        "The registry has no such order, and this file brings none that could be recorded.",
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
