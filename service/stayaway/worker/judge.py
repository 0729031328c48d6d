"""A batch's records judged, all partitions' together, in slices.

A slice is what the loop stands still for: heartbeats, fetches and other tasks go on between two of
them, so a batch may be as large as a backlog makes worth while. What a record becomes depends on
neither its slice nor its batch.
"""

from bisect import bisect_left
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import accumulate
from operator import itemgetter
from typing import TypeVar

import numpy as np

from stayaway.alerts.evidence import Judged
from stayaway.kernel.steps import Steps
from stayaway.matching.engine import Passed
from stayaway.matching.model import EventDecision, Judgement
from stayaway.orders.model import CourtOrder
from stayaway.platform.turns import in_turns
from stayaway.sightings.batch import Ints, SightingBatch, decode_batch
from stayaway.sightings.dead_letters import DeadLetter
from stayaway.sightings.model import Refusal
from stayaway.worker.coverage import PartitionKey, PartitionState, Tally
from stayaway.worker.follow import Registry

SLICE = 500
"""So many records are decoded at once: some 2-4 ms here."""
JUDGED_SLICES = 4
"""So many slices go through the gates at once, as long: what these cost is mostly for each call."""

_NUMBER = itemgetter(0)
_T = TypeVar("_T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """Records of one partition, ascending, from the offset that its state expects next.

    `state`: while records before these are being committed, as it will be then, as far as its position goes.
    """

    state: PartitionState
    offsets: Sequence[int]
    values: Sequence[bytes | None]

    @property
    def to_offset(self) -> int:
        """Where reading goes on after it."""
        return self.offsets[-1] + 1


@dataclass(frozen=True, slots=True, kw_only=True)
class JudgedPart:
    """A part with its decisions. `stored`: events that may leave a row. `ages_us`: of its accepted events."""

    part: Part
    refusals: dict[int, Refusal]
    decisions: tuple[EventDecision, ...]
    stored: tuple[Judged, ...]
    letters: tuple[DeadLetter, ...]
    tally: Tally
    ages_us: Ints

    @property
    def key(self) -> PartitionKey:
        """(topic, partition)."""
        return self.part.state.key


@dataclass(frozen=True, slots=True, kw_only=True)
class JudgedBatch:
    """Parts judged on one registry. `began_s`: the loop's time then; `judge_s`: how long it took."""

    judged: Sequence[JudgedPart]
    registry: Registry
    began_s: float
    judge_s: float

    @property
    def records(self) -> int:
        """How many."""
        return sum(item.tally.records for item in self.judged)

    def standing_at(self, states: Mapping[PartitionKey, PartitionState]) -> "JudgedBatch":
        """Those that begin where `states` has their partitions, in the epoch they were read in."""
        judged = []
        for item in self.judged:
            part, state = item.part, states.get(item.key)
            expected = (part.state.epoch, part.state.next_offset)
            if state is not None and (state.epoch, state.next_offset) == expected:
                judged.append(replace(item, part=replace(part, state=state)))
        return replace(self, judged=judged)


@dataclass(slots=True)
class Verdicts:
    """What became of the records of all parts so far, numbered through."""

    refusals: list[tuple[int, Refusal]] = field(default_factory=list)
    decisions: list[tuple[int, EventDecision]] = field(default_factory=list)
    candidates: list[Ints] = field(default_factory=list)
    accepted: list[Ints] = field(default_factory=list)
    ages_us: list[Ints] = field(default_factory=list)

    def add(self, batch: SightingBatch, start: int, judgement: Judgement) -> None:
        """The records of `batch`, the first of which is number `start`, as they were judged."""
        self.refusals += [(start + index, batch.refusals[index]) for index in sorted(batch.refusals)]
        self.decisions += [(start + decision.index, decision) for decision in judgement.decisions]
        self.candidates.append(judgement.candidates)
        self.accepted.append(batch.index + start)
        self.ages_us.append(batch.received_us - batch.observed_us)

    def shares(self, parts: Sequence[Part]) -> list[JudgedPart]:
        """Each part with what belongs to its records, numbered from 0 again."""
        bounds = [0, *accumulate(len(part.values) for part in parts)]
        rows = _joined(self.accepted).searchsorted(bounds).tolist()
        # How many candidates there are before each record: one sum for all parts.
        candidates = np.concatenate([np.zeros(1, dtype=np.int64), *self.candidates]).cumsum()[bounds].tolist()
        ages_us = _joined(self.ages_us)
        return [
            self._share(
                part,
                bounds[at],
                bounds[at + 1],
                candidates[at + 1] - candidates[at],
                ages_us[rows[at] : rows[at + 1]],
            )
            for at, part in enumerate(parts)
        ]

    def _share(self, part: Part, start: int, end: int, candidates: int, ages_us: Ints) -> JudgedPart:
        topic, partition = part.state.key
        refusals = {number - start: refusal for number, refusal in _between(self.refusals, start, end)}
        decisions = tuple(
            replace(decision, index=number - start)
            for number, decision in _between(self.decisions, start, end)
        )
        stored = tuple(
            Judged(
                decision=decision,
                value=part.values[decision.index] or b"",
                topic=topic,
                partition=partition,
                record_offset=part.offsets[decision.index],
            )
            for decision in decisions
            if any(match.may_be_stored for match in decision.matches)
        )
        letters = tuple(
            DeadLetter.of(topic, partition, part.offsets[index], refusal)
            for index, refusal in refusals.items()
        )
        return JudgedPart(
            part=part,
            refusals=refusals,
            decisions=decisions,
            stored=stored,
            letters=letters,
            tally=Tally(end - start, len(refusals), candidates, len(decisions)),
            ages_us=ages_us,
        )


def _between(numbered: list[tuple[int, _T]], start: int, end: int) -> list[tuple[int, _T]]:
    """Those of the records from `start` to before `end`; `numbered` is ascending."""
    low = bisect_left(numbered, start, key=_NUMBER)
    return numbered[low : bisect_left(numbered, end, low, key=_NUMBER)]


def _joined(columns: Sequence[Ints]) -> Ints:
    return columns[0] if len(columns) == 1 else np.concatenate(columns)


async def judge_parts(parts: Sequence[Part], registry: Registry) -> list[JudgedPart]:
    """Judge the records of all parts on one registry, in turns with other tasks.

    The orders that passed the gates are asked for at once, for all parts.
    """
    values = [value for part in parts for value in part.values]
    passed = await in_turns(_gate_steps(values, registry))
    orders = await registry.orders_for(item for _, _, item in passed)
    verdicts = await in_turns(_verdict_steps(passed, orders, registry))
    return verdicts.shares(parts)


_Gated = list[tuple[int, SightingBatch, Passed]]
"""Slices that were at the gates together: the number of their first record, and what passed."""


def _gate_steps(values: Sequence[bytes | None], registry: Registry) -> Steps[_Gated]:
    gated: _Gated = []
    for start in range(0, len(values), SLICE * JUDGED_SLICES):
        decoded = []
        for at in range(start, min(len(values), start + SLICE * JUDGED_SLICES), SLICE):
            decoded.append(decode_batch(values[at : at + SLICE], registry.policy))
            yield
        batch = SightingBatch.joined(decoded)
        gated.append((start, batch, registry.engine.pass_gates(batch)))
        yield
    return gated


def _verdict_steps(gated: _Gated, orders: Mapping[str, CourtOrder], registry: Registry) -> Steps[Verdicts]:
    verdicts = Verdicts()
    for start, batch, passed in gated:
        verdicts.add(batch, start, (yield from registry.engine.decide_steps(batch, passed, orders)))
    return verdicts
