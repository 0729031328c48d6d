"""Audit entries in Postgres: appended in the transaction of the act, and verified."""

from collections.abc import Sequence
from dataclasses import astuple, dataclass

import asyncpg

from stayaway.audit.entries import (
    NO_ENTRY_HASH,
    AuditRow,
    CommitmentError,
    EntrySeal,
    NewEntry,
    OpenedEntry,
    StreamHead,
    build_entries,
    leaf_hash,
    open_entry,
    read_named_head,
)
from stayaway.kernel.errors import ConflictError, StayawayError
from stayaway.platform.postgres import Connection, load_queries
from stayaway.platform.statements import Statement, fetch_in_one, of_rows

_QUERIES = load_queries("stayaway.audit", "audit.sql")
_PREFETCH = 500
_INSERTED_AT_ONCE = 2_000


class AuditError(StayawayError):
    """An entry could not be recorded; the act must not happen either."""


@dataclass(frozen=True, slots=True)
class Problem:
    """Something that `verify_stream` found. `stream_sequence`: at which entry."""

    stream: str
    stream_sequence: int
    finding: str


async def record_entry(connection: Connection, seal: EntrySeal, stream: str, entry: NewEntry) -> AuditRow:
    """Append one entry to an act's stream, in the caller's transaction.

    Holds the stream's head until that transaction ends: call it last.
    """
    rows = await record_entries(connection, seal, stream, (entry,))
    return rows[0]


async def record_entries(
    connection: Connection, seal: EntrySeal, stream: str, entries: Sequence[NewEntry]
) -> tuple[AuditRow, ...]:
    """The same for several, which stand next to each other in the stream."""
    _require_act(connection, stream)
    if not entries:
        return ()
    head = await _lock_stream(connection, stream)
    rows, after = build_entries(seal, head, entries)
    await _append(connection, head, rows, after)
    return rows


async def record_stream(connection: Connection, rows: Sequence[AuditRow]) -> StreamHead:
    """A whole stream that nobody else writes, one entry at least, built with `build_entries` from its
    beginning; its head. In the caller's transaction. ConflictError where the stream has entries already.
    """
    _require_act(connection, rows[0].stream)
    head = await _lock_stream(connection, rows[0].stream)
    if head.stream_sequence:
        raise ConflictError(f"audit stream {head.stream!r} has entries already")
    for start in range(0, len(rows), _INSERTED_AT_ONCE):
        part = rows[start : start + _INSERTED_AT_ONCE]
        after = StreamHead(head.stream, part[-1].stream_sequence, part[-1].leaf_hash)
        await _append(connection, head, part, after)
        head = after
    return head


def _require_act(connection: Connection, stream: str) -> None:
    if not connection.is_in_transaction():
        raise AuditError("an audit entry needs the transaction of its act")
    if "/" in stream:
        raise AuditError("a partition's entries go with its fenced row, not through record_entry")


async def _lock_stream(connection: Connection, stream: str) -> StreamHead:
    found = await connection.fetchrow(_QUERIES.lock_stream, stream, NO_ENTRY_HASH)
    assert found is not None
    return StreamHead(stream, found["stream_sequence"], found["last_entry_hash"])


async def _append(
    connection: Connection, head: StreamHead, rows: Sequence[AuditRow], after: StreamHead
) -> None:
    """The head first: the database takes an entry only where the head stands."""
    await _move_stream(connection, head, after)
    await insert_rows(connection, rows)


async def _move_stream(connection: Connection, head: StreamHead, after: StreamHead) -> None:
    moved = await connection.execute(_QUERIES.move_stream, *astuple(after), head.stream_sequence)
    if moved != "UPDATE 1":
        raise ConflictError(f"the head of audit stream {head.stream!r} moved under its lock")


async def insert_rows(connection: Connection, rows: Sequence[AuditRow]) -> None:
    """Append rows built with `build_entries`; the caller has moved the stream's head to the last of them, or
    does in the same statement.

    For partitions, whose head is the fenced row: stream_sequence and last_entry_hash of
    partition_position.
    """
    await fetch_in_one(connection, insertion(rows))


def insertion(rows: Sequence[AuditRow]) -> list[Statement]:
    """What `insert_rows` runs; nothing where there are none."""
    return of_rows(_QUERIES.insert_entries, rows)


def _row(record: asyncpg.Record) -> AuditRow:
    return AuditRow(**{name: record[name] for name in AuditRow._fields})


async def load_entries(connection: Connection, stream: str) -> list[AuditRow]:
    """All entries of a stream, in order."""
    return [_row(record) for record in await connection.fetch(_QUERIES.load_stream, stream)]


async def list_streams(connection: Connection) -> list[str]:
    """The names of all streams."""
    return [record["stream"] for record in await connection.fetch(_QUERIES.list_streams)]


async def verify_stream(connection: Connection, seal: EntrySeal, stream: str) -> list[Problem]:
    """What is wrong with a stream; an empty list if its chain is whole.

    Checked: numbers without a gap from 1, each entry names the hash of the one before, every
    leaf hash is that of its columns, every payload opens and is the one committed to, and the
    recorded head is the last entry. Found here is any change that leaves the head's row alone;
    one that rewrites the head too needs a checkpoint from outside (the proof road). Where an entry
    names the head of another stream, that stream must end there.
    """
    problems: list[Problem] = []
    named: list[tuple[int, StreamHead]] = []
    async with connection.transaction(isolation="repeatable_read", readonly=True):
        heads = await connection.fetch(_QUERIES.load_head, stream)
        last = StreamHead(stream)
        async for record in connection.cursor(_QUERIES.load_stream, stream, prefetch=_PREFETCH):
            row = _row(record)
            findings, opened = _check_row(seal, last, row)
            problems.extend(Problem(stream, row.stream_sequence, text) for text in findings)
            head = read_named_head(opened.details) if opened else None
            named += [(row.stream_sequence, head)] if head else []
            last = StreamHead(stream, row.stream_sequence, row.leaf_hash)
        for sequence, head in named:
            if not await connection.fetchval(_QUERIES.is_last, *astuple(head)):
                problems.append(
                    Problem(stream, sequence, f"stream {head.stream!r} does not end as it names it")
                )
    problems.extend(Problem(stream, last.stream_sequence, text) for text in _check_head(heads, last))
    return problems


def _check_row(seal: EntrySeal, last: StreamHead, row: AuditRow) -> tuple[list[str], OpenedEntry | None]:
    findings, opened = [], None
    if row.stream_sequence != last.stream_sequence + 1:
        findings.append(f"the entry before has number {last.stream_sequence}: entries are missing")
    if row.previous_hash != last.last_entry_hash:
        findings.append("does not name the hash of the entry before")
    if row.leaf_hash != leaf_hash(row):
        findings.append("its columns do not give its leaf hash")
    try:
        opened = open_entry(seal, row)
    except (StayawayError, CommitmentError) as error:
        findings.append(f"its payload does not prove itself: {error}")
    return findings, opened


def _check_head(heads: Sequence[asyncpg.Record], last: StreamHead) -> list[str]:
    if not heads:
        return ["the stream has entries and no head"] if last.stream_sequence else ["there is no such stream"]
    if len(heads) > 1:
        return ["the stream has two heads"]
    if (heads[0]["stream_sequence"], heads[0]["last_entry_hash"]) != (
        last.stream_sequence,
        last.last_entry_hash,
    ):
        return [f"the head says entry {heads[0]['stream_sequence']} is the last: the tail differs"]
    return []
