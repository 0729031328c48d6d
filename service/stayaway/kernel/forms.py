"""Field types that every wire form shares (WIRE.md, "Common"), and what a failed field is called."""

import math
from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, PlainSerializer, PlainValidator, WithJsonSchema
from pydantic_core import ErrorDetails, PydanticCustomError

from stayaway.kernel.instants import (
    INSTANT_PATTERN,
    LOCAL_PATTERN,
    format_instant,
    parse_instant,
    parse_local,
)
from stayaway.kernel.jsontext import compact_json
from stayaway.kernel.plates import MAX_RAW_LENGTH, InvalidPlateError, normalise_plate

MAX_EXTENSIONS_BYTES = 4096


class Form(BaseModel):
    """A wire form: unknown fields, null and numbers in strings are refused."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, allow_inf_nan=False)


def _text_of(value: Any) -> str:
    if not isinstance(value, str):
        raise PydanticCustomError("string_type", "Input should be a valid string")
    return value


def _validate_instant(value: Any) -> datetime:
    text = _text_of(value)
    try:
        return parse_instant(text)
    except ValueError as error:
        raise PydanticCustomError(
            "bad_format", "Input should be an instant like 2026-03-06T20:15:00Z"
        ) from error


def _validate_local(value: Any) -> datetime:
    text = _text_of(value)
    try:
        return parse_local(text)
    except ValueError as error:
        raise PydanticCustomError(
            "bad_format", "Input should be a local time like 2026-03-06T13:15:00"
        ) from error


def _validate_plate(value: Any) -> str:
    text = _text_of(value)
    try:
        normalise_plate(text)
    except InvalidPlateError as error:
        raise PydanticCustomError(
            "bad_format", "Input should be a plate of 1 to 10 letters and digits"
        ) from error
    return text


def _validate_extensions(value: Any) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise PydanticCustomError("dict_type", "Input should be an object")
    if not has_endless_number(value) and len(compact_json(value)) > MAX_EXTENSIONS_BYTES:
        raise PydanticCustomError("too_long", "Input should have at most 4096 bytes when compact")
    return value


def has_endless_number(value: Any) -> bool:
    """Whether some number in `value` has no finite double, such as 1e400."""
    # Without recursion: two frames a level would overrun the stack before jsontext.MAX_DEPTH.
    pending = [value]
    while pending:
        item = pending.pop()
        if isinstance(item, dict):
            pending += item.values()
        elif isinstance(item, list):
            pending += item
        elif isinstance(item, float) and not math.isfinite(item):
            return True
    return False


Identifier = Annotated[str, Field(pattern=r"^[A-Za-z0-9._:-]{1,128}$")]
Text = Annotated[str, Field(min_length=1, max_length=512, pattern=r"^[^\x00-\x1f\x7f-\x9f]*$")]
PlateText = Annotated[str, Field(min_length=1, max_length=32, pattern=r"^[^\x00-\x1f\x7f-\x9f]*$")]
Region = Annotated[str, Field(pattern=r"^[A-Z]{2}-[A-Z0-9]{1,3}$", examples=["US-AZ"])]
Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
Confidence = Annotated[float, Field(ge=0, le=1)]
Longitude = Annotated[float, Field(ge=-180, le=180)]
Latitude = Annotated[float, Field(ge=-90, le=90)]
Instant = Annotated[
    datetime,
    PlainValidator(_validate_instant),
    PlainSerializer(format_instant, return_type=str),
    WithJsonSchema({"type": "string", "format": "date-time", "pattern": INSTANT_PATTERN}),
]
LocalTime = Annotated[
    datetime,
    PlainValidator(_validate_local),
    PlainSerializer(datetime.isoformat, return_type=str),
    WithJsonSchema({"type": "string", "pattern": LOCAL_PATTERN}),
]
Plate = Annotated[
    str,
    PlainValidator(_validate_plate),
    WithJsonSchema(
        {
            "type": "string",
            "minLength": 1,
            "maxLength": MAX_RAW_LENGTH,
            "description": "As read or entered. NFKC; spaces, dashes and . ' / & + · are dropped; "
            "then 1-10 letters A-Z or digits must be left.",
        }
    ),
]
Extensions = Annotated[
    dict[str, Any],
    PlainValidator(_validate_extensions),
    WithJsonSchema(
        {
            "type": "object",
            "description": "Carried as evidence, deciding nothing; at most 4,096 bytes compact.",
        }
    ),
]

REMEDIES = {
    "missing": "Add this required field.",
    "null": "null is refused; leave the field out.",
    "string_type": "Write a text, in double quotes.",
    "float_type": "Write a number, without quotes.",
    "int_type": "Write a whole number, without quotes or decimals.",
    "int_from_float": "Write a whole number, without decimals.",
    "bool_type": "Write true or false, without quotes.",
    "list_type": "Write a list, in [ ].",
    "dict_type": "Write an object, in { }.",
    "model_type": "Write an object, in { }.",
    "finite_number": "The number is too large.",
    "string_too_short": "It must not be empty.",
}
"""What to do about a field that does not fit, by pydantic's type of the error, whatever the form."""

FieldCode = Literal["UNKNOWN_FIELD", "MISSING_FIELD", "WRONG_TYPE", "OUT_OF_RANGE", "BAD_FORMAT"]
"""What a failed field is called; in the order in which the first one counts (WIRE.md step 1)."""

_CODES: dict[str, FieldCode] = {
    "extra_forbidden": "UNKNOWN_FIELD",
    "missing": "MISSING_FIELD",
    "bad_format": "BAD_FORMAT",
    "string_too_short": "BAD_FORMAT",
    "string_too_long": "BAD_FORMAT",
    "string_pattern_mismatch": "BAD_FORMAT",
    "greater_than": "OUT_OF_RANGE",
    "greater_than_equal": "OUT_OF_RANGE",
    "less_than": "OUT_OF_RANGE",
    "less_than_equal": "OUT_OF_RANGE",
    "finite_number": "OUT_OF_RANGE",
    "too_long": "OUT_OF_RANGE",
    "too_short": "OUT_OF_RANGE",
}


def failure_code(error: ErrorDetails) -> FieldCode:
    """What a form's error is called on the wire."""
    if error["type"] == "literal_error":
        return "BAD_FORMAT" if isinstance(error["input"], str) else "WRONG_TYPE"
    if error["type"] == "int_type" and error["input"] in (math.inf, -math.inf):
        return "OUT_OF_RANGE"
    return _CODES.get(error["type"], "WRONG_TYPE")
