"""The short road to canonical bytes is the RFC's own form."""

import json
from typing import Any

import rfc8785
from hypothesis import given, settings
from hypothesis import strategies as st

from stayaway.kernel.jsontext import Encoded, canonical_json, parse_json

numbers = st.one_of(
    st.integers(-(2**53) + 1, 2**53 - 1),
    st.floats(allow_nan=False, allow_infinity=False),
    st.sampled_from([0.0, -0.0, 1.0, 1e-7, 1e21, 1e16, 123456789012345.0, 5e-324, -111.9]),
)
values: st.SearchStrategy[Any] = st.recursive(
    st.one_of(
        st.none(),
        st.booleans(),
        numbers,
        st.text(max_size=8),
        st.sampled_from(["1.0", "a.0,", "é", "\u2028"]),
    ),
    lambda inner: st.one_of(
        st.lists(inner, max_size=4), st.dictionaries(st.text(max_size=6), inner, max_size=4)
    ),
    max_leaves=12,
)


@settings(max_examples=500, deadline=None)
@given(values)
def test_canonical_bytes_are_rfc_8785(value: Any) -> None:
    assert canonical_json(value) == rfc8785.dumps(value)


@settings(max_examples=500, deadline=None)
@given(values)
def test_those_of_a_parsed_value_are_too(value: Any) -> None:
    """And whether it holds a null is never overlooked."""
    parsed = parse_json(json.dumps(value).encode())
    encoded = Encoded.of(parsed)
    assert encoded.canonical() == rfc8785.dumps(parsed)
    assert encoded.may_hold_null or "null" not in json.dumps(value)


@settings(max_examples=500, deadline=None)
@given(st.lists(st.floats(-180, 180).map(lambda x: round(x, 7)), max_size=20))
def test_coordinates_too(lons: list[float]) -> None:
    assert Encoded.of(lons).canonical() == rfc8785.dumps(lons)
