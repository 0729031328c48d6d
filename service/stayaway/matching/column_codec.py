"""Columns of orders as bytes: lengths first, then each column as it lies in memory, little-endian.

FORMAT is raised whenever the same orders would make other columns, be it their order: a plate normalised
in another way counts.
"""

from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt

from stayaway.kernel.packed import NO_NAMES, Ints, Names, offsets_of
from stayaway.kernel.plates import MAX_LENGTH
from stayaway.matching.columns import OrderColumns

FORMAT = 1


class ColumnFormatError(ValueError):
    """These bytes are no columns of orders in this format."""


class _Packed(msgspec.Struct, array_like=True, frozen=True):
    format: int
    id_width: int
    order_ids: bytes
    head_changes: bytes
    part_counts: bytes
    bounds: bytes
    warning_m: bytes
    anchor_accuracy_m: bytes
    plate_counts: bytes
    plates: bytes
    device_counts: bytes
    device_width: int
    device_ids: bytes


_DECODER = msgspec.msgpack.Decoder(_Packed)


def encode_columns(columns: OrderColumns) -> bytes:
    """The columns, some 70 bytes an order with one part and one plate."""
    return msgspec.msgpack.encode(
        _Packed(
            format=FORMAT,
            id_width=columns.order_ids.itemsize,
            order_ids=columns.order_ids.tobytes(),
            head_changes=_bytes(columns.head_changes, "<i8"),
            part_counts=_bytes(np.diff(columns.part_offsets), "<u4"),
            bounds=_bytes(columns.bounds, "<i4"),
            warning_m=_bytes(columns.warning_m, "<f8"),
            anchor_accuracy_m=_bytes(columns.anchor_accuracy_m, "<f8"),
            plate_counts=_bytes(np.diff(columns.plate_offsets), "<u4"),
            plates=columns.plates.tobytes(),
            device_counts=_bytes(np.diff(columns.device_offsets), "<u4"),
            device_width=columns.device_ids.itemsize,
            device_ids=columns.device_ids.tobytes(),
        )
    )


def decode_columns(data: bytes) -> OrderColumns:
    """The columns that these bytes were made of. Raises ColumnFormatError."""
    try:
        packed = _DECODER.decode(data)
        if packed.format != FORMAT:
            raise ColumnFormatError("another format")
        columns = OrderColumns(
            order_ids=_names(packed.order_ids, packed.id_width),
            head_changes=np.frombuffer(packed.head_changes, "<i8").astype(np.int64, copy=False),
            part_offsets=_offsets(packed.part_counts),
            bounds=np.frombuffer(packed.bounds, "<i4").astype(np.int32, copy=False).reshape(-1, 4),
            warning_m=np.frombuffer(packed.warning_m, "<f8").astype(np.float64, copy=False),
            anchor_accuracy_m=np.frombuffer(packed.anchor_accuracy_m, "<f8").astype(np.float64, copy=False),
            plate_offsets=_offsets(packed.plate_counts),
            plates=np.frombuffer(packed.plates, np.uint8).reshape(-1, MAX_LENGTH),
            device_offsets=_offsets(packed.device_counts),
            device_ids=_names(packed.device_ids, packed.device_width),
        )
    except (msgspec.DecodeError, ValueError) as error:
        raise ColumnFormatError("These bytes are no columns of orders in this format.") from error
    if not _fits(columns):
        raise ColumnFormatError("These columns do not fit together.")
    return columns


def _fits(columns: OrderColumns) -> bool:
    orders, parts = len(columns), len(columns.bounds)
    return (
        len(columns.head_changes) == orders
        and _ends(columns.part_offsets, orders, parts)
        and len(columns.warning_m) == len(columns.anchor_accuracy_m) == parts
        and _ends(columns.plate_offsets, orders, len(columns.plates))
        and _ends(columns.device_offsets, orders, len(columns.device_ids))
        and bool((columns.order_ids[1:] > columns.order_ids[:-1]).all())
    )


def _ends(offsets: Ints, orders: int, rows: int) -> bool:
    return len(offsets) == orders + 1 and int(offsets[-1]) == rows


def _bytes(column: npt.NDArray[Any], kind: str) -> bytes:
    return column.astype(kind, copy=False).tobytes()


def _offsets(counts: bytes) -> Ints:
    return offsets_of(np.frombuffer(counts, "<u4").astype(np.int64))


def _names(data: bytes, width: int) -> Names:
    return np.frombuffer(data, f"S{width}") if data else NO_NAMES
