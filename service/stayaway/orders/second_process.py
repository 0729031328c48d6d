"""A second process beside this one, which inherits what it works on instead of being sent it.

It is forked: for processes without threads of their own only. Whatever it raises is raised where its
answer is asked for, and if it dies that is an error too.
"""

import multiprocessing
import sys
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from typing import Any

MIN_RECORDS = 5_000
"""Fewer are worked through in the time that a second process takes to be worth it."""

_TURN_S = 0.0005
"""An answer comes through a pipe of 64 KB, and for each of those the thread that takes it in waits so long
for its turn beside the work here. By default it is 5 ms, and the other process waits as long.
"""

_inherited: Any = None


@contextmanager
def second_process(inherits: Any) -> Iterator[ProcessPoolExecutor]:
    """One other process; what is submitted to it finds `inherits` by `inherited()`. One at a time."""
    global _inherited  # noqa: PLW0603 - how a fork is given what it need not be sent
    _inherited = inherits
    turn_s = sys.getswitchinterval()
    sys.setswitchinterval(_TURN_S)
    try:
        with ProcessPoolExecutor(1, multiprocessing.get_context("fork")) as pool:
            yield pool
    finally:
        sys.setswitchinterval(turn_s)
        _inherited = None


def inherited() -> Any:
    """In the second process: what it was given."""
    return _inherited
