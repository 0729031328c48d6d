"""What a person who reviews alerts sees and says, as frozen values."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, Self

from stayaway.alerts.words import (
    DISMISSALS,
    Disposition,
    LeadWords,
    Standing,
    State,
    standing_of,
)
from stayaway.kernel.errors import StayawayError
from stayaway.kernel.jsontext import canonical_json
from stayaway.kernel.plates import Character, compare_plates
from stayaway.matching.model import (
    Caution,
    DecisionStep,
    Description,
    MatchKind,
    Reason,
    RegionMatch,
    ZoneRelation,
)
from stayaway.orders.model import CourtOrder, OrderException, OrderVersion, Respondent, Vehicle, Zone
from stayaway.sightings.model import CheckIn, PlateRead, Sighting

ListName = Literal["live", "historical", "ended", "closed"]
LIST_NAMES: tuple[ListName, ...] = ("live", "historical", "ended", "closed")
Channel = Literal["web", "cli"]
Sight = Literal["IMAGE", "OFFICER_SIGHT"]
CLAIM_LEASE_S = 90.0
"""How long a claim holds without being renewed (CONSOLE.md, "Dispatcher's queue")."""


class ActRefusedError(StayawayError):
    """The act lacks something that it needs. `problems`: (field, what is missing) pairs."""

    def __init__(self, problems: Sequence[tuple[str, str]]) -> None:
        super().__init__(
            " ".join(text for _, text in problems), "Nothing was recorded: correct it and send again."
        )
        self.problems = tuple(problems)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reviewer:
    """Who looks or acts, through which channel and what for. `verified`: signed in, never yet."""

    name: str
    channel: Channel
    purpose: str = "ALERT_REVIEW"
    verified: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertRow:
    """One alert as its row has it; nothing in it is sealed.

    `revisions`: how often its evidence was judged again to another end, as its order changed.
    """

    alert_number: int
    alert_id: str
    order_id: str
    respondent_id: str
    raised_at: datetime
    state: State
    order_versions: tuple[int, ...]
    zone_ids: tuple[str, ...]
    first_observed_at: datetime
    last_observed_at: datetime
    sighting_count: int
    match_kind: MatchKind
    zone_relation: ZoneRelation
    cautions: tuple[Caution, ...]
    content_conflict: bool
    revisions: int
    registry_sequence: int
    known_at: datetime
    policy_sha256: str
    engine: str
    merged_into: str | None
    merged_into_number: int | None
    raised_anew_from: str | None
    raised_anew_from_number: int | None
    claimed_by: str | None
    claimed_until: datetime | None
    disposition: Disposition | None
    disposed_at: datetime | None
    disposed_by: str | None
    to_acknowledge_by: str | None = None
    acknowledged_at: datetime | None = None

    @property
    def awaits_acknowledgement(self) -> str | None:
        """Who held the alert when it was withdrawn or its order ended, until they acknowledge it."""
        return self.to_acknowledge_by if self.acknowledged_at is None else None

    @property
    def standing(self) -> Standing:
        """Live, historical, or on an order that has ended since."""
        return standing_of(self.cautions)

    @property
    def list_name(self) -> ListName:
        """The list that shows it."""
        if self.state not in ("OPEN", "CLAIMED"):
            return "closed"
        names: dict[Standing, ListName] = {
            "LIVE": "live",
            "HISTORICAL": "historical",
            "ORDER_SINCE_ENDED": "ended",
        }
        return names[self.standing]

    @property
    def seen(self) -> str:
        """Stands for the evidence; an act that carries another one was made on an older picture.

        More sightings of the same do not change it: a parked car is read again and again.
        """
        evidence = [
            self.match_kind,
            self.zone_relation,
            list(self.cautions),
            list(self.order_versions),
            list(self.zone_ids),
            self.content_conflict,
            self.revisions,
        ]
        return hashlib.sha256(canonical_json(evidence)).hexdigest()[:16]

    def claim_holder(self, now: datetime) -> str | None:
        """Who holds an unexpired claim at `now`."""
        held = self.state == "CLAIMED" and self.claimed_until is not None and self.claimed_until > now
        return self.claimed_by if held else None

    def state_at(self, now: datetime) -> State:
        """The state as a person should read it: a claim that ran out is open again."""
        return "OPEN" if self.state == "CLAIMED" and self.claim_holder(now) is None else self.state


@dataclass(frozen=True, slots=True, kw_only=True)
class ListQuery:
    """One page of a list: newest first, those below `before` only (keyset)."""

    list_name: ListName = "live"
    before: int | None = None
    limit: int = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertPage:
    """A page of alerts, how many are open by list, and where the next page starts."""

    query: ListQuery
    rows: tuple[AlertRow, ...]
    open_counts: dict[ListName, int]
    next_before: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """One judged match of this alert with the event it was judged on, unsealed."""

    zone_id: str
    order_version: int
    match_kind: MatchKind
    region_match: RegionMatch
    description: Description
    zone_relation: ZoneRelation
    inside_probability: float | None
    reasons: tuple[Reason, ...]
    cautions: tuple[Caution, ...]
    outcome: str
    registry_sequence: int
    known_at: datetime
    policy_sha256: str
    engine: str
    vehicle_id: str | None
    device_id: str | None
    exception_ids: tuple[str, ...]
    steps: tuple[DecisionStep, ...]
    order_sha256: str
    input_sha256: str
    sighting: Sighting
    content_sha256: str
    content_conflict: bool
    topic: str
    partition: int
    record_offset: int

    @property
    def plate_read(self) -> PlateRead | None:
        """The event, where it is a camera's."""
        return self.sighting if isinstance(self.sighting, PlateRead) else None

    @property
    def check_in(self) -> CheckIn | None:
        """The event, where it is a device's."""
        return self.sighting if isinstance(self.sighting, CheckIn) else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Fact:
    """Something that speaks against the lead, or that one must know before trusting it."""

    code: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Act:
    """What a person did with the alert."""

    act_number: int
    act: str
    acted_at: datetime
    actor: str
    actor_verified: bool
    reason_code: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class PlateView:
    """The best plate read beside the order's vehicle."""

    match: Evidence
    read: PlateRead
    vehicle: Vehicle
    characters: tuple[Character, ...]

    @classmethod
    def of(cls, match: Evidence, read: PlateRead, vehicle: Vehicle) -> Self:
        """Both sides in normal form, place by place. `match`: how `read` was judged."""
        characters = compare_plates(read.plate, vehicle.plate)
        return cls(match=match, read=read, vehicle=vehicle, characters=characters)


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertView:
    """Everything the alert's page, its JSON and the command line show."""

    row: AlertRow
    order: CourtOrder
    version: OrderVersion
    respondent: Respondent | None
    expires_at: datetime | None
    words: LeadWords
    facts: tuple[Fact, ...]
    best: Evidence
    best_plate: PlateView | None
    evidence: tuple[Evidence, ...]
    evidence_total: int
    zones: tuple[Zone, ...]
    exceptions: tuple[OrderException, ...]
    acts: tuple[Act, ...]
    address_withheld: bool

    @property
    def has_plate(self) -> bool:
        """Whether a camera's read is among the evidence."""
        return any(item.plate_read is not None for item in self.evidence)

    @property
    def image_sha256s(self) -> tuple[str, ...]:
        """Digests of the reads' images, latest read first, each once."""
        reads = (item.plate_read for item in self.evidence)
        return tuple(dict.fromkeys(read.image_sha256 for read in reads if read and read.image_sha256))


@dataclass(frozen=True, slots=True, kw_only=True)
class Confirmation:
    """What the person states when confirming. `seen`: `AlertRow.seen` of the page they looked at."""

    sight: Sight | None = None
    second_look: bool = False
    seen: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Dismissal:
    """Why the person closes it, of the closed list. `seen` as in `Confirmation`."""

    reason_code: str
    seen: str | None = None


def check_confirmation(
    confirmation: Confirmation, *, has_plate: bool, needs_second_look: bool, has_image: bool
) -> list[tuple[str, str]]:
    """What is missing before a lead may be called verified, as (field, words) pairs.

    A plate needs a look at the image or an officer's sight; a look at an image that is not
    stored cannot be stated. Kinds that the policy names need a second look.
    """
    problems: list[tuple[str, str]] = []
    if has_plate and confirmation.sight is None:
        problems.append(("sight", "Say how the plate was checked: by the image, or by an officer's sight."))
    elif confirmation.sight == "IMAGE" and not has_image:
        problems.append(
            ("sight", "No image of this alert is stored: only an officer's sight can stand for it.")
        )
    if needs_second_look and not confirmation.second_look:
        problems.append(("second_look", "An approximate match needs a second look at each character."))
    return problems


def check_dismissal(dismissal: Dismissal) -> list[tuple[str, str]]:
    """What is wrong with a dismissal, as (field, words) pairs."""
    if dismissal.reason_code in DISMISSALS:
        return []
    return [("reason_code", f"Choose one of the reasons: {', '.join(DISMISSALS)}.")]
