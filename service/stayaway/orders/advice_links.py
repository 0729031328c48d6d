"""Plates, devices and people across the orders of a file: twins, double links, different regions."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

from stayaway.kernel.plates import fold_plate
from stayaway.orders.findings import Path
from stayaway.orders.marks import placed_marks, same_name
from stayaway.orders.model import Vehicle
from stayaway.orders.standing import Standing


@dataclass(frozen=True, slots=True)
class _Entry:
    """A vehicle as one order has it."""

    order: Standing
    path: Path
    respondent_id: str
    vehicle: Vehicle

    @property
    def where(self) -> str:
        return f"order {self.order.version.order_id} ({self.order.place_of(self.path)})"

    def warn(self, name: str, value: str | None, remedy: str) -> None:
        self.order.warn((*self.path, name), value, remedy)


def advise_links(orders: Sequence[Standing]) -> None:
    """Note, each at the later entry, what two entries of the file say of one plate, device or person."""
    same_plate: dict[str, list[_Entry]] = defaultdict(list)
    for order in orders:
        for path, respondent_id, vehicle in order.vehicles():
            same_plate[vehicle.plate].append(_Entry(order, path, respondent_id, vehicle))
    for entries in same_plate.values():
        if len(entries) > 1:
            _advise_owners(entries)
            _advise_regions(entries)
    _advise_twins(same_plate)
    _advise_devices(orders)
    _advise_names(orders)
    _advise_superseded(orders)


def advise_common(orders: Sequence[Standing], common: Collection[str]) -> None:
    """Note what so many orders of the registry have that nothing was compared by it."""
    for order in orders if common else ():
        for path, mark in placed_marks(order.version):
            if mark in common:
                order.warn(
                    path,
                    order.raw_at(*path),
                    "So many orders of the registry have this that it can be no one's own, and they were not"
                    " compared by it: check whether it is a placeholder.",
                )


# ---------------------------------------------------------------- plates


def _advise_owners(entries: Sequence[_Entry]) -> None:
    """One plate of two respondents; another region's plate of the same characters is another car."""
    for index, entry in enumerate(entries):
        others = [
            other
            for other in entries[:index]
            if other.respondent_id != entry.respondent_id and not _regions_differ(entry, other)
        ]
        if others:
            entry.warn(
                "plate",
                entry.vehicle.plate_as_entered,
                f"{_and_more(others)} links this plate to another respondent: check who drives it, and"
                " whether the car was sold; if both do, every read concerns both.",
            )


def _advise_regions(entries: Sequence[_Entry]) -> None:
    """One respondent's vehicle under different regions: a read of the other region never alerts."""
    for index, entry in enumerate(entries):
        others = [
            other
            for other in entries[:index]
            if other.respondent_id == entry.respondent_id and other.vehicle.region != entry.vehicle.region
        ]
        if not others:
            continue
        region, other_region = entry.vehicle.region, others[0].vehicle.region
        entry.warn(
            "region",
            region,
            f"{_and_more(others)} has this respondent's plate {_under(other_region)}, this one"
            f" {_under(region)}: give the same region wherever it is the same vehicle.",
        )


def _advise_twins(same_plate: dict[str, list[_Entry]]) -> None:
    """Plates that readers take for one another: 0/O and the like (kernel.plates)."""
    folded: dict[str, list[str]] = defaultdict(list)
    for plate in same_plate:
        folded[fold_plate(plate)].append(plate)
    for plates in folded.values():
        for index, plate in enumerate(plates):
            earlier = [entry for other in plates[:index] for entry in same_plate[other]]
            for entry in same_plate[plate] if earlier else ():
                others = [other for other in earlier if not _regions_differ(entry, other)]
                if others:
                    _warn_of_twin(entry, others)


def _warn_of_twin(entry: _Entry, others: Sequence[_Entry]) -> None:
    entry.warn(
        "plate",
        entry.vehicle.plate_as_entered,
        f"{_and_more(others)} has a plate that readers take for this one (0 and O, 1 and I, 2 and Z, 5 and S,"
        " 6 and G, 8 and B look alike): check both against the registration; never enter both spellings of"
        " one plate.",
    )


def _regions_differ(one: _Entry, other: _Entry) -> bool:
    regions = {one.vehicle.region, other.vehicle.region}
    return len(regions) == 2 and None not in regions


def _under(region: str | None) -> str:
    return "without a region" if region is None else f"under {region}"


def _and_more(others: Sequence[_Entry]) -> str:
    first = others[0].where
    return f"{first[0].upper()}{first[1:]}" + (f" (and {len(others) - 1} more)" if len(others) > 1 else "")


# ---------------------------------------------------------------- devices and people


def _advise_devices(orders: Sequence[Standing]) -> None:
    bearer: dict[str, tuple[str, Standing]] = {}
    for order, i, j, respondent_id, device_id in _devices(orders):
        first_id, first = bearer.setdefault(device_id, (respondent_id, order))
        if first_id != respondent_id:
            order.warn(
                ("respondents", i, "devices", j, "device_id"),
                device_id,
                f"Order {first.version.order_id} assigns this device to another respondent: a device is worn"
                " by one person; check its number.",
            )


def _devices(orders: Iterable[Standing]) -> Iterable[tuple[Standing, int, int, str, str]]:
    for order in orders:
        for i, respondent in enumerate(order.version.respondents):
            for j, device_id in enumerate(respondent.device_ids):
                yield order, i, j, respondent.respondent_id, device_id


def _advise_names(orders: Sequence[Standing]) -> None:
    """The other order's name is not repeated: each order's people belong to that order alone."""
    named: dict[str, tuple[str, Standing]] = {}
    for order in orders:
        for i, respondent in enumerate(order.version.respondents):
            if respondent.name is None:
                continue
            name = same_name(respondent.name)
            first_name, first = named.setdefault(respondent.respondent_id, (name, order))
            if first_name != name:
                order.warn(
                    ("respondents", i, "respondent_id"),
                    respondent.respondent_id,
                    f"Order {first.version.order_id} has another name under this id: if it is another person"
                    " give another id; if not, write the name the same way.",
                )


def _advise_superseded(orders: Sequence[Standing]) -> None:
    standing = {order.version.order_id: order for order in orders}
    for order in orders:
        superseded_id = order.version.supersedes_order_id
        if superseded_id in standing and superseded_id != order.version.order_id:
            order.warn(
                ("supersedes_order_id",),
                superseded_id,
                f"That order still stands in {standing[superseded_id].source}, without a recall: both alert"
                " until it is recalled.",
            )
