"""A list of candidates, however long, is refused with the first code and the smallest pointer."""

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stayaway.kernel.jsontext import json_pointer
from stayaway.sightings.model import PlateRead, Refusal
from stayaway.sightings.wire import MAX_EVENT_BYTES, parse_sighting
from support.wire_examples import PLATE_READ

SCHEMA = json.loads((Path(__file__).parents[3] / "schemas" / "plate_read.v1.json").read_bytes())
CODES = ["UNKNOWN_FIELD", "MISSING_FIELD", "WRONG_TYPE", "OUT_OF_RANGE", "BAD_FORMAT"]
CODE_OF = {
    "type": "WRONG_TYPE",
    "maxItems": "OUT_OF_RANGE",
    "maximum": "OUT_OF_RANGE",
    "minimum": "OUT_OF_RANGE",
    "minLength": "BAD_FORMAT",
    "maxLength": "BAD_FORMAT",
    "pattern": "BAD_FORMAT",
}

items: st.SearchStrategy[Any] = st.one_of(
    st.just({"plate": "A", "plate_confidence": 0.5}),
    st.fixed_dictionaries(
        {},
        optional={
            "plate": st.sampled_from(["A", "", "a\tb", 5, None, True]),
            "plate_confidence": st.sampled_from([0, 1, 0.25, 2, -1, "1", None, True, []]),
            "z/~": st.just(1),
            "zz": st.none(),
        },
    ),
    st.sampled_from([5, None, "A", [], True]),
)


def read_with(candidates: Any) -> PlateRead | Refusal:
    found = parse_sighting(json.dumps({**PLATE_READ, "candidates": candidates}).encode())
    assert isinstance(found, PlateRead | Refusal)
    return found


def refusal_by_the_schema(candidates: Any) -> tuple[str, str] | None:
    """The same by another's validator: everything that is wrong, then the first of it."""
    found: list[tuple[str, str]] = []
    for error in jsonschema.Draft202012Validator(SCHEMA).iter_errors(
        {**PLATE_READ, "candidates": candidates}
    ):
        path = tuple(error.absolute_path)
        if error.validator == "additionalProperties":
            found += [
                ("UNKNOWN_FIELD", json_pointer(*path, name))
                for name in error.instance
                if name not in error.schema["properties"]
            ]
        elif error.validator == "required":
            found += [
                ("MISSING_FIELD", json_pointer(*path, name))
                for name in error.validator_value
                if name not in error.instance
            ]
        else:
            found.append((CODE_OF[error.validator], json_pointer(*path)))
    return min(found, key=lambda one: (CODES.index(one[0]), one[1])) if found else None


@settings(max_examples=500, deadline=None)
@given(
    st.lists(items, min_size=1, max_size=3),
    st.sampled_from([0, 1, 18, 19, 20, 21, 110]),
    st.randoms(use_true_random=False),
)
def test_the_first_code_and_the_smallest_pointer(odd: list[Any], good: int, order: Any) -> None:
    """Also on the far side of 20, and where 10 comes before 2."""
    candidates = [*odd, *[{"plate": "A"}] * good]
    order.shuffle(candidates)
    found = read_with(candidates)
    wanted = refusal_by_the_schema(candidates)
    assert ((found.reason, found.field) if isinstance(found, Refusal) else None) == wanted


@pytest.mark.parametrize(
    ("item", "reason", "field"),
    [
        ({"plate": "A", "zz": 1}, "UNKNOWN_FIELD", "/candidates/0/zz"),
        ({}, "MISSING_FIELD", "/candidates/0/plate"),
        ({"plate": 5}, "WRONG_TYPE", "/candidates/0/plate"),
        (5, "WRONG_TYPE", "/candidates/0"),
        ({"plate": ""}, "OUT_OF_RANGE", "/candidates"),
        ({"plate": "A", "plate_confidence": 2}, "OUT_OF_RANGE", "/candidates"),
    ],
)
@pytest.mark.parametrize("count", [21, 1_500])
def test_too_many_are_refused_for_what_comes_first(item: Any, reason: str, field: str, count: int) -> None:
    assert read_with([item] * count) == Refusal(reason, field)  # type: ignore[arg-type]


def test_as_many_as_an_event_has_room_for_are_refused_too() -> None:
    """A list of nothing but numbers."""
    head = json.dumps({**PLATE_READ, "candidates": []}).encode().removesuffix(b"]}")
    room = MAX_EVENT_BYTES - len(head) - 2
    data = head + (b"5," * room)[:room].rstrip(b",") + b"]}"
    assert parse_sighting(data) == Refusal("WRONG_TYPE", "/candidates/0")
