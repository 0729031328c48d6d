"""The advice on a large file, worked out by a second process while the first records the file.

Advice refuses nothing and is not recorded, so nothing waits for it.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from stayaway.orders.advice import advise
from stayaway.orders.findings import Finding
from stayaway.orders.records import ParsedOrders
from stayaway.orders.second_process import MIN_RECORDS, inherited, second_process


@contextmanager
def advice_beside(parsed: ParsedOrders) -> Iterator[Callable[[], tuple[Finding, ...]]]:
    """What is yielded waits for the advice and returns it. It forks: for processes without threads."""
    if len(parsed.records) < MIN_RECORDS:
        yield lambda: advise(parsed)
        return
    with second_process(parsed) as pool:
        yield pool.submit(_advise_there).result


def _advise_there() -> tuple[Finding, ...]:
    return advise(inherited())
