"""Zones in three layers, so that a change costs what changed and not what there is.

The base holds what was there at the start, the middle what changed since, the top what changed
just now. An order lives in one layer only: the boxes of one that changed go to the top, and what
older layers hold of it counts no more. The top goes into the middle when it is full, the middle into
a new base; both are built beside the old ones. Nothing here is ever changed: each change makes
another `LayeredIndex`, which shares with the one before what is the same in both.
"""

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from stayaway.kernel.steps import Steps
from stayaway.matching.cells import cell_hashes
from stayaway.matching.index import NO_BOXES, Boxes, Floats, Ints, ZoneIndex, index_steps, joined_pairs

TOP_BOXES = 256
"""The top is built anew at each change: so many boxes take about 0.3 ms."""
MIDDLE_BOXES = 8_192
_MIDDLE_SHARE = 32
# The middle goes into the base once it has more than both: a base of 100,000 boxes is built anew
# after 8,192 changed, one of a million after 31,250.


@dataclass(frozen=True, slots=True, eq=False)
class _Layer:
    """`number`: never used for another layer."""

    number: int
    index: ZoneIndex


@dataclass(frozen=True, slots=True, eq=False)
class Compacted:
    """Layers built into one: `index` holds what lived in the layers `numbers` when that began."""

    numbers: tuple[int, int]
    index: ZoneIndex


_EMPTY = ZoneIndex.of(NO_BOXES)


@dataclass(frozen=True, slots=True, eq=False)
class LayeredIndex:
    """Boxes of orders, by the orders' numbers. `home`: for each order, the layer it lives in."""

    home: npt.NDArray[np.int32]
    base: _Layer
    middle: _Layer
    top: _Layer
    next_number: int

    @classmethod
    def empty(cls) -> "LayeredIndex":
        """Of no orders."""
        base, middle, top = (_Layer(number, _EMPTY) for number in range(3))
        return cls(np.zeros(0, dtype=np.int32), base, middle, top, next_number=3)

    def query(self, lon: Floats, lat: Floats) -> tuple[Ints, Ints]:
        """(rows, owners): for each point in some box, its row and the number of the box's order."""
        hashes = cell_hashes(lon, lat)
        pairs = []
        for layer in (self.base, self.middle, self.top):
            if layer.index.size:
                rows, owners = layer.index.find(lon, lat, hashes)
                lives = self.home[owners] == layer.number
                pairs.append((rows[lives], owners[lives]))
        return joined_pairs(pairs)

    def change_steps(self, orders: int, changed: Ints, boxes: Boxes) -> Steps["LayeredIndex"]:
        """The index in which the orders numbered `changed` have these boxes and no others.

        `orders`: how many there are now; new ones have the highest numbers.
        """
        home = np.concatenate([self.home, np.zeros(orders - len(self.home), dtype=np.int32)])
        home[changed] = self.next_number
        fresh = Boxes.joined([_living(self.top, home), boxes])
        is_full = len(fresh) > TOP_BOXES
        if is_full:
            fresh = Boxes.joined([_living(self.middle, home), fresh])
        home[fresh.owners] = self.next_number
        layer = _Layer(self.next_number, (yield from index_steps(fresh)))
        made = replace(self, home=home, next_number=self.next_number + 1)
        if not is_full:
            return replace(made, top=layer)
        emptied = _Layer(self.next_number, _EMPTY)
        if self.base.index.size:
            return replace(made, middle=layer, top=emptied)
        # The first registry, or one that had no zones yet.
        return replace(made, base=layer, middle=emptied, top=emptied)

    @property
    def is_compaction_due(self) -> bool:
        """Whether the middle should go into a new base."""
        return self.middle.index.size > max(MIDDLE_BOXES, self.base.index.size // _MIDDLE_SHARE)

    def compaction_steps(self) -> Steps[Compacted]:
        """Build base and middle into one. Changes may go on meanwhile: see `with_compacted`."""
        living = [_living(layer, self.home) for layer in (self.base, self.middle)]
        yield
        index = yield from index_steps(Boxes.joined(living))
        return Compacted((self.base.number, self.middle.number), index)

    def with_compacted(self, compacted: Compacted) -> "LayeredIndex":
        """The index with the new base. Orders that changed since it was begun stay where they are.

        One compaction at a time: the base must be the one that it began with.
        """
        base, middle = compacted.numbers
        assert self.base.number == base
        home = self.home.copy()
        home[(home == base) | (home == middle)] = self.next_number
        layer = _Layer(self.next_number, compacted.index)
        made = replace(self, home=home, base=layer, next_number=self.next_number + 1)
        if self.middle.number == middle:
            made = replace(made, middle=_Layer(layer.number, _EMPTY))
        return made


def _living(layer: _Layer, home: npt.NDArray[np.int32]) -> Boxes:
    """The boxes of the orders that live in `layer`."""
    boxes = layer.index.boxes
    return boxes.take(home[boxes.owners] == layer.number) if len(boxes) else NO_BOXES
