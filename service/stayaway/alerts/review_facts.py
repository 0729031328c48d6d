"""What speaks against a lead: every such fact is shown before the evidence for it.

An officer may infer that the owner drives unless facts speak against it (Kansas v. Glover;
DOMAIN.md), so a shared, borrowed or differing vehicle comes first.
"""

from collections.abc import Collection, Iterator, Sequence
from datetime import datetime, timedelta

from stayaway.alerts.plate_links import PlateLinks
from stayaway.alerts.review_model import AlertRow, Evidence, Fact, PlateView
from stayaway.alerts.two_places import Neighbours, TwoPlaces
from stayaway.alerts.words import CAUTIONS, EXCEPTIONS, MATCH_KINDS
from stayaway.kernel.plates import difference_words
from stayaway.matching.identity import description_conflicts
from stayaway.matching.model import MATCH_KINDS as KINDS_BEST_FIRST
from stayaway.matching.model import ZONE_RELATIONS
from stayaway.orders.model import CourtOrder, OrderException, OrderVersion, Vehicle
from stayaway.orders.rules import is_second_checked

_LINK_OLD = timedelta(days=90)
"""NCIC: validation falls due 60-90 days after entry (DOMAIN.md)."""


def best_evidence(evidence: Sequence[Evidence]) -> Evidence:
    """The best kind, then the best relation, then the latest read."""
    ranked = sorted(evidence, key=lambda item: item.sighting.observed_at, reverse=True)
    return min(ranked, key=lambda item: (KINDS_BEST_FIRST.index(item.match_kind), _relation_rank(item)))


def _relation_rank(item: Evidence) -> int:
    return ZONE_RELATIONS.index(item.zone_relation)


def best_plate(evidence: Sequence[Evidence], version: OrderVersion, respondent_id: str) -> PlateView | None:
    """The best plate read beside its vehicle; None where only a device reported."""
    reads = [item for item in evidence if item.plate_read is not None and item.vehicle_id is not None]
    if not reads:
        return None
    best = best_evidence(reads)
    vehicle = find_vehicle(version, respondent_id, best.vehicle_id)
    if best.plate_read is None or vehicle is None:
        return None
    return PlateView.of(best, best.plate_read, vehicle)


def find_vehicle(version: OrderVersion, respondent_id: str, vehicle_id: str | None) -> Vehicle | None:
    """The respondent's vehicle of that id in that version."""
    for respondent in version.respondents:
        if respondent.respondent_id == respondent_id:
            return next((item for item in respondent.vehicles if item.vehicle_id == vehicle_id), None)
    return None


def facts_against(
    *,
    row: AlertRow,
    order: CourtOrder,
    approved_versions: Collection[int],
    best: Evidence,
    plate: PlateView | None,
    links: PlateLinks,
    exceptions: Sequence[OrderException],
    expires_at: datetime | None,
    two_places: TwoPlaces | None,
    neighbours: Neighbours,
    now: datetime,
) -> tuple[Fact, ...]:
    """In the order a reader needs them: the order, the vehicle, the plate, the place.

    `links`: whom this and all other orders link to the plate.
    `approved_versions`: those of the order that people approved here; the others came with a file.
    """
    return (
        *_order_facts(row, order, exceptions, expires_at, now),
        *_fed_facts(row, approved_versions),
        *(_vehicle_facts(row, plate, links, now) if plate else ()),
        *(_plate_facts(plate) if plate else ()),
        *_place_facts(best, two_places, neighbours),
        *_record_facts(row),
    )


def _order_facts(
    row: AlertRow,
    order: CourtOrder,
    exceptions: Sequence[OrderException],
    expires_at: datetime | None,
    now: datetime,
) -> Iterator[Fact]:
    if row.awaits_acknowledgement is not None:
        yield Fact(
            code="TO_ACKNOWLEDGE",
            text=f"To be acknowledged by {row.awaits_acknowledgement}, who held this alert.",
        )
    if any(not is_second_checked(order, number) for number in row.order_versions):
        yield Fact(
            code="NOT_SECOND_CHECKED",
            text="NOT SECOND-CHECKED: one person alone put this order in force; nobody else confirmed it.",
        )
    recalled = any(recall.recalled_at <= now for recall in order.recalls)
    expired = expires_at is not None and expires_at <= now
    how = " It was recalled." if recalled else " It has expired." if expired else ""
    if row.state == "WITHDRAWN":
        text = "Withdrawn: the order was not in force when this was read."
        yield Fact(code="WITHDRAWN", text=text + how)
    if row.standing == "HISTORICAL" or "HISTORICAL" in row.cautions:
        yield Fact(code="HISTORICAL", text=CAUTIONS["HISTORICAL"])
    ended = "ORDER_SINCE_ENDED" in row.cautions or recalled or expired
    if ended and row.state != "WITHDRAWN":  # that one was not in force when read, whatever was thought before
        yield Fact(code="ORDER_SINCE_ENDED", text=CAUTIONS["ORDER_SINCE_ENDED"] + how)
    if "EXCEPTION_POSSIBLE" in row.cautions:
        named = "; ".join(f"{EXCEPTIONS[item.kind]} ({item.authority})" for item in exceptions)
        yield Fact(
            code="EXCEPTION_POSSIBLE", text=CAUTIONS["EXCEPTION_POSSIBLE"] + (f" {named}." if named else "")
        )


def _fed_facts(row: AlertRow, approved_versions: Collection[int]) -> Iterator[Fact]:
    """A version that decided came with a file, after one that people here had approved."""
    for number in row.order_versions:
        earlier = max((item for item in approved_versions if item < number), default=None)
        if number not in approved_versions and earlier is not None:
            yield Fact(
                code="FEED_OVER_APPROVED",
                text=f"Version {number} of this order came with a court's file and nobody here approved it;"
                f" version {earlier} was approved here.",
            )


def _vehicle_facts(row: AlertRow, plate: PlateView, links: PlateLinks, now: datetime) -> Iterator[Fact]:
    vehicle = plate.vehicle
    differing = description_conflicts(plate.read, vehicle)
    if differing:
        yield Fact(code="DESCRIPTION_CONFLICTS", text=f"Another vehicle? {'; '.join(differing)}.")
    if vehicle.used_by:
        yield Fact(
            code="PROTECTED_PERSON_USES_IT",
            text=f"A protected person also uses this vehicle ({', '.join(sorted(vehicle.used_by))}).",
        )
    elif vehicle.used_by is None:
        yield Fact(code="USE_NOT_ASKED", text="Nobody recorded whether a protected person uses this vehicle.")
    others = links.others_words(row.respondent_id)
    if others is not None:
        yield Fact(code="SHARED_VEHICLE", text=others)
    if links.unopened_words is not None:
        yield Fact(code="LINKS_UNOPENED", text=links.unopened_words)
    if vehicle.link_basis == "CO_REGISTERED":
        yield Fact(code="CO_REGISTERED", text="Co-registered: somebody else owns this vehicle too.")
    if vehicle.link_basis == "KNOWN_DRIVER":
        yield Fact(
            code="KNOWN_DRIVER",
            text="Somebody else owns this vehicle; the respondent is only known to drive it.",
        )
    if vehicle.last_verified_at is not None and now - vehicle.last_verified_at > _LINK_OLD:
        days = (now - vehicle.last_verified_at).days
        yield Fact(code="LINK_OLD", text=f"The link to this vehicle was last verified {days} days ago.")


def _plate_facts(plate: PlateView) -> Iterator[Fact]:
    differences = difference_words(plate.characters)
    if differences:
        yield Fact(
            code="PLATE_DIFFERS",
            text=f"The plate was not read as the order has it: {'; '.join(differences)}.",
        )
    elif plate.match.region_match == "UNKNOWN" and plate.match.match_kind == "REGION_UNKNOWN":
        yield Fact(code="REGION_UNKNOWN", text=MATCH_KINDS["REGION_UNKNOWN"].meaning)


def _place_facts(best: Evidence, two_places: TwoPlaces | None, neighbours: Neighbours) -> Iterator[Fact]:
    if two_places is not None:
        yield Fact(code="TWO_PLACES", text=two_places.words)
    if neighbours.unopened_words is not None:
        yield Fact(code="NEIGHBOURS_UNOPENED", text=neighbours.unopened_words)
    if best.zone_relation == "INSIDE_WITHIN_ERROR" and best.inside_probability is not None:
        yield Fact(
            code="POSITION",
            text=f"The position may lie outside the zone: probability inside {best.inside_probability:.3f}.",
        )
    if best.zone_relation == "WARNING":
        yield Fact(code="WARNING_RING", text="Outside the zone itself: in its warning ring only.")


def _record_facts(row: AlertRow) -> Iterator[Fact]:
    if row.content_conflict:
        yield Fact(
            code="CONTENT_CONFLICT", text="One event id came with two different contents; both are shown."
        )
