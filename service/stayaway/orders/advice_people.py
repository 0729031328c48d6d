"""Who is bound, told and shielded: service, conditions against zones, questions left open."""

from collections import defaultdict
from collections.abc import Sequence

from stayaway.orders.findings import MISSING
from stayaway.orders.marks import bindings
from stayaway.orders.open_exceptions import excepts_anything
from stayaway.orders.relief import find_wider, version_relieved
from stayaway.orders.standing import THE_FILE, Standing
from stayaway.orders.us_states import state_of_ori

ZONE_CONDITIONS = ("03", "04")
"""NCIC PCO 03 (exclusive possession of the residence) and 04 (stay away) speak of places; 08 can."""
MISCELLANEOUS = "08"
VISITATION = "06"


def advise_people(order: Standing) -> None:
    """Note what the order leaves open about the people in it."""
    _advise_service(order)
    _advise_relief(order)
    _advise_conditions(order)
    _advise_shared_use(order)
    _advise_empty(order)


# ---------------------------------------------------------------- service


def _advise_service(order: Standing) -> None:
    """An order binds from a counting notice on (DOMAIN.md); without one it only ever suppresses."""
    version = order.version
    if version.status == "DRAFT" or order.lacks_records:
        return
    for i, respondent in enumerate(version.respondents):
        told = [n.order_version for n in order.notices if n.respondent_id == respondent.respondent_id]
        at = ("respondents", i, "respondent_id")
        if not told:
            order.warn(
                at,
                respondent.respondent_id,
                f"Not served: no notice of any kind to this respondent is in {order.looked_at}, and until one"
                " is on record the order raises no alert. Add it under notices"
                f"{', unless the registry has it' if order.looked_at == THE_FILE else ''}.",
            )
        elif max(told) < version.version and not version.relief:
            order.warn(
                at,
                respondent.respondent_id,
                f"Told of version {max(told)} only: until a notice of version {version.version} is on"
                " record the earlier one binds.",
            )


# ---------------------------------------------------------------- relief


def _advise_relief(order: Standing) -> None:
    """Relief binds without notice: nobody would be told of what it restricts more."""
    version, before = order.version, version_relieved(order.version, order.versions)
    if not version.relief or before is None:
        return
    for item in find_wider(version, before):
        order.warn(
            item.path,
            item.value,
            f"Marked as relief, which binds before the respondent is told, but wider than version"
            f" {before.version}: {item.text}. Correct it, or take the mark away.",
        )


# ---------------------------------------------------------------- conditions


def _advise_conditions(order: Standing) -> None:
    version = order.version
    for i, code in enumerate(version.conditions):
        if code == VISITATION and not excepts_anything(version):
            order.warn(
                ("conditions", i),
                code,
                "PCO 06: the respondent has visitation or custody rights, but the order has no exception"
                " that can still apply. Ask where and when children are handed over, and enter it or have it"
                " confirmed that there is none.",
            )
        elif code in ZONE_CONDITIONS and not version.zones:
            order.warn(
                ("conditions", i),
                code,
                f"PCO {code} names places to stay away from, but the order has no zone: draw it.",
            )
    if version.zones and version.conditions and not _may_have_zones(order):
        order.warn(
            ("conditions",),
            list(version.conditions),
            "The order has a zone but neither PCO 03 nor 04, nor 08 with the court's words: check what the"
            " court ordered.",
        )


def _may_have_zones(order: Standing) -> bool:
    """Criminal and foreign orders need no PCO (DOMAIN.md)."""
    version = order.version
    here = state_of_ori(version.agency.ori)
    is_foreign = version.issuing_jurisdiction not in (None, here) or state_of_ori(version.court_ori) != here
    return (
        version.kind == "CRIMINAL_NO_CONTACT"
        or is_foreign
        or not {*ZONE_CONDITIONS, MISCELLANEOUS}.isdisjoint(version.conditions)
    )


def _advise_empty(order: Standing) -> None:
    if not order.version.zones:
        order.warn(
            ("zones",),
            [],
            "Nothing of this order is watched and it raises no alert: its terms are stored and shown NOT"
            " MONITORED.",
        )


# ---------------------------------------------------------------- shared vehicles


def _advise_shared_use(order: Standing) -> None:
    """A vehicle that a protected person drives too would send officers to the protected person."""
    unasked = [path for path, _, vehicle in order.vehicles() if vehicle.used_by is None]
    if not unasked:
        return
    more = f" Nor was it asked for {len(unasked) - 1} more of this order." if len(unasked) > 1 else ""
    order.warn(
        (*unasked[0], "used_by"),
        MISSING,
        "Nobody was asked whether a protected person uses this vehicle: ask, and write their ids, or [] for"
        f" nobody.{more}",
    )


# ---------------------------------------------------------------- mutual orders


def advise_mutual_orders(orders: Sequence[Standing]) -> None:
    """Note two orders that bind each other's protected person, by id or by name, at both."""
    binding: dict[tuple[str, str], list[Standing]] = defaultdict(list)
    for order in orders:
        for pair in bindings(order.version):
            binding[pair].append(order)
    for order in orders:
        others = (
            other
            for bound, shielded in sorted(bindings(order.version))
            for other in binding.get((shielded, bound), ())
            if other is not order
        )
        other = next(others, None)
        if other is not None:
            order.warn(
                ("protected_persons",),
                [person.protected_person_id for person in order.version.protected_persons],
                f"Mutual orders: order {other.version.order_id} ({other.place_of()}) binds"
                " the person whom this one protects, and protects whom this one binds. Under 18 USC 2265(c)"
                " an order without a petition and findings of its own has no full faith and credit in other"
                " states: check both papers.",
            )
