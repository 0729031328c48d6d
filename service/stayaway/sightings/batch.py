"""A batch of record values decoded into columns, every field of every event checked.

Two roads with one meaning: msgspec decodes what is plainly good into columns; whatever it does
not take goes through `parse_sighting`, which names the first refusal or accepts after all. The
short road is stricter than the wire, never laxer (property-tested).
"""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from itertools import accumulate
from typing import Any, cast

import numpy as np
import numpy.typing as npt

from stayaway.access.policy import Policy
from stayaway.kernel.instants import to_us
from stayaway.sightings.model import CheckIn, PlateRead, Refusal, RefusalCode, Sighting
from stayaway.sightings.plain_events import PlainEvent, PlainEvents, decode_plain
from stayaway.sightings.wire import parse_sighting

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]


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

    def moved_by(self, places: int) -> "EventColumns":
        """The same rows, each so many places later in its batch."""
        return EventColumns(**{**_columns_of(self), "index": self.index + places})

    def merged(self, other: "EventColumns") -> "EventColumns":
        """The rows of both, ascending by `index`."""
        both = EventColumns(**_one_after_the_other([self, other]))
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

    @classmethod
    def joined(cls, batches: Sequence["SightingBatch"]) -> "SightingBatch":
        """Batches one after the other as one, numbered through."""
        if len(batches) == 1:
            return batches[0]
        starts = [0, *accumulate(batch.n for batch in batches)]
        return cls(
            **_one_after_the_other(
                [batch.moved_by(start) for batch, start in zip(batches, starts[:-1], strict=True)]
            ),
            values=[value for batch in batches for value in batch.values],
            refusals={
                start + at: refusal
                for batch, start in zip(batches, starts[:-1], strict=True)
                for at, refusal in batch.refusals.items()
            },
        )


def _columns_of(events: EventColumns) -> dict[str, Any]:
    return {f.name: getattr(events, f.name) for f in fields(EventColumns)}


def _one_after_the_other(parts: Sequence[EventColumns]) -> dict[str, Any]:
    """Each column of all parts."""
    columns: dict[str, Any] = {
        f.name: np.concatenate([getattr(part, f.name) for part in parts])
        for f in fields(EventColumns)
        if f.name != "identities"
    }
    return {**columns, "identities": [identity for part in parts for identity in part.identities]}


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
    return SightingBatch(values=values, refusals=refusals, **vars(columns))


def _read_plain(values: Sequence[bytes | None]) -> tuple[EventColumns, list[int]]:
    """What msgspec takes, and the places of what it does not."""
    events: list[PlainEvent] = []
    slow: list[int] = []
    rest = map(decode_plain, values)
    while len(events) + len(slow) < len(values):
        try:
            events.extend(rest)  # up to the next that is not taken; what came before it stays
        except (ValueError, TypeError, RecursionError):  # whatever is wrong, the slow road names it
            slow.append(len(events) + len(slow))
    index, bodies = np.arange(len(values)), cast("Sequence[bytes]", values)
    if slow:
        index = np.delete(index, slow)
        bodies = [values[i] or b"" for i in index.tolist()]
    plain = PlainEvents.of(events, bodies)
    columns = EventColumns(
        index=index,
        lon=np.array([event.lon for event in events]),
        lat=np.array([event.lat for event in events]),
        observed_us=plain.observed_us,
        received_us=plain.received_us,
        is_device=plain.is_device,
        identities=plain.identities,
    )
    if np.count_nonzero(plain.good) == len(events):
        return columns, slow
    return columns.take(np.flatnonzero(plain.good)), [*slow, *columns.index[~plain.good].tolist()]


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
    if np.count_nonzero(keep) == len(keep):
        return columns
    for row in np.flatnonzero(~keep).tolist():
        reason: RefusalCode = "FUTURE" if future[row] else "TOO_OLD"
        refusals[int(columns.index[row])] = Refusal(reason, "/observed_at")
    return columns.take(np.flatnonzero(keep))
