"""Zones that no plate reader covers: nothing will be seen there but devices."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import shapely

from stayaway.kernel.geodesy import degree_lengths_m
from stayaway.orders.outlines import ZoneColumns, in_metres
from stayaway.orders.readers import Reader

_Ints = npt.NDArray[np.int64]


def advise_coverage(columns: ZoneColumns, readers: Sequence[Reader]) -> None:
    """Note each zone without a reader within reach, where the order has a vehicle to be read."""
    if not columns.zones:
        return
    covered = _covered_rows(columns, readers)
    for row, order in enumerate(columns.orders):
        if not covered[row] and any(True for _ in order.vehicles()):
            order.warn(
                (*columns.paths[row], "zone_id"),
                columns.zones[row].zone_id,
                "No reader covers this zone: of the readers given none can see a plate in it or in its"
                " warning ring, so that only a device or a mobile reader will. Tell the protected person.",
            )


def _covered_rows(columns: ZoneColumns, readers: Sequence[Reader]) -> npt.NDArray[np.bool_]:
    covered = np.zeros(len(columns.zones), dtype=np.bool_)
    if not readers:
        return covered
    rows, found = _near(columns, readers)
    lat = (columns.bounds[rows, 1] + columns.bounds[rows, 3]) / 2
    points = shapely.points([[reader.lon, reader.lat] for reader in readers])
    distances_m = shapely.distance(in_metres(columns.outlines[rows], lat), in_metres(points[found], lat))
    reach_m = np.array([reader.reach_m for reader in readers])[found]
    ring_m = np.array([zone.warning_m or 0.0 for zone in columns.zones])[rows]
    covered[rows[distances_m <= reach_m + ring_m]] = True
    return covered


def _near(columns: ZoneColumns, readers: Sequence[Reader]) -> tuple[_Ints, _Ints]:
    """(zone row, reader) whose boxes, grown by the longest reach, meet."""
    longest_m = max(reader.reach_m for reader in readers)
    margin_m = np.array([zone.warning_m or 0.0 for zone in columns.zones]) + longest_m
    west, south, east, north = columns.bounds.T
    degree_lon_m, degree_lat_m = degree_lengths_m(np.minimum(np.maximum(np.abs(south), np.abs(north)), 89.0))
    dlon, dlat = 1.01 * margin_m / degree_lon_m, 1.01 * margin_m / degree_lat_m
    boxes = shapely.box(west - dlon, south - dlat, east + dlon, north + dlat)
    tree = shapely.STRtree(shapely.points([[reader.lon, reader.lat] for reader in readers]))
    rows, found = tree.query(boxes)
    return rows.astype(np.int64), found.astype(np.int64)
