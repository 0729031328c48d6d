"""Exceptions that except everything, or nothing."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import accumulate

import numpy as np
import shapely

from stayaway.kernel.shape import Shape
from stayaway.orders.findings import Path
from stayaway.orders.model import OrderException, Window, Zone
from stayaway.orders.outlines import in_metres, to_outlines
from stayaway.orders.schedule import open_until
from stayaway.orders.standing import Standing

MAX_STEPS = 750
"""Occurrences followed: two years of days. A permission that lasts so long counts as lasting."""


@dataclass(frozen=True, slots=True)
class _Placed:
    """An exception with a place, and the zones it excepts from (one at least)."""

    order: Standing
    path: Path
    place: Shape
    zones: Sequence[Zone]


def advise_exceptions(orders: Sequence[Standing]) -> None:
    """Note exceptions that leave nothing of a zone to alert, and places that touch none of theirs."""
    placed: list[_Placed] = []
    for order in orders:
        _advise_together(order)
        for i, exception in enumerate(order.version.exceptions):
            zones = [zone for zone in order.version.zones if exception.names(zone.zone_id)]
            path = ("exceptions", i, "place")
            if zones and _is_always_open(exception.windows, order.version.effective_at, order.ends_at):
                _advise_everything(order, path, exception, zones)
            if zones and exception.place is not None:
                placed.append(_Placed(order, path, exception.place, zones))
    _advise_nothing(placed)


# ---------------------------------------------------------------- everything


def _advise_everything(order: Standing, path: Path, exception: OrderException, zones: Sequence[Zone]) -> None:
    covered = _covered_zones(exception, zones)
    if covered:
        order.warn(
            path,
            order.raw_at(*path),
            f"This exception covers all of zone {', '.join(covered)} at every moment of the order, which then"
            " never alerts: check its windows and its place.",
        )


def _advise_together(order: Standing) -> None:
    """Exceptions none of which covers everything, and all of which do."""
    for path, zone in order.zones():
        windows = [
            exception.windows
            for exception in order.version.exceptions
            if exception.names(zone.zone_id) and _covered_zones(exception, [zone])
        ]
        life = (order.version.effective_at, order.ends_at)
        if len(windows) < 2 or any(_is_always_open(own, *life) for own in windows):
            continue  # of one alone it is said below
        if _is_always_open([window for own in windows for window in own], *life):
            order.warn(
                (*path, "zone_id"),
                zone.zone_id,
                "The exceptions together cover all of this zone at every moment of the order, which then"
                " never alerts: check their windows and places.",
            )


def _covered_zones(exception: OrderException, zones: Sequence[Zone]) -> list[str]:
    if exception.place is None:
        return [zone.zone_id for zone in zones]
    shapes = to_outlines([exception.place, *(zone.shape for zone in zones)])
    inside = shapely.covers(shapes[0], shapes[1:])
    return [zone.zone_id for zone, is_inside in zip(zones, inside, strict=True) if is_inside]


def _is_always_open(windows: Sequence[Window], begin: datetime, end: datetime | None) -> bool:
    """Whether at each instant of [begin, end) some window is open, as far as `MAX_STEPS` reach."""
    at = begin
    for _ in range(MAX_STEPS):
        reached = max((u for w in windows if (u := open_until(w, at)) is not None), default=None)
        if reached is None:
            return False
        if end is not None and reached >= end:
            return True
        at = reached
    return True


# ---------------------------------------------------------------- nothing


def _advise_nothing(placed: Sequence[_Placed]) -> None:
    """All places against their zones at once: a file may have many."""
    if not placed:
        return
    counts = [len(item.zones) for item in placed]
    places = to_outlines([item.place for item in placed])
    lat = shapely.bounds(places)[:, 1]
    places = in_metres(places, lat)
    zones = in_metres(
        to_outlines([zone.shape for item in placed for zone in item.zones]), np.repeat(lat, counts)
    )
    rings_m = np.array([zone.warning_m or 0.0 for item in placed for zone in item.zones])
    beyond_m = shapely.distance(np.repeat(places, counts), zones) - rings_m
    nearest_m = np.minimum.reduceat(beyond_m, list(accumulate(counts[:-1], initial=0)))
    for item, distance_m in zip(placed, nearest_m.tolist(), strict=True):
        if distance_m > 0:
            item.order.warn(
                item.path,
                item.order.raw_at(*item.path),
                "The place touches none of the zones it excepts from, nor their warning rings: check its"
                " coordinates, or remove it.",
            )
