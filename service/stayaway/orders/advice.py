"""What a careful colleague would ask about an orders file that can be used: WARNINGs only.

The checks in `check` and `crosscheck` say what makes a record unusable, and look at one record at
a time. These look at what the records mean together and in the world: places, vehicles, times,
people. They run when a file is checked or imported, never where orders are loaded to be matched.
"""

from collections.abc import Sequence
from dataclasses import replace

from stayaway.kernel.instants import EPOCH
from stayaway.orders.advice_exceptions import advise_exceptions
from stayaway.orders.advice_links import advise_links
from stayaway.orders.advice_overlap import advise_overlap
from stayaway.orders.advice_people import advise_mutual_orders, advise_people
from stayaway.orders.advice_places import advise_places
from stayaway.orders.advice_readers import advise_coverage
from stayaway.orders.advice_times import advise_off_order, advise_times
from stayaway.orders.advice_vehicles import advise_vehicles
from stayaway.orders.findings import Finding
from stayaway.orders.outlines import ZoneColumns
from stayaway.orders.readers import Reader
from stayaway.orders.records import ParsedOrders
from stayaway.orders.standing import gather_standing


def advise(parsed: ParsedOrders, readers: Sequence[Reader] | None = None) -> tuple[Finding, ...]:
    """The warnings about the orders of a file, in the order of its records.

    `readers`: where plate readers stand; None where nobody said. An order that was recalled or
    entered in error is only asked whether that is right. "Overdue" is meant at the latest
    `recorded_at` of the file, so that the same file always gets the same advice.
    """
    known_at = parsed.known_at or EPOCH
    orders = gather_standing(parsed)
    live = [order for order in orders if not order.is_off(known_at)]
    columns = ZoneColumns.of(live)
    for order in orders:
        advise_off_order(order)
    for order in live:
        advise_people(order)
        advise_times(order, known_at)
        advise_vehicles(order, known_at)
    advise_exceptions(live)
    advise_places(columns)
    advise_overlap(columns)
    advise_links(live)
    advise_mutual_orders(live)
    if readers is not None:
        advise_coverage(columns, readers)
    lists = [order.advice for order in orders]
    lists += [noted for order in orders for _, noted in (*order.recalls, *order.suspensions)]
    return tuple(finding for noted in lists for finding in noted.findings)


def with_advice(parsed: ParsedOrders, readers: Sequence[Reader] | None = None) -> ParsedOrders:
    """The same file with the advice after its findings; what can be used of it stays the same."""
    return replace(parsed, findings=(*parsed.findings, *advise(parsed, readers)))
