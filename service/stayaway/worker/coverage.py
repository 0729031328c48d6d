"""Proof that nothing was skipped: what of a partition was read, as a running range (pure).

A range lives in the partition's row and is sealed into a COVERAGE entry each minute, at handover,
and where policy or engine change. It holds counts and a salted running digest of the records'
bytes, never an identity. Only who opened a range adds to it.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from stayaway.audit.entries import EntryType, NewEntry, StreamHead, partition_stream
from stayaway.kernel.instants import format_instant
from stayaway.kernel.steps import Steps
from stayaway.worker.range_digest import RangeDigest

SEAL_AFTER = timedelta(seconds=60)
SALT_BYTES = 32
_STEP_RECORDS = 1_000

PartitionKey = tuple[str, int]
"""(topic, partition)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Knowledge:
    """What decisions are made on: registry sequence and instant K, policy, engine."""

    registry_sequence: int
    known_at: datetime
    policy_sha256: str
    engine: str


class Shown(NamedTuple):
    """The registry's sequence as a statement showed it. `asked_at_s`: the loop's time before that was sent.

    Its answer may be long in coming, for a lock, a slow disk or a process that was stopped: all that it says
    is how the database was when it was asked.
    """

    registry_sequence: int
    asked_at_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Coverage:
    """The open range [from_offset, next offset). `registry`: (offset, sequence, K) where orders changed.

    `digest`: of its records so far; `running` goes on from there. A range that was read from the database
    has none: its digest cannot be gone on with, so it is closed as it is before more is added.
    """

    from_offset: int
    opened_at: datetime
    records: int = 0
    refused: int = 0
    candidates: int = 0
    matches: int = 0
    registry: tuple[tuple[int, int, str], ...] = ()
    policy_sha256: str
    engine: str
    salt: bytes
    digest: bytes
    running: RangeDigest | None = field(default=None, compare=False, repr=False)

    @classmethod
    def opened(cls, from_offset: int, at: datetime, knowledge: Knowledge, salt: bytes) -> "Coverage":
        """A new range at `from_offset`. `salt`: 32 random bytes."""
        running = RangeDigest.begun(salt)
        return cls(
            from_offset=from_offset,
            opened_at=at,
            policy_sha256=knowledge.policy_sha256,
            engine=knowledge.engine,
            salt=salt,
            digest=running.value,
            running=running,
        )

    def record_steps(
        self, first_offset: int, values: Sequence[bytes | None], tally: "Tally", knowledge: Knowledge
    ) -> Steps["Coverage"]:
        """The range, which `fits`, after these records, judged on `knowledge`, in steps of a millisecond."""
        registry = self.registry
        if not registry or registry[-1][1] != knowledge.registry_sequence:
            known_at = format_instant(knowledge.known_at)
            registry = (*registry, (first_offset, knowledge.registry_sequence, known_at))
        running = self.running
        assert running is not None, "a range that fits has one"
        for start in range(0, len(values), _STEP_RECORDS):
            running = running.after(values[start : start + _STEP_RECORDS])
            yield
        # Written out: `replace` looks every field up, for each part of each batch.
        return Coverage(
            from_offset=self.from_offset,
            opened_at=self.opened_at,
            records=self.records + tally.records,
            refused=self.refused + tally.refused,
            candidates=self.candidates + tally.candidates,
            matches=self.matches + tally.matches,
            registry=registry,
            policy_sha256=self.policy_sha256,
            engine=self.engine,
            salt=self.salt,
            digest=running.value,
            running=running,
        )

    def fits(self, knowledge: Knowledge) -> bool:
        """Whether more may be added to it: policy and engine are those it was opened with, by us."""
        same = (self.policy_sha256, self.engine) == (knowledge.policy_sha256, knowledge.engine)
        return same and self.running is not None

    def to_entry(self, topic: str, partition: int, to_offset: int, at: datetime) -> NewEntry:
        """The audit entry that seals it at `to_offset`."""
        payload: dict[str, Any] = {
            "topic": topic,
            "partition": partition,
            "from": self.from_offset,
            "to": to_offset,
            "records": self.records,
            "refused": self.refused,
            "candidates": self.candidates,
            "matches": self.matches,
            "registry": [list(change) for change in self.registry],
            "policy_sha256": self.policy_sha256,
            "engine": self.engine,
            "salt": self.salt.hex(),
            "digest": self.digest.hex(),
        }
        return NewEntry(
            entry_type=EntryType.COVERAGE,
            order_id=None,
            actor="matcher",
            subject=partition_stream(topic, partition),
            payload=payload,
            recorded_at=at,
            policy_sha256=self.policy_sha256,
        )


@dataclass(frozen=True, slots=True)
class Tally:
    """Counts over records. `candidates`: (read, zone) pairs whose boxes met; `matches`: events."""

    records: int = 0
    refused: int = 0
    candidates: int = 0
    matches: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class PartitionState:
    """The fenced row of one partition as its owner holds it in memory; equal to the row while it owns it."""

    topic: str
    partition: int
    epoch: int
    next_offset: int
    last_record_offset: int | None
    last_record_digest: bytes | None
    head: StreamHead
    hold_reason: str | None
    coverage: Coverage

    @property
    def key(self) -> PartitionKey:
        """(topic, partition)."""
        return self.topic, self.partition

    def seal_due(self, at: datetime, knowledge: Knowledge) -> bool:
        """Whether the open range has to be closed before more is added."""
        coverage = self.coverage
        if coverage.from_offset == self.next_offset:
            return False
        return not coverage.fits(knowledge) or at - coverage.opened_at >= SEAL_AFTER


def to_state(row: Any) -> PartitionState:
    """From a row of partition_position."""
    topic, partition = row["topic"], row["partition"]
    coverage = Coverage(
        from_offset=row["coverage_from"],
        opened_at=row["coverage_opened_at"],
        records=row["coverage_records"],
        refused=row["coverage_refused"],
        candidates=row["coverage_candidates"],
        matches=row["coverage_matches"],
        registry=tuple((change[0], change[1], change[2]) for change in json.loads(row["coverage_registry"])),
        policy_sha256=row["coverage_policy"],
        engine=row["coverage_engine"],
        salt=row["coverage_salt"],
        digest=row["coverage_digest"],
    )
    return PartitionState(
        topic=topic,
        partition=partition,
        epoch=row["epoch"],
        next_offset=row["next_offset"],
        last_record_offset=row["last_record_offset"],
        last_record_digest=row["last_record_digest"],
        head=StreamHead(partition_stream(topic, partition), row["stream_sequence"], row["last_entry_hash"]),
        hold_reason=row["hold_reason"],
        coverage=coverage,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One partition's fenced move: the state it was read in and the state it is to have."""

    before: PartitionState
    after: PartitionState


def move_arguments(steps: Sequence[Step], at: datetime) -> list[Any]:
    """The columns of `move_partitions` in partitions.sql."""
    ordered = sorted(steps, key=lambda step: step.before.key)
    after = [step.after for step in ordered]
    return [
        [state.topic for state in after],
        [state.partition for state in after],
        [step.before.next_offset for step in ordered],
        [step.before.epoch for step in ordered],
        [step.before.head.stream_sequence for step in ordered],
        [state.next_offset for state in after],
        [state.last_record_offset for state in after],
        [state.last_record_digest for state in after],
        [state.head.stream_sequence for state in after],
        [state.head.last_entry_hash for state in after],
        [state.hold_reason for state in after],
        [state.coverage.from_offset for state in after],
        [state.coverage.opened_at for state in after],
        [state.coverage.records for state in after],
        [state.coverage.refused for state in after],
        [state.coverage.candidates for state in after],
        [state.coverage.matches for state in after],
        [json.dumps(state.coverage.registry, separators=(",", ":")) for state in after],
        [state.coverage.policy_sha256 for state in after],
        [state.coverage.engine for state in after],
        [state.coverage.salt for state in after],
        [state.coverage.digest for state in after],
        at,
    ]
