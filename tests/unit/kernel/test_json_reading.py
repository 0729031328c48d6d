"""JSON is read by a quick reader where that reads the same as the standard library's."""

import json
import math
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stayaway.kernel.jsontext import NotJsonError, parse_json

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
