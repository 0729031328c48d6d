"""Zones of many orders as columns: outlines, boxes, centres and areas, worked out all at once."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt
import shapely

from stayaway.kernel.geodesy import Floats, degree_lengths_m
from stayaway.kernel.shape import Ragged, Shape
from stayaway.orders.findings import Path
from stayaway.orders.model import Zone
from stayaway.orders.standing import Standing

Outlines = npt.NDArray[np.object_]


def to_outlines(shapes: Sequence[Shape]) -> Outlines:
    """The shapes as shapely MultiPolygons, in lon/lat degrees. Whether they are valid is asked of them, and
    advice; they never decide.
    """
    ragged = Ragged.of(shapes)
    made: Outlines = shapely.from_ragged_array(
        shapely.GeometryType.MULTIPOLYGON, ragged.positions, (ragged.rings, ragged.parts, ragged.shapes)
    )
    return made


def in_metres(outlines: Outlines, lat: Floats) -> Outlines:
    """The outlines (or points) on a plane of metres that is true at each one's latitude `lat`.

    Right to some 0.1 % over the few kilometres that a zone and its surroundings measure.
    """
    positions, index = shapely.get_coordinates(outlines, return_index=True)
    degree_lon_m, degree_lat_m = degree_lengths_m(lat)
    scaled = positions * np.stack([degree_lon_m[index], degree_lat_m[index]], axis=1)
    moved: Outlines = shapely.set_coordinates(outlines.copy(), scaled)
    return moved


def areas_m2(outlines: Outlines) -> Floats:
    """Areas in square metres, by the length of a degree at the middle latitude of each outline.

    Right to 0.5 % up to some 20 km across.
    """
    bounds = shapely.bounds(outlines).reshape(-1, 4)
    degree_lon_m, degree_lat_m = degree_lengths_m((bounds[:, 1] + bounds[:, 3]) / 2)
    areas: Floats = shapely.area(outlines) * degree_lon_m * degree_lat_m
    return areas


@dataclass(frozen=True)
class ZoneColumns:
    """Every zone of the orders, a row each."""

    orders: Sequence[Standing]
    paths: Sequence[Path]
    zones: Sequence[Zone]

    @classmethod
    def of(cls, orders: Sequence[Standing]) -> "ZoneColumns":
        """The zones of the orders' last versions."""
        rows = [(order, path, zone) for order in orders for path, zone in order.zones()]
        return cls([row[0] for row in rows], [row[1] for row in rows], [row[2] for row in rows])

    @cached_property
    def outlines(self) -> Outlines:
        """Each zone's outline in degrees."""
        return to_outlines([zone.shape for zone in self.zones])

    @cached_property
    def bounds(self) -> Floats:
        """(lon_min, lat_min, lon_max, lat_max) of each zone."""
        found: Floats = shapely.bounds(self.outlines).reshape(-1, 4)
        return found

    @cached_property
    def centres(self) -> Floats:
        """(lon, lat) of each zone: its anchor, or the middle of its first part's box."""
        firsts = shapely.bounds(shapely.get_geometry(self.outlines, 0)).reshape(-1, 4)
        middles: Floats = (firsts[:, :2] + firsts[:, 2:]) / 2
        for row, zone in enumerate(self.zones):
            if zone.anchor_lon_lat is not None:
                middles[row] = zone.anchor_lon_lat
        return middles

    @cached_property
    def areas_m2(self) -> Floats:
        """Each zone's area in square metres."""
        return areas_m2(self.outlines)
