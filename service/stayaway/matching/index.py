"""The R-tree of zones: every event is tested against it, all of a batch at once.

A box per zone reaches as far as the zone can matter: the larger of its warning ring and the
largest accuracy circle that counts. A packed STR tree (shapely's) answers; it is built whole,
never changed and safe to share between threads (rtree's index is not).
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import shapely

from stayaway.kernel.geodesy import MIN_DEGREE_LAT_M, degree_lengths_m
from stayaway.kernel.shape import Shape

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

# Boxes only choose whom to look at; a little more than the reach loses nobody to rounding.
_SLACK = 1.001
_SLACK_DEGREES = 1e-9


@dataclass(frozen=True, slots=True)
class IndexEntry:
    """One shape to be watched, how far beyond it, and the number its finder is told."""

    shape: Shape
    reach_m: float
    owner: int


class ZoneIndex:
    """Boxes of zones; immutable."""

    def __init__(self, entries: Sequence[IndexEntry]) -> None:
        boxes: list[tuple[float, float, float, float]] = []
        owners: list[int] = []
        for entry in entries:
            for box in reach_boxes(entry.shape, entry.reach_m):
                boxes.append(box)
                owners.append(entry.owner)
        columns = np.array(boxes, dtype=np.float64).reshape(-1, 4)
        self._owners = np.array(owners, dtype=np.int64)
        self._tree = shapely.STRtree(shapely.box(*columns.T), node_capacity=16)
        self.size = len(boxes)

    def query(self, lon: Floats, lat: Floats) -> tuple[Ints, Ints]:
        """(rows, owners): for each point in some box, its row and the box's owner; pairs repeat
        where one owner has several boxes over the point.
        """
        if not self.size:
            return np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.int64)
        rows, found = self._tree.query(shapely.points(lon, lat))
        return rows, self._owners[found]


def reach_boxes(shape: Shape, reach_m: float) -> list[tuple[float, float, float, float]]:
    """The boxes (lon_min, lat_min, lon_max, lat_max) of all points within `reach_m` of `shape`.

    Two or three where the reach crosses the meridian of 180 degrees; the whole circle of
    longitudes where it reaches a pole.
    """
    boxes = []
    for part in shape.parts:
        columns = np.asarray(part[0], dtype=np.float64)
        west, south = columns.min(axis=0).tolist()
        east, north = columns.max(axis=0).tolist()
        boxes += _widened(west, south, east, north, reach_m * _SLACK)
    return boxes


def _widened(
    west: float, south: float, east: float, north: float, reach_m: float
) -> list[tuple[float, float, float, float]]:
    margin_lat = reach_m / MIN_DEGREE_LAT_M + _SLACK_DEGREES
    low, high = max(-90.0, south - margin_lat), min(90.0, north + margin_lat)
    farthest = max(abs(low), abs(high))
    degree_lon_m = float(degree_lengths_m(np.array([farthest]))[0][0])
    margin_lon = reach_m / degree_lon_m + _SLACK_DEGREES if farthest < 90.0 else math.inf
    if east - west + 2.0 * margin_lon >= 360.0:
        return [(-180.0, low, 180.0, high)]
    left, right = west - margin_lon, east + margin_lon
    boxes = [(max(left, -180.0), low, min(right, 180.0), high)]
    if left <= -180.0:
        boxes.append((left + 360.0, low, 180.0, high))
    if right >= 180.0:
        boxes.append((-180.0, low, right - 360.0, high))
    return boxes
