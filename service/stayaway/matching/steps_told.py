"""The numbered steps of a decision in words: what each one saw, and what it concluded.

The one source of what the alert's page, the API, `decide` and `explain` show. Told only where a match is
kept or shown, and sealed where it is stored: a step holds plates and other identities. Whatever decided is
named beside its limit, and each number is printed so that it decides as the number compared did.
"""

import math

from stayaway.access.policy import Policy
from stayaway.kernel.decimals import exact, seconds, told_apart
from stayaway.kernel.instants import format_instant, to_us
from stayaway.kernel.plates import compare_plates, difference_words
from stayaway.matching.case import Binding, Case
from stayaway.matching.identity import description_conflicts
from stayaway.matching.model import DecisionStep, Match
from stayaway.orders.model import Vehicle
from stayaway.orders.rules import is_second_checked, schedule_covers, version_expires_at
from stayaway.sightings.model import CheckIn, PlateRead, Sighting


def tell_steps(match: Match) -> tuple[DecisionStep, ...]:
    """WIRE.md's steps 1 to 5 of one match; step 6 belongs to the episode."""
    case = match.case
    return (
        DecisionStep(1, "Read", _read_seen(case.given.sighting), "accepted"),
        DecisionStep(2, "Version", *_version_told(case)),
        DecisionStep(3, "Identity", *_identity_told(case)),
        DecisionStep(4, "Place", *_place_told(case)),
        DecisionStep(5, "Reasons", "; ".join(_reasons_seen(case)), _verdict(match)),
    )


def _read_seen(sighting: Sighting) -> str:
    by = f"reader {sighting.reader_id}" if isinstance(sighting, PlateRead) else f"device {sighting.device_id}"
    return (
        f"event {sighting.source}/{sighting.event_id} by {by}, observed "
        f"{format_instant(sighting.observed_at)}, received {format_instant(sighting.received_at)}"
    )


def _version_told(case: Case) -> tuple[str, str]:
    order, version, t = case.given.order, case.binding.version, case.given.sighting.observed_at
    in_effect = [str(item.version) for item in order.versions if item.effective_at <= t]
    seen = (
        f"order {order.order_id} with {_count(len(order.versions), 'version')} as known at "
        f"{format_instant(case.given.known_at)}; in effect then: {', '.join(in_effect) or 'none'}; "
        f"counting notices: {_notices(case.binding)}"
    )
    return seen, (
        f"version {version.version} (status {version.status}) decides for respondent "
        f"{case.binding.respondent.respondent_id}"
    )


def _notices(binding: Binding) -> str:
    told = [
        f"{item.kind} of version {item.order_version} at {format_instant(item.noticed_at)}"
        for item in binding.notices
    ]
    return ", ".join(told) or "none"


def _identity_told(case: Case) -> tuple[str, str]:
    identity, sighting = case.identity, case.given.sighting
    if identity.vehicle is None or not isinstance(sighting, PlateRead):
        return f"device {identity.device_id}, assigned to the respondent", identity.kind
    seen = _plates_seen(case, sighting, identity.vehicle)
    return seen, f"{identity.kind}, region {identity.region_match}, description {identity.description}"


def _plates_seen(case: Case, read: PlateRead, vehicle: Vehicle) -> str:
    policy = case.given.policy
    plate = _plate(vehicle.plate, vehicle.plate_as_entered, "entered")
    parts = [
        f"plate read {_plate(read.plate, read.plate_as_read, 'sent')} of {_region_read(read, policy)}",
        f"vehicle {vehicle.vehicle_id} has {plate} of {vehicle.region or 'unknown region'}",
        *_plates_apart(read.plate, vehicle.plate),
        *description_conflicts(read, vehicle),
    ]
    if case.identity.kind in ("OCR_EQUIVALENT", "ONE_DIFFERENT"):
        parts.append(f"near plates count from {policy.loose_min_length} characters on by the policy")
    if read.candidates:
        others = ", ".join(candidate.plate for candidate in read.candidates)
        parts.append(f"the camera also considered {others}, which is evidence and never matches")
    return "; ".join(parts)


def _plates_apart(read: str, held: str) -> tuple[str, ...]:
    return () if read == held else difference_words(compare_plates(read, held))


def _plate(normal: str, raw: str, how: str) -> str:
    """In normal form, which is what is compared, and as it came where that is another text."""
    return normal if raw == normal else f'{normal} ({how} as "{raw}")'


def _region_read(read: PlateRead, policy: Policy) -> str:
    if read.region is None:
        return "unknown region"
    if read.region_confidence is None:
        return f"{read.region} (no confidence given)"
    confidence, least = exact(read.region_confidence), exact(policy.min_region_confidence)
    if read.region_confidence < policy.min_region_confidence:
        return f"{read.region} (confidence {confidence}, under the policy's {least}: taken as unknown)"
    return f"{read.region} (confidence {confidence}, the policy asks for {least})"


def _place_told(case: Case) -> tuple[str, str]:
    place, zone, sighting = case.place, case.zone, case.given.sighting
    radius, boundary = _circle_and_boundary(case)
    whose = (
        f"the {sighting.position_of}"
        if isinstance(sighting, PlateRead)
        else f"the device by {sighting.fix_source}"
    )
    ring = "no warning ring" if zone.warning_m is None else f"warning ring of {exact(zone.warning_m)} m"
    seen = [
        f"position of {whose} at lon {exact(sighting.lon)}, lat {exact(sighting.lat)}",
        f"accuracy {exact(place.accuracy_m)} m {_accuracy_from(case)}",
        f"zone {zone.zone_id} ({zone.place_type}), anchor to {exact(zone.anchor_accuracy_m)} m, {ring}",
        "no circle" if place.over_cap else f"circle of {radius} m",
        f"the point is {'inside' if place.inside else 'outside'}{boundary}",
    ]
    probability = "" if place.probability is None else f", probability inside {place.probability:.3f}"
    return "; ".join(seen), f"{place.relation}{probability}"


def _accuracy_from(case: Case) -> str:
    """Where the accuracy comes from, and how it stands to the cap."""
    sighting, cap_m = case.given.sighting, exact(case.given.policy.accuracy_cap_m)
    source = sighting.position_of if isinstance(sighting, PlateRead) else sighting.fix_source
    given = "as sent" if sighting.accuracy_m is not None else f"by the policy for {source}"
    return f"{given}, {'over' if case.place.over_cap else 'within'} the policy's cap of {cap_m} m"


def _circle_and_boundary(case: Case) -> tuple[str, str]:
    """The circle's radius in metres, and how far the boundary is, where that was looked at."""
    place, warning_m = case.place, case.zone.warning_m or 0.0
    distance_m = place.distance_m
    if distance_m is not None and distance_m < math.inf:
        radius, distance = told_apart((place.radius_m, distance_m), (0.0, warning_m))
        return radius, f", its distance to the boundary {distance} m"
    (radius,) = told_apart((place.radius_m,), (0.0, warning_m))
    if distance_m is None:
        return radius, ""
    farther = radius if place.radius_m >= warning_m else exact(warning_m)
    return radius, f", its distance to the boundary over {farther} m"


def _reasons_seen(case: Case) -> list[str]:
    policy = case.given.policy
    allowed = "allows" if case.identity.kind in policy.match_kinds else "does not allow"
    return [
        f"policy {policy.policy_id} {allowed} {case.identity.kind}",
        *_position_seen(case),
        *_force_seen(case),
        _schedule_seen(case),
        _exceptions_seen(case),
        *_use_seen(case),
        _age_seen(case),
    ]


def _position_seen(case: Case) -> list[str]:
    """What of the position may suppress beyond the cap, which step 4 names."""
    place, sighting, seen = case.place, case.given.sighting, list[str]()
    if place.relation == "WARNING":
        alerts = "raises alerts" if case.zone.warning_alerts else "raises no alerts"
        seen.append(f"the zone's warning ring {alerts} by the order")
    if place.probability is not None:
        least = exact(case.given.policy.min_inside_probability)
        seen.append(f"probability inside {place.probability:.3f}, the policy asks for {least}")
    if isinstance(sighting, CheckIn) and sighting.fix_source == "CELL":
        seen.append("a fix by CELL alone, which raises no alert")
    return seen


def _age_seen(case: Case) -> str:
    """In whole microseconds, as the limit is compared."""
    sighting = case.given.sighting
    age_us = to_us(sighting.received_at) - to_us(sighting.observed_at)
    when = "after" if age_us >= 0 else "before"
    limit = seconds(case.given.policy.seconds_us("live_limit_s"))
    return f"received {seconds(abs(age_us))} s {when} it was observed (live: up to {limit} s)"


def _force_seen(case: Case) -> list[str]:
    order, version = case.given.order, case.binding.version
    expires_at = version_expires_at(version, case.binding.notices)
    recalls = [format_instant(item.recalled_at) + (" as void" if item.void else "") for item in order.recalls]
    pauses = [
        f"{format_instant(item.from_at)} to {format_instant(item.until_at)}" for item in order.suspensions
    ]
    alone = [
        f"version {item.version} by one person until {format_instant(item.until_at)}, "
        f"{'' if is_second_checked(order, item.version) else 'not '}confirmed by another in time"
        for item in order.provisionals
    ]
    return [
        f"effective {format_instant(version.effective_at)}",
        f"expires {format_instant(expires_at)}" if expires_at else "no expiry",
        f"recalled {', '.join(recalls)}" if recalls else "not recalled",
        f"suspended {', '.join(pauses)}" if pauses else "not suspended",
        *alone,
    ]


def _schedule_seen(case: Case) -> str:
    if not case.zone.schedule:
        return "no schedule"
    covers = schedule_covers(case.zone, case.given.sighting.observed_at)
    return "within the zone's schedule" if covers else "outside the zone's schedule"


def _exceptions_seen(case: Case) -> str:
    told = _count(len(case.binding.version.exceptions), "exception")
    applying, possible = ", ".join(sorted(case.applying)), ", ".join(sorted(case.possible))
    return f"{told}, applying: {applying or 'none'}, possible within the error: {possible or 'none'}"


def _use_seen(case: Case) -> list[str]:
    vehicle = case.identity.vehicle
    if vehicle is None:
        return []
    if vehicle.used_by is None:
        return ["nobody recorded whether a protected person uses the vehicle"]
    seen = [f"protected persons who use the vehicle: {', '.join(sorted(vehicle.used_by)) or 'none'}"]
    if vehicle.used_by:
        protects = ", ".join(sorted(case.zone.protected_person_ids))
        seen.append(f"protected persons of the zone: {protects or 'none named'}")
    return seen


def _verdict(match: Match) -> str:
    if match.reasons:
        return f"SUPPRESSED: {', '.join(match.reasons)}"
    with_care = f"; cautions: {', '.join(match.cautions)}" if match.cautions else ""
    return f"ALERT, a lead to be confirmed by a human{with_care}"


def _count(number: int, word: str) -> str:
    return f"{number} {word}{'' if number == 1 else 's'}"
