"""One change of the registry in Postgres: written while nothing is locked, then published at once.

Everything of a change names it by its number, and the number counts for nothing before it has a
registry sequence. So an import of 100,000 orders writes its records, heads and audit entries for as
long as that takes, and holds the registry only for the few statements of `publish`: a recall does not
wait for it. One transaction holds both: a crash in the middle leaves nothing.
"""

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar

import asyncpg

from stayaway.audit.entries import AuditRow, EntryType, NewEntry, StreamHead, build_entries
from stayaway.audit.store import record_stream
from stayaway.kernel.instants import format_instant
from stayaway.kernel.steps import Steps
from stayaway.orders.codec import SEAL_PURPOSE, encode_record
from stayaway.orders.keys_check import ensure_keys
from stayaway.orders.model import OrderVersion, Record
from stayaway.orders.records import ParsedRecord
from stayaway.orders.tokens import write_tokens
from stayaway.platform.postgres import Connection, load_queries
from stayaway.platform.seal import Seal
from stayaway.platform.turns import in_turns, let_others

AUDIT_STREAM = "orders"
REGISTRY_CHANNEL = "stayaway_registry"
"""NOTIFY channel; its payload is the new sequence."""
SOURCE_PURPOSE = "order_source"

_T = TypeVar("_T")
_QUERIES = load_queries("stayaway.orders", "orders.sql")
MAX_ORDERS_UNDER_LOCK = 200
"""Entries of so many orders take some 20 ms in the registry's own stream, which all acts on orders share;
those of a larger change get a stream of their own, which needs no lock of anyone else's."""
_SEALED_AT_ONCE = 16
"""Orders sealed in one go; then what was sealed is sent, so that Postgres works while the next are."""
_COLUMNS = (
    "order_id",
    "change_number",
    "ordinal",
    "record_kind",
    "version",
    "recorded_at",
    "applied_by_ref",
    "content_digest",
    "payload_sealed",
    "source_sealed",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class WrittenChange:
    """A change that waits for its sequence. `order_ids`: ascending; `moved`: those that had a head before.

    `entries`: the audit entries to be written under the lock; `own_stream`: the head of the stream that
    holds them already, where they are too many for that.
    """

    change_number: int
    order_ids: tuple[str, ...]
    moved: tuple[str, ...]
    known_at: datetime
    entries: tuple[NewEntry, ...]
    own_stream: StreamHead | None


@dataclass(frozen=True, slots=True)
class RegistryState:
    """How far the registry is, and the K that goes with it (None: nothing was ever recorded)."""

    registry_sequence: int
    known_at: datetime | None


async def load_state(connection: Connection) -> RegistryState:
    """The registry as it stands."""
    row = await connection.fetchrow(_QUERIES.load_sequence)
    assert row is not None
    return RegistryState(row["registry_sequence"], row["known_at"])


async def write_change(
    connection: Connection,
    seal: Seal,
    records: Sequence[ParsedRecord],
    *,
    actor: str,
    at: datetime,
    holds_registry: bool,
) -> WrittenChange:
    """Write usable `records`, one at least, in the caller's transaction; they count once published.

    Waits for other changes of the same records or of the same new orders only. Raises
    asyncpg.UniqueViolationError where one of those has recorded the same meanwhile. With
    `holds_registry` the caller has locked the registry, others wait for it, and it must not wait long for
    them: asyncpg.LockNotAvailableError then.
    """
    by_order = _by_order(records)
    order_ids = tuple(by_order)
    if holds_registry:
        await connection.execute(_QUERIES.limit_waiting)
    await ensure_keys(connection, seal, order_ids)
    number: int = await connection.fetchval(_QUERIES.begin_change)
    made = {row["order_id"] for row in await connection.fetch(_QUERIES.insert_heads, order_ids, number)}
    entries, own_stream = tuple(_entries(by_order, number, actor, at)), None
    if len(entries) <= MAX_ORDERS_UNDER_LOCK:
        await _write_records(connection, seal, by_order, number, actor)
    else:
        building_steps = _row_steps(seal, f"{AUDIT_STREAM}-{number}", entries)
        async with _meanwhile(in_turns(building_steps)) as building:
            await _write_records(connection, seal, by_order, number, actor)
            own_stream = await record_stream(connection, await building)
        entries = ()
    if holds_registry:
        await connection.execute(_QUERIES.unlimit_waiting)
    return WrittenChange(
        change_number=number,
        order_ids=order_ids,
        moved=tuple(order_id for order_id in order_ids if order_id not in made),
        known_at=max(_value(record).recorded_at for record in records),
        entries=entries,
        own_stream=own_stream,
    )


async def _write_records(
    connection: Connection, seal: Seal, by_order: dict[str, list[ParsedRecord]], number: int, actor: str
) -> None:
    rows = _rows(seal, by_order, number, actor)
    await connection.copy_records_to_table("order_record", records=rows, columns=_COLUMNS)
    await write_tokens(connection, seal, by_order)


async def publish(
    connection: Connection, change: WrittenChange, clock: Callable[[], datetime]
) -> RegistryState:
    """Give the change the next sequence: from the commit on it counts. The registry after it.

    Locks the registry, then the heads that move, in id order, until the transaction ends.
    """
    before = await _lock_registry(connection)
    if change.moved:
        await connection.fetch(_QUERIES.lock_heads, change.moved)
        await connection.execute(_QUERIES.move_heads, change.moved, change.change_number)
    sequence, at = before["registry_sequence"] + 1, clock()
    known_at = max(change.known_at, before["known_at"] or change.known_at)
    await connection.execute(_QUERIES.publish_change, change.change_number, sequence, at)
    await connection.execute(_QUERIES.move_registry, sequence, known_at, at)
    await connection.execute(_QUERIES.notify_registry, REGISTRY_CHANNEL, str(sequence))
    return RegistryState(sequence, known_at)


async def _lock_registry(connection: Connection) -> Any:
    # Whoever holds it may be trying to write what this change has written, and gives up soon; Postgres
    # may see that as a deadlock first. What was written stays.
    while True:
        try:
            async with connection.transaction():
                return await connection.fetchrow(_QUERIES.lock_registry)
        except asyncpg.DeadlockDetectedError:
            continue


def content_digest(seal: Seal, record_digest: bytes, order_id: str) -> bytes:
    """The record's digest under its order's key: without the key it says nothing."""
    return seal.reference(order_id, f"order_record:{record_digest.hex()}")


def _by_order(records: Sequence[ParsedRecord]) -> dict[str, list[ParsedRecord]]:
    """By order id, ascending: changes that meet wait for one another in one direction only."""
    found: dict[str, list[ParsedRecord]] = defaultdict(list)
    for record in records:
        found[_value(record).order_id].append(record)
    return {order_id: found[order_id] for order_id in sorted(found)}


def _value(record: ParsedRecord) -> Record:
    assert record.value is not None
    return record.value


async def _rows(
    seal: Seal, by_order: dict[str, list[ParsedRecord]], number: int, actor: str
) -> AsyncIterator[tuple[object, ...]]:
    for place, (order_id, records) in enumerate(by_order.items()):
        if place % _SEALED_AT_ONCE == 0:
            await let_others()
        applied_by = seal.reference(order_id, actor)
        for ordinal, record in enumerate(records, start=1):
            value = _value(record)
            yield (
                order_id,
                number,
                ordinal,
                record.kind,
                value.version if isinstance(value, OrderVersion) else None,
                value.recorded_at,
                applied_by,
                content_digest(seal, record.digest, order_id),
                seal.seal(order_id, SEAL_PURPOSE, encode_record(record)),
                seal.seal(order_id, SOURCE_PURPOSE, record.source),
            )


def _entries(
    by_order: dict[str, list[ParsedRecord]], number: int, actor: str, at: datetime
) -> Iterator[NewEntry]:
    """One entry an order, with the digests of its records."""
    for order_id, records in by_order.items():
        yield NewEntry(
            entry_type=EntryType.ORDER_RECORDED,
            order_id=order_id,
            actor=actor,
            subject=order_id,
            payload={"change_number": number, "records": [_audited(record) for record in records]},
            recorded_at=at,
        )


def _row_steps(seal: Seal, stream: str, entries: Sequence[NewEntry]) -> Steps[list[AuditRow]]:
    """The rows of a stream of their own."""
    head, rows = StreamHead(stream), list[AuditRow]()
    for start in range(0, len(entries), _SEALED_AT_ONCE):
        built, head = build_entries(seal, head, entries[start : start + _SEALED_AT_ONCE])
        rows += built
        yield
    return rows


@asynccontextmanager
async def _meanwhile(work: Coroutine[Any, Any, _T]) -> AsyncIterator[asyncio.Task[_T]]:
    """`work` done while the body waits; nothing of it goes on after the body has failed."""
    task = asyncio.create_task(work)
    try:
        yield task
    finally:
        task.cancel()
        await asyncio.wait((task,))


def _audited(record: ParsedRecord) -> dict[str, object]:
    value = _value(record)
    version = {"version": value.version} if isinstance(value, OrderVersion) else {}
    recorded = {"kind": record.kind, "recorded_at": format_instant(value.recorded_at)}
    return {**recorded, **version, "sha256": record.digest.hex()}
