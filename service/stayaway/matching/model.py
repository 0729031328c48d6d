"""What matching concludes: a Match per order, respondent and zone; an EventDecision per event."""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

import numpy as np
import numpy.typing as npt

from stayaway.sightings.model import Sighting

if TYPE_CHECKING:
    from stayaway.matching.case import Case

MatchKind = Literal["DEVICE", "EXACT", "REGION_UNKNOWN", "OCR_EQUIVALENT", "ONE_DIFFERENT", "REGION_DIFFERS"]
MATCH_KINDS: tuple[MatchKind, ...] = (
    "DEVICE",
    "EXACT",
    "REGION_UNKNOWN",
    "OCR_EQUIVALENT",
    "ONE_DIFFERENT",
    "REGION_DIFFERS",
)
"""Best first (WIRE.md step 3)."""

RegionMatch = Literal["MATCH", "DIFFERS", "UNKNOWN"]
Description = Literal["AGREES", "CONFLICTS", "UNKNOWN"]
ZoneRelation = Literal["INSIDE", "INSIDE_WITHIN_ERROR", "WARNING"]
ZONE_RELATIONS: tuple[ZoneRelation, ...] = ("INSIDE", "INSIDE_WITHIN_ERROR", "WARNING")
"""Best first (WIRE.md step 6)."""

Reason = Literal[
    "REGION_DIFFERS",
    "KIND_NOT_ALLOWED",
    "WARNING_RING",
    "POSITION_UNCERTAIN",
    "ACCURACY_OVER_CAP",
    "CELL_ONLY",
    "NOT_APPROVED",
    "ENTERED_IN_ERROR",
    "NOT_NOTICED",
    "NOT_YET_EFFECTIVE",
    "EXPIRED",
    "RECALLED",
    "VOID",
    "SUSPENDED",
    "OUTSIDE_SCHEDULE",
    "EXCEPTION_APPLIES",
    "SHARED_VEHICLE",
]
Caution = Literal["EXCEPTION_POSSIBLE", "HISTORICAL", "ORDER_SINCE_ENDED"]
CAUTIONS: tuple[Caution, ...] = ("EXCEPTION_POSSIBLE", "HISTORICAL", "ORDER_SINCE_ENDED")
Outcome = Literal["ALERT", "SUPPRESSED"]

_ENDED_OR_UNAPPROVED = frozenset({"NOT_APPROVED", "ENTERED_IN_ERROR", "EXPIRED", "RECALLED", "VOID"})


@dataclass(frozen=True, slots=True)
class DecisionStep:
    """One numbered step of a decision (WIRE.md "Steps"): what it saw, and what it concluded."""

    number: int
    name: str
    saw: str
    concluded: str

    @property
    def text(self) -> str:
        """As one sentence for a person."""
        return f"{self.number}. {self.name}: saw {self.saw}; concluded {self.concluded}."


@dataclass(frozen=True, slots=True, kw_only=True)
class Match:
    """Identity and place agree: judged, with every reason that holds (WIRE.md steps 3 to 5).

    `case`: what was looked at, for whoever keeps or shows the match to tell its steps from
    (`steps_told.tell_steps`).
    """

    order_id: str
    order_version: int
    order_sha256: str
    respondent_id: str
    zone_id: str
    vehicle_id: str | None
    device_id: str | None
    match_kind: MatchKind
    region_match: RegionMatch
    description: Description
    zone_relation: ZoneRelation
    inside_probability: float | None
    reasons: tuple[Reason, ...]
    cautions: tuple[Caution, ...]
    exception_ids: tuple[str, ...]
    case: "Case" = field(repr=False)

    @property
    def input_sha256(self) -> str:
        """Digest of all that was looked at."""
        return self.case.given.sha256

    @property
    def outcome(self) -> Outcome:
        """ALERT where no reason holds."""
        return "SUPPRESSED" if self.reasons else "ALERT"

    @property
    def may_be_stored(self) -> bool:
        """Whether this decision may leave a row (DOMAIN.md, "Other people").

        A suppressed one may only for an EXACT or DEVICE identity under an approved order
        that has not ended.
        """
        if not self.reasons:
            return True
        return self.match_kind in ("DEVICE", "EXACT") and _ENDED_OR_UNAPPROVED.isdisjoint(self.reasons)


@dataclass(frozen=True, slots=True, kw_only=True)
class EventDecision:
    """All matches of one event, by order, respondent, zone. `index`: its place in the batch."""

    index: int
    sighting: Sighting
    content_sha256: bytes
    matches: tuple[Match, ...]

    @property
    def outcome(self) -> Outcome:
        """ALERT where any match alerts."""
        return "ALERT" if any(not match.reasons for match in self.matches) else "SUPPRESSED"


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """A batch judged: the events that matched something, ascending by index.

    `candidates`: for each record of the batch, how many zones' boxes its point lies in.
    """

    decisions: tuple[EventDecision, ...]
    candidates: npt.NDArray[np.int64]
