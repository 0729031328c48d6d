"""Which exceptions can still apply, and to which zones (pure).

An exception without a window, or all of whose windows have passed, excepts nothing. To count it as one would
let an order through whose exceptions nobody asked about.
"""

from datetime import datetime

import shapely

from stayaway.orders.expiry import expires_at
from stayaway.orders.model import OrderException, OrderVersion, Zone
from stayaway.orders.outlines import to_outlines
from stayaway.orders.schedule import opens_between


def counts_from(version: OrderVersion) -> datetime:
    """From when on what the version says can matter to anybody: in effect, and recorded."""
    return max(version.effective_at, version.recorded_at)


def open_exceptions(version: OrderVersion, begin: datetime) -> tuple[OrderException, ...]:
    """The version's exceptions with a window that opens at some instant from `begin` to its end."""
    end = expires_at(version, None)
    return tuple(
        item
        for item in version.exceptions
        if any(opens_between(window, begin, end) for window in item.windows)
    )


def is_for(exception: OrderException, zone: Zone) -> bool:
    """Whether the exception names the zone and its place touches it."""
    if not exception.names(zone.zone_id):
        return False
    return exception.place is None or bool(shapely.intersects(*to_outlines([exception.place, zone.shape])))


def excepts_anything(version: OrderVersion) -> bool:
    """Whether some exception can still apply: to one of the zones, where the version has any."""
    found = open_exceptions(version, counts_from(version))
    return any(is_for(item, zone) for item in found for zone in version.zones) or bool(
        found and not version.zones
    )
