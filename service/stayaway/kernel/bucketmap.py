"""A mapping that is never changed: each change makes another one, which shares what did not change.

A registry of 100,000 orders changes by one order at a time; copying a dict of that size for each
change would stand in the way of everything else. Here a change copies the list of buckets (4,096
references) and the buckets it touches (some dozen entries each), so its cost hardly grows with the
mapping. What was there from the start may lie beneath, in another mapping that is never changed, and
takes no entry here until its value is another.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from typing import TypeVar
from zlib import crc32

_V = TypeVar("_V")

_BUCKETS = 4_096


class BucketMap(Mapping[str, _V]):
    """An immutable mapping from text. Its order is that of the keys' checksums, then that of the mapping
    `beneath`: the same in any process that made it by the same changes.
    """

    __slots__ = ("_beneath", "_buckets", "_size")

    def __init__(
        self, items: Mapping[str, _V] | None = None, beneath: Mapping[str, _V] | None = None
    ) -> None:
        self._buckets: tuple[dict[str, _V], ...] = ({},) * _BUCKETS
        self._beneath: Mapping[str, _V] = {} if beneath is None else beneath
        self._size = len(self._beneath)
        if items:
            self._buckets, self._size = self._with(items)

    def updated(self, changes: Mapping[str, _V]) -> "BucketMap[_V]":
        """The mapping with these keys set. Costs a bucket for each key changed."""
        made: BucketMap[_V] = BucketMap()
        made._beneath = self._beneath
        made._buckets, made._size = self._with(changes)
        return made

    def _with(self, changes: Mapping[str, _V]) -> tuple[tuple[dict[str, _V], ...], int]:
        by_bucket: dict[int, dict[str, _V]] = defaultdict(dict)
        for key, value in changes.items():
            by_bucket[_bucket(key)][key] = value
        buckets, size = list(self._buckets), self._size
        for number, changed in by_bucket.items():
            before = buckets[number]
            size += sum(key not in before and key not in self._beneath for key in changed)
            buckets[number] = {**before, **changed}
        return tuple(buckets), size

    def __getitem__(self, key: str) -> _V:
        """The value of `key`. Raises KeyError."""
        bucket = self._buckets[_bucket(key)]
        return bucket[key] if key in bucket else self._beneath[key]

    def __iter__(self) -> Iterator[str]:
        """The keys, bucket by bucket, then those that are beneath only."""
        for bucket in self._buckets:
            yield from bucket
        for key in self._beneath:
            if key not in self._buckets[_bucket(key)]:
                yield key

    def __len__(self) -> int:
        """How many keys there are."""
        return self._size


def _bucket(key: str) -> int:
    # Not hash(): it differs from process to process, and the order of the keys with it.
    return crc32(key.encode()) % _BUCKETS
