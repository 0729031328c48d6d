"""Many names in one column: a million take a million times the longest's bytes, and no object each.

Names are ASCII without NUL (ids of WIRE.md). A name is found by bisection, in some microseconds.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import TypeVar

import numpy as np
import numpy.typing as npt

Ints = npt.NDArray[np.int64]
Names = npt.NDArray[np.bytes_]
_V = TypeVar("_V")

NO_NAMES: Names = np.zeros(0, dtype="S1")


def name_column(names: Iterable[str]) -> Names:
    """The names, in their order."""
    listed = [name.encode("ascii") for name in names]
    return np.array(listed, dtype=np.bytes_) if listed else NO_NAMES


def joined_names(parts: Iterable[Names]) -> Names:
    """All of them, one part after the other; as wide as the longest."""
    return np.concatenate([NO_NAMES, *parts])


def ragged_rows(starts: Ints, counts: Ints) -> Ints:
    """The rows `starts[i]`, `starts[i] + 1`, ... of each of many runs, one run after the other."""
    ends = np.cumsum(counts)
    total = int(ends[-1]) if len(ends) else 0
    return np.repeat(starts - (ends - counts), counts) + np.arange(total)


def offsets_of(counts: Ints) -> Ints:
    """Where each of runs of so many rows begins; one more at the end."""
    return np.concatenate([np.zeros(1, dtype=np.int64), np.cumsum(counts)])


class PackedMap(Mapping[str, _V]):
    """An immutable mapping from `names`, ascending and each once. `value`: what belongs to a row of them."""

    __slots__ = ("_names", "_value")

    def __init__(self, names: Names, value: Callable[[int], _V]) -> None:
        self._names = names
        self._value = value

    def __getitem__(self, name: str) -> _V:
        """The value of `name`. Raises KeyError."""
        row = _row_of(self._names, name.encode())
        if row < 0:
            raise KeyError(name)
        return self._value(row)

    def __contains__(self, name: object) -> bool:
        """Whether it is there."""
        return isinstance(name, str) and _row_of(self._names, name.encode()) >= 0

    def __iter__(self) -> Iterator[str]:
        """The names, ascending."""
        return (name.decode() for name in self._names.tolist())

    def __len__(self) -> int:
        """How many names there are."""
        return len(self._names)


def _row_of(names: Names, name: bytes) -> int:
    """-1 where it is not there."""
    if len(name) > names.itemsize:
        return -1  # never widens the column to compare
    row = int(names.searchsorted(np.array(name, dtype=names.dtype)))
    # A name with NULs at its end would be taken for the one without them.
    return row if row < len(names) and bytes(names[row]) == name else -1
