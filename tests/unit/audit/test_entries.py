"""Audit entries as bytes: chained, committed to, and provable without their payload."""

import hashlib
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stayaway.audit import entries
from stayaway.audit.entries import AuditRow, CommitmentError, EntryType, NewEntry, StreamHead
from stayaway.platform.seal import FileSeal, SealError
from support.keys import made_keys

AT = datetime(2026, 3, 6, 20, 15, tzinfo=UTC)
json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53) + 1, 2**53 - 1) | st.floats(-(2.0**53), 2.0**53)
    | st.text(st.characters(codec="utf-8"), max_size=10),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)  # fmt: skip


def new_entry(order_id: str | None = "O1", **changes: Any) -> NewEntry:
    values: dict[str, Any] = {
        "entry_type": EntryType.ALERT_VIEWED,
        "order_id": order_id,
        "actor": "ann",
        "subject": "alert 1",
        "payload": {"purpose": "hit confirmation", "plate": "8AK471"},
        "recorded_at": AT,
    }
    return NewEntry(**{**values, **changes})


@pytest.fixture
def sealed(seal: FileSeal) -> FileSeal:
    seal.ensure(["O1", "O2"])
    return seal


def test_entries_are_numbered_and_chained(sealed: FileSeal) -> None:
    rows, head = entries.build_entries(
        sealed, StreamHead("web"), [new_entry(), new_entry(None), new_entry("O2")]
    )
    assert [row.stream_sequence for row in rows] == [1, 2, 3]
    assert [row.previous_hash for row in rows] == [bytes(32), rows[0].leaf_hash, rows[1].leaf_hash]
    assert head == StreamHead("web", 3, rows[2].leaf_hash)
    more, _ = entries.build_entries(sealed, head, [new_entry()])
    assert (more[0].stream_sequence, more[0].previous_hash) == (4, rows[2].leaf_hash)
    assert len({row.entry_id for row in (*rows, *more)}) == 4


def test_no_entries_leave_the_head(sealed: FileSeal) -> None:
    assert entries.build_entries(sealed, StreamHead("web"), []) == ((), StreamHead("web"))


def test_the_leaf_is_the_published_form(sealed: FileSeal) -> None:
    """A verifier that shares no code with this can recompute it from this description."""
    (row,), _ = entries.build_entries(sealed, StreamHead("web"), [new_entry(policy_sha256="ab" * 32)])
    leaf = {
        "v": 1, "type": "ALERT_VIEWED", "entry_id": str(row.entry_id), "stream": "web", "stream_sequence": 1,
        "previous": "00" * 32, "recorded_at": "2026-03-06T20:15:00Z", "order_id": "O1",
        "actor_ref": row.actor_ref.hex(), "subject_ref": row.subject_ref.hex(),
        "policy_sha256": "ab" * 32, "commitment": row.commitment.hex(),
    }  # fmt: skip
    text = json.dumps(leaf, sort_keys=True, separators=(",", ":")).encode()
    assert entries.leaf_bytes(row) == text
    assert row.leaf_hash == hashlib.sha256(b"\x00" + text).digest()


def test_the_leaf_shows_no_person(sealed: FileSeal) -> None:
    (row,), _ = entries.build_entries(sealed, StreamHead("web"), [new_entry()])
    shown = entries.leaf_bytes(row) + row.payload_sealed
    for secret in (b"ann", b"alert 1", b"8AK471", b"hit confirmation"):
        assert secret not in shown
    assert row.actor_ref == sealed.reference("O1", "ann")


def test_an_entry_without_an_order_has_the_system_scope(sealed: FileSeal) -> None:
    (row,), _ = entries.build_entries(sealed, StreamHead("web"), [new_entry(None)])
    assert row.scope == "@system"
    assert "order_id" not in json.loads(entries.leaf_bytes(row))
    assert row.actor_ref == sealed.reference("@system", "ann")


def test_a_scope_without_a_key_stops_the_act(sealed: FileSeal) -> None:
    with pytest.raises(SealError):
        entries.build_entries(sealed, StreamHead("web"), [new_entry("O9")])


def test_a_payload_that_is_no_json_is_refused(sealed: FileSeal) -> None:
    for payload in ({"x": AT}, {"x": float("nan")}, {"x": 2**60}, {"x": "\ud800"}):
        with pytest.raises(ValueError):  # noqa: PT011 - rfc8785 has many, all of this kind
            entries.build_entries(sealed, StreamHead("web"), [new_entry(payload=payload)])


@given(payload=st.dictionaries(st.text(max_size=8), json_values, max_size=4))
@settings(max_examples=60)
def test_any_payload_opens_again(tmp_path_factory: pytest.TempPathFactory, payload: dict[str, Any]) -> None:
    seal = made_keys(Path(tmp_path_factory.getbasetemp()) / "audit-keys.jsonl")
    seal.ensure(["O1"])
    (row,), _ = entries.build_entries(seal, StreamHead("web"), [new_entry(payload=payload)])
    opened = entries.open_entry(seal, row)
    assert (opened.actor, opened.subject) == ("ann", "alert 1")
    assert opened.details == payload


def tampered(row: AuditRow, field: str) -> AuditRow:
    value = getattr(row, field)
    if isinstance(value, bytes):
        changed: Any = bytes([value[0] ^ 1]) + value[1:]
    elif isinstance(value, int):
        changed = value + 1
    elif isinstance(value, datetime):
        changed = value + timedelta(microseconds=1)
    elif isinstance(value, str):
        changed = value + "x"
    else:
        changed = type(value)(int=value.int ^ 1) if value is not None else "ab" * 32
    return row._replace(**{field: changed})


LEAF_FIELDS = [name for name in AuditRow._fields if name not in ("leaf_hash", "payload_sealed")]


@pytest.mark.parametrize("field", LEAF_FIELDS)
def test_every_column_is_in_the_leaf(sealed: FileSeal, field: str) -> None:
    (row,), _ = entries.build_entries(sealed, StreamHead("web"), [new_entry()])
    assert entries.leaf_hash(tampered(row, field)) != row.leaf_hash


@pytest.mark.parametrize("field", ["commitment", "actor_ref", "subject_ref"])
def test_the_payload_is_bound_to_its_leaf(sealed: FileSeal, field: str) -> None:
    (row,), _ = entries.build_entries(sealed, StreamHead("web"), [new_entry()])
    with pytest.raises(CommitmentError):
        entries.open_entry(sealed, tampered(row, field))


def test_a_payload_from_another_entry_of_the_order_is_found(sealed: FileSeal) -> None:
    (one, other), _ = entries.build_entries(
        sealed, StreamHead("web"), [new_entry(), new_entry(subject="alert 2")]
    )
    with pytest.raises(CommitmentError):
        entries.open_entry(sealed, one._replace(payload_sealed=other.payload_sealed))


def test_equal_payloads_have_unequal_commitments(sealed: FileSeal) -> None:
    """Otherwise a leaf could be searched for a plate by trying all plates."""
    (one, other), _ = entries.build_entries(sealed, StreamHead("web"), [new_entry(), new_entry()])
    assert one.commitment != other.commitment


def test_partition_streams_are_told_from_acts() -> None:
    assert entries.partition_stream("stayaway.plate-reads.v1", 3) == "stayaway.plate-reads.v1/3"
