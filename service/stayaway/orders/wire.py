"""The orders file on the wire, `orders.v1`, exactly as WIRE.md has it.

How the form may change: v1 only gains optional fields, readers upgraded first; any other change is
`orders.v2`, read beside v1. Geometries and recurrence rules are checked in `geometry` and
`schedule`; here they are only objects and texts.
"""

from typing import Annotated, Literal

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
)

from stayaway.kernel.forms import (
    Extensions,
    Identifier,
    Instant,
    LocalTime,
    Plate,
    Region,
    Sha256,
    Text,
)
from stayaway.orders.expiry import INTERVAL_PATTERN
from stayaway.orders.fields import Date, Geometry, Metres, OrdersForm, Ori, Place, TimeZoneName, only_true
from stayaway.orders.model import (
    DistanceUnit,
    ExceptionKind,
    LinkBasis,
    NoticeKind,
    OrderKind,
    OrderStatus,
    PlaceType,
)

SCHEMA = "orders.v1"
MAX_VERSION = 2**31 - 2
"""The next one must be a 4-byte integer too."""


class WindowForm(OrdersForm):
    """[start, end) on the wall clock of a time zone, once or as the rule repeats its start."""

    time_zone: TimeZoneName
    start_local: LocalTime
    end_local: LocalTime
    rrule: Annotated[
        Text | None,
        Field(
            description="RFC 5545: FREQ DAILY|WEEKLY|MONTHLY, INTERVAL, BYDAY, BYMONTHDAY, BYMONTH, "
            "COUNT or UNTIL; start_local fits the rule."
        ),
    ] = None


class VehicleForm(OrdersForm):
    """A respondent's vehicle."""

    vehicle_id: Identifier
    plate: Plate
    region: Annotated[Region | None, Field(description="ISO 3166-2; unknown: leave it out.")] = None
    plate_type: Text | None = None
    plate_year: Text | None = None
    vin: Text | None = None
    make: Text | None = None
    model: Text | None = None
    colour: Text | None = None
    link_basis: LinkBasis
    used_by: Annotated[
        list[Identifier] | None, Field(description="Protected persons who use it; empty: asked, nobody.")
    ] = None
    last_verified_at: Instant | None = None


class DeviceForm(OrdersForm):
    """A supervised respondent's device."""

    device_id: Identifier


class RespondentForm(OrdersForm):
    """The one bound by the order."""

    respondent_id: Identifier
    name: Text | None = None
    vehicles: list[VehicleForm] = Field(default_factory=list)
    devices: list[DeviceForm] = Field(default_factory=list)


class ProtectedPersonForm(OrdersForm):
    """The one shielded by the order."""

    protected_person_id: Identifier
    name: Text | None = None


class ZoneForm(OrdersForm):
    """A court-ordered exclusion zone: a polygon, or a distance from a point."""

    model_config = ConfigDict(
        json_schema_extra={
            "dependentRequired": {"distance_value": ["distance_unit"], "distance_unit": ["distance_value"]},
            "if": {"properties": {"geometry": {"properties": {"type": {"const": "Point"}}}}},
            "then": {"required": ["distance_value", "distance_unit"]},
        }
    )

    zone_id: Annotated[Identifier, Field(description="The same place keeps it in every version.")]
    place_type: PlaceType
    geometry: Geometry
    distance_value: Annotated[float | None, Field(gt=0, description="As ordered; required for a Point.")] = (
        None
    )
    distance_unit: DistanceUnit | None = None
    anchor: Literal["POINT", "BUILDING", "PARCEL"] | None = None
    anchor_accuracy_m: Annotated[Metres | None, Field(description="Radius of the anchor's 95 % circle.")] = (
        None
    )
    warning_m: Annotated[Metres | None, Field(description="Width of the ring around the zone.")] = None
    warning_alerts: bool | None = None
    schedule: Annotated[list[WindowForm] | None, Field(description="When the zone holds; else always.")] = (
        None
    )
    protected_person_ids: list[Identifier] = Field(default_factory=list)
    address_confidential: bool | None = None


class ExceptionForm(OrdersForm):
    """Time and place the order allows."""

    exception_id: Identifier
    kind: ExceptionKind
    authority: Text
    zone_ids: Annotated[list[Identifier] | None, Field(min_length=1, description="Else all zones.")] = None
    windows: list[WindowForm]
    place: Place


class CourtForm(OrdersForm):
    """The issuing court."""

    ori: Ori
    time_zone: TimeZoneName


class AgencyForm(OrdersForm):
    """Whom to ask about the order, at any hour."""

    ori: Ori
    telephone: Text


class RecordForm(OrdersForm):
    """What every record has."""

    order_id: Identifier
    recorded_at: Annotated[
        Instant, Field(description='When it became known, so that "as known at" has a meaning.')
    ]
    extensions: Extensions = Field(default_factory=dict)


EXPIRY_FIELDS = ("expires_on", "expires_at", "expires_after_notice", "no_expiration")


class OrderForm(RecordForm):
    """One version of one order."""

    model_config = ConfigDict(json_schema_extra={"oneOf": [{"required": [name]} for name in EXPIRY_FIELDS]})

    version: Annotated[int, Field(ge=1, le=MAX_VERSION)]
    kind: OrderKind
    status: OrderStatus
    court: CourtForm
    agency: AgencyForm
    case_number: Text
    order_number: Text | None = None
    nic_number: Text | None = None
    issuing_jurisdiction: Region | None = None
    issued_on: Date | None = None
    effective_at: Instant
    expires_on: Annotated[Date | None, Field(description="Through that day in the court's zone.")] = None
    expires_at: Instant | None = None
    expires_after_notice: Annotated[
        str | None,
        Field(pattern=INTERVAL_PATTERN, description="As P2Y, P6M, P90D, from the first counting notice."),
    ] = None
    no_expiration: Annotated[Literal[True] | None, BeforeValidator(only_true)] = None
    relief: Annotated[
        bool | None, Field(description="Only fewer or smaller restrictions than the version before.")
    ] = None
    respondents: list[RespondentForm]
    zones: list[ZoneForm]
    exceptions: list[ExceptionForm] = Field(default_factory=list)
    conditions: list[Literal["01", "02", "03", "04", "05", "06", "07", "08", "09"]] = Field(
        default_factory=list
    )
    confidentiality: list[Literal["SEALED", "JUVENILE", "ADDRESS_WITHHELD"]] = Field(default_factory=list)
    not_monitored: Annotated[list[Text], Field(description="Terms that no zone can watch.")] = Field(
        default_factory=list
    )
    protected_persons: list[ProtectedPersonForm] = Field(default_factory=list)
    supersedes_order_id: Identifier | None = None
    source_document_sha256: Sha256 | None = None


class NoticeForm(RecordForm):
    """One respondent was told of one version."""

    order_version: Annotated[int, Field(ge=1, le=MAX_VERSION)]
    respondent_id: Identifier
    kind: NoticeKind
    noticed_at: Instant


class RecallForm(RecordForm):
    """The court took the order back."""

    recalled_at: Instant
    reason_text: Text
    void: Annotated[bool | None, Field(description="From the beginning; else from `recalled_at` on.")] = None


class SuspensionForm(RecordForm):
    """A pause with a reason and an end."""

    from_at: Instant
    until_at: Instant
    reason_text: Text


class RootForm(OrdersForm):
    """What a vendor adds to the file as a whole."""

    extensions: Extensions = Field(default_factory=dict)


class OrdersFileForm(RootForm):
    """The whole file. Published as its JSON Schema; the file is read record by record."""

    schema_: Literal["orders.v1"] = Field(alias="schema")
    orders: list[OrderForm]
    notices: list[NoticeForm] = Field(default_factory=list)
    recalls: list[RecallForm] = Field(default_factory=list)
    suspensions: list[SuspensionForm] = Field(default_factory=list)


class FindingForm(BaseModel):
    """A line of `orders check --json`."""

    model_config = ConfigDict(frozen=True)

    severity: Literal["ERROR", "WARNING"]
    order_id: str | None
    pointer: Annotated[str, Field(description="JSON Pointer from the file's root.")]
    value: Annotated[str, Field(description="A short text of what stands there.")]
    remedy: str


ListName = Literal["orders", "notices", "recalls", "suspensions"]
FORMS: dict[ListName, type[RecordForm]] = {
    "orders": OrderForm,
    "notices": NoticeForm,
    "recalls": RecallForm,
    "suspensions": SuspensionForm,
}
