"""Two places at once: one vehicle or device seen faster apart than it can have moved.

Evidence about the sightings that an alert holds, never a decision: it often means a misread plate or
a cloned one, or a reader whose clock or position is wrong. Looked at are the alert's own sightings and, for
each of its vehicles and devices, the ones stored under the same order for the same respondent just before and
just after; reads that matched nothing were never kept.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import pairwise
from typing import Self

from pyproj import Geod

from stayaway.access.policy import Policy
from stayaway.kernel.instants import format_instant
from stayaway.matching.decision import effective_accuracy_m
from stayaway.sightings.model import Sighting

FASTEST_M_S = 70.0
"""252 km/h (157 mph): no vehicle keeps that up between two cameras on a road. Ours, not a standard's."""
CLOCK_SLACK_S = 10.0
"""Granted to each pair: readers' clocks are set apart, and may differ by some seconds."""

_WGS84 = Geod(ellps="WGS84")


@dataclass(frozen=True, slots=True, kw_only=True)
class Fix:
    """Where one identity was seen. `radius_m`: of the 95 % circle around the position.

    `is_ours`: of the alert that is looked at; else `alert_number` says of which, None: it raised none.
    """

    identity: str
    observed_at: datetime
    lon: float
    lat: float
    radius_m: float
    is_ours: bool = True
    alert_number: int | None = None

    @classmethod
    def of(cls, sighting: Sighting, vehicle_id: str | None, device_id: str | None, policy: Policy) -> Self:
        """Of a sighting of the alert that a decision took for this vehicle or device."""
        return cls(
            identity=f"device {device_id}" if vehicle_id is None else f"vehicle {vehicle_id}",
            observed_at=sighting.observed_at,
            lon=sighting.lon,
            lat=sighting.lat,
            radius_m=effective_accuracy_m(sighting, policy),
        )

    @property
    def whose(self) -> str:
        """Which alert it belongs to, for a person."""
        if self.is_ours:
            return "of this alert"
        if self.alert_number is None:
            return "not of this alert: it raised none"
        return f"not of this alert but of alert {self.alert_number}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Neighbour:
    """A sighting stored beside an alert's. `is_ours`, `alert_number`: as in `Fix`."""

    sighting: Sighting
    vehicle_id: str | None
    device_id: str | None
    policy_sha256: str
    is_ours: bool
    alert_number: int | None

    def fix(self, policy: Policy) -> Fix:
        """Where it was, with the accuracy that `policy` gives it."""
        own = Fix.of(self.sighting, self.vehicle_id, self.device_id, policy)
        return replace(own, is_ours=self.is_ours, alert_number=self.alert_number)


@dataclass(frozen=True, slots=True, kw_only=True)
class Neighbours:
    """Those found beside an alert. `unopened`: how many rows there did not open with the order's key."""

    found: tuple[Neighbour, ...]
    unopened: int

    @property
    def audited(self) -> list[str]:
        """The events that a look at the alert opened besides its own, as its audit entry names them."""
        events = (item.sighting for item in self.found if not item.is_ours)
        return sorted({f"{event.source}/{event.event_id}" for event in events})

    @property
    def unopened_words(self) -> str | None:
        """For a person; None where all opened."""
        if not self.unopened:
            return None
        were = "sighting" if self.unopened == 1 else "sightings"
        return (
            f"{self.unopened} {were} stored beside this alert could not be opened with the order's key: "
            "whether the vehicle was in two places at once is not known as far as those go."
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class TwoPlaces:
    """Two neighbouring fixes of `identity` that are too far apart for the time between them.

    `apart_m`: at least, both circles granted. `elapsed_s`: by the readers' clocks.
    """

    identity: str
    first: Fix
    second: Fix
    apart_m: float
    elapsed_s: float

    @property
    def least_speed_m_s(self) -> float:
        """What it would have taken at least, the clocks' slack granted."""
        return self.apart_m / (self.elapsed_s + CLOCK_SLACK_S)

    @property
    def words(self) -> str:
        """For a person, with what it often means."""
        first, second = (
            f"{format_instant(fix.observed_at)} ({fix.whose})" for fix in (self.first, self.second)
        )
        return (
            f"Two places at once? {self.identity} was seen at {first} and at {second}, at least "
            f"{self.apart_m / 1000:.1f} km apart: at least {self.least_speed_m_s * 3.6:.0f} km/h. "
            "That often means a misread plate or a cloned one, or a reader whose clock or position is wrong: "
            "compare the images."
        )


def find_two_places(fixes: Iterable[Fix]) -> TwoPlaces | None:
    """Of neighbouring fixes of one identity, one of them ours, the pair that needs the highest speed.

    None: all are plausible.
    """
    by_identity: dict[str, list[Fix]] = defaultdict(list)
    for fix in fixes:
        by_identity[fix.identity].append(fix)
    found = [pair for own in by_identity.values() for pair in _implausible(own)]
    return max(found, key=lambda pair: pair.least_speed_m_s, default=None)


def _implausible(fixes: list[Fix]) -> Iterator[TwoPlaces]:
    ordered = sorted(
        fixes, key=lambda fix: (fix.observed_at, fix.lon, fix.lat, fix.radius_m, not fix.is_ours)
    )
    for first, second in pairwise(ordered):
        distance_m = _WGS84.inv(first.lon, first.lat, second.lon, second.lat)[2]
        pair = TwoPlaces(
            identity=first.identity,
            first=first,
            second=second,
            apart_m=max(0.0, distance_m - first.radius_m - second.radius_m),
            elapsed_s=(second.observed_at - first.observed_at).total_seconds(),
        )
        if (first.is_ours or second.is_ours) and pair.least_speed_m_s > FASTEST_M_S:
            yield pair
