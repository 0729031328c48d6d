"""The layered index after any changes: what a rebuild finds, and what comparing with every box finds."""

import random
from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stayaway.kernel.shape import Shape
from stayaway.kernel.steps import Running, finish
from stayaway.matching import index
from stayaway.matching.index import Floats, ZoneIndex, reach_boxes
from stayaway.matching.layers import Compacted, LayeredIndex
from support.zone_entries import ZoneEntry, bounds_of, boxes_of

PLACES = [(-111.9, 33.4), (179.9999, -17.0), (-180.0, 60.0), (24.9, 84.9), (0.0, 0.0), (7.0, 89.99)]
SIZES = [1e-6, 0.002, 0.002, 0.02, 1.5]
"""Degrees; the largest lie over more cells than the table of cells takes."""
ORDERS = 120


pytestmark = pytest.mark.usefixtures("small_layers")


class _Changing:
    """An index that changes at random, and beside it what each order should have now."""

    def __init__(self, seed: int) -> None:
        self.rng = random.Random(seed)
        self.index = LayeredIndex.empty()
        self.orders: dict[int, list[ZoneEntry]] = {}
        self.compactions = self.removals = 0
        self._running: Running[Compacted] | None = None

    def change(self, count: int) -> None:
        """Some orders get other zones, or their first, or none any more; perhaps a compaction goes on."""
        known = len(self.orders)
        new = range(known, min(ORDERS, known + self.rng.randrange(count + 1)))
        changed = sorted({*new, *self.rng.sample(range(known), min(known, count))})
        for number in changed:
            is_gone = self.rng.random() < 0.3
            self.removals += is_gone and bool(self.orders.get(number))
            self.orders[number] = (
                [] if is_gone else [self._entry(number) for _ in range(self.rng.randint(1, 4))]
            )
        boxes = boxes_of(entry for number in changed for entry in self.orders[number])
        numbers = np.array(changed, dtype=np.int64)
        self.index = finish(self.index.change_steps(len(self.orders), numbers, boxes))
        self._compact()

    def _compact(self) -> None:
        if self._running is None and self.index.is_compaction_due:
            self._running = Running(self.index.compaction_steps())
        for _ in range(self.rng.randrange(4)):
            if self._running is None:
                return
            if not self._running.step():
                self.index = self.index.with_compacted(self._running.result)
                self._running = None
                self.compactions += 1

    def _entry(self, number: int) -> ZoneEntry:
        lon, lat = self._near(0.01)
        size = self.rng.choice(SIZES)
        east, north = min(180.0, lon + size), min(90.0, lat + size)
        ring = [(lon, lat), (east, lat), (east, north), (lon, north), (lon, lat)]
        return ZoneEntry(Shape.from_parts([[ring]]), self.rng.choice([0.0, 50.0, 900.0, 20_000.0]), number)

    def _near(self, by: float) -> tuple[float, float]:
        lon, lat = self.rng.choice(PLACES)
        lon, lat = lon + self.rng.uniform(-by, by), lat + self.rng.uniform(-by, by)
        return (lon + 180) % 360 - 180, max(-90.0, min(89.999, lat))

    def points(self, count: int) -> tuple[Floats, Floats]:
        """Close to the zones, on the corners of their boxes, and an ulp beyond those."""
        found = [self._near(0.05) for _ in range(count)]
        entries = [entry for some in self.orders.values() for entry in some]
        for entry in self.rng.sample(entries, min(len(entries), count)):
            box = self.rng.choice(_boxes(entry).tolist())
            lon, lat = box[self.rng.choice([0, 2])], box[self.rng.choice([1, 3])]
            lon = np.nextafter(lon, self.rng.choice([-np.inf, lon, np.inf]))
            lat = np.nextafter(lat, self.rng.choice([-np.inf, lat, np.inf]))
            found.append((max(-180.0, min(180.0, lon)), max(-90.0, min(90.0, lat))))
        columns = np.array(found)
        return columns[:, 0], columns[:, 1]

    def agrees(self, count: int) -> int:
        """Asserts that the three ways find the same pairs; how many."""
        lon, lat = self.points(count)
        found = _pairs(*self.index.query(lon, lat))
        entries = [entry for some in self.orders.values() for entry in some]
        assert found == _pairs(*ZoneIndex.of(boxes_of(entries)).query(lon, lat))
        assert found == _every_box(entries, lon, lat)
        return found.total()


def _boxes(entry: ZoneEntry) -> Floats:
    return reach_boxes(np.array([bounds_of(entry.shape)]), np.array([entry.reach_m]))[0]


def _pairs(rows: index.Ints, owners: index.Ints) -> Counter[tuple[int, int]]:
    return Counter(zip(rows.tolist(), owners.tolist(), strict=True))


def _every_box(entries: list[ZoneEntry], lon: Floats, lat: Floats) -> Counter[tuple[int, int]]:
    found: Counter[tuple[int, int]] = Counter()
    for entry in entries:
        for west, south, east, north in _boxes(entry).tolist():
            within = (west <= lon) & (lon <= east) & (south <= lat) & (lat <= north)
            found.update((row, entry.owner) for row in np.flatnonzero(within).tolist())
    return found


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 2**32), st.lists(st.sampled_from([1, 1, 2, 5, 40]), min_size=1, max_size=60))
def test_any_changes_leave_what_a_rebuild_would_make(seed: int, counts: list[int]) -> None:
    changing = _Changing(seed)
    for count in counts:
        changing.change(count)
    changing.agrees(40)


@pytest.mark.parametrize("seed", range(3))
def test_thousands_of_inserts_changes_and_removals(seed: int) -> None:
    changing = _Changing(seed)
    pairs = 0
    for number in range(2_000):
        changing.change(1 if number % 50 else 30)
        if number % 40 == 0:
            pairs += changing.agrees(40)
    assert changing.compactions > 20
    assert changing.removals > 300
    assert pairs > 10_000
