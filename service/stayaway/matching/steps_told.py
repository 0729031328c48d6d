"""The numbered steps of a decision in words: what each one saw, and what it concluded.

The one source of what the alert's page, the API, `decide` and `explain` show. Told only where a match is
kept or shown, and sealed where it is stored: a step holds plates and other identities.
"""

from stayaway.kernel.instants import format_instant, to_us
from stayaway.kernel.plates import compare_plates, difference_words
from stayaway.matching.case import Binding, Case
from stayaway.matching.identity import description_conflicts
from stayaway.matching.model import DecisionStep, Match
from stayaway.orders.model import Vehicle
from stayaway.orders.rules import schedule_covers, version_expires_at
from stayaway.sightings.model import PlateRead, Sighting


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
    seen = _plates_seen(sighting, identity.vehicle)
    return seen, f"{identity.kind}, region {identity.region_match}, description {identity.description}"


def _plates_seen(read: PlateRead, vehicle: Vehicle) -> str:
    parts = [
        f"plate read {read.plate} of {_region(read.region, read.region_confidence)}",
        f"vehicle {vehicle.vehicle_id} has {vehicle.plate} of {_region(vehicle.region, None)}",
        *difference_words(compare_plates(read.plate, vehicle.plate)),
        *description_conflicts(read, vehicle),
    ]
    if read.candidates:
        others = ", ".join(candidate.plate for candidate in read.candidates)
        parts.append(f"the camera also considered {others}, which is evidence and never matches")
    return "; ".join(parts)


def _region(region: str | None, confidence: float | None) -> str:
    if region is None:
        return "unknown region"
    return region if confidence is None else f"{region} (confidence {confidence:g})"


def _place_told(case: Case) -> tuple[str, str]:
    place, zone, sighting = case.place, case.zone, case.given.sighting
    given = "as sent" if sighting.accuracy_m is not None else "the policy's default"
    cap = f", over the policy's cap of {case.given.policy.accuracy_cap_m:g} m" if place.over_cap else ""
    seen = (
        f"zone {zone.zone_id} ({zone.place_type}), anchor to {zone.anchor_accuracy_m:g} m; accuracy "
        f"{place.accuracy_m:g} m {given}{cap}; circle of {place.radius_m:.1f} m"
    )
    probability = "" if place.probability is None else f", probability inside {place.probability:.3f}"
    return seen, f"{place.relation}{probability}"


def _reasons_seen(case: Case) -> list[str]:
    sighting, policy = case.given.sighting, case.given.policy
    age_s = (to_us(sighting.received_at) - to_us(sighting.observed_at)) / 1_000_000
    allowed = "allows" if case.identity.kind in policy.match_kinds else "does not allow"
    return [
        f"policy {policy.policy_id} {allowed} {case.identity.kind}",
        *_force_seen(case),
        _schedule_seen(case),
        _exceptions_seen(case),
        *_use_seen(case),
        f"received {age_s:g} s after it was observed (live: up to {policy.live_limit_s:g} s)",
    ]


def _force_seen(case: Case) -> list[str]:
    order, version = case.given.order, case.binding.version
    expires_at = version_expires_at(version, case.binding.notices)
    recalls = [format_instant(item.recalled_at) + (" as void" if item.void else "") for item in order.recalls]
    pauses = [
        f"{format_instant(item.from_at)} to {format_instant(item.until_at)}" for item in order.suspensions
    ]
    return [
        f"effective {format_instant(version.effective_at)}",
        f"expires {format_instant(expires_at)}" if expires_at else "no expiry",
        f"recalled {', '.join(recalls)}" if recalls else "not recalled",
        f"suspended {', '.join(pauses)}" if pauses else "not suspended",
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
    return [f"protected persons who use the vehicle: {', '.join(sorted(vehicle.used_by)) or 'none'}"]


def _verdict(match: Match) -> str:
    if match.reasons:
        return f"SUPPRESSED: {', '.join(match.reasons)}"
    with_care = f"; cautions: {', '.join(match.cautions)}" if match.cautions else ""
    return f"ALERT, a lead to be confirmed by a human{with_care}"


def _count(number: int, word: str) -> str:
    return f"{number} {word}{'' if number == 1 else 's'}"
