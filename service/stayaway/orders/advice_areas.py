"""Zones outside the area, as the county, of the court and the agency that their order names."""

from collections import defaultdict
from collections.abc import Iterable

import numpy as np
import shapely

from stayaway.orders.court_areas import CourtAreas
from stayaway.orders.findings import Path
from stayaway.orders.outlines import ZoneColumns, to_outlines
from stayaway.orders.standing import Standing
from stayaway.orders.swaps import undone

_NAMES_SHOWN = 3


class Astray:
    """Which zones lie outside every area that their order's ORIs name, and where else they might belong.

    An area's edge is inside, and none is given grace: the installation draws its areas itself. Of an order
    whose ORIs name no area nothing is said.
    """

    def __init__(self, columns: ZoneColumns, areas: CourtAreas) -> None:
        self._areas = areas
        # Own outlines: a prepared geometry must not be asked by two threads at once, and `areas` is shared.
        self._outlines: dict[int, shapely.Geometry] = {}
        self._lon, self._lat = columns.centres.T
        self._named = [
            areas.named_by((order.version.court_ori, order.version.agency.ori)) for order in columns.orders
        ]
        self.outside = np.zeros(len(self._named), dtype=np.bool_)
        rows_of: dict[tuple[int, ...], list[int]] = defaultdict(list)
        for row, named in enumerate(self._named):
            rows_of[named].append(row)
        for named, rows in rows_of.items():
            if named:
                inside = [
                    shapely.intersects_xy(self._outline(number), self._lon[rows], self._lat[rows])
                    for number in named
                ]
                self.outside[rows] = ~np.logical_or.reduce(inside)

    def warn(self, order: Standing, path: Path, row: int) -> None:
        """Note that the zone of this row lies outside, and offer the mistake undone."""
        order.warn(
            (*path, "geometry", "coordinates"),
            [round(float(self._lon[row]), 7), round(float(self._lat[row]), 7)],
            f"The zone's centre lies outside {self._names(self._named[row])}, the area that the court areas"
            f" file gives for the ORIs of court and agency. {self._better_place(row)}",
        )

    def _better_place(self, row: int) -> str:
        for how, lons, lats in undone(self._lon[row : row + 1], self._lat[row : row + 1]):
            lon, lat = float(lons[0]), float(lats[0])
            there = self._at(lon, lat).intersection(self._named[row])
            if there:
                return (
                    f"{how} it would lie in {self._names(there)}: [{lon:.7g}, {lat:.7g}]. Check it on a map."
                )
        around = self._at(float(self._lon[row]), float(self._lat[row]))
        where = f"It lies in {self._names(around)}. " if around else ""
        return f"{where}Check it on a map; a place in another area can be right."

    def _at(self, lon: float, lat: float) -> set[int]:
        """The areas that the position lies in."""
        west, south, east, north = self._areas.boxes.T
        in_box = (west <= lon) & (lon <= east) & (south <= lat) & (lat <= north)
        return {
            number
            for number in np.flatnonzero(in_box).tolist()
            if shapely.intersects_xy(self._outline(number), lon, lat)
        }

    def _outline(self, number: int) -> shapely.Geometry:
        if number not in self._outlines:
            (outline,) = to_outlines([self._areas.areas[number].shape])
            shapely.prepare(outline)
            self._outlines[number] = outline
        return self._outlines[number]

    def _names(self, numbers: Iterable[int]) -> str:
        names = sorted({self._areas.areas[number].name for number in numbers})
        more = len(names) - _NAMES_SHOWN
        return " and ".join([*names[:_NAMES_SHOWN], *([f"{more} more"] if more > 0 else [])])
