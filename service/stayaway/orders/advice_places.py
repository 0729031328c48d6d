"""Zones that lie or measure wrong: outside state or county, swapped, at 0/0, absurdly large or small."""

import math
from collections import defaultdict
from functools import cached_property

import numpy as np

from stayaway.kernel.geodesy import Floats
from stayaway.orders.advice_areas import Astray
from stayaway.orders.court_areas import CourtAreas
from stayaway.orders.distance import METRES
from stayaway.orders.findings import Path
from stayaway.orders.model import PlaceType, Zone
from stayaway.orders.outlines import ZoneColumns
from stayaway.orders.standing import Standing
from stayaway.orders.swaps import undone
from stayaway.orders.us_states import STATE_BOXES, Bools, in_state, state_of_ori

MAX_AREA_M2: dict[PlaceType, float] = {
    "HOME": 40e6,
    "CHILDCARE": 40e6,
    "WORSHIP": 40e6,
    "WORK": 200e6,
    "SCHOOL": 200e6,
    "OTHER": 1_000e6,
}
"""Ours: two miles around a point are 33 km2; an airport or a university with its surroundings stays
under 200 km2."""
MIN_AREA_M2 = 10.0
"""Ours: what a parked car takes up; a smaller zone is a slip of the pen."""
MIN_SHARE_OF_DISTANCE = 0.5
"""A zone that takes in all within a distance has at least the circle's area; half of it leaves room
for one that was cut off on purpose at a river or a border."""
MAX_CIRCLES = 100
SMALL_PLACES: tuple[PlaceType, ...] = ("HOME", "CHILDCARE", "WORSHIP")
SMALL_PLACE_M2 = 1e6
"""Ours: a house and its yard within 100 yards are two or three circles of that distance; a hundred of
them and over a square kilometre is another place, or another distance, than the court's."""
NEAR_ZERO_DEG = 0.01
EVEN_ODDS = 0.5
SIGMAS_AT_95 = math.sqrt(-2 * math.log(0.05))
"""WIRE.md step 4: 95 % of a 2-D normal lie within so many standard deviations."""


def advise_places(columns: ZoneColumns, court_areas: CourtAreas | None) -> None:
    """Note zones outside the states that the order names, those outside the areas of its court and agency
    where `court_areas` has them, and zones of an unlikely size.
    """
    if not columns.zones:
        return
    areas = columns.areas_m2.tolist()
    lost, astray = _Lost(columns), None if court_areas is None else Astray(columns, court_areas)
    for row, (order, path, zone) in enumerate(zip(columns.orders, columns.paths, columns.zones, strict=True)):
        if lost.near_zero[row]:
            _warn_of_zero(order, path, zone)
        elif lost.outside[row]:
            _warn_of_state(order, path, lost, row)
        elif astray is not None and astray.outside[row]:
            astray.warn(order, path, row)
        _advise_area(order, path, zone, areas[row])


class _Lost:
    """Which zones lie outside every state that their order names, and where else they might belong."""

    def __init__(self, columns: ZoneColumns) -> None:
        self.lon, self.lat = columns.centres.T
        self.near_zero = np.maximum(np.abs(self.lon), np.abs(self.lat)) < NEAR_ZERO_DEG
        self.named = [_states_of(order) for order in columns.orders]
        self.at = in_state(self.lon, self.lat)
        rows_of: dict[tuple[str, ...], list[int]] = defaultdict(list)
        for row, named in enumerate(self.named):
            rows_of[named].append(row)
        self.outside = np.zeros(len(self.named), dtype=np.bool_)
        for named, rows in rows_of.items():
            inside = [self.at[region][rows] for region in named]
            self.outside[rows] = ~np.logical_or.reduce(inside) if inside else False

    @cached_property
    def mistakes(self) -> list[tuple[str, Floats, Floats, dict[str, Bools]]]:
        """The mistakes that clerks make, undone: (how, lon, lat, where that is)."""
        return [(how, lon, lat, in_state(lon, lat)) for how, lon, lat in undone(self.lon, self.lat)]


def _warn_of_zero(order: Standing, path: Path, zone: Zone) -> None:
    if zone.anchor_lon_lat == (0.0, 0.0):
        return  # said where the point was read
    at = (*path, "geometry", "coordinates")
    order.warn(
        at, order.raw_at(*at), "0, 0 lies in the Atlantic; geocoders answer it when they found nothing."
    )


# ---------------------------------------------------------------- where


def _states_of(order: Standing) -> tuple[str, ...]:
    version = order.version
    found = {state_of_ori(version.court_ori), state_of_ori(version.agency.ori), version.issuing_jurisdiction}
    return tuple(sorted(region for region in found if region in STATE_BOXES))


def _warn_of_state(order: Standing, path: Path, lost: _Lost, row: int) -> None:
    named = lost.named[row]
    order.warn(
        (*path, "geometry", "coordinates"),
        [round(float(lost.lon[row]), 7), round(float(lost.lat[row]), 7)],
        f"The zone's centre lies outside the box of {' and '.join(named)}, which the ORIs of court and"
        f" agency (or issuing_jurisdiction) name. {_better_place(lost, named, row)}",
    )


def _better_place(lost: _Lost, named: tuple[str, ...], row: int) -> str:
    for how, lon, lat, at in lost.mistakes:
        for region in named:
            if at[region][row]:
                return f"{how} it would lie in {region}: [{lon[row]:.7g}, {lat[row]:.7g}]. Check it on a map."
    around = [region for region, inside in lost.at.items() if inside[row]]
    where = f"It lies in the box of {' and '.join(around)}. " if around else ""
    return f"{where}Check it on a map; a place in another state can be right."


# ---------------------------------------------------------------- how large


def _advise_area(order: Standing, path: Path, zone: Zone, area_m2: float) -> None:
    at = (*path, "geometry", "coordinates")
    if area_m2 > MAX_AREA_M2[zone.place_type]:
        order.warn(
            at,
            order.raw_at(*at),
            f"{area_m2 / 1e6:.4g} km2 is absurd for {zone.place_type}: check the coordinates, or the"
            " distance and its unit.",
        )
    elif area_m2 < MIN_AREA_M2:
        order.warn(
            at,
            order.raw_at(*at),
            f"{area_m2:.2g} m2 is less than a parked car takes up: no read will be inside.",
        )
    _advise_anchor(order, path, zone, area_m2)
    distance_m = _distance_m(zone)
    if zone.anchor_lon_lat is None and distance_m is not None:
        _advise_share(order, path, zone, area_m2, math.pi * distance_m**2)


def _advise_anchor(order: Standing, path: Path, zone: Zone, area_m2: float) -> None:
    """An anchor known so badly that no read could be inside with even odds: of all shapes of an area a disc
    around the middle of a normal holds most of it.
    """
    if not zone.anchor_accuracy_m:
        return
    sigma_m = zone.anchor_accuracy_m / SIGMAS_AT_95
    most = 1.0 - math.exp(-area_m2 / (2.0 * math.pi * sigma_m**2))
    if most < EVEN_ODDS:
        order.warn(
            (*path, "anchor_accuracy_m"),
            zone.anchor_accuracy_m,
            f"The place is known to {zone.anchor_accuracy_m:g} m only: whatever is read would be inside with"
            f" a probability of at most {most:.2f}, which policies suppress. Find the place on a map.",
        )


def _advise_share(order: Standing, path: Path, zone: Zone, area_m2: float, circle_m2: float) -> None:
    """A polygon against the distance written beside it."""
    at = (*path, "distance_value")
    if area_m2 < MIN_SHARE_OF_DISTANCE * circle_m2:
        order.warn(
            at,
            zone.distance_value,
            "A polygon is the zone itself and the distance beside it widens nothing: with"
            f" {area_m2:.4g} m2 it is smaller than the circle of this distance alone"
            f" ({circle_m2:.4g} m2). Draw the polygon as far out as the order reaches.",
        )
    elif zone.place_type in SMALL_PLACES and area_m2 > max(MAX_CIRCLES * circle_m2, SMALL_PLACE_M2):
        order.warn(
            at,
            zone.distance_value,
            f"The polygon's {area_m2 / 1e6:.4g} km2 are {area_m2 / circle_m2:.0f} circles of this distance:"
            f" too much for {zone.place_type} and what lies within it. Check the polygon and the distance.",
        )


def _distance_m(zone: Zone) -> float | None:
    if zone.distance_value is None or zone.distance_unit is None:
        return None
    return zone.distance_value * METRES[zone.distance_unit]
