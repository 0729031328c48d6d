"""Audit entries as bytes: sealed payload, commitment, leaf, and the chain of a stream (pure).

A leaf proves what was recorded without showing it: personal data stands in the payload only,
which is sealed with its order's key; the leaf carries a commitment to it. Once the key is
destroyed the payload and the references are unreadable and every hash still holds.

    payload    canonical JSON {"actor", "details", "subject"}
    sealed     seal(scope, "audit", canonical JSON {"payload": text, "salt": hex})
    commitment HMAC-SHA256(salt, payload)
    leaf       canonical JSON of the fields in `leaf_bytes`
    leaf hash  SHA-256(0x00 || leaf)                              (RFC 9162, 2.1.1)
"""

import hashlib
import hmac
import json
import secrets
import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, NamedTuple, Protocol

from stayaway.kernel.instants import format_instant
from stayaway.kernel.jsontext import canonical_json

LEAF_VERSION = 1
# What the first entry of a stream names as the one before it.
NO_ENTRY_HASH = bytes(32)
SYSTEM_SCOPE = "@system"
SEAL_PURPOSE = "audit"

_SALT_BYTES = 32
# Any fixed UUID will do: entry ids are name-based in it, so the same place has the same id.
_ENTRY_NAMESPACE = uuid.UUID("5f1b7c1e-6a34-5b0e-9c63-0d6f7f1a2b44")


_quoted = json.JSONEncoder(ensure_ascii=False).encode
# A text as JSON has it, no more escaped than RFC 8785 asks for.


class EntryType(StrEnum):
    """Everything that is ever audited; closed, so that a reader can know them all."""

    ALERT_RAISED = "ALERT_RAISED"
    ALERT_MERGED = "ALERT_MERGED"
    ALERT_EVIDENCE_ROSE = "ALERT_EVIDENCE_ROSE"
    ALERT_WITHDRAWN = "ALERT_WITHDRAWN"
    ALERT_ORDER_ENDED = "ALERT_ORDER_ENDED"
    ALERT_REVISED = "ALERT_REVISED"
    ALERT_CLAIMED = "ALERT_CLAIMED"
    ALERT_CONFIRMED = "ALERT_CONFIRMED"
    ALERT_DISMISSED = "ALERT_DISMISSED"
    ALERT_ACKNOWLEDGED = "ALERT_ACKNOWLEDGED"
    ALERT_VIEWED = "ALERT_VIEWED"
    ALERTS_LISTED = "ALERTS_LISTED"
    COVERAGE = "COVERAGE"
    FIRST_POSITION = "FIRST_POSITION"
    GAP = "GAP"
    PARTITION_HELD = "PARTITION_HELD"
    ORDERS_IMPORTED = "ORDERS_IMPORTED"
    ORDER_RECORDED = "ORDER_RECORDED"
    ORDERS_ENDED = "ORDERS_ENDED"
    ORDER_VIEWED = "ORDER_VIEWED"
    ORDERS_LISTED = "ORDERS_LISTED"
    ORDERS_COMPARED = "ORDERS_COMPARED"
    ORDER_DRAFTED = "ORDER_DRAFTED"
    ORDER_DRAFT_EDITED = "ORDER_DRAFT_EDITED"
    ORDER_DRAFT_WITHDRAWN = "ORDER_DRAFT_WITHDRAWN"
    ORDER_DRAFT_VIEWED = "ORDER_DRAFT_VIEWED"
    ORDER_DRAFTS_LISTED = "ORDER_DRAFTS_LISTED"
    ORDER_APPROVED = "ORDER_APPROVED"
    ORDER_CONFIRMED = "ORDER_CONFIRMED"
    ORDER_ACTED = "ORDER_ACTED"
    DEAD_LETTER_SHOWN = "DEAD_LETTER_SHOWN"
    DEAD_LETTER_REDRIVEN = "DEAD_LETTER_REDRIVEN"


class EntrySeal(Protocol):
    """The part of the seal that entries need (platform.seal.Seal has it)."""

    def seal(self, scope: str, purpose: str, plaintext: bytes) -> bytes:
        """`plaintext` under the scope's key."""

    def unseal(self, scope: str, purpose: str, sealed: bytes) -> bytes:
        """What was sealed."""

    def reference(self, scope: str, text: str) -> bytes:
        """32 bytes that stand for `text` in this scope."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NewEntry:
    """Something that happened, before it has a place in a stream.

    `order_id` is the key scope (None: no order's). `actor`: who did it; `subject`: what it was
    done to (an alert id, an order id, a partition). `payload`: JSON values only, instants as
    text, integers within 2**53. `recorded_at` is UTC-aware.
    """

    entry_type: EntryType
    order_id: str | None
    actor: str
    subject: str
    payload: Mapping[str, Any]
    recorded_at: datetime
    policy_sha256: str | None = None


@dataclass(frozen=True, slots=True)
class StreamHead:
    """How far a stream goes: the number and the leaf hash of its last entry (0: none yet)."""

    stream: str
    stream_sequence: int = 0
    last_entry_hash: bytes = NO_ENTRY_HASH


NAMED_HEAD = "entries_in"
"""The field of an entry's payload that names the head of another stream, which is complete with it."""


def name_head(head: StreamHead) -> dict[str, Any]:
    """The value of that field: the entry commits to every entry of the stream it names."""
    return {
        "stream": head.stream,
        "stream_sequence": head.stream_sequence,
        "entry_hash": head.last_entry_hash.hex(),
    }


def read_named_head(details: Mapping[str, Any]) -> StreamHead | None:
    """The head that a payload names; None where it names none."""
    named = details.get(NAMED_HEAD)
    if named is None:
        return None
    return StreamHead(named["stream"], named["stream_sequence"], bytes.fromhex(named["entry_hash"]))


class AuditRow(NamedTuple):
    """One entry as table audit_entry keeps it, its columns in their order."""

    stream: str
    stream_sequence: int
    entry_id: uuid.UUID
    entry_type: str
    recorded_at: datetime
    order_id: str | None
    actor_ref: bytes
    subject_ref: bytes
    policy_sha256: str | None
    previous_hash: bytes
    commitment: bytes
    leaf_hash: bytes
    payload_sealed: bytes

    @property
    def scope(self) -> str:
        """Whose key seals the payload."""
        return scope_of(self.order_id)


@dataclass(frozen=True, slots=True)
class OpenedEntry:
    """What an entry's payload says, once unsealed."""

    actor: str
    subject: str
    details: Mapping[str, Any]


def scope_of(order_id: str | None) -> str:
    """The key scope of an entry of this order, or of none."""
    return SYSTEM_SCOPE if order_id is None else order_id


def partition_stream(topic: str, partition: int) -> str:
    """The name of a partition's stream. Streams of acts have no "/" in theirs."""
    return f"{topic}/{partition}"


def build_entries(
    seal: EntrySeal, head: StreamHead, entries: Iterable[NewEntry]
) -> tuple[tuple[AuditRow, ...], StreamHead]:
    """The rows that follow `head`, in the given order, and the head after them.

    Every scope must have its key already. Raises the seal's error otherwise, and ValueError
    for a payload that is no JSON.
    """
    rows = []
    for entry in entries:
        row = _build_row(seal, head, entry)
        rows.append(row)
        head = StreamHead(head.stream, row.stream_sequence, row.leaf_hash)
    return tuple(rows), head


def _build_row(seal: EntrySeal, head: StreamHead, entry: NewEntry) -> AuditRow:
    scope = scope_of(entry.order_id)
    payload = canonical_json({"actor": entry.actor, "details": dict(entry.payload), "subject": entry.subject})
    salt = secrets.token_bytes(_SALT_BYTES)
    inside = f'{{"payload":{_quoted(payload.decode())},"salt":"{salt.hex()}"}}'.encode()
    sequence = head.stream_sequence + 1
    row = AuditRow(
        stream=head.stream,
        stream_sequence=sequence,
        entry_id=_entry_id(head.stream, sequence),
        entry_type=entry.entry_type.value,
        recorded_at=entry.recorded_at,
        order_id=entry.order_id,
        actor_ref=seal.reference(scope, entry.actor),
        subject_ref=seal.reference(scope, entry.subject),
        policy_sha256=entry.policy_sha256,
        previous_hash=head.last_entry_hash,
        commitment=_commit(salt, payload),
        leaf_hash=b"",
        payload_sealed=seal.seal(scope, SEAL_PURPOSE, inside),
    )
    return row._replace(leaf_hash=leaf_hash(row))


def _entry_id(stream: str, sequence: int) -> uuid.UUID:
    """RFC 9562's name-based UUID: as `uuid.uuid5` makes it, in half the time."""
    name = _ENTRY_NAMESPACE.bytes + f"{stream}\n{sequence}".encode()
    return uuid.UUID(bytes=hashlib.sha1(name, usedforsecurity=False).digest()[:16], version=5)


def _commit(salt: bytes, payload: bytes) -> bytes:
    return hmac.digest(salt, payload, "sha256")


def leaf_bytes(row: AuditRow) -> bytes:
    """What the log commits to: canonical JSON, without the payload and the leaf's own hash."""
    # Written out: a large import makes a hundred thousand. Canonical JSON has the names in this order.
    order_id = "" if row.order_id is None else f'"order_id":{_quoted(row.order_id)},'
    policy_sha256 = "null" if row.policy_sha256 is None else _quoted(row.policy_sha256)
    return (
        f'{{"actor_ref":"{row.actor_ref.hex()}","commitment":"{row.commitment.hex()}",'
        f'"entry_id":"{row.entry_id}",{order_id}"policy_sha256":{policy_sha256},'
        f'"previous":"{row.previous_hash.hex()}","recorded_at":"{format_instant(row.recorded_at)}",'
        f'"stream":{_quoted(row.stream)},"stream_sequence":{row.stream_sequence},'
        f'"subject_ref":"{row.subject_ref.hex()}","type":{_quoted(row.entry_type)},"v":{LEAF_VERSION}}}'
    ).encode()


def leaf_hash(row: AuditRow) -> bytes:
    """SHA-256(0x00 || leaf), RFC 9162's leaf hash."""
    return hashlib.sha256(b"\x00" + leaf_bytes(row)).digest()


class CommitmentError(ValueError):
    """What was unsealed is not what the leaf committed to."""


def open_entry(seal: EntrySeal, row: AuditRow) -> OpenedEntry:
    """The payload of `row`, checked against its commitment and its references.

    Raises the seal's error where it does not open, CommitmentError where it does not agree.
    """
    inside = json.loads(seal.unseal(row.scope, SEAL_PURPOSE, row.payload_sealed))
    payload = inside["payload"].encode()
    if not hmac.compare_digest(_commit(bytes.fromhex(inside["salt"]), payload), row.commitment):
        raise CommitmentError("the payload is not the one that was committed to")
    fields = json.loads(payload)
    opened = OpenedEntry(fields["actor"], fields["subject"], fields["details"])
    if seal.reference(row.scope, opened.actor) != row.actor_ref:
        raise CommitmentError("the actor's reference is another's")
    if seal.reference(row.scope, opened.subject) != row.subject_ref:
        raise CommitmentError("the subject's reference is another's")
    return opened
