"""A file's record over an order that people drafted and approved here (pure).

A file needs no approval here: it is the feed of a court system that has its own. But where people here stand
behind what is in force, somebody should know that a file has changed it.
"""

from dataclasses import dataclass

from stayaway.orders.approval import ApprovalKind
from stayaway.orders.findings import Finding, FindingList
from stayaway.orders.model import OrderVersion
from stayaway.orders.records import ParsedRecord


@dataclass(frozen=True, slots=True, kw_only=True)
class ApprovedHere:
    """The approvals of one order. `versions`: all that were approved here; `version`: the latest of them.

    `approver`: whose approval the latest is; None where that does not open.
    """

    versions: frozenset[int]
    version: int
    kind: ApprovalKind
    approver: str | None

    @property
    def words(self) -> str:
        """Who approved which version here."""
        alone = ", alone" if self.kind == "EMERGENCY" else ""
        return f"{self.approver or 'somebody'} approved version {self.version} of this order here{alone}"


def say_over_approved(record: ParsedRecord, here: ApprovedHere, *, may_change: bool) -> list[Finding]:
    """What is to be said of a file's usable record of an order that was approved here.

    A version: a WARNING, or the ERROR that `may_change` False makes of it. A recall or a suspension: a
    WARNING; it only lifts restrictions and is never held up. A notice says what has happened: nothing.
    """
    noted = FindingList(record.order_id, record.path)
    if isinstance(record.value, OrderVersion):
        _say_version(noted, record.value.version, here, may_change=may_change)
    elif record.kind in ("RECALL", "SUSPENSION"):
        noted.warning(
            ("order_id",),
            record.order_id,
            f"{here.words}; this {record.kind.lower()} comes with a file and takes effect: see that the court"
            " meant it.",
        )
    return noted.findings


def _say_version(noted: FindingList, version: int, here: ApprovedHere, *, may_change: bool) -> None:
    if version in here.versions:
        return  # their own, or another one of the same number, which is refused anyway
    said = f"{here.words}; version {version} comes with a file, and nobody here has approved it"
    if may_change:
        noted.warning(("version",), version, f"{said}: compare it with the court's papers.")
        return
    noted.error(
        ("version",),
        version,
        f"{said}. The registry's policy lets no file change such an order (feeds_may_change_approved_orders):"
        " write it as a draft and have it approved.",
    )
