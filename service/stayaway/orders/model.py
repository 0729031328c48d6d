"""Court orders as frozen values: versions, zones, windows, notices, recalls, suspensions.

Names follow NIEM's j:ProtectionOrderType; the wire names are in WIRE.md.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Literal

from stayaway.kernel.shape import Shape

OrderKind = Literal["EMERGENCY", "EX_PARTE_TEMPORARY", "FINAL", "CRIMINAL_NO_CONTACT"]
OrderStatus = Literal[
    "DRAFT", "PENDING_SERVICE", "ACTIVE", "MODIFIED", "SUSPENDED", "EXPIRED", "VACATED", "ENTERED_IN_ERROR"
]
NoticeKind = Literal["PERSONAL", "IN_COURT", "OFFICER_VERBAL", "MAIL", "SUBSTITUTE", "PUBLICATION"]
LinkBasis = Literal["REGISTERED", "CO_REGISTERED", "KNOWN_DRIVER"]
PlaceType = Literal["HOME", "WORK", "SCHOOL", "CHILDCARE", "WORSHIP", "OTHER"]
ExceptionKind = Literal[
    "CHILD_EXCHANGE", "COURT_APPEARANCE", "WORK", "RESIDENCE_RETRIEVAL", "TRANSIT_CORRIDOR", "OTHER"
]
DistanceUnit = Literal["YD", "FT", "M"]
Frequency = Literal["DAILY", "WEEKLY", "MONTHLY"]
IntervalUnit = Literal["Y", "M", "D"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Recurrence:
    """The part of an RFC 5545 RRULE that court schedules need. Weekdays: Monday is 0.

    `by_day`: (ordinal or 0, weekday) pairs. `last_day`: the last local day an occurrence starts
    on where COUNT is given (worked out once, when the rule is read). `until_at`: UTC.
    """

    frequency: Frequency
    interval: int = 1
    by_day: tuple[tuple[int, int], ...] = ()
    by_month_day: tuple[int, ...] = ()
    by_month: tuple[int, ...] = ()
    last_day: date | None = None
    until_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """[start, end) on the wall clock of `time_zone`, once or as `recurrence` repeats its start."""

    time_zone: str
    start_local: datetime
    end_local: datetime
    recurrence: Recurrence | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Vehicle:
    """A respondent's vehicle. `plate` is in normal form; `plate_as_entered` is what the clerk typed.

    `used_by`: protected persons who use it; None where nobody was asked.
    """

    vehicle_id: str
    plate: str
    plate_as_entered: str
    region: str | None
    link_basis: LinkBasis
    used_by: frozenset[str] | None
    make: str | None = None
    model: str | None = None
    colour: str | None = None
    plate_type: str | None = None
    plate_year: str | None = None
    vin: str | None = None
    last_verified_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Respondent:
    """The one bound by the order."""

    respondent_id: str
    name: str | None
    vehicles: tuple[Vehicle, ...]
    device_ids: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ProtectedPerson:
    """The one shielded by the order."""

    protected_person_id: str
    name: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Zone:
    """A court-ordered exclusion polygon. `shape` is what decides; the distance is as ordered."""

    zone_id: str
    place_type: PlaceType
    shape: Shape
    distance_value: float | None
    distance_unit: DistanceUnit | None
    anchor: str | None
    anchor_lon_lat: tuple[float, float] | None
    anchor_accuracy_m: float
    warning_m: float | None
    warning_alerts: bool
    schedule: tuple[Window, ...] | None
    protected_person_ids: frozenset[str]
    address_confidential: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderException:
    """Time and place the order allows. `place` None: WHOLE_ZONE. `zone_ids` None: all zones."""

    exception_id: str
    kind: ExceptionKind
    authority: str
    zone_ids: frozenset[str] | None
    windows: tuple[Window, ...]
    place: Shape | None

    def names(self, zone_id: str) -> bool:
        """Whether it is for that zone, wherever its place lies."""
        return self.zone_ids is None or zone_id in self.zone_ids


@dataclass(frozen=True, slots=True, kw_only=True)
class Expiry:
    """Exactly one of: through `on` (court's zone), at `at`, an interval after notice, or never."""

    on: date | None = None
    at: datetime | None = None
    after_notice: tuple[int, IntervalUnit] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Agency:
    """Whom to ask about the order, at any hour."""

    ori: str
    telephone: str


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderVersion:
    """What the order said from one recording to the next. `content_sha256`: of its canonical record."""

    order_id: str
    version: int
    recorded_at: datetime
    kind: OrderKind
    status: OrderStatus
    court_ori: str
    court_time_zone: str
    agency: Agency
    case_number: str
    effective_at: datetime
    expiry: Expiry
    relief: bool
    respondents: tuple[Respondent, ...]
    zones: tuple[Zone, ...]
    exceptions: tuple[OrderException, ...]
    content_sha256: str
    order_number: str | None = None
    nic_number: str | None = None
    issuing_jurisdiction: str | None = None
    issued_on: date | None = None
    conditions: tuple[str, ...] = ()
    confidentiality: tuple[str, ...] = ()
    not_monitored: tuple[str, ...] = ()
    protected_persons: tuple[ProtectedPerson, ...] = ()
    supersedes_order_id: str | None = None
    source_document_sha256: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """One respondent was told of one version."""

    order_id: str
    recorded_at: datetime
    order_version: int
    respondent_id: str
    kind: NoticeKind
    noticed_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Recall:
    """The court took the order back; `void`: from the beginning."""

    order_id: str
    recorded_at: datetime
    recalled_at: datetime
    reason_text: str
    void: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Suspension:
    """A pause with a reason and an end: [from_at, until_at)."""

    order_id: str
    recorded_at: datetime
    from_at: datetime
    until_at: datetime
    reason_text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Provisional:
    """One person put the version in force alone: until `until_at` only, unless another confirms it."""

    order_id: str
    recorded_at: datetime
    version: int
    until_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Confirmation:
    """A second person confirmed a provisional version; it counts if recorded before `until_at`."""

    order_id: str
    recorded_at: datetime
    version: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Validation:
    """Somebody checked the entry against the court's papers (NCIC validation); decides nothing."""

    order_id: str
    recorded_at: datetime
    validated_at: datetime
    source_text: str


Record = OrderVersion | Notice | Recall | Suspension | Provisional | Confirmation | Validation


@dataclass(frozen=True, slots=True, kw_only=True)
class CourtOrder:
    """Everything recorded about one order, versions ascending."""

    order_id: str
    versions: tuple[OrderVersion, ...]
    notices: tuple[Notice, ...] = ()
    recalls: tuple[Recall, ...] = ()
    suspensions: tuple[Suspension, ...] = ()
    provisionals: tuple[Provisional, ...] = ()
    confirmations: tuple[Confirmation, ...] = ()
    validations: tuple[Validation, ...] = ()

    def with_records(self, records: Iterable[Record]) -> "CourtOrder":
        """The order with `records` added to what it holds, in the order given."""
        # By class, in one pass: a registry has a hundred thousand orders.
        added: dict[type, list[Any]] = {}
        for record in records:
            added.setdefault(type(record), []).append(record)
        versions = (*self.versions, *added.get(OrderVersion, ()))
        return CourtOrder(
            order_id=self.order_id,
            versions=tuple(sorted(versions, key=lambda version: version.version)),
            notices=(*self.notices, *added.get(Notice, ())),
            recalls=(*self.recalls, *added.get(Recall, ())),
            suspensions=(*self.suspensions, *added.get(Suspension, ())),
            provisionals=(*self.provisionals, *added.get(Provisional, ())),
            confirmations=(*self.confirmations, *added.get(Confirmation, ())),
            validations=(*self.validations, *added.get(Validation, ())),
        )

    def as_known_at(self, known_at: datetime) -> "CourtOrder | None":
        """The part with `recorded_at` <= `known_at`; None where no version was known."""
        versions = tuple(v for v in self.versions if v.recorded_at <= known_at)
        if not versions:
            return None
        return CourtOrder(
            order_id=self.order_id,
            versions=versions,
            notices=tuple(n for n in self.notices if n.recorded_at <= known_at),
            recalls=tuple(r for r in self.recalls if r.recorded_at <= known_at),
            suspensions=tuple(s for s in self.suspensions if s.recorded_at <= known_at),
            provisionals=tuple(p for p in self.provisionals if p.recorded_at <= known_at),
            confirmations=tuple(c for c in self.confirmations if c.recorded_at <= known_at),
            validations=tuple(v for v in self.validations if v.recorded_at <= known_at),
        )
