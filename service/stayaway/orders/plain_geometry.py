"""Polygons with which nothing is wrong, many at once; all others are left to `geometry`, which says what is.

An orders file of a court has hundreds of thousands, and hardly a wrong one.
"""

from collections.abc import Iterable, Mapping, Sequence
from itertools import chain
from typing import Any

import numpy as np
import shapely

from stayaway.kernel.many_shapes import to_shapes
from stayaway.kernel.shape import Bools, Floats, Ragged, Shape, starts_of
from stayaway.orders.outlines import to_outlines
from stayaway.orders.zonefiles.limits import MAX_ZONE_VERTICES

Drawn = Mapping[int, Shape]
"""Shapes by the `id()` of the geometry in the JSON, which must live as long."""

_FARTHEST = np.array([180.0, 90.0])
_Parts = list[list[list[Any]]]


def draw_plain(geometries: Iterable[Any]) -> Drawn:
    """What `geometry.read_polygons` makes of each, where that has nothing to say about it."""
    nested = [(geometry, parts) for geometry in geometries if (parts := _parts_of(geometry)) is not None]
    positions = _positions([parts for _, parts in nested])
    if positions is None:  # one is wrong: find out which
        nested = [(geometry, parts) for geometry, parts in nested if _positions([parts]) is not None]
        positions = _positions([parts for _, parts in nested])
    if positions is None:
        return {}
    columns = _columns(positions, [parts for _, parts in nested])
    in_reach = _in_reach(columns)
    positions[~(np.abs(positions) <= _FARTHEST)] = 0.0  # of those that are left out
    shapes = to_shapes(columns)
    found = [
        (geometry, shape)
        for (geometry, _), shape, good in zip(nested, shapes, in_reach, strict=True)
        if good and shape is not None
    ]
    valid = shapely.is_valid(to_outlines([shape for _, shape in found])).tolist() if found else []
    return {id(geometry): shape for (geometry, shape), good in zip(found, valid, strict=True) if good}


def is_bbox(value: Any) -> bool:
    """Whether it is one of RFC 7946 section 5, in two dimensions; it decides nothing."""
    if not isinstance(value, list) or len(value) != 4:
        return False
    return all(isinstance(item, int | float) and not isinstance(item, bool) for item in value)


def _parts_of(geometry: Any) -> _Parts | None:
    """The parts, where they are lists of lists of closed rings; what the positions are is not looked at."""
    if type(geometry) is not dict or geometry.keys() - {"bbox"} != {"type", "coordinates"}:
        return None
    if "bbox" in geometry and not is_bbox(geometry["bbox"]):
        return None
    kind, parts = geometry["type"], geometry["coordinates"]
    if kind == "Polygon":
        parts = [parts]
    elif kind != "MultiPolygon":
        return None
    return parts if _is_nested(parts) and count_positions(parts) <= MAX_ZONE_VERTICES else None


def count_positions(parts: Any) -> int:
    """How many positions the lists of a MultiPolygon hold, as far as they are lists."""
    rings = [ring for part in parts if type(part) is list for ring in part] if type(parts) is list else []
    return sum(len(ring) for ring in rings if type(ring) is list)


def _is_nested(parts: Any) -> bool:
    if type(parts) is not list or not parts or any(type(part) is not list or not part for part in parts):
        return False
    return all(
        type(ring) is list and len(ring) >= 4 and ring[0] == ring[-1] for part in parts for ring in part
    )


def _positions(shapes: Sequence[_Parts]) -> Floats | None:
    """All positions one after the other; None where one is not two numbers, or there is none."""
    rings = chain.from_iterable(chain.from_iterable(shapes))
    positions = list(chain.from_iterable(rings))
    if set(map(type, positions)) != {list} or set(map(len, positions)) != {2}:
        return None
    numbers = list(chain.from_iterable(positions))
    if not set(map(type, numbers)) <= {float, int}:
        return None
    try:
        return np.array(numbers, dtype=np.float64).reshape(-1, 2)
    except OverflowError:
        return None


def _columns(positions: Floats, shapes: Sequence[_Parts]) -> Ragged:
    parts = [part for shape in shapes for part in shape]
    rings = starts_of(len(ring) for part in parts for ring in part)
    return Ragged(positions, rings, starts_of(map(len, parts)), starts_of(map(len, shapes)))


def _in_reach(columns: Ragged) -> list[bool]:
    """Whether each shape lies in -180..180, -90..90 and has no edge over 180 degrees long."""
    positions, rings = columns.positions, columns.rings
    # NaN and infinities fail the comparison.
    wrong: Bools = ~np.logical_and(*(np.abs(positions) <= _FARTHEST).T)
    with np.errstate(invalid="ignore"):
        long: Bools = np.greater(np.abs(np.diff(positions[:, 0])), 180.0)
    long[rings[1:-1] - 1] = False  # from one ring to the next
    wrong[1:] |= long
    firsts = rings[columns.parts[columns.shapes[:-1]]]
    return (~np.logical_or.reduceat(wrong, firsts)).tolist()  # type: ignore[no-any-return]
