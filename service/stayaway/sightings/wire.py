"""Events on the wire, v1: `plate_read.v1` and `check_in.v1`, and why one is refused.

How a form may change: v1 only gains optional fields, readers upgraded first; any other change
is a `.v2` on its own topic, read beside v1 (WIRE.md; deploy/adr/0003-wire-forms.md).
"""

from collections.abc import Iterator
from typing import Annotated, Any, Literal, get_args

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from stayaway.kernel.forms import (
    Confidence,
    Extensions,
    FieldCode,
    Form,
    Identifier,
    Instant,
    Latitude,
    Longitude,
    Plate,
    PlateText,
    Region,
    Sha256,
    Text,
    failure_code,
    has_endless_number,
)
from stayaway.kernel.jsontext import NotJsonError, json_pointer, parse_json
from stayaway.kernel.plates import normalise_plate
from stayaway.sightings.model import Candidate, CheckIn, PlateRead, Refusal, RefusalCode, Sighting

MAX_EVENT_BYTES = 65_536
PLATE_READ_TOPIC = "stayaway.plate-reads.v1"
CHECK_IN_TOPIC = "stayaway.check-ins.v1"

_RANKS: dict[FieldCode, int] = {code: rank for rank, code in enumerate(get_args(FieldCode))}
MAX_CANDIDATES = 20


class CandidateForm(Form):
    """Another reading that the camera considered; evidence, never a match."""

    plate: PlateText
    plate_confidence: Confidence | None = None


class EventForm(Form):
    """What both events have."""

    source: Annotated[Identifier, Field(description="The network the event comes from.")]
    event_id: Annotated[Identifier, Field(description="Never reused within a source.")]
    observed_at: Instant
    received_at: Annotated[Instant, Field(description="When the gateway received it; its clock, not ours.")]
    lon: Annotated[Longitude, Field(description="WGS 84, degrees.")]
    lat: Annotated[Latitude, Field(description="WGS 84, degrees.")]
    extensions: Extensions = Field(default_factory=dict)


class PlateReadForm(EventForm):
    """A licence-plate read: it places a vehicle, never a person."""

    model_config = ConfigDict(json_schema_extra={"dependentRequired": {"region_confidence": ["region"]}})

    schema_: Literal["plate_read.v1"] = Field(alias="schema")
    reader_id: Identifier
    plate: Plate
    plate_confidence: Confidence | None = None
    region: Annotated[Region | None, Field(description="ISO 3166-2; unknown: leave it out.")] = None
    region_confidence: Annotated[Confidence | None, Field(description="Only with `region`.")] = None
    candidates: Annotated[list[CandidateForm], Field(max_length=MAX_CANDIDATES)] = Field(default_factory=list)
    position_of: Literal["CAMERA", "VEHICLE"]
    accuracy_m: Annotated[
        float | None, Field(ge=0, le=1e6, description="Radius of the 95 % circle in metres, 0 exact.")
    ] = None
    direction_deg: Annotated[float | None, Field(ge=0, lt=360)] = None
    make: Text | None = None
    model: Text | None = None
    colour: Text | None = None
    image_ref: Text | None = None
    image_sha256: Sha256 | None = None


class CheckInForm(EventForm):
    """A position reported by a supervised person's device."""

    schema_: Literal["check_in.v1"] = Field(alias="schema")
    device_id: Identifier
    fix_source: Literal["GNSS", "WIFI", "CELL"]
    accuracy_m: Annotated[
        float | None,
        Field(gt=0, le=1e6, description="Radius of the 95 % circle in metres; unknown: leave it out."),
    ] = None
    hdop: Annotated[float | None, Field(gt=0, le=100)] = None
    satellites: Annotated[int | None, Field(ge=0, le=100)] = None


class DeadLetterForm(BaseModel):
    """Where a refused event lies and why it was refused; never a value of it."""

    model_config = ConfigDict(frozen=True)

    schema_: Literal["dead_letter.v1"] = Field(alias="schema")
    topic: str
    partition: int
    record_offset: int
    reason: RefusalCode
    field: Annotated[str | None, Field(description="JSON Pointer; null for UNKNOWN_FIELD.")]


_CANDIDATE_TYPES: dict[str, type | tuple[type, ...]] = {"plate": str, "plate_confidence": (int, float)}

_FORMS: dict[str, type[PlateReadForm | CheckInForm]] = {
    "plate_read.v1": PlateReadForm,
    "check_in.v1": CheckInForm,
}


def parse_sighting(value: bytes | None) -> Sighting | Refusal:
    """The observation in one record's value, or why it is refused (WIRE.md step 1, but for its age).

    A record without a value (a tombstone) is NOT_JSON. Never raises for any bytes.
    """
    if value is None:
        return Refusal("NOT_JSON", None)
    if len(value) > MAX_EVENT_BYTES:
        return Refusal("TOO_LARGE", None)
    try:
        body = parse_json(value)
    except NotJsonError:
        return Refusal("NOT_JSON", None)
    if not isinstance(body, dict):
        return Refusal("UNKNOWN_SCHEMA", None)
    schema = body.get("schema")
    form = _FORMS.get(schema) if isinstance(schema, str) else None
    if form is None:
        return Refusal("UNKNOWN_SCHEMA", "/schema")
    return _parse_form(form, body)


def _parse_form(form: type[PlateReadForm | CheckInForm], body: dict[str, Any]) -> Sighting | Refusal:
    failures: list[tuple[FieldCode, str]] = []
    parsed: PlateReadForm | CheckInForm | None = None
    try:
        parsed = form.model_validate(body)
    except ValidationError as error:
        details = error.errors(include_url=False, include_context=False)
        failures += [(failure_code(item), json_pointer(*item["loc"])) for item in details]
    # None is the forms' "left out"; on the wire null is no number and no string.
    failures += [("WRONG_TYPE", pointer) for pointer in _nulls(form, body)]
    if form is PlateReadForm:
        failures += _misshapen(body.get("candidates"))
    if has_endless_number(body.get("extensions")):
        # A deeper pointer would repeat the sender's own names.
        failures.append(("OUT_OF_RANGE", "/extensions"))
    if form is PlateReadForm and "region_confidence" in body and "region" not in body:
        failures.append(("MISSING_FIELD", "/region"))
    if failures or parsed is None:
        code, pointer = min(failures, key=lambda failure: (_RANKS[failure[0]], failure[1]))
        return Refusal(code, pointer)
    return _to_plate_read(parsed) if isinstance(parsed, PlateReadForm) else _to_check_in(parsed)


def _misshapen(candidates: Any) -> Iterator[tuple[FieldCode, str]]:
    """What precedes OUT_OF_RANGE in a list of too many candidates, of which the form reads none."""
    if not isinstance(candidates, list) or len(candidates) <= MAX_CANDIDATES:
        return
    # By hand and not by the form: an event has room for tens of thousands, and each of the form's errors
    # takes some microseconds.
    for index, item in enumerate(candidates):
        if not isinstance(item, dict):
            yield "WRONG_TYPE", f"/candidates/{index}"
            continue
        for name, value in item.items():
            if name not in _CANDIDATE_TYPES:
                yield "UNKNOWN_FIELD", json_pointer("candidates", index, name)
            elif not isinstance(value, _CANDIDATE_TYPES[name]) or isinstance(value, bool):
                yield "WRONG_TYPE", f"/candidates/{index}/{name}"
        if "plate" not in item:
            yield "MISSING_FIELD", f"/candidates/{index}/plate"


def _nulls(form: type[PlateReadForm | CheckInForm], body: dict[str, Any]) -> list[str]:
    pointers = [json_pointer(name) for name, value in body.items() if value is None and _knows(form, name)]
    candidates = body.get("candidates")
    for index, candidate in enumerate(candidates if isinstance(candidates, list) else []):
        if isinstance(candidate, dict) and candidate.get("plate_confidence", 0) is None:
            pointers.append(json_pointer("candidates", index, "plate_confidence"))
    return pointers


def _knows(form: type[PlateReadForm | CheckInForm], name: str) -> bool:
    return name in form.model_fields


def _to_plate_read(form: PlateReadForm) -> PlateRead:
    return PlateRead(
        source=form.source,
        event_id=form.event_id,
        observed_at=form.observed_at,
        received_at=form.received_at,
        lon=form.lon,
        lat=form.lat,
        accuracy_m=form.accuracy_m,
        reader_id=form.reader_id,
        plate=normalise_plate(form.plate),
        plate_as_read=form.plate,
        position_of=form.position_of,
        plate_confidence=form.plate_confidence,
        region=form.region,
        region_confidence=form.region_confidence,
        candidates=tuple(
            Candidate(plate=item.plate, plate_confidence=item.plate_confidence) for item in form.candidates
        ),
        direction_deg=form.direction_deg,
        make=form.make,
        model=form.model,
        colour=form.colour,
        image_ref=form.image_ref,
        image_sha256=form.image_sha256,
        extensions=form.extensions,
    )


def _to_check_in(form: CheckInForm) -> CheckIn:
    return CheckIn(
        source=form.source,
        event_id=form.event_id,
        observed_at=form.observed_at,
        received_at=form.received_at,
        lon=form.lon,
        lat=form.lat,
        accuracy_m=form.accuracy_m,
        device_id=form.device_id,
        fix_source=form.fix_source,
        hdop=form.hdop,
        satellites=form.satellites,
        extensions=form.extensions,
    )
