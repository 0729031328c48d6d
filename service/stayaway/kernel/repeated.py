"""Names that a JSON object gives more than once.

RFC 8259 (section 4) leaves open which value counts then, so two readers may read two orders in one text.
"""

from collections import defaultdict, deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Any

from stayaway.kernel.jsontext import Encoded, json_pointer, parse_json

WRITE_ONCE = "Write each name once."
"""The remedy, wherever one is found."""
MAX_TOLD = 100
"""Of one text: more help nobody, and each of them may lie deep."""


@dataclass(frozen=True, slots=True)
class RepeatedName:
    """`path`: the steps to it from the text's root; `values`: what is written under it, in order, to be
    shown in short.
    """

    path: tuple[str | int, ...]
    values: tuple[Any, ...]

    @property
    def pointer(self) -> str:
        """RFC 6901 pointer to it."""
        return json_pointer(*self.path)

    @property
    def words(self) -> str:
        """What is wrong and what to do; the name itself stands in the pointer."""
        times = len(self.values)
        return f"The name stands here {times} times, and which one counts is not defined. {WRITE_ONCE}"


def parse_telling_repeats(data: bytes) -> tuple[Any, list[RepeatedName]]:
    """The value of one JSON text, and the names that are given more than once in it.

    Raises NotJsonError.
    """
    value = parse_json(data)
    return value, repeated_names(data, Encoded.of(value))


def repeated_names(data: bytes, read: Encoded, *, within: int = 0) -> list[RepeatedName]:
    """The names that some object in `data` gives more than once, outer ones first, at most MAX_TOLD.

    `read`: what `parse_json` made of `data`; `within` as there. Where nothing is repeated, it costs a look
    at both texts. Raises NotJsonError for a lone surrogate that only a dropped member holds.
    """
    if read.has_all_of(data):
        return []
    return list(islice(_find(parse_json(data, within=within, object_pairs_hook=_Object)), MAX_TOLD))


def repeated_members(
    members: Iterable[tuple[str, Any]], at: tuple[str | int, ...] = ()
) -> list[RepeatedName]:
    """The names that one object, which lies at `at`, gives more than once; at most MAX_TOLD."""
    given: dict[str, list[Any]] = defaultdict(list)
    for name, item in members:
        given[name].append(dict(item) if isinstance(item, _Object) else item)
    repeated = ((name, items) for name, items in given.items() if len(items) > 1)
    return [RepeatedName((*at, name), tuple(items)) for name, items in islice(repeated, MAX_TOLD)]


class _Object(tuple[tuple[str, Any], ...]):
    """An object as all of its members, so that `parse_json` sees what is wrong in any of them."""

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a value lies. By its holder: whole paths of many values that lie deep would fill the memory."""

    holder: "_Place | None"
    step: str | int

    def path(self) -> tuple[str | int, ...]:
        steps = []
        place: _Place | None = self
        while place is not None:
            steps.append(place.step)
            place = place.holder
        return tuple(reversed(steps))


def _find(root: Any) -> Iterator[RepeatedName]:
    # Without recursion: the text may be as deep as jsontext.MAX_DEPTH.
    pending: deque[tuple[_Place | None, Any]] = deque([(None, root)])
    while pending:
        place, value = pending.popleft()
        items: Iterable[tuple[str | int, Any]]
        if isinstance(value, _Object):
            if len({name for name, _ in value}) < len(value):
                yield from repeated_members(value, place.path() if place else ())
            items = value
        else:
            items = enumerate(value) if isinstance(value, list) else ()
        for step, item in items:
            if isinstance(item, list | _Object):
                pending.append((_Place(place, step), item))
