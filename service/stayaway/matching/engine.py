"""A batch through the gates: R-tree, identity, then the decision for what is left.

The gates only choose whom to judge: they pass everything that could match, and `decide` judges
each survivor by itself. So no result depends on batch size or neighbours.
"""

import hashlib
from collections import defaultdict
from collections.abc import Iterable

import numpy as np
import numpy.typing as npt

from stayaway.access.policy import Policy
from stayaway.kernel.plates import MAX_LENGTH, fold_plate
from stayaway.matching.decision import circle_radius_m, decide
from stayaway.matching.index import IndexEntry, ZoneIndex
from stayaway.matching.model import EventDecision, Judgement, Match
from stayaway.orders.model import CourtOrder, Zone
from stayaway.orders.registry import RegistrySnapshot
from stayaway.sightings.batch import SightingBatch
from stayaway.sightings.model import Refusal
from stayaway.sightings.wire import parse_sighting

Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]
Plates = npt.NDArray[np.uint8]

# Pairs of (event, vehicle) compared at once; bounds the memory of a batch over one crowded place.
_CHUNK = 200_000


class Engine:
    """Everything needed to judge events at one registry sequence; immutable once built."""

    def __init__(self, snapshot: RegistrySnapshot, policy: Policy) -> None:
        self.snapshot = snapshot
        self.policy = policy
        self._orders = [snapshot.orders[order_id] for order_id in sorted(snapshot.orders)]
        self._index = ZoneIndex(list(_entries(self._orders, policy)))
        self._identities = _OrderIdentities(self._orders)

    def judge(self, batch: SightingBatch) -> Judgement:
        """Every event of the batch that matches something, with its reasons."""
        rows, owners = self._index.query(batch.lon, batch.lat)
        passed = self._identities.agree(batch, rows, owners, self.policy.loose_min_length)
        pairs = sorted(set(zip(rows[passed].tolist(), owners[passed].tolist(), strict=True)))
        by_row: dict[int, list[int]] = defaultdict(list)
        for row, owner in pairs:
            by_row[row].append(owner)
        decided = (self._decide(batch, row, owners) for row, owners in by_row.items())
        decisions = sorted((d for d in decided if d is not None), key=lambda decision: decision.index)
        candidates = np.bincount(batch.index[rows], minlength=batch.n)
        return Judgement(decisions=tuple(decisions), candidates=candidates)

    def _decide(self, batch: SightingBatch, row: int, owners: list[int]) -> EventDecision | None:
        index = int(batch.index[row])
        value = batch.values[index]
        sighting = parse_sighting(value)
        if value is None or isinstance(sighting, Refusal):
            raise AssertionError("an accepted event reads the same a second time")
        matches: list[Match] = []
        for owner in owners:  # ascending, so ordered by order id
            matches += decide(sighting, self._orders[owner], self.policy, self.snapshot.known_at)
        if not matches:
            return None
        content_sha256 = hashlib.sha256(value).digest()
        return EventDecision(
            index=index, sighting=sighting, content_sha256=content_sha256, matches=tuple(matches)
        )


def _entries(orders: list[CourtOrder], policy: Policy) -> Iterable[IndexEntry]:
    """One entry per distinct place of an order, whatever versions hold it."""
    for owner, order in enumerate(orders):
        reaches: dict[str, tuple[float, Zone]] = {}
        for version in order.versions:
            for zone in version.zones:
                reach_m = max(
                    zone.warning_m or 0.0, circle_radius_m(policy.accuracy_cap_m, zone.anchor_accuracy_m)
                )
                key = zone.shape.sha256
                if key not in reaches or reaches[key][0] < reach_m:
                    reaches[key] = (reach_m, zone)
        for reach_m, zone in reaches.values():
            yield IndexEntry(zone.shape, reach_m, owner)


class _OrderIdentities:
    """The plates and devices of each order, all versions, as columns to compare with."""

    def __init__(self, orders: list[CourtOrder]) -> None:
        plates: list[str] = []
        starts = [0]
        self._devices: dict[str, set[int]] = defaultdict(set)
        for owner, order in enumerate(orders):
            respondents = [r for v in order.versions for r in v.respondents]
            plates += sorted({vehicle.plate for r in respondents for vehicle in r.vehicles})
            starts.append(len(plates))
            for device_id in {d for r in respondents for d in r.device_ids}:
                self._devices[device_id].add(owner)
        self._starts = np.array(starts, dtype=np.int64)
        self._plates = _plate_columns(plates)
        self._folded = _plate_columns([fold_plate(plate) for plate in plates])
        self._lengths = np.count_nonzero(self._plates, axis=1)

    def agree(self, batch: SightingBatch, rows: Ints, owners: Ints, loose_min_length: int) -> Bools:
        """For each (row, owner) pair: whether the event may name a vehicle or device of that order."""
        passed = np.zeros(len(rows), dtype=np.bool_)
        device = batch.is_device[rows]
        for i in np.flatnonzero(device).tolist():
            passed[i] = owners[i] in self._devices.get(batch.identities[rows[i]], ())
        reads = np.flatnonzero(~device & (self._starts[owners + 1] > self._starts[owners]))
        if reads.size:
            self._agree_plates(batch, rows, owners, reads, loose_min_length, passed)
        return passed

    def _agree_plates(
        self,
        batch: SightingBatch,
        rows: Ints,
        owners: Ints,
        reads: Ints,
        loose_min_length: int,
        passed: Bools,
    ) -> None:
        # Columns over the events that stand in some box, not over the whole batch.
        events, place = np.unique(rows[reads], return_inverse=True)
        texts = [batch.identities[row] for row in events.tolist()]
        plates, folded = _plate_columns(texts), _plate_columns([fold_plate(text) for text in texts])
        counts = self._starts[owners[reads] + 1] - self._starts[owners[reads]]
        ends = np.cumsum(counts)
        cut = 0
        while cut < len(reads):
            base = int(ends[cut - 1]) if cut else 0
            stop = max(cut + 1, int(np.searchsorted(ends, base + _CHUNK, side="right")))
            part = slice(cut, stop)
            pair = np.repeat(np.arange(cut, stop), counts[part])
            within = np.arange(len(pair)) - np.repeat(ends[part] - counts[part] - base, counts[part])
            vehicle = self._starts[owners[reads[pair]]] + within
            event = place[pair]
            differing = np.count_nonzero(plates[event] != self._plates[vehicle], axis=1)
            same_length = np.count_nonzero(plates[event], axis=1) == self._lengths[vehicle]
            loose = same_length & (self._lengths[vehicle] >= loose_min_length)
            near = (differing == 1) | (folded[event] == self._folded[vehicle]).all(axis=1)
            passed[reads[pair[(differing == 0) | (loose & near)]]] = True
            cut = stop


def _plate_columns(plates: list[str]) -> Plates:
    """A row of character codes per plate in normal form, padded with zeros."""
    return np.array(plates, dtype=f"S{MAX_LENGTH}").view(np.uint8).reshape(len(plates), MAX_LENGTH)
