"""A recorded order as bytes: the record as it came, and the polygons drawn from it once.

Polygons are kept as little-endian 32-bit whole numbers of 1e-7 degree, in base64, so that they
are never drawn again and load fast.
"""

import base64
from typing import Any

import msgspec
import numpy as np

from stayaway.kernel.errors import StayawayError
from stayaway.kernel.jsontext import NotJsonError, parse_json
from stayaway.kernel.shape import VERTEX_DECIMALS, Ring, Shape
from stayaway.orders.findings import Path
from stayaway.orders.parse import read_record
from stayaway.orders.records import Draft, ParsedRecord, RecordKind, Stored

_GRID: int = 10**VERTEX_DECIMALS


class StoredOrderError(StayawayError):
    """What was recorded cannot be read back; nothing is decided without it."""


def encode_record(record: ParsedRecord) -> bytes:
    """The record, its digest and its shapes, as JSON."""
    shapes = {"/".join(map(str, path)): _encode_shape(shape) for path, shape in record.shapes.items()}
    # The encoder that writes thousands of coordinates fastest; nothing hashes these bytes.
    return msgspec.json.encode({"sha256": record.digest.hex(), "record": record.raw, "shapes": shapes})


def decode_record(kind: RecordKind, payload: bytes) -> Draft:
    """The record that `encode_record` made these bytes from. Raises StoredOrderError."""
    try:
        stored = parse_json(payload)
        shapes = {_to_path(text): _decode_shape(parts) for text, parts in stored["shapes"].items()}
        known = Stored(digest=bytes.fromhex(stored["sha256"]), shapes=shapes)
        draft = read_record(kind, (), stored["record"], known)
    except (NotJsonError, KeyError, TypeError, ValueError, AttributeError) as error:
        raise StoredOrderError("A stored order record is not in the stored form.", _REMEDY) from error
    if draft.value is None or draft.findings.has_errors:
        raise StoredOrderError(
            f"A stored {kind} record of order {draft.order_id} no longer passes the checks.", _REMEDY
        )
    return draft


def decode_raw(payload: bytes) -> dict[str, Any]:
    """The record as it came, from bytes that `decode_record` reads."""
    raw: dict[str, Any] = parse_json(payload)["record"]
    return raw


_REMEDY = "Matching stays stopped: restore the row, or run the release that recorded it."


def _to_path(text: str) -> Path:
    return tuple(int(step) if step.isdigit() else step for step in text.split("/"))


def _encode_shape(shape: Shape) -> list[list[str]]:
    return [[_encode_ring(ring) for ring in part] for part in shape.parts]


def _decode_shape(parts: Any) -> Shape:
    return Shape(tuple(tuple(_decode_ring(ring) for ring in part) for part in parts))


def _encode_ring(ring: Ring) -> str:
    grid = np.rint(np.asarray(ring, dtype=np.float64) * _GRID).astype("<i4")
    return base64.b64encode(grid.tobytes()).decode("ascii")


def _decode_ring(text: str) -> Ring:
    grid = np.frombuffer(base64.b64decode(text, validate=True), dtype="<i4").reshape(-1, 2)
    # A whole number over 10^7 is the nearest double to that decimal, as rounding made it.
    columns = (grid / _GRID).T.tolist()
    return tuple(zip(columns[0], columns[1], strict=True))
