"""Refused events: where they lie and why, never what they say.

The bytes stay in their source topic and are read there by offset, with a purpose, audited. A dead
letter is acknowledged on its own topic before the stream's offset commits; its key is its origin,
so that a repeat is harmless.
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from stayaway.audit.entries import EntryType, NewEntry
from stayaway.audit.store import record_entry
from stayaway.kernel.errors import NotFoundError, SettingsError
from stayaway.kernel.jsontext import compact_json
from stayaway.platform.postgres import Connection, Pool, load_queries
from stayaway.platform.seal import Seal
from stayaway.sightings.model import Refusal

SQL = load_queries("stayaway.sightings", "dead_letters.sql")
DEAD_LETTER_TOPIC = "stayaway.dead-letters.v1"

_LAST_PARTITION, _LAST_OFFSET = (1 << 31) - 1, (1 << 63) - 1
"""Kafka's own: a partition's number has 32 bits, an offset 64, both with a sign."""
_MOST_DIGITS = len(str(_LAST_OFFSET))

ReadRecord = Callable[[str, int, int], Awaitable[bytes | None]]
"""The value at exactly (topic, partition, offset); None where the log has none (any more)."""


class Producer(Protocol):
    """The part of a Kafka producer that is needed: `send` gives a future of the acknowledgement."""

    async def send(
        self, topic: str, value: bytes | None = None, key: bytes | None = None, partition: int | None = None
    ) -> Awaitable[Any]:
        """Queue one record."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DeadLetter:
    """A refused event's place in the stream, and its refusal."""

    topic: str
    partition: int
    record_offset: int
    reason: str
    field: str | None

    @classmethod
    def of(cls, topic: str, partition: int, record_offset: int, refusal: Refusal) -> "DeadLetter":
        """The letter for a refusal. A pointer made of the input's own names is not kept."""
        return cls(
            topic=topic,
            partition=partition,
            record_offset=record_offset,
            reason=refusal.reason,
            field=None if refusal.reason == "UNKNOWN_FIELD" else refusal.field,
        )

    @property
    def origin(self) -> str:
        """`topic/partition/offset`."""
        return f"{self.topic}/{self.partition}/{self.record_offset}"

    def to_value(self) -> bytes:
        """dead_letter.v1 as it goes to the topic."""
        return compact_json(
            {
                "schema": "dead_letter.v1",
                "topic": self.topic,
                "partition": self.partition,
                "record_offset": self.record_offset,
                "reason": self.reason,
                "field": self.field,
            }
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class ListedLetter:
    """A dead letter as its row has it."""

    letter: DeadLetter
    refused_at: datetime
    redriven_at: datetime | None
    redriven_to: int | None


async def publish_dead_letters(producer: Producer, letters: Sequence[DeadLetter]) -> None:
    """Returns once every letter is acknowledged; raises what the producer raises."""
    acknowledged = [
        await producer.send(DEAD_LETTER_TOPIC, value=letter.to_value(), key=letter.origin.encode())
        for letter in letters
    ]
    for future in acknowledged:
        await future


async def record_dead_letters(conn: Connection, letters: Sequence[DeadLetter], at: datetime) -> None:
    """Their rows, in the caller's transaction."""
    if letters:
        await conn.execute(
            SQL.insert_dead_letters,
            [letter.topic for letter in letters],
            [letter.partition for letter in letters],
            [letter.record_offset for letter in letters],
            [letter.reason for letter in letters],
            [letter.field for letter in letters],
            at,
        )


async def list_dead_letters(
    conn: Connection, *, limit: int = 50, before: ListedLetter | None = None
) -> tuple[ListedLetter, ...]:
    """Newest first, those older than `before`."""
    last: tuple[Any, ...] = (None, None, None, None)
    if before is not None:
        letter = before.letter
        last = (before.refused_at, letter.topic, letter.partition, letter.record_offset)
    rows = await conn.fetch(SQL.list_dead_letters, *last, limit)
    return tuple(_to_listed(row) for row in rows)


async def count_dead_letters(conn: Connection) -> dict[str, int]:
    """How many by reason."""
    rows = await conn.fetch(SQL.count_dead_letters)
    return {row["reason"]: row["letters"] for row in rows}


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """Where a refused event lies."""

    topic: str
    partition: int
    record_offset: int

    @classmethod
    def parse(cls, text: str) -> "Origin":
        """From `topic/partition/offset`. Raises SettingsError."""
        topic, _, rest = text.partition("/")
        partition, _, offset = rest.partition("/")
        numbers = (partition, offset)
        if not (topic and all(text.isdecimal() and len(text) <= _MOST_DIGITS for text in numbers)):
            raise _no_place()
        origin = cls(topic=topic, partition=int(partition), record_offset=int(offset))
        if origin.partition > _LAST_PARTITION or origin.record_offset > _LAST_OFFSET:
            raise _no_place()
        return origin


async def show_dead_letter(
    pool: Pool, seal: Seal, read_record: ReadRecord, origin: Origin, *, actor: str, purpose: str, at: datetime
) -> tuple[ListedLetter, bytes]:
    """The refused bytes, from the source topic. The look is audited before anything is returned.

    Raises NotFoundError where no dead letter lies there, or the log no longer holds its bytes.
    """
    _require_purpose(purpose)
    async with pool.acquire() as conn, conn.transaction():
        row = await conn.fetchrow(SQL.find_dead_letter, origin.topic, origin.partition, origin.record_offset)
        listed = _to_listed(row) if row is not None else None
        if listed is None:
            raise _no_such_letter()
        entry = _entry(EntryType.DEAD_LETTER_SHOWN, listed, actor=actor, purpose=purpose, at=at)
        await record_entry(conn, seal, "deadletters", entry)
    return listed, await _read(read_record, origin)


async def redrive_dead_letter(
    pool: Pool,
    seal: Seal,
    read_record: ReadRecord,
    producer: Producer,
    origin: Origin,
    *,
    actor: str,
    purpose: str,
    at: datetime,
) -> bool:
    """Send the same bytes to the same topic again; False where that was done before.

    If this dies between the acknowledgement and the commit, a second try sends them twice: the
    same bytes count once.
    """
    _require_purpose(purpose)
    async with pool.acquire() as conn, conn.transaction():
        row = await conn.fetchrow(SQL.lock_dead_letter, origin.topic, origin.partition, origin.record_offset)
        if row is None:
            raise _no_such_letter()
        listed = _to_listed(row)
        if listed.redriven_at is not None:
            return False
        value = await _read(read_record, origin)
        metadata = await (await producer.send(origin.topic, value=value))
        place = (origin.topic, origin.partition, origin.record_offset)
        await conn.execute(SQL.mark_redriven, *place, at, getattr(metadata, "offset", None))
        entry = _entry(EntryType.DEAD_LETTER_REDRIVEN, listed, actor=actor, purpose=purpose, at=at)
        await record_entry(conn, seal, "deadletters", entry)
    return True


async def _read(read_record: ReadRecord, origin: Origin) -> bytes:
    value = await read_record(origin.topic, origin.partition, origin.record_offset)
    if value is None:
        raise NotFoundError(
            "The source topic holds no bytes at this offset.",
            "It was a null value, or the topic's retention removed it.",
        )
    return value


def _require_purpose(purpose: str) -> None:
    if not purpose.strip():
        raise SettingsError("A purpose is required.", "Say what for, with --purpose.")


def _no_place() -> SettingsError:
    return SettingsError(
        "This is no dead letter's place.", "Give topic/partition/offset as `deadletters list` prints it."
    )


def _no_such_letter() -> NotFoundError:
    return NotFoundError("No dead letter lies there.", "`deadletters list` shows those that do.")


def _to_listed(row: Any) -> ListedLetter:
    letter = DeadLetter(
        topic=row["topic"],
        partition=row["partition"],
        record_offset=row["record_offset"],
        reason=row["reason"],
        field=row["field"],
    )
    return ListedLetter(
        letter=letter,
        refused_at=row["refused_at"],
        redriven_at=row["redriven_at"],
        redriven_to=row["redriven_to"],
    )


def _entry(
    entry_type: EntryType, listed: ListedLetter, *, actor: str, purpose: str, at: datetime
) -> NewEntry:
    return NewEntry(
        entry_type=entry_type,
        order_id=None,
        actor=actor,
        subject=listed.letter.origin,
        payload={"origin": listed.letter.origin, "reason": listed.letter.reason, "purpose": purpose},
        recorded_at=at,
        policy_sha256=None,
    )
