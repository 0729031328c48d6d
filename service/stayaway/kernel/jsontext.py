"""JSON as RFC 8259 has it, strictly in; canonical bytes (RFC 8785) out."""

import json
import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import msgspec
import numpy as np
import rfc8785

# Far more than any form needs, far less than the interpreter's stack; a fixed figure so that
# the same bytes are judged alike wherever the parser is called from.
MAX_DEPTH = 512

# Numbers that RFC 8785 writes otherwise than others do: 1.0, 1e-07, 1e+16, integers of 16 digits or more.
# Plain searches find them, once every digit has become 0.
_DIGITS = bytes(0x30 if 0x30 <= byte <= 0x39 else byte for byte in range(256))
_AWKWARD_ENDS = (b".0,", b".0]", b".0}")
_LONG_NUMBER = b"0" * 20
_NO_MARK = bytes(byte for byte in range(256) if byte not in b'[{]}"')
_STEP = np.array([1 if byte in b"[{" else -1 for byte in range(256)], dtype=np.int8)
"""One deeper or one less, for brackets."""
_DECODER = msgspec.json.Decoder()
_ITEMS = msgspec.json.Decoder(list[msgspec.Raw])
_STANDARD = json.JSONEncoder(ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False)
_ENCODER = msgspec.json.Encoder(order="sorted")


class NotJsonError(ValueError):
    """The bytes are no JSON text: syntax, bad UTF-8, NaN, a lone surrogate, nested too deep."""


class _Name:
    """A member's name that equals no other, so that the decoder keeps every member."""

    __slots__ = ("text",)

    def __init__(self, text: str) -> None:
        self.text = text


_MEMBERS = msgspec.json.Decoder(dict[_Name, msgspec.Raw], dec_hook=lambda _kind, text: _Name(text))


def parse_json(
    data: bytes,
    *,
    within: int = 0,
    object_pairs_hook: Callable[[list[tuple[str, Any]]], Any] | None = None,
) -> Any:
    """The value of one JSON text.

    A number too large for a double comes back as an infinite float, for the caller to
    refuse in its field. Of a name that an object gives more than once the last value is taken:
    `repeated.repeated_names` tells, for whom that must not be. `object_pairs_hook` makes what
    stands for an object of its names and values. `within`: how deep the text lies in a larger one.
    Raises NotJsonError, its cause kept.
    """
    _check_depth(data, MAX_DEPTH - within)
    if object_pairs_hook is None and _LONG_NUMBER not in data.translate(_DIGITS):
        try:
            return _DECODER.decode(data)
        except ValueError:
            pass  # a number too large for a double, or no JSON: the reader below tells them apart
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise NotJsonError("not UTF-8") from error
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


def split_object(data: bytes) -> list[tuple[str, msgspec.Raw]] | None:
    """The members of one JSON object as names and texts, of which nothing is built yet: a file may be
    hundreds of MB.

    All of them in their order, also under one name. None where it is another value. Raises NotJsonError,
    also for what is no JSON within a member; but how deep each one nests its own `parse_json` tells.
    """
    try:
        if not data.isascii():
            data.decode("utf-8")  # of a text that it passes over the decoder does not look at the bytes
        return [(name.text, text) for name, text in _MEMBERS.decode(data).items()]
    except msgspec.ValidationError:
        parse_json(data)  # no object, and maybe no JSON
        return None
    except UnicodeDecodeError as error:
        raise NotJsonError("not UTF-8") from error
    except RecursionError as error:
        raise NotJsonError("nested too deep") from error
    except msgspec.DecodeError as error:
        raise NotJsonError("not a JSON text") from error


def split_array(text: msgspec.Raw) -> list[msgspec.Raw] | None:
    """The items of an array that `split_object` found, as texts; None where it is another value."""
    try:
        return _ITEMS.decode(text)
    except msgspec.ValidationError:
        return None


def _check_depth(data: bytes, depth: int) -> None:
    if data.count(b"[") + data.count(b"{") <= depth:
        return
    data = _without_escaped_quotes(data)  # the rest is simple then
    marks = data.translate(None, _NO_MARK)
    # Where no string holds a bracket all quotes stand in pairs; if one is left, each other piece is a string.
    brackets = marks.replace(b'""', b"")
    if b'"' in brackets:
        brackets = b"".join(marks.split(b'"')[::2])
    steps = _STEP[np.frombuffer(brackets, dtype=np.uint8)]
    if steps.size and np.cumsum(steps, dtype=np.int32).max() > depth:
        raise NotJsonError("nested too deep")


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
        text = _STANDARD.encode(value)
    except (TypeError, ValueError):
        return rfc8785.dumps(value)  # says what is no JSON in it
    # Python writes the same bytes but for some numbers and for the order of non-ASCII names.
    if text.isascii() and not _looks_awkward(text.encode("ascii")):
        return text.encode("ascii")
    return rfc8785.dumps(value)


@dataclass(frozen=True, slots=True)
class Encoded:
    """A value that `parse_json` returned, encoded once for whoever asks about it.

    `text`: names in order, numbers as this encoder writes them; None where it cannot (whole numbers beyond
    64 bits).
    """

    value: Any
    text: bytes | None

    @classmethod
    def of(cls, value: Any) -> "Encoded":
        """`value`, encoded."""
        try:
            return cls(value, _ENCODER.encode(value))
        except OverflowError:
            return cls(value, None)

    @property
    def may_hold_null(self) -> bool:
        """False where it holds no null for certain."""
        return self.text is None or b"null" in self.text

    def has_all_of(self, written: bytes) -> bool:
        """Whether it has every member of the text that it was read from: False where a name was given more
        than once, so that all but one were dropped, and where there is no `text` to tell by.
        """
        # White space and numbers have no quotes, and each string has two however it is written. So the
        # texts have equally many if no string is missing here, and a dropped member misses its name's.
        text = self.text
        return text is not None and _count_quotes(text) == _count_quotes(written)

    def canonical(self) -> bytes:
        """`canonical_json` of it, in less time."""
        text = self.text
        # Escapes and non-ASCII names are another's business, as is what is written null for: infinity.
        plain = text is not None and text.isascii() and b"\\" not in text and b"null" not in text
        return text if plain and text and not _looks_awkward(text) else canonical_json(self.value)


def _looks_awkward(text: bytes) -> bool:
    """Whether a number in the text may look otherwise in RFC 8785; within a string it is none."""
    # Hardly any text has what looks like one even in a string.
    return _holds_awkward(text) and _holds_awkward(b"".join(_without_escaped_quotes(text).split(b'"')[::2]))


def _holds_awkward(text: bytes) -> bool:
    if b".0" in text and (text.endswith(b".0") or any(end in text for end in _AWKWARD_ENDS)):
        return True
    digits = text.translate(_DIGITS)
    return b"0e" in digits or b"0" * 16 in digits


def _without_escaped_quotes(text: bytes) -> bytes:
    """A JSON text in which each quote begins or ends a string."""
    if b"\\" not in text:
        return text
    # Pairs of backslashes first: the second of one escapes nothing.
    return text.replace(b"\\\\", b"").replace(b'\\"', b"")


def _count_quotes(text: bytes) -> int:
    """How many quotes begin or end a string in a JSON text."""
    return _without_escaped_quotes(text).count(b'"')


def json_pointer(*steps: str | int) -> str:
    """RFC 6901 pointer to the value at `steps`; "" is the whole document."""
    return "".join("/" + str(step).replace("~", "~0").replace("/", "~1") for step in steps)
