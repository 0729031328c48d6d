"""A recorded order as bytes, in two parts that are sealed apart.

What decides: the record's values as they were checked when it was recorded, with the shapes drawn from
it, in MessagePack. Their seal proves that they are the ones that were checked, so that they are never
checked or drawn again, and a registry loads fast. And the source: the record as it came, in the
canonical JSON whose SHA-256 is its digest; only whoever looks at an order needs it.

How the stored form may change: a value may gain fields that have a default. Anything else needs a
migration that says so.
"""

import hashlib
import hmac
from collections.abc import Mapping
from typing import Any, Literal

import msgspec

from stayaway.kernel.errors import StayawayError
from stayaway.kernel.jsontext import parse_json
from stayaway.kernel.shape import VERTEX_BYTES, Shape
from stayaway.orders.model import (
    Confirmation,
    Notice,
    OrderVersion,
    Provisional,
    Recall,
    Record,
    Suspension,
    Validation,
)
from stayaway.orders.records import ParsedRecord, RecordKind

SEAL_PURPOSE = "order_record"
"""What a record's values are sealed as."""

_TYPES: Mapping[RecordKind, type[Record]] = {
    "VERSION": OrderVersion,
    "NOTICE": Notice,
    "RECALL": Recall,
    "SUSPENSION": Suspension,
    "PROVISIONAL": Provisional,
    "CONFIRMATION": Confirmation,
    "VALIDATION": Validation,
}
_REMEDY = "Matching stays stopped: restore the row, or run the release that recorded it."


class StoredOrderError(StayawayError):
    """What was recorded cannot be read back; nothing is decided without it."""


def encode_record(record: ParsedRecord) -> bytes:
    """The kind, the digest and the values of a usable record."""
    assert record.value is not None
    return encode_values(record.kind, record.digest, record.value)


def encode_values(kind: RecordKind, digest: bytes, value: Record) -> bytes:
    """The same of its parts."""
    return _ENCODER.encode((kind, digest, value))


def decode_values(kind: RecordKind, payload: bytes) -> tuple[bytes, Record]:
    """(digest, values) of the record that these bytes were made from. Raises StoredOrderError."""
    try:
        _, digest, value = _DECODERS[kind].decode(payload)
    except (msgspec.DecodeError, TypeError, ValueError) as error:
        raise StoredOrderError("A stored order record is not in the stored form.", _REMEDY) from error
    return digest, value


def decode_source(source: bytes, digest: bytes) -> dict[str, Any]:
    """The record as it came, which has this digest. Raises StoredOrderError where it has not."""
    if not hmac.compare_digest(hashlib.sha256(source).digest(), digest):
        raise StoredOrderError("A stored order record is not the one that was recorded.", _REMEDY)
    raw: dict[str, Any] = parse_json(source)
    return raw


def _pack(value: Any) -> Any:
    if isinstance(value, Shape):
        return value.packed
    raise NotImplementedError(f"a record's values hold no {type(value)}")


def _unpack(wanted: type, value: Any) -> Any:
    if wanted is Shape:
        return Shape(tuple(tuple(map(_ring, part)) for part in value))
    raise NotImplementedError(f"a record's values hold no {wanted}")


def _ring(packed: Any) -> bytes:
    if not isinstance(packed, bytes) or not packed or len(packed) % VERTEX_BYTES:
        raise ValueError("no ring of vertices")
    return packed


_ENCODER = msgspec.msgpack.Encoder(enc_hook=_pack)
_DECODERS: Mapping[RecordKind, msgspec.msgpack.Decoder[tuple[str, bytes, Any]]] = {
    kind: msgspec.msgpack.Decoder(tuple[Literal[kind], bytes, form], dec_hook=_unpack)  # type: ignore[valid-type]
    for kind, form in _TYPES.items()
}
