"""What identifies people, vehicles and devices from one order to another (pure).

The advice that compares orders finds its pairs by these texts alone: two orders of which it says anything
have a mark in common, or the one names the other as superseded. So whoever looks for the orders that an
order must be compared with needs to know no more than its marks.
"""

from collections.abc import Iterator

from stayaway.kernel.plates import fold_plate
from stayaway.orders.findings import Path
from stayaway.orders.model import OrderVersion

Binding = tuple[str, str]
"""(bound, shielded), each `id ...` or `name ...`."""


def same_name(name: str) -> str:
    """The name without what two clerks write differently: letter case and spaces."""
    return " ".join(name.casefold().split())


def bindings(version: OrderVersion) -> set[Binding]:
    """Whom the version binds against whom, by ids and by names; an id and a name never meet."""
    bound, shielded = version.respondents, version.protected_persons
    by_id = {(f"id {r.respondent_id}", f"id {p.protected_person_id}") for r in bound for p in shielded}
    by_name = {
        (f"name {same_name(r.name)}", f"name {same_name(p.name)}")
        for r in bound
        for p in shielded
        if r.name and p.name
    }
    return {(one, other) for one, other in by_id | by_name if one != other}


def marks_of(version: OrderVersion) -> frozenset[str]:
    """The marks under which other orders find this version."""
    own = (mark for _, mark in placed_marks(version))
    return frozenset((*own, *(_mark(*pair) for pair in bindings(version))))


def marks_sought(version: OrderVersion) -> frozenset[str]:
    """The marks of the orders that this version must be compared with: of a binding, its reverse."""
    own = (mark for _, mark in placed_marks(version))
    return frozenset((*own, *(_mark(other, one) for one, other in bindings(version))))


def placed_marks(version: OrderVersion) -> Iterator[tuple[Path, str]]:
    """The marks of respondents, plates and devices, each with where it stands."""
    for i, respondent in enumerate(version.respondents):
        at: Path = ("respondents", i)
        yield (*at, "respondent_id"), f"respondent {respondent.respondent_id}"
        for j, vehicle in enumerate(respondent.vehicles):
            yield (*at, "vehicles", j, "plate"), plate_mark(vehicle.plate)
        for j, device_id in enumerate(respondent.device_ids):
            yield (*at, "devices", j, "device_id"), f"device {device_id}"


def plate_mark(plate: str) -> str:
    """The mark of a plate in normal form: one for all plates that readers take for each other."""
    return f"plate {fold_plate(plate)}"


def _mark(bound: str, shielded: str) -> str:
    return f"binding {bound}\0{shielded}"
