"""What `stayaway orders check` prints: plain functions, without a terminal."""

from collections.abc import Callable, Iterator
from datetime import datetime

from stayaway.orders.addressees import find_astray
from stayaway.orders.advice import with_advice
from stayaway.orders.ahead import refuse_ahead
from stayaway.orders.findings import Finding, UnreadableFileError, has_errors
from stayaway.orders.known_places import NO_PLACES, KnownPlaces
from stayaway.orders.over_approved import say_over_approved
from stayaway.orders.parse import parse_orders_file
from stayaway.orders.records import ParsedOrders
from stayaway.orders.standing import Met

EXIT_GOOD, EXIT_ERRORS, EXIT_UNREADABLE = 0, 1, 2


def check_lines(
    data: bytes,
    places: KnownPlaces = NO_PLACES,
    look: Callable[[ParsedOrders], Met] | None = None,
    *,
    now: datetime,
    may_change_approved: bool = True,
) -> tuple[list[str], int]:
    """A line of JSON for each finding, and the exit code: 0, 1 with errors, 2 unreadable.

    `places`: what is known of the places around the orders. `look`: looks at the registry for the file;
    None: only the file is looked at. `now`: nothing may have been recorded long after it.
    `may_change_approved`: whether a file may bring versions of orders that people approved here (registry
    policy).
    """
    try:
        parsed = refuse_ahead(parse_orders_file(data), now)
    except UnreadableFileError as error:
        return [unreadable_finding(error).as_line()], EXIT_UNREADABLE
    met = look(parsed) if look else None
    beside = parsed.unresolved if met is None else _beside(parsed, met, may_change=may_change_approved)
    findings = (*with_advice(parsed, places, met).findings, *beside)
    code = EXIT_ERRORS if has_errors(findings) else EXIT_GOOD
    return [finding.as_line() for finding in findings], code


def _beside(parsed: ParsedOrders, met: Met, *, may_change: bool) -> Iterator[Finding]:
    """What an import would say of the file beside the registry, but for the advice."""
    for record, here in met.over_approved:
        yield from say_over_approved(record, here, may_change=may_change)
    yield from find_astray(parsed, met)


def unreadable_finding(error: UnreadableFileError) -> Finding:
    """A file that cannot be read at all, as the one finding there is about it."""
    return Finding("ERROR", None, "", error.message, error.remedy)
