"""Events that are plainly good: decoded by msgspec, checked all at once, column by column.

Stricter than the wire, never laxer (property-tested in test_decode_batch.py): whoever is doubted here
is read again by `parse_sighting`, which accepts it after all or names what is wrong.
"""

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Literal, cast

import msgspec
import numpy as np
import numpy.typing as npt

from stayaway.kernel.plates import MAX_LENGTH, InvalidPlateError, normalise_plate
from stayaway.sightings.instant_columns import parse_instants
from stayaway.sightings.wire import MAX_CANDIDATES, MAX_EVENT_BYTES

Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]

# No patterns here: a regular expression for each event costs more than all its other fields.
_Id = Annotated[str, msgspec.Meta(min_length=1, max_length=128)]
_Text = Annotated[str, msgspec.Meta(min_length=1, max_length=512)]
_PlateText = Annotated[str, msgspec.Meta(min_length=1, max_length=32)]
_Instant = Annotated[str, msgspec.Meta(min_length=20, max_length=27)]
_Share = Annotated[float, msgspec.Meta(ge=0, le=1)]
_RegionText = Annotated[str, msgspec.Meta(min_length=4, max_length=6)]
_Sha256Text = Annotated[str, msgspec.Meta(min_length=64, max_length=64)]
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
    region: _RegionText | _Unset = msgspec.UNSET
    region_confidence: _Share | _Unset = msgspec.UNSET
    candidates: Annotated[list[_Candidate], msgspec.Meta(max_length=MAX_CANDIDATES)] | _Unset = msgspec.UNSET
    position_of: Literal["CAMERA", "VEHICLE"]
    accuracy_m: Annotated[float, msgspec.Meta(ge=0, le=1e6)] | _Unset = msgspec.UNSET
    direction_deg: Annotated[float, msgspec.Meta(ge=0, lt=360)] | _Unset = msgspec.UNSET
    make: _Text | _Unset = msgspec.UNSET
    model: _Text | _Unset = msgspec.UNSET
    colour: _Text | _Unset = msgspec.UNSET
    image_ref: _Text | _Unset = msgspec.UNSET
    image_sha256: _Sha256Text | _Unset = msgspec.UNSET


class _CheckIn(_Event, tag="check_in.v1", forbid_unknown_fields=True, gc=False, kw_only=True):
    device_id: _Id
    fix_source: Literal["GNSS", "WIFI", "CELL"]
    accuracy_m: Annotated[float, msgspec.Meta(gt=0, le=1e6)] | _Unset = msgspec.UNSET
    hdop: Annotated[float, msgspec.Meta(gt=0, le=100)] | _Unset = msgspec.UNSET
    satellites: Annotated[int, msgspec.Meta(ge=0, le=100)] | _Unset = msgspec.UNSET


PlainEvent = _PlateRead | _CheckIn
decode_plain: Callable[[Any], PlainEvent] = msgspec.json.Decoder(PlainEvent).decode
"""One record value by its types and ranges; ValueError, TypeError or RecursionError if it has others."""

_ID_BYTES = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._:-"
_HEX_BYTES = b"0123456789abcdef"
_REGION = re.compile(r"[A-Z]{2}-[A-Z0-9]{1,3}", re.ASCII)


@dataclass(frozen=True, eq=False, kw_only=True)
class PlainEvents:
    """Columns over decoded events. `good`: whether the row is right in every field; else it means nothing."""

    good: Bools
    observed_us: Ints
    received_us: Ints
    is_device: Bools
    identities: list[str]

    @classmethod
    def of(cls, events: Sequence[PlainEvent], bodies: Sequence[bytes]) -> "PlainEvents":
        """Over `events`, decoded from `bodies`."""
        n = len(events)
        # Both columns of instants in one go: the cost is in the steps, not in the rows.
        instants = [event.observed_at for event in events]
        instants += [event.received_at for event in events]
        instants_us, instants_good = parse_instants(instants)
        good = instants_good[:n] & instants_good[n:]
        bad = _bad_ids(events)
        if max(map(len, bodies), default=0) > MAX_EVENT_BYTES:
            bad += [row for row, body in enumerate(bodies) if len(body) > MAX_EVENT_BYTES]
        is_device, identities, bad_identities = _identities(events, bodies)
        bad += bad_identities
        if bad:
            good[bad] = False
        return cls(
            good=good,
            observed_us=instants_us[:n],
            received_us=instants_us[n:],
            is_device=is_device,
            identities=identities,
        )


def _identities(events: Sequence[PlainEvent], bodies: Sequence[bytes]) -> tuple[Bools, list[str], list[int]]:
    """Which are check-ins, the plates in normal form or device ids, and the rows not plainly good."""
    if _CheckIn not in set(map(type, events)):
        reads = cast("Sequence[_PlateRead]", events)
        return np.zeros(len(events), dtype=np.bool_), *_read_plates(reads, bodies)
    is_device = np.array([type(event) is _CheckIn for event in events], dtype=np.bool_)
    identities = [event.device_id if isinstance(event, _CheckIn) else "" for event in events]
    rows = np.flatnonzero(~is_device).tolist()
    plates, bad = _read_plates(
        [event for event in events if isinstance(event, _PlateRead)], [bodies[row] for row in rows]
    )
    for row, plate in zip(rows, plates, strict=True):
        identities[row] = plate
    return is_device, identities, [rows[row] for row in bad]


def _bad_ids(events: Sequence[PlainEvent]) -> list[int]:
    """The rows with an id that has other characters than those of an id."""
    ids = [event.source for event in events]
    ids += [event.event_id for event in events]
    ids += [event.device_id if isinstance(event, _CheckIn) else event.reader_id for event in events]
    return [at % len(events) for at in _rows_with_others(ids, _ID_BYTES)]


def _rows_with_others(texts: Sequence[str], allowed: bytes) -> list[int]:
    """The rows of `texts` that have other characters than `allowed`, which has no line feed."""
    # One pass over all of them joined: what is left once the good characters are gone is the
    # separators, unless some text has others.
    if "\n".join(texts).encode().translate(None, allowed) == b"\n" * (len(texts) - 1):
        return []
    return [row for row, text in enumerate(texts) if text.encode().translate(None, allowed)]


def _read_plates(reads: Sequence[_PlateRead], bodies: Sequence[bytes]) -> tuple[list[str], list[int]]:
    """The plates in normal form, and the rows in which some text is not plainly good."""
    bad = _bad_regions(reads) + _bad_hashes(reads)
    if not _is_printable_ascii(b"".join(bodies)):
        bad += [
            row
            for row, (read, body) in enumerate(zip(reads, bodies, strict=True))
            if not (_is_printable_ascii(body) or "".join(_texts(read)).isprintable())
        ]
    plates = _plain_plates([read.plate for read in reads])
    if None not in plates:
        return cast("list[str]", plates), bad
    bad += [row for row, plate in enumerate(plates) if plate is None]
    return [plate or "" for plate in plates], bad


def _bad_regions(reads: Sequence[_PlateRead]) -> list[int]:
    regions = [read.region for read in reads]
    distinct = set(regions)
    bad = []
    if msgspec.UNSET in distinct:
        distinct.remove(msgspec.UNSET)
        bad = [
            row
            for row, read in enumerate(reads)
            if read.region is msgspec.UNSET is not read.region_confidence
        ]
    wrong = {region for region in distinct if not _REGION.fullmatch(cast("str", region))}
    return bad + ([row for row, region in enumerate(regions) if region in wrong] if wrong else [])


def _bad_hashes(reads: Sequence[_PlateRead]) -> list[int]:
    hashes = [read.image_sha256 for read in reads]
    if hashes.count(msgspec.UNSET) == len(hashes):
        return []
    given = [(row, text) for row, text in enumerate(hashes) if text is not msgspec.UNSET]
    return [given[at][0] for at in _rows_with_others([text for _, text in given], _HEX_BYTES)]


def _is_printable_ascii(bodies: bytes) -> bool:
    """Whether the strings in these JSON texts, which msgspec took, have printable ASCII only.

    JSON writes a control character in a string with a backslash; what is between the strings counts too.
    """
    return bodies.isascii() and b"\\" not in bodies and b"\x7f" not in bodies


def _texts(read: _PlateRead) -> Iterable[str]:
    for text in (read.make, read.model, read.colour, read.image_ref):
        if text is not msgspec.UNSET:
            yield text
    if read.candidates is not msgspec.UNSET:
        yield from (candidate.plate for candidate in read.candidates)


def _plain_plates(plates: Sequence[str]) -> list[str] | list[str | None]:
    """Each plate in normal form; None where it has none."""
    joined = "".join(plates)
    if joined.isascii() and joined.isalnum() and max(map(len, plates)) <= MAX_LENGTH:
        return list(plates) if joined.isupper() else [plate.upper() for plate in plates]
    return [_plain_plate(plate) for plate in plates]


def _plain_plate(plate: str) -> str | None:
    try:
        return normalise_plate(plate)
    except InvalidPlateError:
        return None
