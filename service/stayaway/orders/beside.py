"""The advice on a large file, worked out by a second process while the first records the file.

Advice refuses nothing and is not recorded, so nothing waits for it. Only what is shown of it is sent, unless
all is asked for: a large file has hundreds of thousands of findings, and to take those in costs seconds.
"""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from stayaway.orders.advice import advise
from stayaway.orders.findings import Finding
from stayaway.orders.known_places import KnownPlaces
from stayaway.orders.records import ParsedOrders
from stayaway.orders.second_process import MIN_RECORDS, inherited, second_process
from stayaway.orders.shortlist import Shortlist
from stayaway.orders.standing import Met

Look = Callable[[ParsedOrders], Coroutine[Any, Any, Met]]
"""Looks at the registry for a file, on a connection of its own."""


@dataclass(frozen=True, slots=True)
class Advised:
    """What of the advice is shown; and `findings`, all of it where the whole was asked for, else none."""

    shown: Shortlist
    findings: tuple[Finding, ...]


@contextmanager
def advice_beside(
    parsed: ParsedOrders, look: Look, places: KnownPlaces, *, whole: bool
) -> Iterator[Callable[[], Awaitable[Advised]]]:
    """What is yielded waits for the advice and returns it. It forks: for processes without threads."""
    if len(parsed.records) < MIN_RECORDS:

        async def here() -> Advised:
            return _to_advised(advise(parsed, places, await look(parsed)), whole=whole)

        yield here
        return
    with second_process((parsed, look, places, whole)) as pool:
        advised = pool.submit(_advise_there)
        yield lambda: asyncio.wrap_future(advised)


def _advise_there() -> Advised:
    parsed, look, places, whole = inherited()
    return _to_advised(advise(parsed, places, asyncio.run(look(parsed))), whole=whole)


def _to_advised(findings: tuple[Finding, ...], *, whole: bool) -> Advised:
    return Advised(Shortlist(findings), findings if whole else ())
