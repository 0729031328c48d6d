"""A batch of record values decoded into columns, every field of every event checked.

Two roads with one meaning: msgspec decodes what is plainly good into columns; whatever it does
not take goes through `parse_sighting`, which names the first refusal or accepts after all. The
short road is stricter than the wire, never laxer (property-tested).
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields
from typing import Annotated, Any, Literal

import msgspec
import numpy as np
import numpy.typing as npt

from stayaway.access.policy import Policy
from stayaway.kernel.instants import to_us
from stayaway.kernel.plates import MAX_LENGTH, InvalidPlateError, normalise_plate
from stayaway.sightings.instant_columns import parse_instants
from stayaway.sightings.model import CheckIn, PlateRead, Refusal, RefusalCode, Sighting
from stayaway.sightings.wire import MAX_EVENT_BYTES, parse_sighting

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]

_Id = Annotated[str, msgspec.Meta(min_length=1, max_length=128)]
_Text = Annotated[str, msgspec.Meta(min_length=1, max_length=512)]
_PlateText = Annotated[str, msgspec.Meta(min_length=1, max_length=32)]
_Instant = Annotated[str, msgspec.Meta(min_length=20, max_length=27)]
_Share = Annotated[float, msgspec.Meta(ge=0, le=1)]
_Region = Annotated[str, msgspec.Meta(pattern=r"^[A-Z]{2}-[A-Z0-9]{1,3}\Z")]
_Sha256 = Annotated[str, msgspec.Meta(pattern=r"^[0-9a-f]{64}\Z")]
_Unset = msgspec.UnsetType


class _Candidate(msgspec.Struct, forbid_unknown_fields=True, gc=False):
    plate: _PlateText
    plate_confidence: _Share | _Unset = msgspec.UNSET


class _Event(msgspec.Struct, forbid_unknown_fields=True, tag_field="schema", gc=False, kw_only=True):
    source: _Id
    event_id: _Id
    observed_at: _Instant
    received_at: _Instant
    lon: Annotated[float, msgspec.Meta(ge=-180, le=180)]
    lat: Annotated[float, msgspec.Meta(ge=-90, le=90)]


class _PlateRead(_Event, tag="plate_read.v1", forbid_unknown_fields=True, gc=False, kw_only=True):
    reader_id: _Id
    plate: _PlateText
    plate_confidence: _Share | _Unset = msgspec.UNSET
    region: _Region | _Unset = msgspec.UNSET
    region_confidence: _Share | _Unset = msgspec.UNSET
    candidates: Annotated[list[_Candidate], msgspec.Meta(max_length=20)] | _Unset = msgspec.UNSET
    position_of: Literal["CAMERA", "VEHICLE"]
    accuracy_m: Annotated[float, msgspec.Meta(ge=0, le=1e6)] | _Unset = msgspec.UNSET
    direction_deg: Annotated[float, msgspec.Meta(ge=0, lt=360)] | _Unset = msgspec.UNSET
    make: _Text | _Unset = msgspec.UNSET
    model: _Text | _Unset = msgspec.UNSET
    colour: _Text | _Unset = msgspec.UNSET
    image_ref: _Text | _Unset = msgspec.UNSET
    image_sha256: _Sha256 | _Unset = msgspec.UNSET


class _CheckIn(_Event, tag="check_in.v1", forbid_unknown_fields=True, gc=False, kw_only=True):
    device_id: _Id
    fix_source: Literal["GNSS", "WIFI", "CELL"]
    accuracy_m: Annotated[float, msgspec.Meta(gt=0, le=1e6)] | _Unset = msgspec.UNSET
    hdop: Annotated[float, msgspec.Meta(gt=0, le=100)] | _Unset = msgspec.UNSET
    satellites: Annotated[int, msgspec.Meta(ge=0, le=100)] | _Unset = msgspec.UNSET


_decode: Callable[[Any], _PlateRead | _CheckIn] = msgspec.json.Decoder(_PlateRead | _CheckIn).decode
_ID_BYTES = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._:-"


@dataclass(frozen=True, eq=False, kw_only=True)
class EventColumns:
    """Accepted events as columns that run beside each other.

    `index`: each event's place in its batch. `identities`: a plate in normal form, or a device id
    where `is_device`. Instants are microseconds since 1970 UTC, coordinates degrees on WGS 84.
    """

    index: Ints
    lon: Floats
    lat: Floats
    observed_us: Ints
    received_us: Ints
    is_device: Bools
    identities: list[str]

    def take(self, rows: Ints) -> "EventColumns":
        """The rows named, in that order."""
        return EventColumns(
            index=self.index[rows],
            lon=self.lon[rows],
            lat=self.lat[rows],
            observed_us=self.observed_us[rows],
            received_us=self.received_us[rows],
            is_device=self.is_device[rows],
            identities=[self.identities[row] for row in rows.tolist()],
        )

    def merged(self, other: "EventColumns") -> "EventColumns":
        """The rows of both, ascending by `index`."""
        both = EventColumns(
            index=np.concatenate([self.index, other.index]),
            lon=np.concatenate([self.lon, other.lon]),
            lat=np.concatenate([self.lat, other.lat]),
            observed_us=np.concatenate([self.observed_us, other.observed_us]),
            received_us=np.concatenate([self.received_us, other.received_us]),
            is_device=np.concatenate([self.is_device, other.is_device]),
            identities=self.identities + other.identities,
        )
        return both.take(np.argsort(both.index, kind="stable"))


@dataclass(frozen=True, eq=False, kw_only=True)
class SightingBatch(EventColumns):
    """The accepted events of a batch of `n` record values, ascending, and why others were refused."""

    values: Sequence[bytes | None]
    refusals: dict[int, Refusal]

    @property
    def n(self) -> int:
        """How many records the batch has, refused ones too."""
        return len(self.values)


def decode_batch(values: Sequence[bytes | None], policy: Policy) -> SightingBatch:
    """Columns over the events in `values` (record values; None for a tombstone).

    Refuses, with WIRE.md step 1's code and field, whatever is no event, comes from the future or
    is older than the policy allows. What one record becomes never depends on its neighbours.
    """
    refusals: dict[int, Refusal] = {}
    columns, slow = _read_plain(values)
    late = [(i, parse_sighting(values[i])) for i in sorted(slow)]
    refusals.update((i, read) for i, read in late if isinstance(read, Refusal))
    accepted = [(i, read) for i, read in late if not isinstance(read, Refusal)]
    if accepted:
        columns = columns.merged(_read_slowly(accepted))
    columns = _refuse_by_age(columns, refusals, policy)
    return SightingBatch(
        values=values, refusals=refusals, **{f.name: getattr(columns, f.name) for f in fields(columns)}
    )


def _read_plain(values: Sequence[bytes | None]) -> tuple[EventColumns, list[int]]:
    """What msgspec takes, and the places of what it does not."""
    slow: list[int] = []
    events: list[_PlateRead | _CheckIn] = []
    index: list[int] = []
    for i, value in enumerate(values):
        try:
            events.append(_decode(value))
        except (ValueError, TypeError, RecursionError):  # whatever is wrong, the slow road names it
            slow.append(i)
        else:
            index.append(i)
    is_device = [type(event) is _CheckIn for event in events]
    identities = _plain_identities(events)
    observed_us, observed_good = parse_instants([event.observed_at for event in events])
    received_us, received_good = parse_instants([event.received_at for event in events])
    good = observed_good & received_good & _plain_ids(events)
    good &= np.array([identity is not None for identity in identities], dtype=np.bool_)
    good &= np.array([len(values[i] or b"") <= MAX_EVENT_BYTES for i in index], dtype=np.bool_)
    columns = EventColumns(
        index=np.array(index, dtype=np.int64),
        lon=np.array([event.lon for event in events]),
        lat=np.array([event.lat for event in events]),
        observed_us=observed_us,
        received_us=received_us,
        is_device=np.array(is_device, dtype=np.bool_),
        identities=[identity or "" for identity in identities],
    )
    if good.all():
        return columns, slow
    return columns.take(np.flatnonzero(good)), [*slow, *columns.index[~good].tolist()]


def _plain_ids(events: list[_PlateRead | _CheckIn]) -> Bools:
    """Whether each event's ids have only the characters of an id."""
    good = np.ones(len(events), dtype=np.bool_)
    for ids in (
        [event.source for event in events],
        [event.event_id for event in events],
        [event.device_id if isinstance(event, _CheckIn) else event.reader_id for event in events],
    ):
        # One pass over all of them joined: what is left once the good characters are gone is the
        # separators, unless some id has others.
        if "\n".join(ids).encode().translate(None, _ID_BYTES) != b"\n" * (len(ids) - 1):
            good &= np.array([not text.encode().translate(None, _ID_BYTES) for text in ids], dtype=np.bool_)
    return good


def _plain_identities(events: list[_PlateRead | _CheckIn]) -> list[str | None]:
    """Each event's plate in normal form or its device id; None where the slow road must look."""
    reads = [event for event in events if type(event) is _PlateRead]
    all_plain = _are_plain_texts(reads)
    return [
        event.device_id
        if isinstance(event, _CheckIn)
        else _plain_plate(event.plate)
        if all_plain or _are_plain_texts([event])
        else None
        for event in events
    ]


def _plain_plate(plate: str) -> str | None:
    if len(plate) <= MAX_LENGTH and plate.isascii() and plate.isalnum():
        return plate.upper()
    try:
        return normalise_plate(plate)
    except InvalidPlateError:
        return None


def _are_plain_texts(reads: list[_PlateRead]) -> bool:
    """Whether every text is printable, looked at all joined, and no region is only half given."""
    unset = msgspec.UNSET
    texts = [
        text
        for read in reads
        for text in (read.make, read.model, read.colour, read.image_ref)
        if text is not unset
    ]
    texts += [
        candidate.plate for read in reads if read.candidates is not unset for candidate in read.candidates
    ]
    if not "".join(texts).isprintable():
        return False
    return not any(read.region is unset and read.region_confidence is not unset for read in reads)


def _read_slowly(accepted: list[tuple[int, Sighting]]) -> EventColumns:
    sightings = [sighting for _, sighting in accepted]
    return EventColumns(
        index=np.array([i for i, _ in accepted], dtype=np.int64),
        lon=np.array([sighting.lon for sighting in sightings]),
        lat=np.array([sighting.lat for sighting in sightings]),
        observed_us=np.array([to_us(sighting.observed_at) for sighting in sightings], dtype=np.int64),
        received_us=np.array([to_us(sighting.received_at) for sighting in sightings], dtype=np.int64),
        is_device=np.array([isinstance(sighting, CheckIn) for sighting in sightings], dtype=np.bool_),
        identities=[s.plate if isinstance(s, PlateRead) else s.device_id for s in sightings],
    )


def _refuse_by_age(columns: EventColumns, refusals: dict[int, Refusal], policy: Policy) -> EventColumns:
    """What is neither from the future nor too old; the others go to `refusals`."""
    age_us = columns.received_us - columns.observed_us
    future = age_us < -policy.seconds_us("max_future_s")
    keep = ~(future | (age_us > policy.seconds_us("max_age_s")))
    if keep.all():
        return columns
    for row in np.flatnonzero(~keep).tolist():
        reason: RefusalCode = "FUTURE" if future[row] else "TOO_OLD"
        refusals[int(columns.index[row])] = Refusal(reason, "/observed_at")
    return columns.take(np.flatnonzero(keep))
