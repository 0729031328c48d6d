"""From a checked form to the frozen values that decide."""

import hashlib

from stayaway.kernel.plates import normalise_plate
from stayaway.kernel.shape import Shape
from stayaway.orders.check import Materials
from stayaway.orders.expiry import parse_interval
from stayaway.orders.findings import Path
from stayaway.orders.model import (
    Agency,
    Expiry,
    Notice,
    OrderException,
    OrderVersion,
    ProtectedPerson,
    Recall,
    Respondent,
    Suspension,
    Vehicle,
    Window,
    Zone,
)
from stayaway.orders.wire import (
    ExceptionForm,
    NoticeForm,
    OrderForm,
    RecallForm,
    RespondentForm,
    SuspensionForm,
    VehicleForm,
    ZoneForm,
)


def to_version(form: OrderForm, digest: bytes, made: Materials) -> OrderVersion:
    """The version, with its shapes and windows as the checks made them."""
    return OrderVersion(
        order_id=form.order_id,
        version=form.version,
        recorded_at=form.recorded_at,
        kind=form.kind,
        status=form.status,
        court_ori=form.court.ori,
        court_time_zone=form.court.time_zone,
        agency=Agency(ori=form.agency.ori, telephone=form.agency.telephone),
        case_number=form.case_number,
        effective_at=form.effective_at,
        expiry=_to_expiry(form),
        relief=bool(form.relief),
        respondents=tuple(_to_respondent(item) for item in form.respondents),
        zones=tuple(_to_zone(item, made, ("zones", i)) for i, item in enumerate(form.zones)),
        exceptions=tuple(
            _to_exception(item, made, ("exceptions", i)) for i, item in enumerate(form.exceptions)
        ),
        content_sha256=_content_sha256(digest, made),
        order_number=form.order_number,
        nic_number=form.nic_number,
        issuing_jurisdiction=form.issuing_jurisdiction,
        issued_on=form.issued_on,
        conditions=tuple(form.conditions),
        confidentiality=tuple(form.confidentiality),
        not_monitored=tuple(form.not_monitored),
        protected_persons=tuple(
            ProtectedPerson(protected_person_id=item.protected_person_id, name=item.name)
            for item in form.protected_persons
        ),
        supersedes_order_id=form.supersedes_order_id,
        source_document_sha256=form.source_document_sha256,
    )


def _content_sha256(digest: bytes, made: Materials) -> str:
    # The record and what was drawn from it: zones in their order, then places.
    content = hashlib.sha256(digest)
    for _, shape in sorted(made.shapes.items(), key=lambda item: (item[0][0] != "zones", item[0][1])):
        content.update(bytes.fromhex(shape.sha256))
    return content.hexdigest()


def _to_expiry(form: OrderForm) -> Expiry:
    after = form.expires_after_notice
    return Expiry(
        on=form.expires_on, at=form.expires_at, after_notice=None if after is None else parse_interval(after)
    )


def _to_respondent(form: RespondentForm) -> Respondent:
    return Respondent(
        respondent_id=form.respondent_id,
        name=form.name,
        vehicles=tuple(_to_vehicle(item) for item in form.vehicles),
        device_ids=tuple(item.device_id for item in form.devices),
    )


def _to_vehicle(form: VehicleForm) -> Vehicle:
    return Vehicle(
        vehicle_id=form.vehicle_id,
        plate=normalise_plate(form.plate),
        plate_as_entered=form.plate,
        region=form.region,
        link_basis=form.link_basis,
        used_by=None if form.used_by is None else frozenset(form.used_by),
        make=form.make,
        model=form.model,
        colour=form.colour,
        plate_type=form.plate_type,
        plate_year=form.plate_year,
        vin=form.vin,
        last_verified_at=form.last_verified_at,
    )


def _to_zone(form: ZoneForm, made: Materials, at: Path) -> Zone:
    return Zone(
        zone_id=form.zone_id,
        place_type=form.place_type,
        shape=made.shapes[(*at, "geometry")],
        distance_value=form.distance_value,
        distance_unit=form.distance_unit,
        anchor=form.anchor,
        anchor_lon_lat=made.anchors.get((*at, "geometry")),
        anchor_accuracy_m=form.anchor_accuracy_m or 0.0,
        warning_m=form.warning_m,
        warning_alerts=bool(form.warning_alerts),
        schedule=_windows(len(form.schedule or ()), made, (*at, "schedule")) or None,
        protected_person_ids=frozenset(form.protected_person_ids),
        address_confidential=bool(form.address_confidential),
    )


def _to_exception(form: ExceptionForm, made: Materials, at: Path) -> OrderException:
    place: Shape | None = None if form.place == "WHOLE_ZONE" else made.shapes[(*at, "place")]
    return OrderException(
        exception_id=form.exception_id,
        kind=form.kind,
        authority=form.authority,
        zone_ids=None if form.zone_ids is None else frozenset(form.zone_ids),
        windows=_windows(len(form.windows), made, (*at, "windows")),
        place=place,
    )


def _windows(count: int, made: Materials, at: Path) -> tuple[Window, ...]:
    return tuple(made.windows[(*at, index)] for index in range(count))


def to_notice(form: NoticeForm) -> Notice:
    """The notice."""
    return Notice(
        order_id=form.order_id,
        recorded_at=form.recorded_at,
        order_version=form.order_version,
        respondent_id=form.respondent_id,
        kind=form.kind,
        noticed_at=form.noticed_at,
    )


def to_recall(form: RecallForm) -> Recall:
    """The recall."""
    return Recall(
        order_id=form.order_id,
        recorded_at=form.recorded_at,
        recalled_at=form.recalled_at,
        reason_text=form.reason_text,
        void=bool(form.void),
    )


def to_suspension(form: SuspensionForm) -> Suspension:
    """The suspension."""
    return Suspension(
        order_id=form.order_id,
        recorded_at=form.recorded_at,
        from_at=form.from_at,
        until_at=form.until_at,
        reason_text=form.reason_text,
    )
