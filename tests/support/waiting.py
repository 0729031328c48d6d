"""Waiting for something that other processes or tasks bring about, with a limit."""

import asyncio
from collections.abc import Callable

_LOOK_S = 0.01


async def eventually(condition: Callable[[], bool], within_s: float = 20.0) -> None:
    """Return as soon as `condition()` holds; TimeoutError if it does not within the limit."""
    async with asyncio.timeout(within_s):
        while not condition():  # noqa: ASYNC110 - what is watched has no event
            await asyncio.sleep(_LOOK_S)
