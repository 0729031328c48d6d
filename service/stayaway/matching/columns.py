"""What the gates need of orders, as columns: a million orders take a few dozen bytes each.

The orders themselves, with their vertices, names and terms, are needed only by `decide`, for the few
reads that pass the gates. Nothing here depends on a policy.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from stayaway.kernel.packed import Ints, Names, joined_names, name_column, offsets_of, ragged_rows
from stayaway.kernel.plates import MAX_LENGTH
from stayaway.kernel.shape import Shape, grid_bounds, starts_of, to_degrees
from stayaway.matching.index import Boxes, Floats
from stayaway.orders.model import CourtOrder

Plates = npt.NDArray[np.uint8]
GridBounds = npt.NDArray[np.int32]


@dataclass(frozen=True, slots=True, eq=False)
class OrderColumns:
    """Of orders in ascending order of their ids, each once.

    `head_changes`: the number of each one's last change. Order i has the parts of places
    `part_offsets[i]` to `part_offsets[i + 1]`, of all its versions, each place once; and so its plates in
    normal form and its device ids, each ascending. A part has its bounds (rows of lon_min, lat_min,
    lon_max, lat_max in whole numbers of 1e-7 degree), the largest `warning_m` and the largest
    `anchor_accuracy_m` of any zone that is that place. Plates are rows of character codes, padded with
    zeros.
    """

    order_ids: Names
    head_changes: Ints
    part_offsets: Ints
    bounds: GridBounds
    warning_m: Floats
    anchor_accuracy_m: Floats
    plate_offsets: Ints
    plates: Plates
    device_offsets: Ints
    device_ids: Names

    @classmethod
    def of(cls, orders: Iterable[CourtOrder], head_changes: Mapping[str, int]) -> "OrderColumns":
        """Of these orders, in whatever order; each once. A head that is not named is 0."""
        ordered = sorted(orders, key=lambda order: order.order_id)
        places = [_places(order) for order in ordered]
        names = [_Names.of(order) for order in ordered]
        shapes = [place for own in places for place in own]
        counts = [len(place.shape.packed) for place in shapes]
        return cls(
            order_ids=name_column(order.order_id for order in ordered),
            head_changes=_ints(head_changes.get(order.order_id, 0) for order in ordered),
            part_offsets=starts_of(sum(len(place.shape.packed) for place in own) for own in places),
            bounds=grid_bounds([place.shape for place in shapes]),
            warning_m=np.repeat(np.array([place.warning_m for place in shapes], dtype=np.float64), counts),
            anchor_accuracy_m=np.repeat(
                np.array([place.anchor_accuracy_m for place in shapes], dtype=np.float64), counts
            ),
            plate_offsets=starts_of(len(own.plates) for own in names),
            plates=plate_columns([plate for own in names for plate in own.plates]),
            device_offsets=starts_of(len(own.device_ids) for own in names),
            device_ids=name_column(device_id for own in names for device_id in own.device_ids),
        )

    @classmethod
    def joined(cls, parts: Sequence["OrderColumns"]) -> "OrderColumns":
        """All of them, which have no order in common, in whatever order."""
        if not parts:
            return cls.of((), {})
        made = cls(
            order_ids=joined_names(part.order_ids for part in parts),
            head_changes=np.concatenate([part.head_changes for part in parts]),
            part_offsets=_joined_offsets([part.part_offsets for part in parts]),
            bounds=np.concatenate([part.bounds for part in parts]),
            warning_m=np.concatenate([part.warning_m for part in parts]),
            anchor_accuracy_m=np.concatenate([part.anchor_accuracy_m for part in parts]),
            plate_offsets=_joined_offsets([part.plate_offsets for part in parts]),
            plates=np.concatenate([part.plates for part in parts]),
            device_offsets=_joined_offsets([part.device_offsets for part in parts]),
            device_ids=joined_names(part.device_ids for part in parts),
        )
        order_ids = made.order_ids
        if (order_ids[1:] > order_ids[:-1]).all():
            return made
        return made.take(np.argsort(order_ids, kind="stable"))

    def take(self, rows: Ints) -> "OrderColumns":
        """Some of the orders, in the order of `rows`, which must be that of their ids."""
        parts, plates, devices = (
            (ragged_rows(offsets[rows], counts), offsets_of(counts))
            for offsets, counts in (
                (offsets, offsets[rows + 1] - offsets[rows])
                for offsets in (self.part_offsets, self.plate_offsets, self.device_offsets)
            )
        )
        return OrderColumns(
            order_ids=self.order_ids[rows],
            head_changes=self.head_changes[rows],
            part_offsets=parts[1],
            bounds=self.bounds[parts[0]],
            warning_m=self.warning_m[parts[0]],
            anchor_accuracy_m=self.anchor_accuracy_m[parts[0]],
            plate_offsets=plates[1],
            plates=self.plates[plates[0]],
            device_offsets=devices[1],
            device_ids=self.device_ids[devices[0]],
        )

    def updated(self, changed: "OrderColumns") -> "OrderColumns":
        """With the orders `changed`, which stand in the place of those of the same ids."""
        kept = np.flatnonzero(~np.isin(self.order_ids, changed.order_ids))
        return OrderColumns.joined([self.take(kept), changed])

    def boxes(self, accuracy_cap_m: float, numbers: Ints) -> Boxes:
        """Boxes as far as each place can matter under that cap; order i has the number `numbers[i]`.

        A place reaches to the larger of its warning ring and the largest accuracy circle that counts.
        """
        # As decision.circle_radius_m: multiplying, adding and taking roots is the same for a column.
        circles_m = np.sqrt(accuracy_cap_m * accuracy_cap_m + self.anchor_accuracy_m * self.anchor_accuracy_m)
        owners = np.repeat(numbers, np.diff(self.part_offsets))
        return Boxes.around(to_degrees(self.bounds), np.maximum(self.warning_m, circles_m), owners)

    def equals(self, other: "OrderColumns") -> bool:
        """Whether all columns hold the same."""
        pairs = ((getattr(self, name), getattr(other, name)) for name in OrderColumns.__slots__)
        return all(np.array_equal(mine, theirs) for mine, theirs in pairs)

    def __len__(self) -> int:
        """How many orders there are."""
        return len(self.order_ids)


def plate_columns(plates: Sequence[str]) -> Plates:
    """A row of character codes per plate in normal form, padded with zeros."""
    return np.array(plates, dtype=f"S{MAX_LENGTH}").view(np.uint8).reshape(len(plates), MAX_LENGTH)


class _Place(NamedTuple):
    """One distinct shape of an order, and the most that any zone of that shape reaches by."""

    shape: Shape
    warning_m: float
    anchor_accuracy_m: float


def _places(order: CourtOrder) -> list[_Place]:
    found: dict[Shape, _Place] = {}
    for version in order.versions:
        for zone in version.zones:
            before = found.get(zone.shape, _Place(zone.shape, 0.0, 0.0))
            found[zone.shape] = _Place(
                zone.shape,
                max(before.warning_m, zone.warning_m or 0.0),
                max(before.anchor_accuracy_m, zone.anchor_accuracy_m),
            )
    return list(found.values())


class _Names(NamedTuple):
    """What of an order an event could name, of all versions: plates and device ids, ascending."""

    plates: list[str]
    device_ids: list[str]

    @classmethod
    def of(cls, order: CourtOrder) -> "_Names":
        respondents = [respondent for version in order.versions for respondent in version.respondents]
        plates = {vehicle.plate for respondent in respondents for vehicle in respondent.vehicles}
        devices = {device_id for respondent in respondents for device_id in respondent.device_ids}
        return cls(sorted(plates), sorted(devices))


def _ints(values: Iterable[int]) -> Ints:
    return np.fromiter(values, dtype=np.int64)


def _joined_offsets(parts: Sequence[Ints]) -> Ints:
    return offsets_of(np.concatenate([np.diff(part) for part in parts]))
