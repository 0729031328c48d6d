"""Bare strict decoding, as one would write it with msgspec alone: every field's type, range and pattern.

What the wire asks beyond a type is a pattern here (a regular expression for each event), and instants are
decoded to `datetime`. A baseline for the matcher: it decides nothing and keeps nothing.
"""

from collections.abc import Callable
from datetime import datetime
from typing import Annotated, Any, Literal

import msgspec

_Id = Annotated[str, msgspec.Meta(min_length=1, max_length=128, pattern=r"^[A-Za-z0-9._:-]+$")]
_Text = Annotated[str, msgspec.Meta(min_length=1, max_length=512)]
_PlateText = Annotated[str, msgspec.Meta(min_length=1, max_length=32)]
_Instant = Annotated[datetime, msgspec.Meta(tz=True)]
_Share = Annotated[float, msgspec.Meta(ge=0, le=1)]
_Unset = msgspec.UnsetType


class _Candidate(msgspec.Struct, forbid_unknown_fields=True):
    plate: _PlateText
    plate_confidence: _Share | _Unset = msgspec.UNSET


class StrictPlateRead(msgspec.Struct, forbid_unknown_fields=True, tag_field="schema", tag="plate_read.v1"):
    """`plate_read.v1` of the wire."""

    source: _Id
    event_id: _Id
    observed_at: _Instant
    received_at: _Instant
    lon: Annotated[float, msgspec.Meta(ge=-180, le=180)]
    lat: Annotated[float, msgspec.Meta(ge=-90, le=90)]
    reader_id: _Id
    plate: _PlateText
    position_of: Literal["CAMERA", "VEHICLE"]
    plate_confidence: _Share | _Unset = msgspec.UNSET
    region: Annotated[str, msgspec.Meta(pattern=r"^[A-Z]{2}-[A-Z0-9]{1,3}$")] | _Unset = msgspec.UNSET
    region_confidence: _Share | _Unset = msgspec.UNSET
    candidates: Annotated[list[_Candidate], msgspec.Meta(max_length=20)] | _Unset = msgspec.UNSET
    accuracy_m: Annotated[float, msgspec.Meta(ge=0, le=1e6)] | _Unset = msgspec.UNSET
    direction_deg: Annotated[float, msgspec.Meta(ge=0, lt=360)] | _Unset = msgspec.UNSET
    make: _Text | _Unset = msgspec.UNSET
    model: _Text | _Unset = msgspec.UNSET
    colour: _Text | _Unset = msgspec.UNSET
    image_ref: _Text | _Unset = msgspec.UNSET
    image_sha256: Annotated[str, msgspec.Meta(pattern=r"^[0-9a-f]{64}$")] | _Unset = msgspec.UNSET


decode_strictly: Callable[[Any], StrictPlateRead] = msgspec.json.Decoder(StrictPlateRead).decode
"""One record value; ValueError if it is none."""
