"""What one version of an order says as a whole, v1: everything but respondents, zones and exceptions."""

from typing import Any, Self

from pydantic import BaseModel

from stayaway.kernel.instants import format_instant
from stayaway.orders.model import OrderException, OrderVersion, Zone
from stayaway.orders.plain import count_vertices, to_plain


class CourtItem(BaseModel):
    """The issuing court; the days of `expires_on` and `expires_after_notice` are its own."""

    ori: str
    time_zone: str


class AgencyItem(BaseModel):
    """Whom to ask about the order, at any hour."""

    ori: str
    telephone: str


class VersionItem(BaseModel):
    """One version as it was recorded, named as in orders.v1; exactly one of the four ways to expire."""

    version: int
    recorded_at: str
    kind: str
    status: str
    court: CourtItem
    agency: AgencyItem
    case_number: str
    order_number: str | None
    nic_number: str | None
    issuing_jurisdiction: str | None
    issued_on: str | None
    effective_at: str
    expires_on: str | None
    expires_at: str | None
    expires_after_notice: str | None
    no_expiration: bool
    relief: bool
    conditions: list[str]
    confidentiality: list[str]
    not_monitored: list[str]
    protected_persons: list[dict[str, Any]]
    supersedes_order_id: str | None
    source_document_sha256: str | None
    content_sha256: str

    @classmethod
    def of(cls, version: OrderVersion) -> Self:
        """`version` on the wire."""
        expiry = version.expiry
        ends = (expiry.on, expiry.at, expiry.after_notice)
        return cls(
            version=version.version,
            recorded_at=format_instant(version.recorded_at),
            kind=version.kind,
            status=version.status,
            court=CourtItem(ori=version.court_ori, time_zone=version.court_time_zone),
            agency=AgencyItem(ori=version.agency.ori, telephone=version.agency.telephone),
            case_number=version.case_number,
            order_number=version.order_number,
            nic_number=version.nic_number,
            issuing_jurisdiction=version.issuing_jurisdiction,
            issued_on=version.issued_on.isoformat() if version.issued_on else None,
            effective_at=format_instant(version.effective_at),
            expires_on=expiry.on.isoformat() if expiry.on else None,
            expires_at=format_instant(expiry.at) if expiry.at else None,
            expires_after_notice="P{}{}".format(*expiry.after_notice) if expiry.after_notice else None,
            no_expiration=ends == (None, None, None),
            relief=version.relief,
            conditions=list(version.conditions),
            confidentiality=list(version.confidentiality),
            not_monitored=list(version.not_monitored),
            protected_persons=[to_plain(person) for person in version.protected_persons],
            supersedes_order_id=version.supersedes_order_id,
            source_document_sha256=version.source_document_sha256,
            content_sha256=version.content_sha256,
        )


def zone_item(zone: Zone, *, covers: bool) -> dict[str, Any]:
    """A zone with its outline, and whether its schedule covers the instant asked for."""
    geometry = {"type": "MultiPolygon", "coordinates": zone.shape.to_coordinates()}
    about = {**to_plain(zone), "schedule_covers": covers, "vertices": count_vertices(zone.shape)}
    return {**about, "geometry": geometry}


def exception_item(exception: OrderException, *, covers: bool) -> dict[str, Any]:
    """An exception with its place, and whether one of its windows covers the instant asked for."""
    about = {**to_plain(exception), "window_covers": covers}
    if exception.place is None:
        return {**about, "place": "WHOLE_ZONE"}
    return {**about, "geometry": {"type": "MultiPolygon", "coordinates": exception.place.to_coordinates()}}
