"""The engine's own answer: the layered index, grown by changes, and the function that decides inside."""

import random
from collections.abc import Iterator
from dataclasses import dataclass
from unittest.mock import patch

import numpy as np

from exactness.grid import GRID, Ints, Part, distinct
from exactness.points import Floats
from exactness.zones import Zone
from stayaway.kernel.shape import Shape
from stayaway.kernel.steps import finish
from stayaway.matching import index, inside, layers
from stayaway.matching.layers import LayeredIndex
from support.zone_entries import ZoneEntry, boxes_of


def to_shape(parts: list[Part]) -> Shape:
    """The zone as a record in degrees makes it."""
    return Shape.from_parts(
        [[[(x / GRID, y / GRID) for x, y in [*ring, ring[0]]] for ring in part] for part in parts]
    )


@dataclass
class Found:
    """Per zone the numbers of the points inside it, ascending; how many pairs of point and zone the index
    gave, and to how many points it gave no zone.
    """

    inside: dict[int, Ints]
    candidates: int
    boxless: int


class EngineUnderTest:
    """Zones as a matcher holds them: some there at the start, some changed, some taken away, some new."""

    def __init__(self, zones: list[Zone], rng: random.Random) -> None:
        """Numbers in `gone` are zones that were there and are no more."""
        self.shapes = [to_shape(zone.parts) for zone in zones]
        self.gone = frozenset(rng.sample(range(len(zones)), len(zones) // 40))
        # Mostly no reach at all, so that a box has nothing to spare.
        self._reaches_m = [rng.choice([0.0, 0.0, 0.0, 0.3, 150.0]) for _ in zones]
        self.index = LayeredIndex.empty()
        # Few zones would make one tree and never fill a layer: smaller limits take every way through.
        limits = (
            patch.multiple(layers, TOP_BOXES=40),
            patch.multiple(index, _TREE_BOXES=rng.choice([32, index._TREE_BOXES])),
        )
        with limits[0], limits[1]:
            self._grow(rng)

    def _grow(self, rng: random.Random) -> None:
        """Base, middle and top each end with zones of their own, and with boxes that count no more."""
        numbers = list(range(len(self.shapes)))
        rng.shuffle(numbers)
        third = len(numbers) // 3
        settled, later, last = numbers[:third], numbers[third : 2 * third], numbers[2 * third :]
        self._change(settled, decoys=[*later, *last], rng=rng)
        self._change(later, decoys=rng.sample(last, third // 2), rng=rng)
        if rng.random() < 0.5:
            self.index = self.index.with_compacted(finish(self.index.compaction_steps()))
        for at in range(0, len(last), 15):
            self._change(last[at : at + 15], decoys=last[at + 15 : at + 20], rng=rng)

    def _change(self, numbers: list[int], *, decoys: list[int], rng: random.Random) -> None:
        """`numbers` as they shall be; `decoys` with the places of others, until their turn comes."""
        entries = [
            ZoneEntry(self.shapes[number], self._reaches_m[number], number)
            for number in numbers
            if number not in self.gone
        ]
        # What will be gone is at its own place until then, where it would be missed.
        entries += [
            ZoneEntry(
                self.shapes[number] if number in self.gone else rng.choice(self.shapes),
                self._reaches_m[number],
                number,
            )
            for number in decoys
        ]
        changed = np.array([*numbers, *decoys], dtype=np.int64)
        self.index = finish(self.index.change_steps(len(self.shapes), changed, boxes_of(entries)))

    def find(self, lon: Floats, lat: Floats) -> Found:
        """What it makes of these points."""
        rows, owners = self.index.query(lon, lat)
        pairs = distinct(owners * len(lon) + rows)
        in_some_box = np.zeros(len(lon), dtype=np.bool_)
        in_some_box[rows] = True
        inside = dict(self._inside(pairs // len(lon), pairs % len(lon), lon, lat))
        return Found(inside, candidates=len(pairs), boxless=len(lon) - int(in_some_box.sum()))

    def _inside(self, owners: Ints, rows: Ints, lon: Floats, lat: Floats) -> Iterator[tuple[int, Ints]]:
        starts = np.flatnonzero(np.diff(owners, prepend=-1))
        x, y = lon.tolist(), lat.tolist()
        for start, stop in zip(starts.tolist(), [*starts[1:].tolist(), len(owners)], strict=True):
            owner = int(owners[start])
            shape = self.shapes[owner]
            mine = rows[start:stop]
            yield owner, mine[[inside.is_inside(shape, x[row], y[row]) for row in mine.tolist()]]
