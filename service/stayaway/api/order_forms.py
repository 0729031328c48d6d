"""The JSON forms of the order registry, v1. Output may gain fields; input is strict."""

from datetime import datetime
from typing import Any, Self

from pydantic import BaseModel

from stayaway.alerts.order_acts import ActOutcome
from stayaway.alerts.order_approval import Approved, alerts_of
from stayaway.alerts.order_changes import Imported
from stayaway.api.approval_forms import ApprovalItem
from stayaway.api.draft_forms import FindingItem
from stayaway.api.version_forms import VersionItem, exception_item, zone_item
from stayaway.kernel.instants import format_instant
from stayaway.orders.due import DueItem
from stayaway.orders.history import OrderStatement, Recorded, RespondentStatement
from stayaway.orders.plain import to_plain
from stayaway.orders.rules import is_second_checked

NOT_SECOND_CHECKED = "NOT SECOND-CHECKED"
NOT_MONITORED = "NOT MONITORED"


class RespondentItem(BaseModel):
    """What the order said to one respondent. `reasons`: all that kept it from binding."""

    respondent_id: str
    name: str | None
    version: int
    status: str
    in_force: bool
    reasons: list[str]
    expires_at: str | None
    second_check: str | None
    vehicles: list[dict[str, Any]]
    device_ids: list[str]
    notices: list[dict[str, Any]]
    zones: list[dict[str, Any]]
    exceptions: list[dict[str, Any]]

    @classmethod
    def of(cls, item: RespondentStatement) -> Self:
        """`item` on the wire; a notice that the policy does not count says so."""
        named = item.respondent
        return cls(
            respondent_id=item.respondent_id,
            name=named.name if named else None,
            version=item.version.version,
            status=item.version.status,
            in_force=item.in_force,
            reasons=list(item.reasons),
            expires_at=format_instant(item.expires_at) if item.expires_at else None,
            second_check=None if item.second_checked else NOT_SECOND_CHECKED,
            vehicles=[to_plain(vehicle) for vehicle in named.vehicles] if named else [],
            device_ids=list(named.device_ids) if named else [],
            notices=[{**to_plain(notice), "counts": notice in item.counting} for notice in item.notices],
            zones=[zone_item(state.zone, covers=state.schedule_covers) for state in item.zones],
            exceptions=[
                exception_item(state.exception, covers=state.window_covers) for state in item.exceptions
            ],
        )


class OrderItem(BaseModel):
    """One order of a list, as it stands now."""

    order_id: str
    versions: int
    kind: str
    status: str
    case_number: str
    confidentiality: list[str]
    in_force_for: list[str]
    second_check: str | None
    not_monitored: list[str]

    @classmethod
    def of(cls, statement: OrderStatement) -> Self:
        """`statement` in short; kind, status and case number are the latest version's."""
        last = statement.order.versions[-1]
        return cls(
            order_id=last.order_id,
            versions=len(statement.order.versions),
            kind=last.kind,
            status=last.status,
            case_number=last.case_number,
            confidentiality=list(last.confidentiality),
            in_force_for=[item.respondent_id for item in statement.respondents if item.in_force],
            second_check=_second_check(statement),
            not_monitored=list(last.not_monitored),
        )


def _second_check(statement: OrderStatement) -> str | None:
    """Of the latest version, and of every one that binds somebody now: a later one may not bind yet."""
    order = statement.order
    checked = is_second_checked(order, order.versions[-1].version) and all(
        item.second_checked for item in statement.respondents if item.in_force
    )
    return None if checked else NOT_SECOND_CHECKED


class OrderList(BaseModel):
    """A page of orders by id; `next` is the next page's address."""

    orders: list[OrderItem]
    next: str | None


class OrderDetail(OrderItem):
    """What the order said for `at` as known at `known_at`.

    `monitoring`: NOT MONITORED where a term of it cannot be watched by any zone. `said`: what each version
    says that decides for a respondent here, and the latest one.
    """

    at: str
    known_at: str
    monitoring: str | None
    address_withheld: bool
    court_ori: str
    agency_ori: str
    agency_telephone: str
    conditions: list[str]
    protected_persons: list[dict[str, Any]]
    said: list[VersionItem]
    respondents: list[RespondentItem]
    recalls: list[dict[str, Any]]
    suspensions: list[dict[str, Any]]
    provisionals: list[dict[str, Any]]
    confirmations: list[dict[str, Any]]
    validations: list[dict[str, Any]]

    @classmethod
    def of_statement(cls, statement: OrderStatement) -> Self:
        """`statement` on the wire."""
        order, last = statement.order, statement.order.versions[-1]
        zones = [zone for version in order.versions for zone in version.zones]
        deciding = {item.version.version for item in statement.respondents} | {last.version}
        withheld = any("ADDRESS_WITHHELD" in version.confidentiality for version in order.versions)
        return cls(
            **OrderItem.of(statement).model_dump(),
            at=format_instant(statement.at),
            known_at=format_instant(statement.known_at),
            monitoring=NOT_MONITORED if last.not_monitored else None,
            address_withheld=withheld or any(zone.address_confidential for zone in zones),
            court_ori=last.court_ori,
            agency_ori=last.agency.ori,
            agency_telephone=last.agency.telephone,
            conditions=list(last.conditions),
            protected_persons=[to_plain(person) for person in last.protected_persons],
            said=[VersionItem.of(item) for item in order.versions if item.version in deciding],
            respondents=[RespondentItem.of(item) for item in statement.respondents],
            recalls=[to_plain(item) for item in order.recalls],
            suspensions=[to_plain(item) for item in order.suspensions],
            provisionals=[to_plain(item) for item in order.provisionals],
            confirmations=[to_plain(item) for item in order.confirmations],
            validations=[to_plain(item) for item in order.validations],
        )


class RecordItem(BaseModel):
    """One record of an order: `recorded_at` when it became known, `applied_at` when we took it in.

    `approval`: who stands behind it, of a VERSION only.
    """

    kind: str
    registry_sequence: int
    recorded_at: str
    applied_at: str
    applied_by: str | None
    approval: ApprovalItem | None
    record: dict[str, Any]

    @classmethod
    def of(cls, item: Recorded) -> Self:
        """`item` on the wire; shapes stand by digest and number of vertices."""
        return cls(
            kind=item.kind,
            registry_sequence=item.registry_sequence,
            recorded_at=format_instant(item.record.recorded_at),
            applied_at=format_instant(item.applied_at),
            applied_by=item.applied_by,
            approval=ApprovalItem.of(item.behind) if item.behind else None,
            record=to_plain(item.record),
        )


class OrderHistory(BaseModel):
    """Every record of an order, in the order applied. Nothing is ever overwritten."""

    order_id: str
    records: list[RecordItem]


class VersionRecord(BaseModel):
    """One version as orders.v1 has it; `draft`: the same without what the registry assigns."""

    record: dict[str, Any]
    draft: dict[str, Any]


class ActAnswer(BaseModel):
    """What an act did: the registry after it, and the open alerts that it changed, by id.

    `alerts_revised`: those that stand, with other sightings, zones or cautions than before.
    """

    order_id: str
    kind: str
    recorded_at: str
    registry_sequence: int
    alerts_affected: int
    alerts_withdrawn: list[str]
    alerts_ended: list[str]
    alerts_revised: list[str]
    alerts_raised: list[str]

    @classmethod
    def of(cls, outcome: ActOutcome) -> Self:
        """`outcome` on the wire."""
        changed = (outcome.alerts_withdrawn, outcome.alerts_ended, outcome.alerts_revised)
        lists = (*changed, outcome.alerts_raised)
        return cls(
            order_id=outcome.order_id,
            kind=outcome.kind,
            recorded_at=outcome.recorded_at,
            registry_sequence=outcome.registry_sequence,
            alerts_affected=len({alert_id for items in lists for alert_id in items}),
            alerts_withdrawn=list(outcome.alerts_withdrawn),
            alerts_ended=list(outcome.alerts_ended),
            alerts_revised=list(outcome.alerts_revised),
            alerts_raised=list(outcome.alerts_raised),
        )

    @classmethod
    def of_import(cls, order_id: str, kind: str, imported: Imported, now: datetime) -> Self:
        """The same for a confirmation."""
        return cls.of(
            ActOutcome.of(
                {
                    "order_id": order_id,
                    "kind": kind,
                    "recorded_at": format_instant(now),
                    "registry_sequence": imported.outcome.registry_sequence,
                    **alerts_of(imported),
                }
            )
        )


class ApprovalAnswer(ActAnswer):
    """The version put in force. `until_at`: by when another person must confirm an emergency entry.

    `findings`: the warnings about it beside the registry, which may hold more than when it was previewed.
    `not_checked`: what could not be checked, in words.
    """

    version: int
    until_at: str | None
    second_check: str | None
    findings: list[FindingItem]
    not_checked: list[str]

    @classmethod
    def of_approval(cls, approved: Approved, now: datetime) -> Self:
        """`approved` on the wire."""
        about = ActAnswer.of_import(approved.order_id, "VERSION", approved.imported, now).model_dump()
        return cls(
            **about,
            version=approved.version,
            until_at=format_instant(approved.until_at) if approved.until_at else None,
            second_check=NOT_SECOND_CHECKED if approved.until_at else None,
            findings=[FindingItem.of(item) for item in approved.findings],
            not_checked=list(approved.not_checked),
        )


class DueEntry(BaseModel):
    """One thing to chase."""

    kind: str
    order_id: str
    version: int
    respondent_id: str | None
    due_at: str

    @classmethod
    def of(cls, item: DueItem) -> Self:
        """`item` on the wire."""
        return cls(
            kind=item.kind,
            order_id=item.order_id,
            version=item.version,
            respondent_id=item.respondent_id,
            due_at=format_instant(item.due_at),
        )


class DueList(BaseModel):
    """What is due, the most urgent kind first. `total`: all there are, the list shows the first ones."""

    due: list[DueEntry]
    total: int
