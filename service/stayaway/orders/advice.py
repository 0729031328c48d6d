"""What a careful colleague would ask about an orders file that can be used: WARNINGs, but where
the caller says that one thing is an ERROR to it.

The checks in `check` and `crosscheck` say what makes a record unusable, and look at one record at
a time. These look at what the records mean together and in the world: places, vehicles, times,
people. They run when a file is checked or imported, never where orders are loaded to be matched.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from stayaway.kernel.instants import EPOCH
from stayaway.orders.advice_exceptions import advise_exceptions
from stayaway.orders.advice_heading import advise_heading
from stayaway.orders.advice_links import advise_common, advise_links
from stayaway.orders.advice_overlap import advise_overlap
from stayaway.orders.advice_people import advise_mutual_orders, advise_people
from stayaway.orders.advice_places import advise_places
from stayaway.orders.advice_readers import advise_coverage
from stayaway.orders.advice_times import advise_off_order, advise_pauses, advise_times
from stayaway.orders.advice_vehicles import advise_vehicles
from stayaway.orders.findings import Finding, Severity
from stayaway.orders.known_places import NO_PLACES, KnownPlaces
from stayaway.orders.outlines import ZoneColumns
from stayaway.orders.records import ParsedOrders
from stayaway.orders.standing import Met, Standing, gather_standing


def advise(
    parsed: ParsedOrders,
    places: KnownPlaces = NO_PLACES,
    met: Met | None = None,
    *,
    after_recall: Severity = "WARNING",
) -> tuple[Finding, ...]:
    """The warnings about the orders of a file, in the order of its records.

    `places`: what is known of the places around the orders. `met`: what the registry holds of these
    orders and of those that they meet; None where only the file was looked at. Nothing is said of what
    stands in the registry already but what it means for the file. An order that was recalled or
    entered in error is only asked whether that is right, and whether a version came after the recall, which
    is noted as `after_recall` says.
    "Overdue" is meant at the latest `recorded_at` that is known, so that the same file beside the same
    registry always gets the same advice.
    """
    known_at = max(parsed.known_at or EPOCH, met.known_at if met else EPOCH)
    orders = gather_standing(parsed, met)
    live = [order for order in orders if not order.is_off(known_at)]
    for order in orders:
        advise_off_order(order, known_at, after_recall)
    for order in live:
        advise_pauses(order)
    own = [order for order in live if order.record is not None]
    columns = ZoneColumns.of(own)
    _advise_each(columns, own, known_at, places)
    advise_overlap(columns if len(own) == len(live) else ZoneColumns.of(live))
    advise_links(live)
    advise_mutual_orders(live)
    advise_common(own, met.common if met else ())
    lists = [order.advice for order in orders if order.record is not None]
    lists += [noted for order in orders for noted in order.lone]
    return tuple(finding for noted in lists for finding in noted.findings)


def _advise_each(
    columns: ZoneColumns, orders: Sequence[Standing], known_at: datetime, places: KnownPlaces
) -> None:
    """What is said of an order's last version without looking at others; `columns`: their zones."""
    for order in orders:
        advise_heading(order, known_at)
        advise_people(order)
        advise_times(order, known_at)
        advise_vehicles(order, known_at)
    advise_exceptions(orders)
    advise_places(columns, places.court_areas)
    if places.readers is not None:
        advise_coverage(columns, places.readers)


def with_advice(
    parsed: ParsedOrders,
    places: KnownPlaces = NO_PLACES,
    met: Met | None = None,
    *,
    after_recall: Severity = "WARNING",
) -> ParsedOrders:
    """The same file with the advice after its findings; what can be used of it stays the same."""
    advice = advise(parsed, places, met, after_recall=after_recall)
    return replace(parsed, findings=(*parsed.findings, *advice))
