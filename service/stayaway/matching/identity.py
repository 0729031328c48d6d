"""The identity gate: which vehicle or device of a respondent an event names (WIRE.md step 3)."""

from dataclasses import dataclass

from stayaway.access.policy import Policy
from stayaway.kernel.plates import differing_positions, fold_plate
from stayaway.matching.model import MATCH_KINDS, Description, MatchKind, RegionMatch
from stayaway.orders.model import Respondent, Vehicle
from stayaway.sightings.model import CheckIn, PlateRead, Sighting

_RANK = {kind: rank for rank, kind in enumerate(MATCH_KINDS)}


@dataclass(frozen=True, slots=True)
class Identity:
    """What of a respondent the event names; `vehicle` None for a device."""

    kind: MatchKind
    region_match: RegionMatch
    description: Description
    vehicle: Vehicle | None
    device_id: str | None


def find_identity(sighting: Sighting, respondent: Respondent, policy: Policy) -> Identity | None:
    """The best identity: the best kind, then the lowest vehicle id; None where nothing agrees."""
    if isinstance(sighting, CheckIn):
        if sighting.device_id not in respondent.device_ids:
            return None
        return Identity("DEVICE", "UNKNOWN", "UNKNOWN", None, sighting.device_id)
    best: tuple[int, str, Identity] | None = None
    for vehicle in respondent.vehicles:
        region_match = match_region(sighting, vehicle, policy)
        kind = match_plate(sighting.plate, vehicle.plate, region_match, policy)
        if kind is None:
            continue
        identity = Identity(kind, region_match, compare_description(sighting, vehicle), vehicle, None)
        ranked = (_RANK[kind], vehicle.vehicle_id, identity)
        if best is None or ranked[:2] < best[:2]:
            best = ranked
    return best[2] if best else None


def match_region(read: PlateRead, vehicle: Vehicle, policy: Policy) -> RegionMatch:
    """MATCH or DIFFERS; UNKNOWN where one is missing or the read's is not sure enough."""
    unsure = read.region_confidence is not None and read.region_confidence < policy.min_region_confidence
    if read.region is None or vehicle.region is None or unsure:
        return "UNKNOWN"
    return "MATCH" if read.region == vehicle.region else "DIFFERS"


def match_plate(read: str, ordered: str, region_match: RegionMatch, policy: Policy) -> MatchKind | None:
    """How two plates in normal form agree; a near plate of another region is no match at all."""
    if read == ordered:
        kinds: dict[RegionMatch, MatchKind] = {
            "MATCH": "EXACT",
            "UNKNOWN": "REGION_UNKNOWN",
            "DIFFERS": "REGION_DIFFERS",
        }
        return kinds[region_match]
    if region_match == "DIFFERS" or len(read) != len(ordered) or len(read) < policy.loose_min_length:
        return None
    if fold_plate(read) == fold_plate(ordered):
        return "OCR_EQUIVALENT"
    return "ONE_DIFFERENT" if len(differing_positions(read, ordered)) == 1 else None


def compare_description(read: PlateRead, vehicle: Vehicle) -> Description:
    """Make, model and colour where both sides have them, without regard to case; evidence only."""
    pairs = ((read.make, vehicle.make), (read.model, vehicle.model), (read.colour, vehicle.colour))
    equal = [a.casefold() == b.casefold() for a, b in pairs if a is not None and b is not None]
    if not equal:
        return "UNKNOWN"
    return "AGREES" if all(equal) else "CONFLICTS"


def description_conflicts(read: PlateRead, vehicle: Vehicle) -> tuple[str, ...]:
    """`colour: camera red, order blue` for what both sides have and differs."""
    pairs = (
        ("make", read.make, vehicle.make),
        ("model", read.model, vehicle.model),
        ("colour", read.colour, vehicle.colour),
    )
    return tuple(
        f"{name}: camera {seen}, order {entered}"
        for name, seen, entered in pairs
        if seen is not None and entered is not None and seen.casefold() != entered.casefold()
    )
