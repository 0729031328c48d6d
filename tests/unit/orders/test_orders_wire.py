"""The published form of the orders file, and recorded orders as bytes."""

import copy
import json
from typing import Any

import jsonschema
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stayaway.kernel.shape import Shape
from stayaway.orders.codec import StoredOrderError, decode_record, encode_record
from stayaway.orders.distance import circle
from stayaway.orders.findings import Finding, short_value
from stayaway.orders.parse import parse_orders_file
from stayaway.orders.wire import OrdersFileForm
from support.wire_examples import ORDERS

SCHEMA = OrdersFileForm.model_json_schema()


def test_the_published_schema_takes_the_wire_example() -> None:
    """JSON Schema 2020-12, strict: no null anywhere, unknown fields refused everywhere."""
    jsonschema.Draft202012Validator.check_schema(SCHEMA)
    jsonschema.Draft202012Validator(SCHEMA).validate(ORDERS)
    assert '"null"' not in json.dumps(SCHEMA)
    for definition in SCHEMA["$defs"].values():
        assert definition["additionalProperties"] is False


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("order_number", None),
        ("version", 0),
        ("kind", "X"),
        ("effective_at", "2026"),
        ("no_expiration", True),
        ("x", 1),
    ],
)
def test_the_published_schema_refuses_what_we_refuse(field: str, value: Any) -> None:
    """So that a sender can check a file without us."""
    body = copy.deepcopy(ORDERS)
    body["orders"][0][field] = value
    assert not jsonschema.Draft202012Validator(SCHEMA).is_valid(body)
    assert parse_orders_file(json.dumps(body).encode()).has_errors


@settings(max_examples=40, deadline=None)
@given(st.floats(-180, 180), st.floats(-85, 85), st.floats(1, 5000))
def test_a_recorded_version_comes_back_as_it_was(lon: float, lat: float, distance_m: float) -> None:
    """Every vertex and the content hash, without drawing the circle again."""
    body = copy.deepcopy(ORDERS)
    body["orders"][0]["zones"][0] |= {
        "geometry": {"type": "Point", "coordinates": [lon, lat]},
        "distance_value": distance_m,
        "distance_unit": "M",
    }
    (record, _) = parse_orders_file(json.dumps(body).encode()).records
    draft = decode_record("VERSION", encode_record(record))
    assert draft.value == record.value
    assert draft.digest == record.digest
    assert draft.shapes == {("zones", 0, "geometry"): circle(lon, lat, distance_m)}


def test_stored_shapes_are_not_drawn_again() -> None:
    """What was materialised decides, even if a later release would draw it otherwise."""
    record = parse_orders_file(json.dumps(ORDERS).encode()).records[0]
    payload = json.loads(encode_record(record))
    other = parse_orders_file(json.dumps(ORDERS).replace("33.4]", "33.5]").encode()).records[0]
    payload["shapes"] = json.loads(encode_record(other))["shapes"]
    draft = decode_record("VERSION", json.dumps(payload).encode())
    assert draft.shapes == other.shapes
    assert draft.shapes != record.shapes


@pytest.mark.parametrize(
    "payload",
    [
        b"",
        b"[]",
        b"{}",
        b'{"sha256":"zz","record":{},"shapes":{}}',
        b'{"sha256":"","record":{},"shapes":[]}',
        b'{"sha256":"","record":{},"shapes":{"zones/0/geometry":[["?"]]}}',
        b'{"sha256":"","record":{},"shapes":{}}',
    ],
)
def test_what_was_not_encoded_is_not_decoded(payload: bytes) -> None:
    """Never an order with a part missing."""
    with pytest.raises(StoredOrderError):
        decode_record("VERSION", payload)


@settings(max_examples=50)
@given(st.lists(st.tuples(st.floats(-180, 180), st.floats(-90, 90)), min_size=3, max_size=9, unique=True))
def test_any_vertex_of_the_grid_survives_storage(points: list[tuple[float, float]]) -> None:
    """32-bit whole numbers of 1e-7 degree hold every rounded vertex exactly."""
    from stayaway.orders.codec import _decode_shape, _encode_shape

    shape = Shape.from_parts([[[*points, points[0]]]])
    assert _decode_shape(_encode_shape(shape)) == shape


def test_a_shown_value_is_short_and_on_one_line() -> None:
    """Findings are read by people: a polygon is counted, a long text is cut, controls are escaped."""
    assert short_value([[0, 0]] * 300_000) == "[300000 items]"
    assert short_value([1, 2]) == "[1, 2]"
    assert short_value({"a": 1, "b": [2]}) == '{"a", "b"}'
    assert short_value("a\nb") == '"a\\nb"'
    assert len(short_value("x" * 10_000)) <= 120
    line = Finding("ERROR", None, "", '"é"', "r").as_line()
    assert "\n" not in line
    assert json.loads(line)["value"] == '"é"'
