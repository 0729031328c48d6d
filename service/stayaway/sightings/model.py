"""One located observation with accuracy, as it was read: a PlateRead or a CheckIn.

Objects exist for survivors only; the hot path works on `SightingBatch` columns.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

PositionOf = Literal["CAMERA", "VEHICLE"]
FixSource = Literal["GNSS", "WIFI", "CELL"]
RefusalCode = Literal[
    "TOO_LARGE",
    "NOT_JSON",
    "UNKNOWN_SCHEMA",
    "UNKNOWN_FIELD",
    "MISSING_FIELD",
    "WRONG_TYPE",
    "OUT_OF_RANGE",
    "BAD_FORMAT",
    "FUTURE",
    "TOO_OLD",
]


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why an event was refused: the first code that holds, and the JSON Pointer of its field.

    Never holds a value. `field` is None where no field is to blame.
    """

    reason: RefusalCode
    field: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """Another reading the camera considered: evidence, never a match."""

    plate: str
    plate_confidence: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class PlateRead:
    """A camera's reading of a plate. `plate` is in normal form, `plate_as_read` as the camera said."""

    source: str
    event_id: str
    observed_at: datetime
    received_at: datetime
    lon: float
    lat: float
    accuracy_m: float | None
    reader_id: str
    plate: str
    plate_as_read: str
    position_of: PositionOf
    plate_confidence: float | None = None
    region: str | None = None
    region_confidence: float | None = None
    candidates: tuple[Candidate, ...] = ()
    direction_deg: float | None = None
    make: str | None = None
    model: str | None = None
    colour: str | None = None
    image_ref: str | None = None
    image_sha256: str | None = None
    extensions: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckIn:
    """A position that a supervised person's device reported."""

    source: str
    event_id: str
    observed_at: datetime
    received_at: datetime
    lon: float
    lat: float
    accuracy_m: float | None
    device_id: str
    fix_source: FixSource
    hdop: float | None = None
    satellites: int | None = None
    extensions: Mapping[str, Any] = field(default_factory=dict)


Sighting = PlateRead | CheckIn
