"""The advice on a large file, worked out by a second process while the first records the file.

Advice refuses nothing and is not recorded, so nothing waits for it. The second process is forked and
inherits the file; whatever it raises is raised where its advice is asked for.
"""

import multiprocessing
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager

from stayaway.orders.advice import advise
from stayaway.orders.findings import Finding
from stayaway.orders.records import ParsedOrders

MIN_RECORDS = 5_000
"""The advice on fewer takes less time than a second process is worth."""

_inherited: ParsedOrders | None = None


@contextmanager
def advice_beside(parsed: ParsedOrders) -> Iterator[Callable[[], tuple[Finding, ...]]]:
    """What is yielded waits for the advice and returns it. It forks: for processes without threads."""
    global _inherited  # noqa: PLW0603 - how a fork is given what it need not be sent
    if len(parsed.records) < MIN_RECORDS:
        yield lambda: advise(parsed)
        return
    _inherited = parsed
    try:
        with ProcessPoolExecutor(1, multiprocessing.get_context("fork")) as pool:
            yield pool.submit(_advise_there).result
    finally:
        _inherited = None


def _advise_there() -> tuple[Finding, ...]:
    assert _inherited is not None
    return advise(_inherited)
