"""Exceptions that except everything, or nothing."""

from collections.abc import Sequence
from datetime import datetime

import numpy as np
import shapely

from stayaway.orders.model import OrderException, Window, Zone
from stayaway.orders.outlines import in_metres, to_outlines
from stayaway.orders.schedule import open_until
from stayaway.orders.standing import Standing

MAX_STEPS = 750
"""Occurrences followed: two years of days. A permission that lasts so long counts as lasting."""


def advise_exceptions(order: Standing) -> None:
    """Note exceptions that leave nothing of a zone to alert, and places that touch none of theirs."""
    for i, exception in enumerate(order.version.exceptions):
        zones = [
            zone
            for _, zone in order.zones()
            if exception.zone_ids is None or zone.zone_id in exception.zone_ids
        ]
        if not zones:
            continue
        at = ("exceptions", i, "place")
        covered = _covered_zones(exception, zones)
        if covered and _is_always_open(exception.windows, order.version.effective_at, order.ends_at):
            order.warn(
                at,
                order.raw_at(*at),
                f"This exception covers all of zone {', '.join(covered)} at every moment of the order, which"
                " then never alerts: check its windows and its place.",
            )
        elif exception.place is not None and _misses_all(exception, zones):
            order.warn(
                at,
                order.raw_at(*at),
                "The place touches none of the zones it excepts from, nor their warning rings: check its"
                " coordinates, or remove it.",
            )


def _covered_zones(exception: OrderException, zones: Sequence[Zone]) -> list[str]:
    if exception.place is None:
        return [zone.zone_id for zone in zones]
    shapes = to_outlines([exception.place, *(zone.shape for zone in zones)])
    inside = shapely.covers(shapes[0], shapes[1:])
    return [zone.zone_id for zone, is_inside in zip(zones, inside, strict=True) if is_inside]


def _misses_all(exception: OrderException, zones: Sequence[Zone]) -> bool:
    assert exception.place is not None
    shapes = to_outlines([exception.place, *(zone.shape for zone in zones)])
    lat = np.full(len(shapes), shapely.bounds(shapes[0])[1])
    shapes = in_metres(shapes, lat)
    rings_m = np.array([zone.warning_m or 0.0 for zone in zones])
    return bool(np.all(shapely.distance(shapes[0], shapes[1:]) > rings_m))


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
