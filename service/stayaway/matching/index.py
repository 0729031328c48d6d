"""The R-tree of zones: every event is tested against it, all of a batch at once.

A box per zone reaches as far as the zone can matter: the larger of its warning ring and the
largest accuracy circle that counts. Packed STR trees (shapely's) answer; each is built whole,
never changed and safe to share between threads (rtree's index is not, even for reads).

Building a tree holds the interpreter for 0.3-0.6 us a box, so there are many of some thousand boxes,
from west to east, rather than one: an index of any size is built in steps of a few milliseconds. A
table of the cells in use keeps the points of empty country from all of them.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import shapely

from stayaway.kernel.geodesy import MIN_DEGREE_LAT_M, degree_lengths_m
from stayaway.kernel.steps import Steps, finish
from stayaway.matching.cells import MAX_CELLS, CellTable, Hashes, cell_hashes, cell_spans

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

# Boxes only choose whom to look at; a little more than the reach loses nobody to rounding.
_SLACK = 1.001
_SLACK_DEGREES = 1e-9
_TREE_BOXES = 8192
_NODE_CAPACITY = 16
_FEW_BOXES = 16


@dataclass(frozen=True, slots=True, eq=False)
class Boxes:
    """Columns: `bounds` are rows of lon_min, lat_min, lon_max, lat_max; `owners` their numbers."""

    bounds: Floats
    owners: Ints

    @classmethod
    def around(cls, bounds: Floats, reaches_m: Floats, owners: Ints) -> "Boxes":
        """The boxes of all points within `reaches_m` of what has these bounds (see `reach_boxes`)."""
        boxes, sources = reach_boxes(bounds, reaches_m)
        return cls(boxes, owners[sources])

    @classmethod
    def joined(cls, parts: Sequence["Boxes"]) -> "Boxes":
        """All of them, one part after the other."""
        return cls(
            np.concatenate([part.bounds for part in parts]), np.concatenate([part.owners for part in parts])
        )

    def take(self, chosen: slice | Ints | npt.NDArray[np.bool_]) -> "Boxes":
        """Some of them."""
        return Boxes(self.bounds[chosen], self.owners[chosen])

    def __len__(self) -> int:
        """How many."""
        return len(self.owners)


_NO_ROWS: Ints = np.zeros(0, dtype=np.int64)
NO_BOXES = Boxes(np.zeros((0, 4)), _NO_ROWS)


@dataclass(frozen=True, slots=True, eq=False)
class _Trees:
    """Trees over runs of boxes from west to east; the meridians between which each has boxes.

    Or no trees and a `few` boxes: to compare with each is quicker then than to make points for a tree.
    """

    few: Boxes
    trees: tuple[shapely.STRtree, ...]
    owners: tuple[Ints, ...]
    west: Floats
    east: Floats

    def find(self, lon: Floats, lat: Floats, rows: Ints) -> tuple[Ints, Ints]:
        """(rows, owners) for the points at `rows`."""
        if not self.trees:
            return self._compare(lon[rows], lat[rows], rows)
        if len(self.trees) > 1:
            rows = rows[lon[rows].argsort()]
        places = np.empty((len(rows), 2))
        places[:, 0], places[:, 1] = lon[rows], lat[rows]
        points = shapely.points(places)
        if len(self.trees) == 1:
            near, found = self.trees[0].query(points)
            return rows[near], self.owners[0][found]
        starts = places[:, 0].searchsorted(self.west, side="left")
        stops = places[:, 0].searchsorted(self.east, side="right")
        pairs = []
        for number in (starts < stops).nonzero()[0].tolist():
            start = int(starts[number])
            near, found = self.trees[number].query(points[start : stops[number]])
            pairs.append((rows[near + start], self.owners[number][found]))
        return joined_pairs(pairs)

    def _compare(self, lon: Floats, lat: Floats, rows: Ints) -> tuple[Ints, Ints]:
        pairs = []
        for (west, south, east, north), owner in zip(
            self.few.bounds.tolist(), self.few.owners.tolist(), strict=True
        ):
            found = rows[(west <= lon) & (lon <= east) & (south <= lat) & (lat <= north)]
            pairs.append((found, np.full(len(found), owner)))
        return joined_pairs(pairs)

    @property
    def is_empty(self) -> bool:
        """Whether there are no boxes."""
        return not (self.trees or len(self.few))


def joined_pairs(parts: Sequence[tuple[Ints, Ints]]) -> tuple[Ints, Ints]:
    """Columns of (rows, owners), one part after the other. Of no part they are empty."""
    if len(parts) == 1:
        return parts[0]
    rows, owners = zip(*parts, strict=True) if parts else ((_NO_ROWS,), (_NO_ROWS,))
    return np.concatenate(rows), np.concatenate(owners)


@dataclass(frozen=True, slots=True, eq=False)
class ZoneIndex:
    """Boxes of zones; immutable. The boxes over few cells, then those over many, have trees."""

    boxes: Boxes
    narrow: _Trees
    wide: _Trees
    cells: CellTable

    @classmethod
    def of(cls, boxes: Boxes) -> "ZoneIndex":
        """The index of these boxes, built at once."""
        return finish(index_steps(boxes))

    @property
    def size(self) -> int:
        """How many boxes there are."""
        return len(self.boxes)

    def query(self, lon: Floats, lat: Floats) -> tuple[Ints, Ints]:
        """(rows, owners): for each point in some box, its row and the box's owner; pairs repeat
        where one owner has several boxes over the point. In no particular order.
        """
        return self.find(lon, lat, cell_hashes(lon, lat))

    def find(self, lon: Floats, lat: Floats, hashes: Hashes) -> tuple[Ints, Ints]:
        """The same for whoever knows the points' `cell_hashes` already."""
        narrow = self.narrow.find(lon, lat, self.cells.may_hold(hashes))
        if self.wide.is_empty:
            return narrow
        return joined_pairs([narrow, self.wide.find(lon, lat, np.arange(len(lon)))])


def index_steps(boxes: Boxes) -> Steps[ZoneIndex]:
    """Build the index of `boxes`, some thousand at a time."""
    # Sorted stably: boxes that came from an index are in order already, and cost one comparison each.
    order = np.argsort(boxes.bounds[:, 0] + boxes.bounds[:, 2], kind="stable")
    yield
    boxes = boxes.take(order)
    yield
    spans, counts = [], []
    for run in _runs(boxes):
        spans.append(cell_spans(run.bounds))
        counts.append(spans[-1].columns * spans[-1].rows)
        yield
    cells = np.concatenate([*counts, np.zeros(0, dtype=np.int64)])
    narrow, wide = np.flatnonzero(cells <= MAX_CELLS), np.flatnonzero(cells > MAX_CELLS)
    table = CellTable(int(cells[narrow].sum()))
    for span, count in zip(spans, counts, strict=True):
        table.add(span.part(np.flatnonzero(count <= MAX_CELLS)))
        yield
    narrow_trees = yield from _tree_steps(boxes.take(narrow))
    wide_trees = yield from _tree_steps(boxes.take(wide))
    return ZoneIndex(boxes, narrow_trees, wide_trees, table)


def _runs(boxes: Boxes) -> Iterable[Boxes]:
    return (boxes.take(slice(start, start + _TREE_BOXES)) for start in range(0, len(boxes), _TREE_BOXES))


def _tree_steps(boxes: Boxes) -> Steps[_Trees]:
    if len(boxes) <= _FEW_BOXES:
        nowhere = np.zeros(0)
        return _Trees(boxes, (), (), nowhere, nowhere)
    trees, owners, west, east = [], [], [], []
    for run in _runs(boxes):
        # A box's diagonal has the box's bounds, and is made in half the time.
        diagonals = shapely.linestrings(run.bounds.reshape(-1, 2, 2))
        yield
        trees.append(shapely.STRtree(diagonals, node_capacity=_NODE_CAPACITY))
        owners.append(run.owners)
        west.append(run.bounds[:, 0].min())
        east.append(run.bounds[:, 2].max())
        yield
    return _Trees(NO_BOXES, tuple(trees), tuple(owners), np.array(west), np.array(east))


def reach_boxes(bounds: Floats, reach_m: Floats) -> tuple[Floats, Ints]:
    """(boxes, sources): the boxes of all points within `reach_m` of what has these bounds, and for each
    box the row of `bounds` that it comes from.

    Rows of lon_min, lat_min, lon_max, lat_max. Two or three boxes for a row whose reach crosses the
    meridian of 180 degrees; the whole circle of longitudes where it reaches a pole. Each row by itself:
    the same bounds and reach give the same boxes whatever stands beside them.
    """
    west, south, east, north = bounds.T
    reach_m = reach_m * _SLACK
    margin_lat = reach_m / MIN_DEGREE_LAT_M + _SLACK_DEGREES
    low, high = np.maximum(south - margin_lat, -90.0), np.minimum(north + margin_lat, 90.0)
    farthest = np.maximum(np.abs(low), np.abs(high))
    at_pole = farthest >= 90.0
    degree_lon_m = degree_lengths_m(np.where(at_pole, 0.0, farthest))[0]
    margin_lon = np.where(at_pole, 360.0, reach_m / degree_lon_m + _SLACK_DEGREES)
    left, right = west - margin_lon, east + margin_lon
    around = east - west + 2.0 * margin_lon >= 360.0
    left, right = np.where(around, -180.0, left), np.where(around, 180.0, right)
    boxes = np.column_stack([np.maximum(left, -180.0), low, np.minimum(right, 180.0), high])
    over_west = np.flatnonzero(~around & (left <= -180.0))
    over_east = np.flatnonzero(~around & (right >= 180.0))
    beyond_west = np.column_stack(
        [left[over_west] + 360.0, low[over_west], np.full(len(over_west), 180.0), high[over_west]]
    )
    beyond_east = np.column_stack(
        [np.full(len(over_east), -180.0), low[over_east], right[over_east] - 360.0, high[over_east]]
    )
    return (
        np.concatenate([boxes, beyond_west, beyond_east]),
        np.concatenate([np.arange(len(bounds)), over_west, over_east]),
    )
