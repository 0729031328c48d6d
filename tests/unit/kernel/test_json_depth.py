"""Nesting is bounded at a fixed figure, whatever strings hold."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stayaway.kernel.jsontext import MAX_DEPTH, NotJsonError, parse_json

strings = st.text(st.sampled_from('[]{}"\\a,é'), max_size=12)


@given(strings, strings)
def test_brackets_in_strings_do_not_count(name: str, text: str) -> None:
    value = {name: [text] * 300, "x": [[text], {}] * 100}
    assert parse_json(json.dumps(value).encode()) == value


@given(strings)
def test_what_nests_deeper_is_refused(text: str) -> None:
    inner = json.dumps(text)
    deepest = f"{'[' * MAX_DEPTH}{inner}{']' * MAX_DEPTH}".encode()
    assert parse_json(deepest)
    with pytest.raises(NotJsonError, match="deep"):
        parse_json(b"[" + deepest + b"]")
