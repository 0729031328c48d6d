"""JSON as RFC 8259 has it, strictly in; canonical bytes (RFC 8785) out."""

import json
import math
import re
from collections.abc import Callable
from typing import Any

import rfc8785

# Far more than any form needs, far less than the interpreter's stack; a fixed figure so that
# the same bytes are judged alike wherever the parser is called from.
MAX_DEPTH = 512

# A number that RFC 8785 writes otherwise than Python: 1.0, 1e-07, and integers of 16 digits or more.
_AWKWARD = re.compile(r"\.0(?:[,\]}]|$)|[0-9]e[-+]?[0-9]|[0-9]{16}", re.ASCII)
_STRING_OR_BRACKET = re.compile(r'"(?:[^"\\]|\\.)*"|[\[\]{}]', re.DOTALL)


class NotJsonError(ValueError):
    """The bytes are no JSON text: syntax, bad UTF-8, NaN, a lone surrogate, nested too deep."""


def parse_json(
    data: bytes, *, object_pairs_hook: Callable[[list[tuple[str, Any]]], dict[str, Any]] | None = None
) -> Any:
    """The value of one JSON text.

    A number too large for a double comes back as an infinite float, for the caller to
    refuse in its field. Of repeated names the last wins; `object_pairs_hook` makes an object
    of its names and values and can tell. Raises NotJsonError, its cause kept.
    """
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise NotJsonError("not UTF-8") from error
    if text.count("[") + text.count("{") > MAX_DEPTH:
        _check_depth(text)
    try:
        value = json.loads(
            text,
            parse_constant=_refuse_constant,
            parse_int=_parse_int,
            object_pairs_hook=object_pairs_hook,
        )
    except (ValueError, RecursionError) as error:
        raise NotJsonError("not a JSON text") from error
    if "\\u" in text:
        _check_surrogates(value)
    return value


def _check_depth(text: str) -> None:
    depth = 0
    for token in _STRING_OR_BRACKET.finditer(text):
        first = token.group()[0]
        if first in "[{":
            depth += 1
            if depth > MAX_DEPTH:
                raise NotJsonError("nested too deep")
        elif first in "]}":
            depth -= 1


def _refuse_constant(name: str) -> None:
    raise NotJsonError(f"{name} is not JSON")


def _parse_int(digits: str) -> int | float:
    # What no finite double can hold comes back infinite, as 1e400 does; int() itself refuses
    # thousands of digits.
    value = float(digits)
    return int(digits) if math.isfinite(value) else value


def _check_surrogates(value: Any) -> None:
    try:
        json.dumps(value, ensure_ascii=False).encode("utf-8")
    except UnicodeEncodeError as error:
        raise NotJsonError("a lone surrogate") from error


def compact_json(value: Any) -> bytes:
    """`value` without insignificant white space, names in their given order."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode("utf-8")


def canonical_json(value: Any) -> bytes:
    """The one byte form of `value` (RFC 8785); integers beyond 2**53 are refused there."""
    try:
        text = json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False)
    except (TypeError, ValueError):
        return rfc8785.dumps(value)  # says what is no JSON in it
    # Python writes the same bytes but for some numbers and for the order of non-ASCII names.
    if text.isascii() and _AWKWARD.search(text) is None:
        return text.encode("ascii")
    return rfc8785.dumps(value)


def json_pointer(*steps: str | int) -> str:
    """RFC 6901 pointer to the value at `steps`; "" is the whole document."""
    return "".join("/" + str(step).replace("~", "~0").replace("/", "~1") for step in steps)
