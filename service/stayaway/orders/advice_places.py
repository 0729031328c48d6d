"""Zones that lie or measure wrong: outside the state, swapped, at 0/0, absurdly large or small."""

import math

from stayaway.orders.distance import METRES
from stayaway.orders.model import PlaceType, Zone
from stayaway.orders.outlines import ZoneColumns
from stayaway.orders.standing import Standing
from stayaway.orders.us_states import STATE_BOXES, is_in_state, state_of_ori, states_around

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
NEAR_ZERO_DEG = 0.01


def advise_places(columns: ZoneColumns) -> None:
    """Note zones outside the states the order names, and zones of an unlikely size."""
    if not columns.zones:
        return
    areas = columns.areas_m2.tolist()
    for row, (lon, lat) in enumerate(columns.centres.tolist()):
        order, path, zone = columns.orders[row], columns.paths[row], columns.zones[row]
        if max(abs(lon), abs(lat)) < NEAR_ZERO_DEG:
            _warn_of_zero(order, path, zone)
        else:
            _advise_state(order, path, lon, lat)
        _advise_area(order, path, zone, areas[row])


def _warn_of_zero(order: Standing, path: tuple[str | int, ...], zone: Zone) -> None:
    if zone.anchor_lon_lat == (0.0, 0.0):
        return  # said where the point was read
    at = (*path, "geometry", "coordinates")
    order.warn(
        at, order.raw_at(*at), "0, 0 lies in the Atlantic; geocoders answer it when they found nothing."
    )


# ---------------------------------------------------------------- where


def _advise_state(order: Standing, path: tuple[str | int, ...], lon: float, lat: float) -> None:
    named = _states_of(order)
    if not named or any(is_in_state(region, lon, lat) for region in named):
        return
    at = (*path, "geometry", "coordinates")
    order.warn(
        at,
        [round(lon, 7), round(lat, 7)],
        f"The zone's centre lies outside the box of {' and '.join(named)}, which the ORIs of court and"
        f" agency (or issuing_jurisdiction) name. {_better_place(named, lon, lat)}",
    )


def _states_of(order: Standing) -> list[str]:
    version = order.version
    found = [state_of_ori(version.court_ori), state_of_ori(version.agency.ori), version.issuing_jurisdiction]
    return sorted({region for region in found if region in STATE_BOXES})


def _better_place(named: list[str], lon: float, lat: float) -> str:
    """The mistakes that clerks make, tried the other way round."""
    tried = [
        ("Swapped, as [lon, lat],", lat, lon),
        ("With a minus sign before the longitude (west is negative)", -lon, lat),
        ("Swapped, and with a minus sign before the longitude,", -lat, lon),
    ]
    for how, other_lon, other_lat in tried:
        for region in named:
            if abs(other_lat) <= 90 and is_in_state(region, other_lon, other_lat):
                return (
                    f"{how} it would lie in {region}: [{other_lon:.7g}, {other_lat:.7g}]. Check it on a map."
                )
    around = states_around(lon, lat)
    where = f"It lies in the box of {' and '.join(around)}. " if around else ""
    return f"{where}Check it on a map; a place in another state can be right."


# ---------------------------------------------------------------- how large


def _advise_area(order: Standing, path: tuple[str | int, ...], zone: Zone, area_m2: float) -> None:
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
    distance_m = _distance_m(zone)
    if zone.anchor_lon_lat is None and distance_m is not None:
        circle_m2 = math.pi * distance_m**2
        if area_m2 < MIN_SHARE_OF_DISTANCE * circle_m2:
            order.warn(
                (*path, "distance_value"),
                zone.distance_value,
                "A polygon is the zone itself and the distance beside it widens nothing: with"
                f" {area_m2:.4g} m2 it is smaller than the circle of this distance alone"
                f" ({circle_m2:.4g} m2). Draw the polygon as far out as the order reaches.",
            )


def _distance_m(zone: Zone) -> float | None:
    if zone.distance_value is None or zone.distance_unit is None:
        return None
    return zone.distance_value * METRES[zone.distance_unit]
