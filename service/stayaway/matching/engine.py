"""A batch through the gates: R-tree, identity, then the decision for what is left.

The gates only choose whom to judge: they pass everything that could match, and `decide` judges
each survivor by itself. So no result depends on batch size or neighbours, nor on whether an
engine was built whole or grew by changes.
"""

import hashlib
from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from stayaway.access.policy import Policy
from stayaway.kernel.shape import Shape
from stayaway.kernel.steps import Steps, finish
from stayaway.matching.case import DecisionInput
from stayaway.matching.decision import circle_radius_m, decide
from stayaway.matching.identities import OrderIdentities, OrderNames
from stayaway.matching.index import Boxes, IndexEntry
from stayaway.matching.layers import Compacted, LayeredIndex
from stayaway.matching.model import EventDecision, Judgement, Match
from stayaway.matching.roster import Roster
from stayaway.orders.model import CourtOrder
from stayaway.orders.registry import RegistrySnapshot
from stayaway.sightings.batch import SightingBatch
from stayaway.sightings.model import Refusal
from stayaway.sightings.wire import parse_sighting

_STEP_ORDERS = 50
"""So many orders take some milliseconds."""


@dataclass(frozen=True, slots=True, eq=False)
class EngineParts:
    """What an engine looks things up in, at the snapshot it belongs to."""

    roster: Roster
    zones: LayeredIndex
    identities: OrderIdentities


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
        """`with_changes` in steps of a few milliseconds."""
        changed = list(dict.fromkeys(order_ids))
        roster, numbers = self.parts.roster, list[int]()
        if not len(roster):
            roster = roster.with_orders(changed)  # the start, for which nothing waits: at once is quicker
        boxes, names = [Boxes.of(())], list[tuple[int, OrderNames, OrderNames]]()
        for start in range(0, len(changed), _STEP_ORDERS):
            part = changed[start : start + _STEP_ORDERS]
            roster = roster.with_orders(part)
            orders = [(roster.numbers[order_id], snapshot.orders[order_id]) for order_id in part]
            numbers += [number for number, _ in orders]
            boxes.append(Boxes.of(_entries(orders, self.policy)))
            names += [
                (number, OrderNames.of(self.snapshot.orders.get(order.order_id)), OrderNames.of(order))
                for number, order in orders
            ]
            yield
        identities = yield from self.parts.identities.change_steps(len(roster), names)
        zones = yield from self.parts.zones.change_steps(
            len(roster), np.array(numbers, dtype=np.int64), Boxes.joined(boxes)
        )
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
        """Every event of the batch that matches something, with its reasons."""
        rows, owners = self.parts.zones.query(batch.lon, batch.lat)
        passed = self.parts.identities.agree(batch, rows, owners, self.policy.loose_min_length)
        by_row: dict[int, set[int]] = defaultdict(set)
        for row, owner in zip(rows[passed].tolist(), owners[passed].tolist(), strict=True):
            by_row[row].add(owner)
        decided = (self._decide(batch, row, by_row[row]) for row in sorted(by_row))
        decisions = sorted((d for d in decided if d is not None), key=lambda decision: decision.index)
        candidates = np.bincount(batch.index[rows], minlength=batch.n)
        return Judgement(decisions=tuple(decisions), candidates=candidates)

    def _decide(self, batch: SightingBatch, row: int, owners: Iterable[int]) -> EventDecision | None:
        index = int(batch.index[row])
        value = batch.values[index]
        sighting = parse_sighting(value)
        if value is None or isinstance(sighting, Refusal):
            raise AssertionError("an accepted event reads the same a second time")
        content_sha256 = hashlib.sha256(value).digest()
        matches: list[Match] = []
        for order_id in sorted(self.parts.roster.order_id(owner) for owner in owners):
            given = DecisionInput(
                sighting=sighting,
                content_sha256=content_sha256,
                order=self.snapshot.orders[order_id],
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
    """`Engine(snapshot, policy)` in steps of a few milliseconds."""
    nothing = replace(snapshot, orders={}, head_changes={})
    parts = EngineParts(Roster.empty(), LayeredIndex.empty(), OrderIdentities.empty())
    return Engine(nothing, policy, parts).change_steps(snapshot, snapshot.orders)


def _entries(orders: Sequence[tuple[int, CourtOrder]], policy: Policy) -> Iterable[IndexEntry]:
    """One entry per distinct place of an order, whatever versions hold it."""
    for number, order in orders:
        reaches: dict[Shape, float] = {}
        for version in order.versions:
            for zone in version.zones:
                reach_m = max(
                    zone.warning_m or 0.0, circle_radius_m(policy.accuracy_cap_m, zone.anchor_accuracy_m)
                )
                reaches[zone.shape] = max(reach_m, reaches.get(zone.shape, 0.0))
        for shape, reach_m in reaches.items():
            yield IndexEntry(shape, reach_m, number)
