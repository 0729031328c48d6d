"""Long work in short steps: a generator that yields between them and returns the result.

Whoever runs it decides what happens between two steps: nothing (`finish`), or a turn of an event
loop, so that nobody waits for the whole. A step should take a few milliseconds at most.
"""

from collections.abc import Callable, Generator, Iterable
from typing import Generic, TypeVar

_T = TypeVar("_T")
_Item = TypeVar("_Item")

Steps = Generator[None, None, _T]


class Running(Generic[_T]):
    """Steps on their way, one at a time."""

    result: _T
    """What they return; there once `step` has said so."""

    def __init__(self, steps: Steps[_T]) -> None:
        self._steps = steps

    def step(self) -> bool:
        """Take the next step. False where there is none left: `result` is there."""
        try:
            next(self._steps)
        except StopIteration as done:
            self.result = done.value
            return False
        return True


def finish(steps: Steps[_T]) -> _T:
    """Run all steps at once; the result."""
    running = Running(steps)
    while running.step():
        pass
    return running.result


def each_step(make: Callable[[_Item], _T], items: Iterable[_Item]) -> Steps[list[_T]]:
    """What is made of each item, an item a step."""
    made = []
    for item in items:
        made.append(make(item))
        yield
    return made
