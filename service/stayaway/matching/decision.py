"""The decision: one pure function over one event and one order, in numbered steps.

WIRE.md "Steps" 2 to 5. Everything it looks at is an argument; the same arguments give the same
Match on any machine, whatever else was in the batch.
"""

import math
from datetime import datetime

from stayaway.access.policy import Policy
from stayaway.kernel.instants import to_us
from stayaway.kernel.shape import Shape
from stayaway.matching.boundary import boundary_distance_m
from stayaway.matching.case import Binding, Case, DecisionInput, Place
from stayaway.matching.identity import Identity, find_identity
from stayaway.matching.inside import is_inside
from stayaway.matching.model import Caution, Match, Reason
from stayaway.matching.probability import inside_probability
from stayaway.orders.model import CourtOrder, OrderVersion, Zone
from stayaway.orders.rules import (
    choose_version,
    counting_notices,
    has_ended_by,
    order_reasons,
    schedule_covers,
)
from stayaway.orders.schedule import covers
from stayaway.sightings.model import CheckIn, PlateRead, Sighting


def decide(given: DecisionInput) -> list[Match]:
    """Every match of the event under the order, by respondent and zone; empty where there is none."""
    sighting, order, policy = given.sighting, given.order, given.policy
    cases = []
    respondent_ids = sorted({r.respondent_id for v in order.versions for r in v.respondents})
    for respondent_id in respondent_ids:
        binding = _bind(order, respondent_id, policy, sighting.observed_at)
        identity = find_identity(sighting, binding.respondent, policy) if binding else None
        if binding is None or identity is None:
            continue
        for zone in sorted(binding.version.zones, key=lambda zone: zone.zone_id):
            place = relate(sighting, zone, policy)
            if place is not None:
                cases.append(_to_case(given, binding, identity, zone, place))
    return [_judge(case) for case in cases]


def _bind(order: CourtOrder, respondent_id: str, policy: Policy, t: datetime) -> Binding | None:
    """Step 2: the version for this respondent; None where that version does not name them."""
    notices = counting_notices(order, respondent_id, policy.notice_kinds)
    version = choose_version(order, notices, t)
    for respondent in version.respondents:
        if respondent.respondent_id == respondent_id:
            return Binding(order, version, respondent, notices)
    return None


def _to_case(given: DecisionInput, binding: Binding, identity: Identity, zone: Zone, place: Place) -> Case:
    applying, possible = _exceptions(given.sighting, binding.version, zone, place.radius_m)
    return Case(
        given=given,
        binding=binding,
        identity=identity,
        zone=zone,
        place=place,
        applying=tuple(applying),
        possible=tuple(possible),
    )


def relate(sighting: Sighting, zone: Zone, policy: Policy) -> Place | None:
    """Step 4: the relation of the point and its accuracy circle to the zone; None: no relation."""
    accuracy_m = effective_accuracy_m(sighting, policy)
    over_cap = accuracy_m > policy.accuracy_cap_m
    radius_m = 0.0 if over_cap else circle_radius_m(accuracy_m, zone.anchor_accuracy_m)
    inside = is_inside(zone.shape, sighting.lon, sighting.lat)
    if inside and radius_m == 0.0:
        return Place("INSIDE", None, radius_m, accuracy_m, over_cap, inside, None)
    matters_m = max(radius_m, zone.warning_m or 0.0)
    distance_m = boundary_distance_m(zone.shape, sighting.lon, sighting.lat, matters_m)
    if inside and distance_m >= radius_m:
        return Place("INSIDE", None, radius_m, accuracy_m, over_cap, inside, distance_m)
    if distance_m < radius_m:
        probability = inside_probability(zone.shape, sighting.lon, sighting.lat, radius_m)
        return Place("INSIDE_WITHIN_ERROR", probability, radius_m, accuracy_m, over_cap, inside, distance_m)
    if zone.warning_m is not None and distance_m <= zone.warning_m:
        return Place("WARNING", None, radius_m, accuracy_m, over_cap, inside, distance_m)
    return None


def circle_radius_m(accuracy_m: float, anchor_accuracy_m: float) -> float:
    """R of step 4: the zone anchor's own accuracy added in quadrature."""
    return math.sqrt(accuracy_m * accuracy_m + anchor_accuracy_m * anchor_accuracy_m)


def effective_accuracy_m(sighting: Sighting, policy: Policy) -> float:
    """The event's 95 % radius in metres, else the policy's for that source."""
    if sighting.accuracy_m is not None:
        return sighting.accuracy_m
    source = sighting.position_of if isinstance(sighting, PlateRead) else sighting.fix_source
    return float(getattr(policy.default_accuracy_m, source))


def _judge(case: Case) -> Match:
    """Step 5: every reason that holds, and without one the cautions."""
    sighting, policy = case.given.sighting, case.given.policy
    binding, identity, zone, place = case.binding, case.identity, case.zone, case.place
    applying, possible = case.applying, case.possible
    reasons: list[Reason] = [
        *_evidence_reasons(sighting, identity, zone, place, policy),
        *order_reasons(binding.order, binding.version, binding.notices, sighting.observed_at),
    ]
    if not schedule_covers(zone, sighting.observed_at):
        reasons.append("OUTSIDE_SCHEDULE")
    if applying:
        reasons.append("EXCEPTION_APPLIES")
    used_by = identity.vehicle.used_by if identity.vehicle else None
    if used_by and not used_by.isdisjoint(zone.protected_person_ids):
        reasons.append("SHARED_VEHICLE")
    cautions = [] if reasons else _cautions(sighting, binding, bool(possible), policy, case.given.known_at)
    return Match(
        order_id=binding.order.order_id,
        order_version=binding.version.version,
        order_sha256=binding.version.content_sha256,
        respondent_id=binding.respondent.respondent_id,
        zone_id=zone.zone_id,
        vehicle_id=identity.vehicle.vehicle_id if identity.vehicle else None,
        device_id=identity.device_id,
        match_kind=identity.kind,
        region_match=identity.region_match,
        description=identity.description,
        zone_relation=place.relation,
        inside_probability=place.probability,
        reasons=tuple(reasons),
        cautions=tuple(cautions),
        exception_ids=tuple(sorted(applying if reasons else possible)),
        case=case,
    )


def _evidence_reasons(
    sighting: Sighting, identity: Identity, zone: Zone, place: Place, policy: Policy
) -> list[Reason]:
    reasons: list[Reason] = []
    if identity.kind == "REGION_DIFFERS":
        reasons.append("REGION_DIFFERS")
    elif identity.kind not in policy.match_kinds:
        reasons.append("KIND_NOT_ALLOWED")
    if place.relation == "WARNING" and not zone.warning_alerts:
        reasons.append("WARNING_RING")
    # The printed figure decides, so that what is shown explains what was done.
    if place.probability is not None and place.probability < policy.min_inside_probability:
        reasons.append("POSITION_UNCERTAIN")
    if place.over_cap:
        reasons.append("ACCURACY_OVER_CAP")
    if isinstance(sighting, CheckIn) and sighting.fix_source == "CELL":
        reasons.append("CELL_ONLY")
    return reasons


def _exceptions(
    sighting: Sighting, version: OrderVersion, zone: Zone, radius_m: float
) -> tuple[list[str], list[str]]:
    """Ids of the exceptions that apply, and of those that are possible within the error."""
    applying, possible = [], []
    for exception in version.exceptions:
        if not exception.names(zone.zone_id):
            continue
        if not any(covers(window, sighting.observed_at) for window in exception.windows):
            continue
        relation = _exception_relation(exception.place, sighting, radius_m)
        if relation == "APPLIES":
            applying.append(exception.exception_id)
        elif relation == "POSSIBLE":
            possible.append(exception.exception_id)
    return applying, possible


def _exception_relation(place: Shape | None, sighting: Sighting, radius_m: float) -> str:
    if place is None:
        return "APPLIES"
    distance_m = boundary_distance_m(place, sighting.lon, sighting.lat, radius_m)
    if distance_m < radius_m:
        return "POSSIBLE"
    return "APPLIES" if is_inside(place, sighting.lon, sighting.lat) else "NONE"


def _cautions(
    sighting: Sighting,
    binding: Binding,
    exception_possible: bool,
    policy: Policy,
    known_at: datetime,
) -> list[Caution]:
    age_us = to_us(sighting.received_at) - to_us(sighting.observed_at)
    holds: list[tuple[Caution, bool]] = [
        ("EXCEPTION_POSSIBLE", exception_possible),
        ("HISTORICAL", age_us > policy.seconds_us("live_limit_s")),
        ("ORDER_SINCE_ENDED", has_ended_by(binding.order, binding.version, binding.notices, known_at)),
    ]
    return [caution for caution, held in holds if held]
