"""Names given more than once are found wherever they lie, and nothing else is called one."""

import json
from collections import Counter
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stayaway.kernel.jsontext import MAX_DEPTH, Encoded, NotJsonError, json_pointer, parse_json
from stayaway.kernel.repeated import MAX_TOLD, parse_telling_repeats

# Several ways to write one name, names that are one only after their escapes, and none alike.
NAMES = [
    "a",
    "\\u0061",
    "b",
    '\\"',
    "\\u0022",
    "\\\\",
    "\\u005c",
    '\\\\\\"',
    "é",
    "\\u00e9",
    "",
    "a/~b",
    "null",
]
TEXTS = ["x", '\\"', "\\\\", "\\u0022", "a: 1, a: 2", "{}", "é", "\\ud83d\\ude00", "\\n", ".0"]
scalars = st.sampled_from(["0", "-1.50", "1e400", "18446744073709551616", "true", "null"]) | st.sampled_from(
    TEXTS
).map(lambda text: f'"{text}"')
spaces = st.sampled_from(["", " ", "\n\t"])


def _object(members: list[tuple[str, str]], space: str) -> str:
    inside = ",".join(f'{space}"{name}"{space}:{space}{item}{space}' for name, item in members)
    return f"{{{inside}}}"


documents = st.recursive(
    scalars,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3).map(lambda items: f"[{', '.join(items)}]"),
        st.builds(_object, st.lists(st.tuples(st.sampled_from(NAMES), inner), max_size=4), spaces),
    ),
    max_leaves=12,
)


def repeats_by_the_library(text: str) -> set[str]:
    """Pointers to all that Python's own reader would drop."""
    found: set[str] = set()

    def walk(value: Any, path: tuple[str | int, ...]) -> None:
        if isinstance(value, tuple):
            times = Counter(name for name, _ in value)
            found.update(json_pointer(*path, name) for name, count in times.items() if count > 1)
            for name, item in value:
                walk(item, (*path, name))
        elif isinstance(value, list):
            for index, item in enumerate(value):
                walk(item, (*path, index))

    walk(json.loads(text, object_pairs_hook=tuple), ())
    return found


@settings(max_examples=2000, deadline=None)
@given(documents)
def test_every_repeated_name_is_found_and_no_other(text: str) -> None:
    wanted = repeats_by_the_library(text)
    value, found = parse_telling_repeats(text.encode())
    assert {item.pointer for item in found} == wanted
    assert repr(value) == repr(parse_json(text.encode()))
    read = Encoded.of(value)
    if read.text is not None:
        assert read.has_all_of(text.encode()) == (not wanted)


def test_the_values_are_told_in_their_order() -> None:
    _, (found,) = parse_telling_repeats(b'{"m": [{"d": 100, "e": 1, "d": 100000}]}')
    assert (found.pointer, found.values) == ("/m/0/d", (100, 100000))
    assert "2 times" in found.words
    assert "Write each name once." in found.words


def test_a_name_in_what_another_name_dropped_is_found_too() -> None:
    _, found = parse_telling_repeats(b'{"a": {"x": 1, "x": 2}, "a": 3}')
    assert [item.pointer for item in found] == ["/a", "/a/x"]


def test_one_name_in_two_objects_is_no_repeat() -> None:
    assert parse_telling_repeats(b'[{"a": {"a": 1}}, {"a": 2}]')[1] == []


def test_a_lone_surrogate_in_a_dropped_member_is_no_json() -> None:
    """It is no member of what was read, but stands in the text."""
    with pytest.raises(NotJsonError):
        parse_telling_repeats(b'{"a": "\\ud800", "a": 1}')


def test_the_deepest_is_found() -> None:
    depth = MAX_DEPTH - 1
    _, (found,) = parse_telling_repeats(b"[" * depth + b'{"a":1,"a":2}' + b"]" * depth)
    assert found.path == (*[0] * depth, "a")


def test_of_very_many_the_first_are_told() -> None:
    """Each of them deep: their paths alone would be gigabytes."""
    many = ",".join(['{"a":0,"a":1}'] * 200_000).encode()
    depth = MAX_DEPTH - 1
    _, found = parse_telling_repeats(b"[" * depth + many + b"]" * depth)
    assert len(found) == MAX_TOLD
    wide = ",".join(f'"m{index % 1000}":0' for index in range(2000)).encode()
    assert len(parse_telling_repeats(b"{" + wide + b"}")[1]) == MAX_TOLD
