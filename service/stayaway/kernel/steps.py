"""Long work in short steps: a generator that yields between them and returns the result.

Whoever runs it decides what happens between two steps: nothing (`finish`), or a turn of an event
loop, so that nobody waits for the whole. A step should take a few milliseconds at most.
"""

from collections.abc import Generator
from typing import TypeVar

_T = TypeVar("_T")

Steps = Generator[None, None, _T]


def finish(steps: Steps[_T]) -> _T:
    """Run all steps at once; the result."""
    while True:
        try:
            next(steps)
        except StopIteration as done:
            result: _T = done.value
            return result
