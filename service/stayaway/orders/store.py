"""The order registry in Postgres: append-only, sealed by order, followed by its sequence.

A record is never changed. Imports follow one another under the registry row's lock, so whoever
has read sequence S sees every record up to S.
"""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from stayaway.audit.entries import EntryType, NewEntry
from stayaway.audit.store import record_entries
from stayaway.kernel.errors import StayawayError
from stayaway.kernel.instants import format_instant
from stayaway.orders.codec import encode_record
from stayaway.orders.findings import Finding, FindingList, has_errors
from stayaway.orders.model import OrderVersion
from stayaway.orders.records import ParsedOrders, ParsedRecord, RecordKind
from stayaway.platform.postgres import Connection, load_queries
from stayaway.platform.seal import Seal

AUDIT_STREAM = "orders"
REGISTRY_CHANNEL = "stayaway_registry"
"""NOTIFY channel; its payload is the new sequence."""
SEAL_PURPOSE = "order_record"

_QUERIES = load_queries("stayaway.orders", "orders.sql")
_AUDIT_BATCH = 2_000
_COLUMNS = (
    "order_id",
    "registry_sequence",
    "ordinal",
    "record_kind",
    "version",
    "recorded_at",
    "applied_at",
    "applied_by_ref",
    "content_digest",
    "payload_sealed",
)


class RegistryError(StayawayError):
    """The registry was used in a way that could lose its promises."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportOutcome:
    """What an import did. `applied`: records by kind; `unchanged`: known already.

    `registry_sequence` and `known_at` are those after it (unmoved where nothing was applied).
    `findings`: the file's and the registry's; with an ERROR in a version no version was applied.
    """

    registry_sequence: int
    known_at: datetime | None
    changed_order_ids: tuple[str, ...]
    applied: Mapping[RecordKind, int]
    unchanged: int
    findings: tuple[Finding, ...]

    @property
    def has_errors(self) -> bool:
        """Whether something in the file was refused."""
        return has_errors(self.findings)


@dataclass(frozen=True, slots=True)
class _Recorded:
    """What the registry holds of the orders that a file names."""

    digests: frozenset[tuple[str, str, bytes]]
    versions: frozenset[tuple[str, int]]
    order_ids: frozenset[str]


async def record_orders(
    connection: Connection, seal: Seal, parsed: ParsedOrders, *, actor: str, recorded_now: datetime
) -> ImportOutcome:
    """Apply what can be applied of `parsed`, in the caller's transaction, audited.

    Versions are all or nothing; usable notices, recalls and suspensions apply whatever else
    fails. A record that the registry has already changes nothing. Locks the registry, then the
    orders' heads in id order, until the transaction ends.
    """
    if not connection.is_in_transaction():
        raise RegistryError("An import needs a transaction around it.")
    before = await connection.fetchrow(_QUERIES.lock_registry)
    assert before is not None
    usable = [record for record in parsed.records if record.value is not None]
    order_ids = sorted({_order_id(record) for record in usable})
    await connection.fetch(_QUERIES.lock_heads, order_ids)
    recorded = await _find_recorded(connection, order_ids)
    new = [record for record in usable if not _is_recorded(seal, record, recorded)]
    accepted, findings = _accept(new, is_blocked=parsed.blocks_orders, recorded=recorded)
    outcome = ImportOutcome(
        registry_sequence=before["registry_sequence"] + (1 if accepted else 0),
        known_at=max((*_known(before["known_at"]), *(_recorded_at(r) for r in accepted)), default=None),
        changed_order_ids=tuple(sorted({_order_id(record) for record in accepted})),
        applied=Counter(record.kind for record in accepted),
        unchanged=len(usable) - len(new),
        findings=(*parsed.findings, *findings),
    )
    if accepted:
        seal.ensure(outcome.changed_order_ids)
        await _apply(connection, seal, accepted, outcome, actor, recorded_now)
    await _audit(connection, seal, accepted, outcome, actor, recorded_now)
    return outcome


def _known(at: datetime | None) -> tuple[datetime, ...]:
    return () if at is None else (at,)


def _recorded_at(record: ParsedRecord) -> datetime:
    assert record.value is not None
    return record.value.recorded_at


def _order_id(record: ParsedRecord) -> str:
    assert record.value is not None
    return record.value.order_id


async def _find_recorded(connection: Connection, order_ids: Sequence[str]) -> _Recorded:
    rows = await connection.fetch(_QUERIES.find_recorded, order_ids)
    return _Recorded(
        digests=frozenset((row["order_id"], row["record_kind"], row["content_digest"]) for row in rows),
        versions=frozenset((row["order_id"], row["version"]) for row in rows if row["version"] is not None),
        order_ids=frozenset(row["order_id"] for row in rows),
    )


def content_digest(seal: Seal, record_digest: bytes, order_id: str) -> bytes:
    """The record's digest under its order's key: without the key it says nothing."""
    return seal.reference(order_id, f"order_record:{record_digest.hex()}")


def _is_recorded(seal: Seal, record: ParsedRecord, recorded: _Recorded) -> bool:
    order_id = _order_id(record)
    if order_id not in recorded.order_ids:
        return False
    return (order_id, record.kind, content_digest(seal, record.digest, order_id)) in recorded.digests


def _accept(
    new: Sequence[ParsedRecord], *, is_blocked: bool, recorded: _Recorded
) -> tuple[list[ParsedRecord], list[Finding]]:
    """The records that apply, and what the registry has against the others."""
    findings: list[Finding] = []
    versions = [record for record in new if record.kind == "VERSION"]
    for record in versions:
        findings += _contradictions(record, recorded)
    if is_blocked or findings:
        versions = []
    known = recorded.order_ids | {_order_id(record) for record in versions}
    lone = [record for record in new if record.kind != "VERSION"]
    for record in lone:
        if _order_id(record) not in known:
            findings += _orphan(record)
    return versions + [record for record in lone if _order_id(record) in known], findings


def _contradictions(record: ParsedRecord, recorded: _Recorded) -> list[Finding]:
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


async def _apply(
    connection: Connection,
    seal: Seal,
    accepted: Sequence[ParsedRecord],
    outcome: ImportOutcome,
    actor: str,
    now: datetime,
) -> None:
    await connection.execute(_QUERIES.move_heads, list(outcome.changed_order_ids), outcome.registry_sequence)
    ordinals: Counter[str] = Counter()
    rows = []
    for record in accepted:
        order_id = _order_id(record)
        ordinals[order_id] += 1
        rows.append(_to_row(seal, record, outcome.registry_sequence, ordinals[order_id], actor, now))
    await connection.copy_records_to_table("order_record", records=rows, columns=_COLUMNS)
    await connection.execute(_QUERIES.move_registry, outcome.registry_sequence, outcome.known_at, now)
    await connection.execute(_QUERIES.notify_registry, REGISTRY_CHANNEL, str(outcome.registry_sequence))


def _to_row(
    seal: Seal, record: ParsedRecord, sequence: int, ordinal: int, actor: str, now: datetime
) -> tuple[object, ...]:
    value = record.value
    assert value is not None
    return (
        value.order_id,
        sequence,
        ordinal,
        record.kind,
        value.version if isinstance(value, OrderVersion) else None,
        value.recorded_at,
        now,
        seal.reference(value.order_id, actor),
        content_digest(seal, record.digest, value.order_id),
        seal.seal(value.order_id, SEAL_PURPOSE, encode_record(record)),
    )


async def _audit(
    connection: Connection,
    seal: Seal,
    accepted: Sequence[ParsedRecord],
    outcome: ImportOutcome,
    actor: str,
    now: datetime,
) -> None:
    by_order: dict[str, list[ParsedRecord]] = defaultdict(list)
    for record in accepted:
        by_order[_order_id(record)].append(record)
    entries = [
        NewEntry(
            entry_type=EntryType.ORDER_RECORDED,
            order_id=order_id,
            actor=actor,
            subject=order_id,
            payload={
                "registry_sequence": outcome.registry_sequence,
                "records": [_audited(record) for record in by_order[order_id]],
            },
            recorded_at=now,
        )
        for order_id in outcome.changed_order_ids
    ]
    entries.append(_import_entry(outcome, actor, now))
    for start in range(0, len(entries), _AUDIT_BATCH):
        await record_entries(connection, seal, AUDIT_STREAM, entries[start : start + _AUDIT_BATCH])


def _audited(record: ParsedRecord) -> dict[str, object]:
    value = record.value
    assert value is not None
    version = {"version": value.version} if isinstance(value, OrderVersion) else {}
    recorded = {"kind": record.kind, "recorded_at": format_instant(value.recorded_at)}
    return {**recorded, **version, "sha256": record.digest.hex()}


def _import_entry(outcome: ImportOutcome, actor: str, now: datetime) -> NewEntry:
    return NewEntry(
        entry_type=EntryType.ORDERS_IMPORTED,
        order_id=None,
        actor=actor,
        subject="registry",
        payload={
            "registry_sequence": outcome.registry_sequence,
            "applied": dict(outcome.applied),
            "unchanged": outcome.unchanged,
            "errors": sum(finding.severity == "ERROR" for finding in outcome.findings),
        },
        recorded_at=now,
    )
