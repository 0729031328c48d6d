"""The plates and devices of every order, all versions, as columns to compare a batch with.

A gate only: it passes every pair of event and order that could agree, and `decide` judges.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from stayaway.kernel.bucketmap import BucketMap
from stayaway.kernel.plates import MAX_LENGTH, fold_plate
from stayaway.kernel.steps import Steps
from stayaway.orders.model import CourtOrder
from stayaway.sightings.batch import SightingBatch

Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]
Plates = npt.NDArray[np.uint8]

# Pairs of (event, vehicle) compared at once; bounds the memory of a batch over one crowded place.
_CHUNK = 200_000
_STEP_ORDERS = 250
# For each character code, what it is folded to.
_FOLDED = np.array([ord(fold_plate(chr(code))) for code in range(256)], dtype=np.uint8)


@dataclass(frozen=True, slots=True)
class OrderNames:
    """What of one order an event could name: plates in normal form and device ids, ascending."""

    plates: tuple[str, ...]
    device_ids: tuple[str, ...]

    @classmethod
    def of(cls, order: CourtOrder | None) -> "OrderNames":
        """Of all versions; of no order, nothing."""
        versions = () if order is None else order.versions
        respondents = [respondent for version in versions for respondent in version.respondents]
        plates = {vehicle.plate for respondent in respondents for vehicle in respondent.vehicles}
        devices = {device_id for respondent in respondents for device_id in respondent.device_ids}
        return cls(tuple(sorted(plates)), tuple(sorted(devices)))


@dataclass(frozen=True, slots=True, eq=False)
class OrderIdentities:
    """Immutable. Order n has the plates `starts[n]` to `stops[n]`; plates of earlier versions of the
    columns stay behind unused (20 bytes each) until the next start.
    """

    starts: Ints
    stops: Ints
    plates: Plates
    folded: Plates
    devices: BucketMap[frozenset[int]]

    @classmethod
    def empty(cls) -> "OrderIdentities":
        """Of no orders."""
        none, no_plates = np.zeros(0, dtype=np.int64), _plate_columns([])
        return cls(none, none, no_plates, no_plates, BucketMap())

    def change_steps(
        self, orders: int, changed: Sequence[tuple[int, OrderNames, OrderNames]]
    ) -> Steps["OrderIdentities"]:
        """The columns after changes. `orders`: how many there are now. `changed`: for each, its number,
        what it could be named by before, and now.
        """
        moved = [(number, after.plates) for number, before, after in changed if before.plates != after.plates]
        grown = np.zeros(orders - len(self.starts), dtype=np.int64)
        starts, stops = np.concatenate([self.starts, grown]), np.concatenate([self.stops, grown])
        at = len(self.plates)
        blocks = [(self.plates, self.folded)]
        for first in range(0, len(moved), _STEP_ORDERS):
            part = moved[first : first + _STEP_ORDERS]
            for number, plates in part:
                starts[number], stops[number] = at, at + len(plates)
                at += len(plates)
            columns = _plate_columns([plate for _, plates in part for plate in plates])
            blocks.append((columns, _FOLDED[columns]))
            yield
        plate_blocks, folded_blocks = zip(*blocks, strict=True)
        devices = yield from _device_steps(self.devices, changed)
        return OrderIdentities(
            starts, stops, np.concatenate(plate_blocks), np.concatenate(folded_blocks), devices
        )

    def agree(self, batch: SightingBatch, rows: Ints, owners: Ints, loose_min_length: int) -> Bools:
        """For each (row, owner) pair: whether the event may name a vehicle or device of that order."""
        passed = np.zeros(len(rows), dtype=np.bool_)
        device = batch.is_device[rows]
        for i in np.flatnonzero(device).tolist():
            passed[i] = owners[i] in self.devices.get(batch.identities[rows[i]], ())
        reads = np.flatnonzero(~device & (self.stops[owners] > self.starts[owners]))
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
        plates = _plate_columns([batch.identities[row] for row in events.tolist()])
        folded = _FOLDED[plates]
        counts = self.stops[owners[reads]] - self.starts[owners[reads]]
        ends = np.cumsum(counts)
        cut = 0
        while cut < len(reads):
            base = int(ends[cut - 1]) if cut else 0
            stop = max(cut + 1, int(np.searchsorted(ends, base + _CHUNK, side="right")))
            part = slice(cut, stop)
            pair = np.repeat(np.arange(cut, stop), counts[part])
            within = np.arange(len(pair)) - np.repeat(ends[part] - counts[part] - base, counts[part])
            vehicle = self.starts[owners[reads[pair]]] + within
            event = place[pair]
            ordered = self.plates[vehicle]
            lengths = np.count_nonzero(ordered, axis=1)
            differing = np.count_nonzero(plates[event] != ordered, axis=1)
            same_length = np.count_nonzero(plates[event], axis=1) == lengths
            loose = same_length & (lengths >= loose_min_length)
            near = (differing == 1) | (folded[event] == self.folded[vehicle]).all(axis=1)
            passed[reads[pair[(differing == 0) | (loose & near)]]] = True
            cut = stop


def _device_steps(
    devices: BucketMap[frozenset[int]], changed: Sequence[tuple[int, OrderNames, OrderNames]]
) -> Steps[BucketMap[frozenset[int]]]:
    gone: dict[str, set[int]] = defaultdict(set)
    come: dict[str, set[int]] = defaultdict(set)
    for place, (number, before, after) in enumerate(changed):
        if place % _STEP_ORDERS == 0:
            yield
        if before.device_ids == after.device_ids:
            continue
        for device_id in set(before.device_ids) - set(after.device_ids):
            gone[device_id].add(number)
        for device_id in set(after.device_ids) - set(before.device_ids):
            come[device_id].add(number)
    touched = sorted(gone.keys() | come.keys())
    for first in range(0, len(touched), _STEP_ORDERS):
        part = touched[first : first + _STEP_ORDERS]
        devices = devices.updated({name: _owners(devices, name, gone, come) for name in part})
        yield
    return devices


def _owners(
    devices: BucketMap[frozenset[int]],
    device_id: str,
    gone: Mapping[str, set[int]],
    come: Mapping[str, set[int]],
) -> frozenset[int]:
    return (devices.get(device_id, frozenset()) - gone.get(device_id, set())) | come.get(device_id, set())


def _plate_columns(plates: Sequence[str]) -> Plates:
    """A row of character codes per plate in normal form, padded with zeros."""
    return np.array(plates, dtype=f"S{MAX_LENGTH}").view(np.uint8).reshape(len(plates), MAX_LENGTH)
