"""Zones as a test thinks of them, one by one, and the boxes that the index has of them."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from stayaway.kernel.shape import Shape, grid_bounds, to_degrees
from stayaway.matching.index import Boxes


@dataclass(frozen=True, slots=True)
class ZoneEntry:
    """One shape to be watched, how far beyond it, and the number its finder is told."""

    shape: Shape
    reach_m: float
    owner: int


def boxes_of(entries: Iterable[ZoneEntry]) -> Boxes:
    """The boxes of these entries."""
    listed = list(entries)
    counts = [len(entry.shape.packed) for entry in listed]
    reaches_m = np.repeat(np.array([entry.reach_m for entry in listed], dtype=np.float64), counts)
    owners = np.repeat(np.array([entry.owner for entry in listed], dtype=np.int64), counts)
    return Boxes.around(to_degrees(grid_bounds([entry.shape for entry in listed])), reaches_m, owners)


def bounds_of(shape: Shape) -> tuple[float, float, float, float]:
    """(lon_min, lat_min, lon_max, lat_max) over all parts."""
    west, south, east, north = to_degrees(grid_bounds([shape])).T.tolist()
    return min(west), min(south), max(east), max(north)
