"""The JSON forms of the review interface, v1. Output may gain fields; input is strict."""

from dataclasses import asdict
from datetime import datetime
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, Field, field_validator
from pydantic_core import PydanticCustomError

from stayaway.alerts.review_model import AlertRow, AlertView, Confirmation, Dismissal, Evidence
from stayaway.alerts.wire import StepForm
from stayaway.kernel.instants import format_instant
from stayaway.kernel.plates import difference_words
from stayaway.orders.fields import OrdersForm
from stayaway.sightings.model import PlateRead

Seen = Annotated[
    str | None,
    Field(
        pattern=r"^[0-9a-f]{16}$",
        description="`seen` of the alert looked at; refused if the evidence changed.",
    ),
]


class Input(OrdersForm):
    """What is sent to us, as strict as a record of an orders file (WIRE.md): unknown fields, null and
    values of another JSON type are refused. `void: "yes"` would else be a recall from the beginning.
    """

    @field_validator("*", mode="before")
    @classmethod
    def _refuse_null(cls, value: Any) -> Any:
        if value is None:  # a field that is left out does not come here
            raise PydanticCustomError("null", "Input should not be null")
        return value


class ClaimForm(Input):
    """Nothing to say: the lease is 90 s, sent again it is renewed."""


class AcknowledgeForm(Input):
    """Nothing to say: whoever held the alert knows that it was withdrawn, or that its order has ended."""


class ConfirmForm(Input):
    """What the person states. For a plate `sight` is needed, for approximate kinds `second_look`."""

    sight: Literal["IMAGE", "OFFICER_SIGHT"] | None = None
    second_look: bool = False
    seen: Seen = None

    def to_confirmation(self) -> Confirmation:
        """As the review functions take it."""
        return Confirmation(sight=self.sight, second_look=self.second_look, seen=self.seen)


class DismissForm(Input):
    """`reason_code` of the closed list."""

    reason_code: Annotated[str, Field(max_length=32)]
    seen: Seen = None

    def to_dismissal(self) -> Dismissal:
        """As the review functions take it."""
        return Dismissal(reason_code=self.reason_code, seen=self.seen)


class AlertItem(BaseModel):
    """One alert of a list. `standing`: LIVE, HISTORICAL or ORDER_SINCE_ENDED."""

    alert_number: int
    alert_id: str
    order_id: str
    respondent_id: str
    state: str
    standing: str
    raised_at: str
    first_observed_at: str
    last_observed_at: str
    sighting_count: int
    match_kind: str
    zone_relation: str
    zone_ids: list[str]
    order_versions: list[int]
    cautions: list[str]
    claimed_by: str | None
    claimed_until: str | None
    disposition: str | None
    to_acknowledge_by: str | None
    seen: str

    @classmethod
    def of(cls, row: AlertRow, now: datetime) -> Self:
        """`row` as it stands at `now`: a claim that ran out no longer shows."""
        holder = row.claim_holder(now)
        return cls(
            alert_number=row.alert_number,
            alert_id=row.alert_id,
            order_id=row.order_id,
            respondent_id=row.respondent_id,
            state=row.state_at(now),
            standing=row.standing,
            raised_at=format_instant(row.raised_at),
            first_observed_at=format_instant(row.first_observed_at),
            last_observed_at=format_instant(row.last_observed_at),
            sighting_count=row.sighting_count,
            match_kind=row.match_kind,
            zone_relation=row.zone_relation,
            zone_ids=list(row.zone_ids),
            order_versions=list(row.order_versions),
            cautions=list(row.cautions),
            claimed_by=holder,
            claimed_until=format_instant(row.claimed_until) if holder and row.claimed_until else None,
            disposition=row.disposition,
            to_acknowledge_by=row.awaits_acknowledgement,
            seen=row.seen,
        )


class AlertList(BaseModel):
    """A page of a list, newest first; `next` is the next page's address."""

    alerts: list[AlertItem]
    open_counts: dict[str, int]
    next: str | None


class EvidenceItem(BaseModel):
    """One judged match with its event: what the camera or device said stays as it said it."""

    zone_id: str
    order_version: int
    source: str
    event_id: str
    observed_at: str
    received_at: str
    lon: float
    lat: float
    accuracy_m: float | None
    plate_as_read: str | None
    region: str | None
    image_sha256: str | None
    vehicle_id: str | None
    device_id: str | None
    match_kind: str
    region_match: str
    description: str
    zone_relation: str
    inside_probability: float | None
    cautions: list[str]
    exception_ids: list[str]
    steps: list[StepForm]
    content_sha256: str
    input_sha256: str

    @classmethod
    def of(cls, item: Evidence) -> Self:
        """`item` on the wire."""
        event = item.sighting
        read = event if isinstance(event, PlateRead) else None
        return cls(
            zone_id=item.zone_id,
            order_version=item.order_version,
            source=event.source,
            event_id=event.event_id,
            observed_at=format_instant(event.observed_at),
            received_at=format_instant(event.received_at),
            lon=event.lon,
            lat=event.lat,
            accuracy_m=event.accuracy_m,
            plate_as_read=read.plate_as_read if read else None,
            region=read.region if read else None,
            image_sha256=read.image_sha256 if read else None,
            vehicle_id=item.vehicle_id,
            device_id=item.device_id,
            match_kind=item.match_kind,
            region_match=item.region_match,
            description=item.description,
            zone_relation=item.zone_relation,
            inside_probability=item.inside_probability,
            cautions=list(item.cautions),
            exception_ids=list(item.exception_ids),
            steps=[StepForm.model_validate(asdict(step)) for step in item.steps],
            content_sha256=item.content_sha256,
            input_sha256=item.input_sha256,
        )


class FactItem(BaseModel):
    """Something that speaks against the lead."""

    code: str
    text: str


class ActItem(BaseModel):
    """What a person did. `actor_verified` is false until people sign in."""

    act: str
    acted_at: str
    actor: str
    actor_verified: bool
    reason_code: str | None


class AlertDetail(AlertItem):
    """One alert: the words first, then what speaks against it, then the evidence."""

    words: str
    facts: list[FactItem]
    agency_ori: str
    agency_telephone: str
    plate_as_read: str | None
    plate_as_ordered: str | None
    plate_differences: list[str]
    not_monitored: list[str]
    address_withheld: bool
    order_version: int
    order_expires_at: str | None
    zones: list[dict[str, Any]]
    evidence: list[EvidenceItem]
    evidence_total: int
    acts: list[ActItem]

    @classmethod
    def of_view(cls, view: AlertView, now: datetime) -> Self:
        """`view` on the wire; zones are GeoJSON features, this alert's own only."""
        plate = view.best_plate
        return cls(
            **AlertItem.of(view.row, now).model_dump(),
            words=view.words.text,
            facts=[FactItem(code=fact.code, text=fact.text) for fact in view.facts],
            agency_ori=view.version.agency.ori,
            agency_telephone=view.version.agency.telephone,
            plate_as_read=plate.read.plate_as_read if plate else None,
            plate_as_ordered=plate.vehicle.plate_as_entered if plate else None,
            plate_differences=list(difference_words(plate.characters)) if plate else [],
            not_monitored=list(view.version.not_monitored),
            address_withheld=view.address_withheld,
            order_version=view.version.version,
            order_expires_at=format_instant(view.expires_at) if view.expires_at else None,
            zones=[
                {
                    "type": "Feature",
                    "properties": {"zone_id": zone.zone_id, "place_type": zone.place_type},
                    "geometry": {"type": "MultiPolygon", "coordinates": zone.shape.to_coordinates()},
                }
                for zone in view.zones
            ],
            evidence=[EvidenceItem.of(item) for item in view.evidence],
            evidence_total=view.evidence_total,
            acts=[
                ActItem(
                    act=act.act,
                    acted_at=format_instant(act.acted_at),
                    actor=act.actor,
                    actor_verified=act.actor_verified,
                    reason_code=act.reason_code,
                )
                for act in view.acts
            ],
        )
