"""The same place as a zone of two orders of the same respondent."""

from collections import Counter
from collections.abc import Iterator

import numpy as np
import numpy.typing as npt
import shapely

from stayaway.kernel.geodesy import Floats
from stayaway.orders.outlines import ZoneColumns

SAME_PLACE_SHARE = 0.8
"""Ours: of the smaller zone's area, how much must lie in the other for both to be one place."""
_ROWS_AT_ONCE = 2_000
_MAX_CANDIDATES = 8
"""Neighbours measured for a zone, those first whose boxes share most with its own."""

_Ints = npt.NDArray[np.int64]


def advise_overlap(columns: ZoneColumns) -> None:
    """Note, at the later one, two zones of one respondent's orders that are the same place."""
    rows, people = _shared_rows(columns)
    if not rows.size:
        return
    outlines = columns.outlines[rows]
    tree = shapely.STRtree(outlines)
    said: set[int] = set()
    for one, other in _pairs(columns, rows, people, tree):
        later, earlier = int(rows[one]), int(rows[other])
        if later not in said and not _replaces(columns, later, earlier):
            said.add(later)
            _warn(columns, later, earlier)


def _shared_rows(columns: ZoneColumns) -> tuple[_Ints, _Ints]:
    """(zone row, respondent number) for each respondent who has zones in two orders or more."""
    orders_of = Counter(
        person
        for order in {id(order): order for order in columns.orders}.values()
        for person in {r.respondent_id for r in order.version.respondents}
    )
    numbers: dict[str, int] = {}
    found = [
        (row, numbers.setdefault(respondent.respondent_id, len(numbers)))
        for row, order in enumerate(columns.orders)
        for respondent in order.version.respondents
        if orders_of[respondent.respondent_id] > 1
    ]
    table = np.array(found, dtype=np.int64).reshape(-1, 2)
    return table[:, 0], table[:, 1]


def _pairs(
    columns: ZoneColumns, rows: _Ints, people: _Ints, tree: shapely.STRtree
) -> Iterator[tuple[int, int]]:
    """(later, earlier) places in `rows` of zones that are one place, ascending by the later."""
    outlines, boxes = columns.outlines[rows], columns.bounds[rows]
    order_ids = np.unique([columns.orders[row].version.order_id for row in rows], return_inverse=True)[1]
    areas = shapely.area(outlines)
    for start in range(0, len(rows), _ROWS_AT_ONCE):
        later, earlier = tree.query(outlines[start : start + _ROWS_AT_ONCE])
        later = later + start
        keep = (earlier < later) & (people[earlier] == people[later])
        keep &= order_ids[earlier] != order_ids[later]
        later, earlier = later[keep], earlier[keep]
        smaller = np.minimum(areas[later], areas[earlier])
        shares = _box_area(boxes[later], boxes[earlier]) / smaller
        keep = shares >= SAME_PLACE_SHARE  # what two shapes share lies in what their boxes share
        later, earlier = _best(later[keep], earlier[keep], shares[keep])
        common = shapely.area(shapely.intersection(outlines[later], outlines[earlier]))
        same = common >= SAME_PLACE_SHARE * np.minimum(areas[later], areas[earlier])
        yield from zip(later[same].tolist(), earlier[same].tolist(), strict=True)


def _box_area(one: Floats, other: Floats) -> Floats:
    """The area that two boxes have in common, in square degrees."""
    low, high = np.maximum(one[:, :2], other[:, :2]), np.minimum(one[:, 2:], other[:, 2:])
    common: Floats = np.prod(np.maximum(high - low, 0.0), axis=1)
    return common


def _best(later: _Ints, earlier: _Ints, shares: Floats) -> tuple[_Ints, _Ints]:
    """At most `_MAX_CANDIDATES` of each later one, those with the greatest share first."""
    order = np.lexsort((earlier, -shares, later))
    later, earlier = later[order], earlier[order]
    rank = np.arange(len(later)) - np.searchsorted(later, later)
    keep = rank < _MAX_CANDIDATES
    return later[keep], earlier[keep]


def _replaces(columns: ZoneColumns, one: int, other: int) -> bool:
    """Whether one order says that it supersedes the other: then that is said instead."""
    first, second = columns.orders[one].version, columns.orders[other].version
    return second.order_id == first.supersedes_order_id or first.order_id == second.supersedes_order_id


def _warn(columns: ZoneColumns, later: int, earlier: int) -> None:
    order, path, other = columns.orders[later], columns.paths[later], columns.orders[earlier]
    place = other.place_of(columns.paths[earlier])
    order.warn(
        (*path, "zone_id"),
        columns.zones[later].zone_id,
        f"Order {other.version.order_id} of the same respondent has this place already ({place}): if one"
        " order replaces the other, recall that; otherwise both will alert.",
    )
