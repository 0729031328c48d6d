"""The plates and devices of every order, all versions, as columns to compare a batch with.

A gate only: it passes every pair of event and order that could agree, and `decide` judges.
"""

from collections import defaultdict
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from stayaway.kernel.bucketmap import BucketMap
from stayaway.kernel.packed import Ints, Names, PackedMap, ragged_rows
from stayaway.kernel.plates import fold_plate
from stayaway.kernel.steps import Steps
from stayaway.matching.columns import OrderColumns, Plates, plate_columns
from stayaway.sightings.batch import SightingBatch

Rows = npt.NDArray[np.int32]

# Pairs of (event, vehicle) compared at once; bounds the memory of a batch over one crowded place.
_CHUNK = 200_000
_STEP_ORDERS = 250
# For each character code, what it is folded to.
_FOLDED = np.array([ord(fold_plate(chr(code))) for code in range(256)], dtype=np.uint8)


@dataclass(frozen=True, slots=True, eq=False)
class OwnNames:
    """Order n has the rows `starts[n]` to `stops[n]` of `values`; what it had before its last change stays
    behind unused until the next start.
    """

    starts: Rows
    stops: Rows
    values: npt.NDArray[Any]

    @classmethod
    def of(cls, offsets: Ints, values: npt.NDArray[Any]) -> "OwnNames":
        """Order n has the rows `offsets[n]` to `offsets[n + 1]`."""
        rows = offsets.astype(np.int32)
        return cls(rows[:-1], rows[1:], values)

    def of_order(self, number: int) -> npt.NDArray[Any]:
        """Its rows; none of an order that is not there."""
        if number >= len(self.starts):
            return self.values[:0]
        return self.values[self.starts[number] : self.stops[number]]

    def moved_steps(self, numbers: Ints, offsets: Ints, values: npt.NDArray[Any]) -> Steps[Ints]:
        """Which of the orders `numbers` have other rows than here, if they have those of `values` now."""
        moved = []
        for place, number in enumerate(numbers.tolist()):
            if place % _STEP_ORDERS == 0:
                yield
            before, after = self.of_order(number), values[offsets[place] : offsets[place + 1]]
            if len(before) != len(after) or (before != after).any():
                moved.append(place)
        return np.array(moved, dtype=np.int64)

    def with_changes(self, orders: int, numbers: Ints, counts: Ints, values: npt.NDArray[Any]) -> "OwnNames":
        """`numbers[i]` has the next `counts[i]` rows of `values` now. `orders`: how many there are."""
        if orders == len(self.starts) and not len(numbers):
            return self
        grown = np.zeros(orders - len(self.starts), dtype=np.int32)
        starts, stops = np.concatenate([self.starts, grown]), np.concatenate([self.stops, grown])
        stops[numbers] = len(self.values) + np.cumsum(counts)
        starts[numbers] = stops[numbers] - counts
        return OwnNames(starts, stops, np.concatenate([self.values, values]) if len(values) else self.values)


@dataclass(frozen=True, slots=True, eq=False)
class OrderIdentities:
    """Immutable. `folded`: the plates' values with every confusion class folded. `devices`: the numbers of
    the orders that name a device; `own_devices`: the devices of each order.
    """

    plates: OwnNames
    folded: Plates
    own_devices: OwnNames
    devices: BucketMap[frozenset[int]]

    @classmethod
    def of(cls, columns: OrderColumns) -> "OrderIdentities":
        """Of these orders, numbered in their order."""
        return cls(
            OwnNames.of(columns.plate_offsets, columns.plates),
            _FOLDED[columns.plates],
            OwnNames.of(columns.device_offsets, columns.device_ids),
            BucketMap(beneath=_by_device(columns.device_offsets, columns.device_ids)),
        )

    def change_steps(self, orders: int, numbers: Ints, changed: OrderColumns) -> Steps["OrderIdentities"]:
        """The columns after changes. `orders`: how many there are now. `numbers`: of the orders `changed`."""
        moved = yield from self.plates.moved_steps(numbers, changed.plate_offsets, changed.plates)
        counts = changed.plate_offsets[moved + 1] - changed.plate_offsets[moved]
        added = changed.plates[ragged_rows(changed.plate_offsets[moved], counts)]
        plates = self.plates.with_changes(orders, numbers[moved], counts, added)
        folded = np.concatenate([self.folded, _FOLDED[added]]) if len(added) else self.folded
        yield
        moved = yield from self.own_devices.moved_steps(numbers, changed.device_offsets, changed.device_ids)
        counts = changed.device_offsets[moved + 1] - changed.device_offsets[moved]
        added_ids = changed.device_ids[ragged_rows(changed.device_offsets[moved], counts)]
        own_devices = self.own_devices.with_changes(orders, numbers[moved], counts, added_ids)
        yield
        devices = yield from self._device_steps(numbers[moved], own_devices)
        return OrderIdentities(plates, folded, own_devices, devices)

    def _device_steps(self, numbers: Ints, own_devices: OwnNames) -> Steps[BucketMap[frozenset[int]]]:
        gone: dict[bytes, set[int]] = defaultdict(set)
        come: dict[bytes, set[int]] = defaultdict(set)
        for place, number in enumerate(numbers.tolist()):
            if place % _STEP_ORDERS == 0:
                yield
            before = set(self.own_devices.of_order(number).tolist())
            after = set(own_devices.of_order(number).tolist())
            for device_id in before - after:
                gone[device_id].add(number)
            for device_id in after - before:
                come[device_id].add(number)
        devices, touched = self.devices, sorted(gone.keys() | come.keys())
        for first in range(0, len(touched), _STEP_ORDERS):
            part = [(name.decode(), name) for name in touched[first : first + _STEP_ORDERS]]
            devices = devices.updated(
                {
                    device_id: (devices.get(device_id, frozenset()) - gone[name]) | come[name]
                    for device_id, name in part
                }
            )
            yield
        return devices

    def agree(self, batch: SightingBatch, rows: Ints, owners: Ints, loose_min_length: int) -> Ints:
        """Of (row, owner) pairs, the places of those whose event may name a vehicle or device of that order.
        Some may come twice.
        """
        starts = self.plates.starts[owners]
        counts = self.plates.stops[owners] - starts
        devices = batch.is_device[rows].nonzero()[0]
        counts[devices] = 0
        found = [i for i in devices.tolist() if owners[i] in self.devices.get(batch.identities[rows[i]], ())]
        passed = self._agree_plates(batch, rows, starts, counts, loose_min_length)
        return np.concatenate([passed, np.array(found, dtype=np.int64)]) if found else passed

    def _agree_plates(
        self, batch: SightingBatch, rows: Ints, starts: Rows, counts: Rows, loose_min_length: int
    ) -> Ints:
        """The places of the pairs whose event's plate agrees with one of the `counts` from `starts` on."""
        # Columns over the events that stand in some box, not over the whole batch.
        stands = np.zeros(len(batch.index), dtype=np.bool_)
        stands[rows] = True
        events = stands.nonzero()[0]
        place = np.zeros(len(stands), dtype=np.int64)
        place[events] = np.arange(len(events))
        plates = plate_columns([batch.identities[row] for row in events.tolist()])
        ends = counts.cumsum()
        passed, cut = [np.zeros(0, dtype=np.int64)], 0
        while cut < len(rows):
            base = int(ends[cut - 1]) if cut else 0
            stop = max(cut + 1, int(ends.searchsorted(base + _CHUNK, side="right")))
            pair = np.arange(cut, stop).repeat(counts[cut:stop])
            # A pair's first vehicle stands in `pair` at its `ends - counts`, less those before the cut.
            vehicle = np.arange(base, base + len(pair)) + (starts - ends + counts)[pair]
            agrees = self._alike(plates, place[rows[pair]], vehicle, loose_min_length)
            passed.append(pair[agrees])
            cut = stop
        return passed[1] if len(passed) == 2 else np.concatenate(passed)

    def _alike(self, plates: Plates, event: Ints, vehicle: Ints, loose_min_length: int) -> Ints:
        """The places at which the plate in row `event` of `plates` is that of `vehicle`, or near it."""
        # Equal plates, plates of the same confusion classes and plates that differ in one place differ in
        # one place at most once they are folded; nearly all pairs fall here.
        near = (_differing(_FOLDED[plates][event], self.folded[vehicle]) <= 1).nonzero()[0]
        if not len(near):
            return near
        event, vehicle = event[near], vehicle[near]
        read, own = plates[event], self.plates.values[vehicle]
        lengths = np.count_nonzero(own, axis=1)
        differing = _differing(read, own)
        loose = (np.count_nonzero(read, axis=1) == lengths) & (lengths >= loose_min_length)
        same_classes = _differing(_FOLDED[read], self.folded[vehicle]) == 0
        agrees: Ints = near[(differing == 0) | (loose & ((differing == 1) | same_classes))]
        return agrees


def _differing(one: Plates, other: Plates) -> Plates:
    """In how many places each row differs."""
    differing: Plates = np.add.reduce((one != other).view(np.uint8), axis=1, dtype=np.uint8)
    return differing


def _by_device(offsets: Ints, device_ids: Names) -> PackedMap[frozenset[int]]:
    """The numbers of the orders that have each device."""
    order = np.argsort(device_ids, kind="stable")
    owners = np.repeat(np.arange(len(offsets) - 1), np.diff(offsets))[order]
    names, starts = np.unique(device_ids[order], return_index=True)
    stops = np.append(starts[1:], len(owners))

    def owners_of(row: int) -> frozenset[int]:
        return frozenset(owners[starts[row] : stops[row]].tolist())

    return PackedMap(names, owners_of)
