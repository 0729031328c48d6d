"""Who owns a partition, where it goes on, and what stops it: claims, the fence, holds and gaps.

Offsets live in Postgres. The epoch rises with each claim, so that whoever owned the partition before
is fenced: its next move finds another epoch and does nothing.
"""

import asyncio
import secrets
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Literal

from stayaway.audit.entries import (
    NO_ENTRY_HASH,
    AuditRow,
    EntryType,
    NewEntry,
    build_entries,
    partition_stream,
)
from stayaway.audit.store import insert_rows
from stayaway.kernel.errors import ConflictError, NotFoundError
from stayaway.platform.postgres import Connection, load_queries
from stayaway.platform.seal import Seal
from stayaway.platform.statements import Statement, fetch_in_one
from stayaway.worker.coverage import (
    SALT_BYTES,
    Coverage,
    Knowledge,
    PartitionKey,
    PartitionState,
    Shown,
    Step,
    move_arguments,
    to_state,
)

SQL = load_queries("stayaway.worker", "partitions.sql")
HoldReason = Literal["OFFSET_GONE", "LOG_ENDS_BEFORE_POSITION", "LAST_RECORD_DIFFERS", "LAST_RECORD_GONE"]
"""Why a partition stops until a person records a GAP.

OFFSET_GONE: retention removed records that were never read. LOG_ENDS_BEFORE_POSITION and
LAST_RECORD_DIFFERS: the topic was created again. LAST_RECORD_GONE: the log skips the last record.
"""


def append(
    seal: Seal, state: PartitionState, entries: Iterable[NewEntry]
) -> tuple[tuple[AuditRow, ...], PartitionState]:
    """The rows of `entries` on the partition's stream, and the state with the head after them."""
    rows, head = build_entries(seal, state.head, entries)
    return rows, replace(state, head=head)


def sealed(
    state: PartitionState, at: datetime, knowledge: Knowledge
) -> tuple[list[NewEntry], PartitionState]:
    """The open range closed at the next offset (an entry, unless it is empty), and a new one opened."""
    entries = []
    if state.coverage.from_offset != state.next_offset:
        entries.append(state.coverage.to_entry(state.topic, state.partition, state.next_offset, at))
    coverage = Coverage.opened(state.next_offset, at, knowledge, secrets.token_bytes(SALT_BYTES))
    return entries, replace(state, coverage=coverage)


async def move(
    conn: Connection,
    steps: Sequence[Step],
    at: datetime,
    *,
    together_with: Sequence[Statement] = (),
    may_be_lost: bool = False,
) -> tuple[set[PartitionKey], Shown | None]:
    """The fenced UPDATE: the partitions that moved, and the registry's sequence if any did.

    `together_with`: run in the same statement, whatever moved. `may_be_lost`: nothing that anybody is told
    hangs on its transaction, whose reply need not wait for the disk then (deploy/adr/0015).
    """
    moving = Statement(SQL.move_partitions, (*move_arguments(steps, at), may_be_lost))
    asked_at_s = asyncio.get_running_loop().time()
    rows = await fetch_in_one(conn, [*together_with, moving])
    moved = {(row["topic"], row["partition"]) for row in rows}
    return moved, Shown(rows[0]["registry_sequence"], asked_at_s) if rows else None


async def move_with_entries(
    conn: Connection,
    seal: Seal,
    before: PartitionState,
    after: PartitionState,
    entries: Iterable[NewEntry],
    at: datetime,
) -> PartitionState:
    """Entries and state in one step, in the caller's transaction. Raises ConflictError if fenced."""
    rows, after = append(seal, after, entries)
    # The fence first: who no longer owns the partition must not even try its stream's next number.
    moved, _ = await move(conn, [Step(before=before, after=after)], at)
    if before.key not in moved:
        raise ConflictError("Another matcher owns this partition now.")
    await insert_rows(conn, rows)
    return after


async def load_known(conn: Connection, keys: Iterable[PartitionKey]) -> set[PartitionKey]:
    """Which of these partitions have a position."""
    ordered = sorted(keys)
    rows = await conn.fetch(SQL.exists, [key[0] for key in ordered], [key[1] for key in ordered])
    return {(row["topic"], row["partition"]) for row in rows}


async def claim(
    conn: Connection,
    seal: Seal,
    key: PartitionKey,
    *,
    owner: str,
    at: datetime,
    knowledge: Knowledge,
    first_offset: int | None = None,
    first_position: str = "",
) -> PartitionState:
    """Own the partition in a new epoch; what the owner before left open is sealed.

    `first_offset`: where to begin if nobody ever read it; recorded and audited with the setting
    `first_position` that chose it. A held partition is claimed and stays held.
    """
    async with conn.transaction():
        if first_offset is not None:
            await _insert_first(conn, seal, key, owner, at, knowledge, first_offset, first_position)
        row = await conn.fetchrow(SQL.claim, *key, owner, at)
        if row is None:
            raise NotFoundError("The partition has no position.")
        state = to_state(row)
        if state.hold_reason is not None:
            return state
        entries, after = sealed(state, at, knowledge)
        return await move_with_entries(conn, seal, state, after, entries, at)


async def _insert_first(
    conn: Connection,
    seal: Seal,
    key: PartitionKey,
    owner: str,
    at: datetime,
    knowledge: Knowledge,
    first_offset: int,
    first_position: str,
) -> None:
    salt = secrets.token_bytes(SALT_BYTES)
    basis = (NO_ENTRY_HASH, knowledge.policy_sha256, knowledge.engine, salt)
    if await conn.fetchrow(SQL.first_row, *key, first_offset, owner, at, *basis) is None:
        return
    rows = await conn.fetch(SQL.reconcile, [key[0]], [key[1]])
    state = to_state(rows[0])
    payload = {"topic": key[0], "partition": key[1], "offset": first_offset, "setting": first_position}
    entry = _entry(EntryType.FIRST_POSITION, key, payload, at, "matcher", knowledge.policy_sha256)
    await move_with_entries(conn, seal, state, state, [entry], at)


async def hold(
    conn: Connection,
    seal: Seal,
    state: PartitionState,
    reason: HoldReason,
    detail: dict[str, int],
    at: datetime,
) -> PartitionState:
    """Stop the partition until a person records a GAP; audited. Raises ConflictError if fenced."""
    place = {"topic": state.topic, "partition": state.partition, "next_offset": state.next_offset}
    entry = _entry(
        EntryType.PARTITION_HELD, state.key, {**place, "reason": reason, **detail}, at, "matcher", None
    )
    async with conn.transaction():
        return await move_with_entries(conn, seal, state, replace(state, hold_reason=reason), [entry], at)


async def record_gap(
    conn: Connection,
    seal: Seal,
    key: PartitionKey,
    to_offset: int,
    *,
    actor: str,
    reason_text: str,
    at: datetime,
) -> None:
    """A person's statement that reading goes on at `to_offset`; audited, ends the hold.

    What lies between the position and `to_offset` was not judged (or, if it goes back, is judged
    again and counted once). Raises NotFoundError, or ConflictError where the partition is not held.
    """
    async with conn.transaction():
        row = await conn.fetchrow(SQL.lock_position, *key)
        if row is None:
            raise NotFoundError("No matcher has read this partition.", "See `stayaway partitions list`.")
        state = to_state(row)
        if state.hold_reason is None:
            raise ConflictError(
                "This partition is not held.", "A gap is recorded only where reading stopped."
            )
        knowledge = Knowledge(
            registry_sequence=0,
            known_at=at,
            policy_sha256=state.coverage.policy_sha256,
            engine=state.coverage.engine,
        )
        entries, after = sealed(state, at, knowledge)
        payload = _gap_payload(state, to_offset, reason_text)
        entries.append(_entry(EntryType.GAP, key, payload, at, actor, None))
        coverage = replace(after.coverage, from_offset=to_offset)
        after = replace(
            after, next_offset=to_offset, last_record_offset=None, last_record_digest=None, coverage=coverage
        )
        await move_with_entries(conn, seal, state, after, entries, at)
        await conn.execute(SQL.jump, *key)


def _gap_payload(state: PartitionState, to_offset: int, reason_text: str) -> dict[str, object]:
    return {
        "topic": state.topic,
        "partition": state.partition,
        "from": state.next_offset,
        "to": to_offset,
        "hold_reason": state.hold_reason,
        "reason_text": reason_text,
    }


def _entry(
    entry_type: EntryType,
    key: PartitionKey,
    payload: Mapping[str, object],
    at: datetime,
    actor: str,
    policy_sha256: str | None,
) -> NewEntry:
    return NewEntry(
        entry_type=entry_type,
        order_id=None,
        actor=actor,
        subject=partition_stream(*key),
        payload=payload,
        recorded_at=at,
        policy_sha256=policy_sha256,
    )


async def still_held(conn: Connection, keys: Iterable[PartitionKey]) -> set[PartitionKey]:
    """Which of these are held."""
    ordered = sorted(keys)
    rows = await conn.fetch(SQL.held, [key[0] for key in ordered], [key[1] for key in ordered])
    return {(row["topic"], row["partition"]) for row in rows}


async def reconcile(conn: Connection, keys: Iterable[PartitionKey]) -> dict[PartitionKey, PartitionState]:
    """Where these partitions stand, for certain: a commit whose reply was lost is waited for."""
    ordered = sorted(keys)
    async with conn.transaction():
        rows = await conn.fetch(SQL.reconcile, [key[0] for key in ordered], [key[1] for key in ordered])
    states = [to_state(row) for row in rows]
    return {state.key: state for state in states}
