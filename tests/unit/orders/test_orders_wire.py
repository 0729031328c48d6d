"""The published form of the orders file, and recorded orders as bytes."""

import copy
import json
from dataclasses import replace
from typing import Any

import jsonschema
import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stayaway.kernel.shape import Shape
from stayaway.orders.codec import StoredOrderError, decode_source, decode_values, encode_record
from stayaway.orders.distance import circle
from stayaway.orders.findings import Finding, short_value
from stayaway.orders.model import OrderVersion
from stayaway.orders.parse import parse_orders_file, read_own
from stayaway.orders.wire import OrdersFileForm
from support.rich_orders import SQUARE
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


@pytest.mark.parametrize("kind", ["Point", "Polygon"])
@pytest.mark.parametrize("gone", [["distance_value"], ["distance_unit"], ["distance_value", "distance_unit"]])
def test_a_distance_has_a_value_and_a_unit_in_the_schema_too(kind: str, gone: list[str]) -> None:
    """A Point needs both, a polygon both or neither; the checks say the same."""
    body = copy.deepcopy(ORDERS)
    zone = body["orders"][0]["zones"][0]
    if kind == "Polygon":
        zone["geometry"] = {"type": "Polygon", "coordinates": [SQUARE]}
    for name in gone:
        del zone[name]
    good = kind == "Polygon" and len(gone) == 2
    assert jsonschema.Draft202012Validator(SCHEMA).is_valid(body) == good
    assert parse_orders_file(json.dumps(body).encode()).has_errors == (not good)


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
    digest, value = decode_values("VERSION", encode_record(record))
    assert (digest, value) == (record.digest, record.value)
    assert isinstance(value, OrderVersion)
    assert value.zones[0].shape == circle(lon, lat, distance_m)
    assert decode_source(record.source, digest) == record.raw


def test_stored_shapes_are_not_drawn_again() -> None:
    """What was materialised decides, even if a later release would draw it otherwise."""
    record, other = (
        parse_orders_file(text.encode()).records[0]
        for text in (json.dumps(ORDERS), json.dumps(ORDERS).replace("33.4]", "33.5]"))
    )
    assert isinstance(record.value, OrderVersion)
    assert isinstance(other.value, OrderVersion)
    zones = tuple(replace(zone, shape=other.value.zones[0].shape) for zone in record.value.zones)
    drawn_earlier = replace(record, value=replace(record.value, zones=zones))
    _, value = decode_values("VERSION", encode_record(drawn_earlier))
    assert isinstance(value, OrderVersion)
    assert value.zones == zones != record.value.zones


def test_every_kind_of_record_survives_storage() -> None:
    """Each with all that its form can hold, windows and rules included."""
    for record in parse_orders_file(json.dumps(ORDERS).encode()).records:
        assert decode_values(record.kind, encode_record(record)) == (record.digest, record.value)


def test_a_record_of_one_kind_is_none_of_another() -> None:
    """A confirmation has no field that an emergency entry lacks; it is still not taken for one."""
    recorded = {"order_id": "O1", "version": 1, "recorded_at": "2026-01-07T19:00:00Z"}
    (record,) = read_own("PROVISIONAL", recorded | {"until_at": "2026-01-08T19:00:00Z"}).records
    with pytest.raises(StoredOrderError):
        decode_values("CONFIRMATION", encode_record(record))


def test_a_source_of_another_digest_is_not_shown() -> None:
    record = parse_orders_file(json.dumps(ORDERS).encode()).records[0]
    with pytest.raises(StoredOrderError):
        decode_source(record.source.replace(b"F-1", b"F-2"), record.digest)


def with_shape(payload: bytes, packed: Any) -> bytes:
    """The stored record with this in the place of its first zone's shape."""
    tree = msgspec.msgpack.decode(payload)
    tree[2]["zones"][0]["shape"] = packed
    return msgspec.msgpack.encode(tree)


_WHOLE = encode_record(parse_orders_file(json.dumps(ORDERS).encode()).records[0])


@pytest.mark.parametrize(
    "payload",
    [
        b"",
        b"[]",
        _WHOLE[:-1],
        _WHOLE + b"\x00",
        _WHOLE.replace(b"\xa7zone_id", b"\xa7zone_jd"),
        _WHOLE.replace(b"FINAL", b"FINAM"),
        msgspec.msgpack.encode(["VERSION", b"", {}]),
        with_shape(_WHOLE, [[b"1234567"]]),
        with_shape(_WHOLE, [[b""]]),
        with_shape(_WHOLE, [["text of 16 bytes"]]),
        with_shape(_WHOLE, 1),
    ],
)
def test_what_was_not_encoded_is_not_decoded(payload: bytes) -> None:
    """Never an order with a part missing."""
    with pytest.raises(StoredOrderError):
        decode_values("VERSION", payload)


@settings(max_examples=50)
@given(st.lists(st.tuples(st.floats(-180, 180), st.floats(-90, 90)), min_size=3, max_size=9, unique=True))
def test_any_vertex_of_the_grid_survives_storage(points: list[tuple[float, float]]) -> None:
    """32-bit whole numbers of 1e-7 degree hold every rounded vertex exactly."""
    shape = Shape.from_parts([[[*points, points[0]]]])
    assert set(shape.parts[0][0]) == {(round(lon, 7), round(lat, 7)) for lon, lat in points}


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
