"""Long work on the loop without standing in its way: a few milliseconds, then a turn for the others.

Not a thread: Python code in one takes the interpreter from the loop for 5 ms each time the loop
lets go of it, in the middle of a batch; a step between two batches costs less and is bounded.
"""

import asyncio
from typing import TypeVar

from stayaway.kernel.steps import Running, Steps

_T = TypeVar("_T")

SLICE_S = 0.002


async def let_others() -> None:
    """Let all go first that is due by now. Twice, because the first time round the loop puts timers that
    have become due behind whoever was there already, and that is us.
    """
    await asyncio.sleep(0)
    await asyncio.sleep(0)


async def in_turns(steps: Steps[_T], *, pause_s: float = 0.0) -> _T:
    """Run `steps` to their end, about 2 ms at a time. `pause_s`: rest between, for work that can wait."""
    clock = asyncio.get_running_loop().time
    running, began = Running(steps), clock()
    while running.step():
        if clock() - began >= SLICE_S:
            await let_others()
            if pause_s:
                await asyncio.sleep(pause_s)
            began = clock()
    return running.result
