"""Dates against each other: what never applies, what is over, what a status alone does not do."""

from datetime import datetime

from stayaway.kernel.instants import format_instant
from stayaway.orders.expiry import expiry_field
from stayaway.orders.findings import FindingList, Path, Severity
from stayaway.orders.model import Window
from stayaway.orders.rules import is_recalled
from stayaway.orders.schedule import opens_between
from stayaway.orders.standing import Standing

_NEVER_BINDS = (
    "The order was recalled before this version was recorded, and no version of a recalled order ever binds:"
    " if the court made another order, enter that under an order_id of its own."
)
RUNNING = ("ACTIVE", "MODIFIED", "PENDING_SERVICE")


def advise_times(order: Standing, known_at: datetime) -> None:
    """Note windows that never open, an end that has passed or precedes the start, idle statuses."""
    _advise_end(order, known_at)
    _advise_status(order, known_at)
    for path, zone in order.zones():
        _advise_windows(order, (*path, "schedule"), zone.schedule or (), "the zone does not hold by it")
    for i, exception in enumerate(order.version.exceptions):
        _advise_windows(order, ("exceptions", i, "windows"), exception.windows, "it never excepts anything")


def advise_pauses(order: Standing) -> None:
    """Note suspensions outside the order's life."""
    for suspension, noted in order.suspensions:
        if suspension.until_at <= order.takes_effect_at:
            _warn_outside(noted, "until_at", suspension.until_at, "ends before the order takes effect")
        elif order.ends_at is not None and suspension.from_at >= order.ends_at:
            _warn_outside(noted, "from_at", suspension.from_at, "begins after the order has ended")


def advise_off_order(order: Standing, known_at: datetime, after_recall: Severity = "WARNING") -> None:
    """Note a recall outside the order's life, and a version after it; asked of recalled orders too.

    `after_recall`: how much that version is to be minded. A feed may send one; nobody approves one.
    """
    if order.record is not None and is_recalled(order.recalled_before, known_at):
        note = order.advice.error if after_recall == "ERROR" else order.advice.warning
        note(("order_id",), order.version.order_id, _NEVER_BINDS)
    for recall, noted in order.recalls:
        if recall.recalled_at < order.takes_effect_at and not recall.void:
            _warn_outside(
                noted,
                "recalled_at",
                recall.recalled_at,
                "lies before the order takes effect, so that it never binds; if the court meant that, say"
                " void",
            )
        elif order.ends_at is not None and recall.recalled_at >= order.ends_at:
            _warn_outside(noted, "recalled_at", recall.recalled_at, "lies after the order has ended anyway")


def _warn_outside(noted: FindingList, name: str, at: datetime, what: str) -> None:
    noted.warning((name,), format_instant(at), f"It {what}: check the dates.")


# ---------------------------------------------------------------- the order's own end


def _advise_end(order: Standing, known_at: datetime) -> None:
    version, ends_at = order.version, order.ends_at
    if ends_at is None:
        return
    if version.expiry.after_notice is not None and ends_at <= version.effective_at:
        order.warn(
            ("expires_after_notice",),
            order.raw_at("expires_after_notice"),
            "Counted from the notices on file the version ends before it takes effect and can never alert:"
            " check the dates of notice and effect.",
        )
    elif ends_at <= known_at and version.status in RUNNING:
        order.warn(
            (expiry_field(version.expiry),),
            order.raw_at(expiry_field(version.expiry)),
            f"It ended at {format_instant(ends_at)}, before the latest record of {order.looked_at}, but its"
            f" status is {version.status}: check the date, or enter the extension.",
        )


def _advise_status(order: Standing, known_at: datetime) -> None:
    """These statuses decide nothing (WIRE.md step 5): the record that does must be there too."""
    status, ends_at = order.version.status, order.ends_at
    if order.lacks_records:
        return
    if status == "VACATED" and not order.recalls:
        remedy = "The status alone ends nothing and the order still alerts: add the recall."
    elif status == "SUSPENDED" and not order.suspensions:
        remedy = "The status alone pauses nothing and the order still alerts: add the suspension."
    elif status == "EXPIRED" and (ends_at is None or ends_at > known_at):
        remedy = "The status alone ends nothing, and by its dates the order still runs: check the expiry."
    else:
        return
    order.warn(("status",), status, remedy)


# ---------------------------------------------------------------- windows


def _advise_windows(order: Standing, at: Path, windows: tuple[Window, ...], effect: str) -> None:
    for i, window in enumerate(windows):
        if not opens_between(window, order.version.effective_at, order.ends_at):
            order.warn(
                (*at, i, "start_local"),
                order.raw_at(*at, i, "start_local"),
                f"This window never opens while the version is in effect, so {effect}: check its dates and"
                " rule.",
            )
