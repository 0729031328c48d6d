"""One alert put together for a reviewer, from its row, its order and its unsealed evidence (pure)."""

from collections.abc import Collection
from datetime import datetime

from stayaway.access.policy import Policy
from stayaway.alerts.plate_links import PlateLinks
from stayaway.alerts.review_facts import best_evidence, best_plate, facts_against
from stayaway.alerts.review_model import (
    Act,
    AlertRow,
    AlertView,
    Evidence,
    PlateView,
)
from stayaway.alerts.two_places import Fix, Neighbours, find_two_places
from stayaway.alerts.words import LeadWords, lead_words
from stayaway.kernel.errors import NotFoundError
from stayaway.orders.model import CourtOrder, OrderException, OrderVersion, Zone
from stayaway.orders.rules import counting_notices, version_expires_at


def shown_plate(row: AlertRow, order: CourtOrder, evidence: tuple[Evidence, ...]) -> PlateView | None:
    """The plate that the alert is shown with; None where only a device reported. Raises as `view_alert`."""
    version = _version(order, best_evidence(evidence).order_version)
    return best_plate(evidence, version, row.respondent_id)


def view_alert(
    row: AlertRow,
    order: CourtOrder,
    evidence: tuple[Evidence, ...],
    acts: tuple[Act, ...],
    policy: Policy,
    read_now: datetime,
    *,
    total: int,
    approved_versions: Collection[int],
    plate: PlateView | None,
    links: PlateLinks,
    neighbours: Neighbours,
) -> AlertView:
    """The alert as a person needs it at `read_now`. `total`: matches stored, also those not loaded.

    `approved_versions`: those of the order that people approved here; the others came with a file.
    `plate`: that of `shown_plate`; `links`: whom orders link to it. `neighbours`: what is stored beside
    the evidence, for `two_places`. Raises NotFoundError for evidence of a version that `order` lacks.
    """
    best = best_evidence(evidence)
    version = _version(order, best.order_version)
    zones = _zones(order, evidence)
    exceptions = _exceptions(version, evidence)
    expires_at = version_expires_at(version, counting_notices(order, row.respondent_id, policy.notice_kinds))
    withheld = "ADDRESS_WITHHELD" in version.confidentiality or any(
        zone.address_confidential for zone in zones
    )
    return AlertView(
        row=row,
        order=order,
        version=version,
        respondent=next(
            (item for item in version.respondents if item.respondent_id == row.respondent_id), None
        ),
        expires_at=expires_at,
        words=_words(row, version, evidence, read_now, address_withheld=withheld),
        facts=facts_against(
            row=row,
            order=order,
            approved_versions=approved_versions,
            best=best,
            plate=plate,
            links=links,
            exceptions=exceptions,
            expires_at=expires_at,
            two_places=find_two_places(
                [
                    *(Fix.of(item.sighting, item.vehicle_id, item.device_id, policy) for item in evidence),
                    *(neighbour.fix(policy) for neighbour in neighbours.found),
                ]
            ),
            neighbours=neighbours,
            now=read_now,
        ),
        best=best,
        best_plate=plate,
        evidence=evidence,
        evidence_total=total,
        zones=zones,
        exceptions=exceptions,
        acts=acts,
        address_withheld=withheld,
    )


def _words(
    row: AlertRow,
    version: OrderVersion,
    evidence: tuple[Evidence, ...],
    read_now: datetime,
    *,
    address_withheld: bool,
) -> LeadWords:
    return lead_words(
        age_s=(read_now - row.last_observed_at).total_seconds(),
        has_plate=any(item.plate_read for item in evidence),
        has_device=any(item.check_in for item in evidence),
        agency_ori=version.agency.ori,
        telephone=version.agency.telephone,
        address_withheld=address_withheld,
    )


def _version(order: CourtOrder, number: int) -> OrderVersion:
    for version in order.versions:
        if version.version == number:
            return version
    raise NotFoundError("The order's version of this alert is not in the registry.", "Load the page again.")


def _zones(order: CourtOrder, evidence: tuple[Evidence, ...]) -> tuple[Zone, ...]:
    """The alert's own zones only, each as the version had it that judged its latest read."""
    versions: dict[str, int] = {}
    for item in evidence:
        versions.setdefault(item.zone_id, item.order_version)
    found = []
    for zone_id in sorted(versions):
        zones = _version(order, versions[zone_id]).zones
        found += [zone for zone in zones if zone.zone_id == zone_id]
    return tuple(found)


def _exceptions(version: OrderVersion, evidence: tuple[Evidence, ...]) -> tuple[OrderException, ...]:
    named = {exception_id for item in evidence for exception_id in item.exception_ids}
    return tuple(item for item in version.exceptions if item.exception_id in named)
