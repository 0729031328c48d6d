"""The events' published schemas say what is taken, but for what schemas/README.md lists."""

import json
import re
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stayaway.sightings.model import Refusal
from stayaway.sightings.wire import parse_sighting
from support.wire_examples import CHECK_IN, PLATE_READ

FOLDER = Path(__file__).parents[3] / "schemas"
SCHEMAS = {
    name: json.loads((FOLDER / f"{name}.json").read_bytes()) for name in ("plate_read.v1", "check_in.v1")
}
VALIDATORS = {name: jsonschema.Draft202012Validator(schema) for name, schema in SCHEMAS.items()}
# What schemas/README.md says that no schema can: field, its reason.
BEYOND = re.compile(
    r"/plate BAD_FORMAT|/(observed|received)_at BAD_FORMAT|/extensions OUT_OF_RANGE|/satellites WRONG_TYPE"
)

values: st.SearchStrategy[Any] = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-2, 400),
    st.sampled_from([0.0, 0.5, 1.0, 5.0, 1e6, 1e7, -0.5, 359.9, 360]),
    st.sampled_from(
        ["", "A", "8AK-471", "*", "US-AZ", "CA", "a b", "a\tb", "VEHICLE", "GNSS", "ab" * 32, "x" * 513]
    ),
    st.sampled_from(
        ["2026-03-06T20:15:00.5Z", "2026-02-30T20:15:00Z", "2026-03-06T24:15:00Z", "2026-13-06T20:15:60Z"]
    ),
    st.sampled_from(
        [[], {}, {"a": None}, {"a": "x" * 5000}, [{"plate": "A"}], [{"plate": "A"}] * 21, [{}], [5]]
    ),
)
FIELDS = sorted({"zz", *(name for schema in SCHEMAS.values() for name in schema["properties"])} - {"schema"})


@st.composite
def bodies(draw: st.DrawFn) -> dict[str, Any]:
    body = dict(draw(st.sampled_from([PLATE_READ, CHECK_IN])))
    for name in draw(st.lists(st.sampled_from(FIELDS), max_size=3)):
        if draw(st.booleans()):
            body[name] = draw(values)
        else:
            body.pop(name, None)
    return body


@settings(max_examples=1000, deadline=None)
@given(bodies())
def test_a_schema_takes_what_is_taken_and_refuses_what_is_refused(body: dict[str, Any]) -> None:
    found = parse_sighting(json.dumps(body).encode())
    valid = VALIDATORS[body["schema"]].is_valid(body)
    if not isinstance(found, Refusal):
        assert valid
    elif valid:
        assert BEYOND.fullmatch(f"{found.field} {found.reason}"), found


@pytest.mark.parametrize(
    ("base", "changes"),
    [
        (PLATE_READ, {"plate": "*"}),
        (PLATE_READ, {"observed_at": "2026-02-29T20:15:00Z"}),
        (PLATE_READ, {"extensions": {"a": "x" * 5000}}),
        (CHECK_IN, {"satellites": 5.0}),
    ],
)
def test_what_a_schema_cannot_say_is_refused_all_the_same(
    base: dict[str, Any], changes: dict[str, Any]
) -> None:
    """So each entry of the list is needed."""
    body = {**base, **changes}
    assert VALIDATORS[body["schema"]].is_valid(body)
    assert isinstance(parse_sighting(json.dumps(body).encode()), Refusal)


def test_a_region_s_confidence_needs_the_region() -> None:
    without = {name: value for name, value in PLATE_READ.items() if name != "region"} | {
        "region_confidence": 1
    }
    assert not VALIDATORS["plate_read.v1"].is_valid(without)
    assert VALIDATORS["plate_read.v1"].is_valid(without | {"region": "US-AZ"})
