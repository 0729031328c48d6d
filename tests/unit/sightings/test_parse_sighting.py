"""Step 1 of WIRE.md: what is read, what is refused, and which code and field come first."""

import json
from pathlib import Path
from typing import Any

import pytest

from stayaway.kernel.plates import InvalidPlateError, normalise_plate
from stayaway.sightings.model import CheckIn, PlateRead, Refusal
from stayaway.sightings.wire import MAX_EVENT_BYTES, parse_sighting
from support.wire_examples import CHECK_IN
from support.wire_examples import PLATE_READ as READ

_GONE = object()


def parse(base: dict[str, Any], **changes: Any) -> object:
    body = {name: value for name, value in {**base, **changes}.items() if value is not _GONE}
    return parse_sighting(json.dumps(body).encode())


def test_wire_example_plate_read() -> None:
    sighting = parse(READ)
    assert isinstance(sighting, PlateRead)
    assert (sighting.plate, sighting.plate_as_read, sighting.region) == ("8AK471", "8AK-471", "US-AZ")


def test_wire_example_check_in() -> None:
    sighting = parse(CHECK_IN)
    assert isinstance(sighting, CheckIn)
    assert sighting.device_id == "D9"


@pytest.mark.parametrize(
    ("changes", "reason", "field"),
    [
        ({"surprise": 1, "plate": _GONE}, "UNKNOWN_FIELD", "/surprise"),
        ({"plate": _GONE, "lat": "33"}, "MISSING_FIELD", "/plate"),
        ({"region": _GONE, "region_confidence": 0.5}, "MISSING_FIELD", "/region"),
        ({"lat": "33", "lon": 200}, "WRONG_TYPE", "/lat"),
        ({"lat": None}, "WRONG_TYPE", "/lat"),
        ({"make": None}, "WRONG_TYPE", "/make"),
        ({"lon": True}, "WRONG_TYPE", "/lon"),
        ({"observed_at": 5}, "WRONG_TYPE", "/observed_at"),
        ({"candidates": {}}, "WRONG_TYPE", "/candidates"),
        (
            {"candidates": [{"plate": "A", "plate_confidence": None}]},
            "WRONG_TYPE",
            "/candidates/0/plate_confidence",
        ),
        ({"candidates": [{"plate": "A", "extra": 1}]}, "UNKNOWN_FIELD", "/candidates/0/extra"),
        ({"candidates": [{"plate": "A"}] * 21}, "OUT_OF_RANGE", "/candidates"),
        ({"lat": 91, "plate": "*"}, "OUT_OF_RANGE", "/lat"),
        ({"lon": 10**350}, "OUT_OF_RANGE", "/lon"),
        ({"accuracy_m": -1}, "OUT_OF_RANGE", "/accuracy_m"),
        ({"direction_deg": 360}, "OUT_OF_RANGE", "/direction_deg"),
        ({"extensions": {"text": "x" * 5000}}, "OUT_OF_RANGE", "/extensions"),
        ({"extensions": {"numbers": [1, 10**350]}}, "OUT_OF_RANGE", "/extensions"),
        ({"region": "CA"}, "BAD_FORMAT", "/region"),
        ({"region": "us-az"}, "BAD_FORMAT", "/region"),
        ({"plate": ""}, "BAD_FORMAT", "/plate"),
        ({"plate": "8AK?71"}, "BAD_FORMAT", "/plate"),
        ({"plate": "A" * 33}, "BAD_FORMAT", "/plate"),
        ({"observed_at": "2026-03-06T20:15:00"}, "BAD_FORMAT", "/observed_at"),
        ({"observed_at": "2026-03-06T20:15:60Z"}, "BAD_FORMAT", "/observed_at"),
        ({"observed_at": "2026-03-06T24:00:00Z"}, "BAD_FORMAT", "/observed_at"),
        ({"observed_at": "2026-02-30T20:15:00Z"}, "BAD_FORMAT", "/observed_at"),
        ({"observed_at": "2026-03-06T20:15:00+00:00"}, "BAD_FORMAT", "/observed_at"),
        ({"event_id": "a b"}, "BAD_FORMAT", "/event_id"),
        ({"event_id": "a\n"}, "BAD_FORMAT", "/event_id"),
        ({"make": "a\tb"}, "BAD_FORMAT", "/make"),
        ({"position_of": "DRONE"}, "BAD_FORMAT", "/position_of"),
        ({"image_sha256": "A" * 64}, "BAD_FORMAT", "/image_sha256"),
        ({"schema": "plate_read.v2"}, "UNKNOWN_SCHEMA", "/schema"),
        ({"schema": 1}, "UNKNOWN_SCHEMA", "/schema"),
        ({"schema": _GONE}, "UNKNOWN_SCHEMA", "/schema"),
        ({"zz": 1, "aa": 1}, "UNKNOWN_FIELD", "/aa"),
    ],
)
def test_refusals_of_a_plate_read(changes: dict[str, Any], reason: str, field: str) -> None:
    assert parse(READ, **changes) == Refusal(reason, field)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("changes", "reason", "field"),
    [
        ({"satellites": 10.0}, "WRONG_TYPE", "/satellites"),
        ({"satellites": 101}, "OUT_OF_RANGE", "/satellites"),
        ({"satellites": 10**350}, "OUT_OF_RANGE", "/satellites"),
        ({"accuracy_m": 0}, "OUT_OF_RANGE", "/accuracy_m"),
        ({"hdop": 0}, "OUT_OF_RANGE", "/hdop"),
        ({"plate": "ABC"}, "UNKNOWN_FIELD", "/plate"),
    ],
)
def test_refusals_of_a_check_in(changes: dict[str, Any], reason: str, field: str) -> None:
    assert parse(CHECK_IN, **changes) == Refusal(reason, field)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "value",
    [
        b"",
        b"{",
        b'{"lat": NaN}',
        b'{"lat": -Infinity}',
        b'\xef\xbb\xbf{"schema":"plate_read.v1"}',
        b'{"schema":"\xff"}',
        b'{"schema":"\\ud800"}',
        b"[" * 600 + b"]" * 600,
        b'{"schema":"plate_read.v1"} {}',
        None,
    ],
)
def test_not_json(value: bytes | None) -> None:
    assert parse_sighting(value) == Refusal("NOT_JSON", None)


@pytest.mark.parametrize("value", [b"[]", b"1", b"null", b'"plate_read.v1"', b"[" * 100 + b"]" * 100])
def test_json_that_is_no_object_is_of_unknown_schema(value: bytes) -> None:
    assert parse_sighting(value) == Refusal("UNKNOWN_SCHEMA", None)


def test_brackets_within_strings_nest_nothing() -> None:
    assert isinstance(parse(READ, make="[" * 500), PlateRead)


def test_too_large_counts_bytes() -> None:
    body = json.dumps(READ).encode()
    assert isinstance(parse_sighting(body + b" " * (MAX_EVENT_BYTES - len(body))), PlateRead)
    assert parse_sighting(body + b" " * (MAX_EVENT_BYTES + 1 - len(body))) == Refusal("TOO_LARGE", None)


def test_extensions_take_anything_that_is_json() -> None:
    assert isinstance(parse(READ, extensions={"vendor": {"a": None, "b": [True, "1"]}}), PlateRead)


@pytest.mark.parametrize(
    ("text", "normal"),
    [
        ("8ak 471", "8AK471"),
        ("\uff18\uff21\uff2b\uff14\uff17\uff11", "8AK471"),
        ("8A·K-4'7/1&", "8AK471"),
        ("A\u2013B\u00a0C", "ABC"),
    ],
)
def test_plates_come_to_one_form(text: str, normal: str) -> None:
    assert normalise_plate(text) == normal


@pytest.mark.parametrize(
    "text", ["", " - ", "ß1", "А123", "8AK*71", "ABCDEFGHIJK", "🚗", "ı1", "A\tB", "8AK?71"]
)
def test_a_character_that_no_plate_has_is_never_dropped(text: str) -> None:
    with pytest.raises(InvalidPlateError):
        normalise_plate(text)


def test_json_test_suite(shared_data: Path) -> None:
    """JSONTestSuite: what must be refused is NOT_JSON, what must be taken is not."""
    folder = shared_data / "conformance" / "json_test_suite" / "test_parsing"
    for path in sorted(folder.iterdir()):
        outcome = parse_sighting(path.read_bytes())
        assert isinstance(outcome, Refusal)
        if path.name.startswith("y_"):
            assert outcome.reason == "UNKNOWN_SCHEMA", path.name
        if path.name.startswith("n_"):
            assert outcome.reason in ("NOT_JSON", "TOO_LARGE"), path.name


def test_naughty_strings_never_raise(shared_data: Path) -> None:
    """Each naughty string, as a plate, an id and a make, is taken or refused in words."""
    strings = json.loads((shared_data / "conformance" / "naughty_strings" / "blns.json").read_text())
    for text in strings:
        for field in ("plate", "event_id", "make", "region", "observed_at"):
            outcome = parse(READ, **{field: text})
            assert isinstance(outcome, PlateRead) or outcome == Refusal("BAD_FORMAT", f"/{field}")
