"""A batch through the gates: R-tree, identity, then the decision for what is left.

The gates only choose whom to judge: they pass everything that could match, and `decide` judges
each survivor by itself. So no result depends on batch size or neighbours, nor on whether an
engine was built whole or grew by changes.
"""

import hashlib
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace

import numpy as np

from stayaway.access.policy import Policy
from stayaway.kernel.packed import Ints
from stayaway.kernel.steps import Steps, finish
from stayaway.matching.case import DecisionInput
from stayaway.matching.columns import OrderColumns
from stayaway.matching.decision import decide
from stayaway.matching.identities import OrderIdentities
from stayaway.matching.index import NO_BOXES, Boxes
from stayaway.matching.layers import Compacted, LayeredIndex
from stayaway.matching.model import EventDecision, Judgement, Match
from stayaway.matching.roster import Roster
from stayaway.orders.model import CourtOrder
from stayaway.orders.registry import RegistrySnapshot
from stayaway.sightings.batch import SightingBatch
from stayaway.sightings.model import Refusal
from stayaway.sightings.wire import parse_sighting

_STEP_ORDERS = 50
"""Reading so many orders takes some milliseconds."""
_STEP_ROWS = 20_000
"""So many orders that are columns already take as long."""


@dataclass(frozen=True, slots=True, eq=False)
class EngineParts:
    """What an engine looks things up in, at the snapshot it belongs to."""

    roster: Roster
    zones: LayeredIndex
    identities: OrderIdentities


@dataclass(frozen=True, slots=True, eq=False)
class Passed:
    """What of a batch passed the gates: for each row of it, ascending, the ids of the orders to judge by.

    `candidates`: for each record of the batch, how many zones' boxes its point lies in.
    """

    by_row: Mapping[int, Collection[str]]
    candidates: Ints

    @property
    def order_ids(self) -> set[str]:
        """All orders that the decisions need."""
        return {order_id for order_ids in self.by_row.values() for order_id in order_ids}


class Engine:
    """Everything needed to judge events at one registry sequence; immutable once built.

    `parts`: those of the snapshot, where somebody has built them already.
    """

    def __init__(self, snapshot: RegistrySnapshot, policy: Policy, parts: EngineParts | None = None) -> None:
        self.snapshot = snapshot
        self.policy = policy
        self._policy_sha256 = policy.sha256
        self.parts: EngineParts = parts or finish(engine_steps(snapshot, policy)).parts

    # ------------------------------------------------------------ changes

    def with_changes(self, snapshot: RegistrySnapshot, order_ids: Collection[str]) -> "Engine":
        """The engine at a later `snapshot`, which differs from ours in the orders named, at most.

        It judges as `Engine(snapshot, policy)` does; all that did not change is shared with this one.
        """
        return finish(self.change_steps(snapshot, order_ids))

    def change_steps(self, snapshot: RegistrySnapshot, order_ids: Collection[str]) -> Steps["Engine"]:
        """`with_changes` in steps of a few milliseconds; the snapshot has those orders."""
        changed = yield from _reading_steps(snapshot, order_ids)
        return (yield from self.column_steps(snapshot, changed))

    def column_steps(self, snapshot: RegistrySnapshot, changed: OrderColumns) -> Steps["Engine"]:
        """The same for whoever has the columns of the orders that changed."""
        roster = self.parts.roster
        if not len(roster):
            return Engine(snapshot, self.policy, (yield from parts_steps(changed, self.policy)))
        numbers = []
        for start in range(0, len(changed), _STEP_ORDERS):
            part = [name.decode() for name in changed.order_ids[start : start + _STEP_ORDERS].tolist()]
            roster = roster.with_orders(part)
            numbers += [roster.numbers[order_id] for order_id in part]
            yield
        rows = np.array(numbers, dtype=np.int64)
        boxes = yield from _box_steps(changed, rows, self.policy)
        identities = yield from self.parts.identities.change_steps(len(roster), rows, changed)
        zones = yield from self.parts.zones.change_steps(len(roster), rows, boxes)
        return Engine(snapshot, self.policy, EngineParts(roster, zones, identities))

    @property
    def is_compaction_due(self) -> bool:
        """Whether so much has changed since the base was built that a new one is worth it."""
        return self.parts.zones.is_compaction_due

    def compaction_steps(self) -> Steps[Compacted]:
        """Build a new base in steps of a few milliseconds, one compaction at a time."""
        return self.parts.zones.compaction_steps()

    def with_compacted(self, compacted: Compacted) -> "Engine":
        """The same engine on the new base; it may have changed since the compaction began."""
        parts = replace(self.parts, zones=self.parts.zones.with_compacted(compacted))
        return Engine(self.snapshot, self.policy, parts)

    # ------------------------------------------------------------ judging

    def judge(self, batch: SightingBatch) -> Judgement:
        """Every event of the batch that matches something, with its reasons; the snapshot has all orders."""
        return self.decide(batch, self.pass_gates(batch), self.snapshot.orders)

    def pass_gates(self, batch: SightingBatch) -> Passed:
        """Which events have to be judged by which orders."""
        rows, owners = self.parts.zones.query(batch.lon, batch.lat)
        passed = self.parts.identities.agree(batch, rows, owners, self.policy.loose_min_length)
        by_row: dict[int, set[int]] = defaultdict(set)
        for row, owner in zip(rows[passed].tolist(), owners[passed].tolist(), strict=True):
            by_row[row].add(owner)
        order_id = self.parts.roster.order_id
        return Passed(
            by_row={row: sorted(map(order_id, by_row[row])) for row in sorted(by_row)},
            candidates=np.bincount(batch.index[rows], minlength=batch.n),
        )

    def decide(self, batch: SightingBatch, passed: Passed, orders: Mapping[str, CourtOrder]) -> Judgement:
        """The batch judged. `orders`: those that `passed` names, at least, as they are at the snapshot."""
        return finish(self.decide_steps(batch, passed, orders))

    def decide_steps(
        self, batch: SightingBatch, passed: Passed, orders: Mapping[str, CourtOrder]
    ) -> Steps[Judgement]:
        """The same in steps of an event, 0.2 ms unless its zones are very large."""
        decisions = []
        for row, order_ids in passed.by_row.items():
            decision = self._decide(batch, row, order_ids, orders)
            if decision is not None:
                decisions.append(decision)
            yield
        decisions.sort(key=lambda decision: decision.index)
        return Judgement(decisions=tuple(decisions), candidates=passed.candidates)

    def _decide(
        self, batch: SightingBatch, row: int, order_ids: Iterable[str], orders: Mapping[str, CourtOrder]
    ) -> EventDecision | None:
        index = int(batch.index[row])
        value = batch.values[index]
        sighting = parse_sighting(value)
        if value is None or isinstance(sighting, Refusal):
            raise AssertionError("an accepted event reads the same a second time")
        content_sha256 = hashlib.sha256(value).digest()
        matches: list[Match] = []
        for order_id in order_ids:
            given = DecisionInput(
                sighting=sighting,
                content_sha256=content_sha256,
                order=orders[order_id],
                policy=self.policy,
                policy_sha256=self._policy_sha256,
                known_at=self.snapshot.known_at,
            )
            matches += decide(given)
        if not matches:
            return None
        return EventDecision(
            index=index, sighting=sighting, content_sha256=content_sha256, matches=tuple(matches)
        )


def engine_steps(snapshot: RegistrySnapshot, policy: Policy) -> Steps[Engine]:
    """`Engine(snapshot, policy)` in steps of a few milliseconds; the snapshot has all orders."""
    columns = yield from _reading_steps(snapshot, snapshot.orders)
    return Engine(snapshot, policy, (yield from parts_steps(columns, policy)))


def _reading_steps(snapshot: RegistrySnapshot, order_ids: Collection[str]) -> Steps[OrderColumns]:
    changed, columns = list(dict.fromkeys(order_ids)), list[OrderColumns]()
    for start in range(0, len(changed), _STEP_ORDERS):
        orders = [snapshot.orders[order_id] for order_id in changed[start : start + _STEP_ORDERS]]
        columns.append(OrderColumns.of(orders, snapshot.head_changes))
        yield
    return OrderColumns.joined(columns)


def parts_steps(columns: OrderColumns, policy: Policy) -> Steps[EngineParts]:
    """What an engine of these orders, and no others, looks things up in."""
    numbers = np.arange(len(columns))
    boxes = yield from _box_steps(columns, numbers, policy)
    zones = yield from LayeredIndex.empty().change_steps(len(columns), numbers, boxes)
    yield
    return EngineParts(Roster.of(columns.order_ids), zones, OrderIdentities.of(columns))


def _box_steps(columns: OrderColumns, numbers: Ints, policy: Policy) -> Steps[Boxes]:
    boxes = [NO_BOXES]
    for start in range(0, len(columns), _STEP_ROWS):
        part = slice(start, start + _STEP_ROWS)
        boxes.append(columns.take(np.arange(len(columns))[part]).boxes(policy.accuracy_cap_m, numbers[part]))
        yield
    return Boxes.joined(boxes)
