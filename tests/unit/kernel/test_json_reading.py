"""JSON is read by a quick reader where that reads the same as the standard library's."""

import json
import math
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stayaway.kernel.jsontext import MAX_DEPTH, NotJsonError, parse_json, split_array, split_object

digits = st.text("0123456789", min_size=1, max_size=24)
numbers = st.builds(
    lambda sign, whole, fraction, exponent: f"{sign}{whole}{fraction}{exponent}",
    st.sampled_from(["", "-"]),
    digits,
    st.one_of(st.just(""), digits.map(lambda text: "." + text)),
    st.one_of(st.just(""), st.integers(-340, 340).map(lambda power: f"e{power:+d}")),
)
pieces = ["a", '\\"', "\\\\", "\\u00e9", "\\ud83d\\ude00", "\\ud800", "\\u0000", "é", "\x01"]
texts = st.lists(st.sampled_from(pieces), max_size=4).map(lambda items: f'"{"".join(items)}"')
scalars = st.one_of(numbers, texts, st.sampled_from(["true", "null", "NaN", "-", ""]))
documents = st.recursive(
    scalars,
    lambda inner: st.one_of(
        st.lists(inner, max_size=4).map(lambda items: f"[{','.join(items)}]"),
        st.lists(st.tuples(st.sampled_from("ab"), inner), max_size=4).map(
            lambda items: "{" + ", ".join(f'"{name}": {item}' for name, item in items) + "}"
        ),
    ),
    max_leaves=8,
)

# A lone surrogate is refused when a text is split, but not by the reader where a later name hides it.
sound = documents.filter(lambda text: "\\ud800" not in text)


def refuse(name: str) -> Any:
    raise ValueError(name)


def whole(text: str) -> Any:
    return int(text) if math.isfinite(float(text)) else float(text)


def standard(text: str) -> Any:
    """What Python's own reader makes of it, by the rules of `parse_json`."""
    value = json.loads(text, parse_constant=refuse, parse_int=whole)
    json.dumps(value, ensure_ascii=False).encode()
    return value


@settings(max_examples=1000, deadline=None)
@given(documents)
def test_every_text_is_read_as_the_standard_library_reads_it(text: str) -> None:
    """Numbers to the last bit and in their kind, names in their order, and what is refused is refused."""
    try:
        wanted = repr(standard(text))
    except ValueError:
        with pytest.raises(NotJsonError):
            parse_json(text.encode())
    else:
        assert repr(parse_json(text.encode())) == wanted


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_every_double_comes_back(value: float) -> None:
    assert repr(parse_json(repr(value).encode())) == repr(value)


@pytest.mark.parametrize("data", [b"\xff", b'"\xed\xa0\x80"', b"\xef\xbb\xbf1", b"1 2", b"[1,]", b""])
def test_what_is_no_json_text_in_utf_8_is_refused(data: bytes) -> None:
    with pytest.raises(NotJsonError):
        parse_json(data)


def test_a_number_that_no_double_holds_is_infinite() -> None:
    """For the caller to refuse in its field; thousands of digits cost no time."""
    assert parse_json(b"[1e400, -1e400, " + b"9" * 5000 + b"]") == [math.inf, -math.inf, math.inf]


@settings(max_examples=1000, deadline=None)
@given(
    st.lists(st.tuples(st.sampled_from("abc"), sound), max_size=4),
    st.sampled_from(["", " ", "x", "\xff"]),
)
def test_a_split_object_is_the_object(members: list[tuple[str, str]], after: str) -> None:
    """Its members read one by one are what it holds read at once, and what is no JSON in any is refused."""
    held = ", ".join(f'"{name}": {text}' for name, text in members)
    data = f"{{{held}}}{after}".encode("latin-1", errors="replace")
    try:
        wanted = parse_json(data)
    except NotJsonError:
        with pytest.raises(NotJsonError):
            split_object(data)
    else:
        split = split_object(data)
        assert split is not None
        assert [name for name, _ in split] == [name for name, _ in members]
        found = dict(split)
        read = {name: parse_json(bytes(text), within=1) for name, text in found.items()}
        assert repr(read) == repr(wanted)
        lists = {name: split_array(text) for name, text in found.items()}
        assert {name for name, items in lists.items() if items is not None} == {
            name for name, value in wanted.items() if isinstance(value, list)
        }
        for name, items in lists.items():
            for item, value in zip(items or (), wanted[name] if items else (), strict=True):
                assert repr(parse_json(bytes(item), within=2)) == repr(value)


@pytest.mark.parametrize("data", [b"[1]", b"null", b' "x" ', b"1e400"])
def test_what_is_no_object_is_not_split(data: bytes) -> None:
    assert split_object(data) is None


@pytest.mark.parametrize(
    "data", [b'{"a":"\xff"}', b'{"a":1,"a":"\xff"}', b'{"\xff":1}', b"[", b"", b"[" * 9999]
)
def test_what_is_no_json_text_is_not_split_either(data: bytes) -> None:
    with pytest.raises(NotJsonError):
        split_object(data)


def test_how_deep_a_text_lies_counts() -> None:
    deepest = b"[" * (MAX_DEPTH - 1) + b"]" * (MAX_DEPTH - 1)
    assert parse_json(deepest, within=1)
    with pytest.raises(NotJsonError, match="deep"):
        parse_json(deepest, within=2)
