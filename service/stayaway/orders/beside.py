"""The advice on a large file, worked out by a second process while the first records the file.

Advice refuses nothing and is not recorded, so nothing waits for it.
"""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Iterator
from contextlib import contextmanager
from typing import Any

from stayaway.orders.advice import advise
from stayaway.orders.findings import Finding
from stayaway.orders.records import ParsedOrders
from stayaway.orders.second_process import MIN_RECORDS, inherited, second_process
from stayaway.orders.standing import Met

Look = Callable[[ParsedOrders], Coroutine[Any, Any, Met]]
"""Looks at the registry for a file, on a connection of its own."""


@contextmanager
def advice_beside(parsed: ParsedOrders, look: Look) -> Iterator[Callable[[], Awaitable[tuple[Finding, ...]]]]:
    """What is yielded waits for the advice and returns it. It forks: for processes without threads."""
    if len(parsed.records) < MIN_RECORDS:

        async def here() -> tuple[Finding, ...]:
            return advise(parsed, met=await look(parsed))

        yield here
        return
    with second_process((parsed, look)) as pool:
        advised = pool.submit(_advise_there)
        yield lambda: asyncio.wrap_future(advised)


def _advise_there() -> tuple[Finding, ...]:
    parsed, look = inherited()
    return advise(parsed, met=asyncio.run(look(parsed)))
