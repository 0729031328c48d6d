"""An order's heading against itself: clocks, regions and dates that do not go together."""

from datetime import datetime, timedelta

from stayaway.kernel.instants import FIRST_INSTANT, LAST_INSTANT, format_instant, moved
from stayaway.kernel.timezones import load_time_zone
from stayaway.orders.standing import Standing
from stayaway.orders.us_states import STATE_BOXES, state_of_ori

EARLIEST_EFFECT_YEAR = 1970
"""Ours: an order that is enforced by plate reads was hardly made before; the rest are slips like 1026."""
LATEST_EFFECT = timedelta(days=3 * 366)
"""Ours: a court names a day in the coming months; further away it is the expiry, or a slip like 2126."""
FARTHEST_FROM_SUN_H = 4.0
"""Ours: a place's legal time is rarely more than two and a half hours from its sun's (Alaska's west), and an
hour is added in summer."""

_DAY = timedelta(days=1)


def advise_heading(order: Standing, known_at: datetime) -> None:
    """Note a court's clock of another part of the world, regions that are none, unlikely dates."""
    _advise_clock(order)
    _advise_regions(order)
    _advise_dates(order, known_at)
    if order.version.supersedes_order_id == order.version.order_id:
        order.warn(
            ("supersedes_order_id",),
            order.version.order_id,
            "An order cannot supersede itself: name the order that it takes the place of, or leave it out.",
        )


def _advise_clock(order: Standing) -> None:
    """A date without a time ends at midnight by this clock: a wrong one moves the end by hours."""
    version = order.version
    state = state_of_ori(version.court_ori)
    if state not in STATE_BOXES:
        return
    # A day inside the calendar's ends: a clock may be a day before or behind UTC's.
    asked_at = min(max(version.effective_at, FIRST_INSTANT + _DAY), LAST_INSTANT - _DAY)
    offset = asked_at.astimezone(load_time_zone(version.court_time_zone)).utcoffset()
    assert offset is not None
    clock_h = offset.total_seconds() / 3600
    if min(_apart_h(clock_h, west, east) for west, _, east, _ in STATE_BOXES[state]) > FARTHEST_FROM_SUN_H:
        order.warn(
            ("court", "time_zone"),
            version.court_time_zone,
            f"The court's ORI is of {state}, where no clock goes like this one: check both. Dates without a"
            " time end by it.",
        )


def _apart_h(clock_h: float, west: float, east: float) -> float:
    """Hours between a clock and the sun's time from one meridian to another, the short way round."""
    nearest = min(max(clock_h * 15.0, west), east)
    best = abs(clock_h - nearest / 15.0)
    for turned in (clock_h - 24.0, clock_h + 24.0):
        nearest = min(max(turned * 15.0, west), east)
        best = min(best, abs(turned - nearest / 15.0))
    return best


def _advise_regions(order: Standing) -> None:
    for path, _, vehicle in order.vehicles():
        region = vehicle.region
        if region is not None and region.startswith("US-") and region not in STATE_BOXES:
            order.warn(
                (*path, "region"),
                region,
                "No state or territory has this code, so that no read agrees with it exactly: correct it, or"
                " leave it out.",
            )


def _advise_dates(order: Standing, known_at: datetime) -> None:
    version = order.version
    if version.effective_at.year < EARLIEST_EFFECT_YEAR or version.effective_at - known_at > LATEST_EFFECT:
        order.warn(
            ("effective_at",),
            format_instant(version.effective_at),
            "An order hardly takes effect then: check the year.",
        )
    if version.issued_on is not None and version.issued_on > moved(version.effective_at, _DAY).date():
        order.warn(
            ("issued_on",),
            version.issued_on.isoformat(),
            f"It was issued after it takes effect ({format_instant(version.effective_at)}): check both.",
        )
