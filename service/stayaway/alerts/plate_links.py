"""Whom else the registry links to a plate: counted for a warning, never named.

Found by the blind index (deploy/adr/0014-blind-index.md), so that a page opens the orders that may have the
plate and no others.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from stayaway.orders.codec import StoredOrderError
from stayaway.orders.history_load import load_court_orders
from stayaway.orders.marks import plate_mark
from stayaway.orders.model import CourtOrder
from stayaway.orders.tokens import MOST_MARKED, find_marked
from stayaway.platform.postgres import Connection
from stayaway.platform.seal import Seal, SealError


@dataclass(frozen=True, slots=True, kw_only=True)
class PlateLinks:
    """Whom any version of any order links to a plate.

    `respondent_ids`: as far as they are known. `is_common`: so many orders may have it that only the
    alert's own was opened. `unopened`: how many others that may have it did not open.
    """

    respondent_ids: frozenset[str] = frozenset()
    is_common: bool = False
    unopened: int = 0

    def others_words(self, respondent_id: str) -> str | None:
        """That others than the alert's respondent may be driving, for a person; None: no other is linked."""
        others = len(self.respondent_ids - {respondent_id})
        known = f"Orders link this plate to {others + 1} respondents: any of them may be driving."
        if not self.is_common:
            return known if others else None
        many = f"More than {MOST_MARKED:,} orders may link this plate, too many to open: "
        return f"{known if others else ''} {many}others may be driving.".lstrip()

    @property
    def unopened_words(self) -> str | None:
        """For a person; None where all opened."""
        if not self.unopened:
            return None
        were = "order that may link this plate" if self.unopened == 1 else "orders that may link this plate"
        return (
            f"{self.unopened} other {were} could not be opened: "
            "whether others may be driving is not known as far as those go."
        )


async def find_plate_links(conn: Connection, seal: Seal, plate: str, own: CourtOrder) -> PlateLinks:
    """Whom `own` and the registry's other orders link to `plate` (normal form).

    Another order that does not open is counted: it must not hide this alert.
    """
    mark = plate_mark(plate)
    marked = await find_marked(conn, seal, (mark,))
    respondent_ids, unopened = set(_respondents(own, plate)), 0
    for order_id in sorted(marked.order_ids - {own.order_id}):
        try:
            found = await load_court_orders(conn, seal, (order_id,))
        except (SealError, StoredOrderError):
            unopened += 1
            continue
        for order in found.values():
            respondent_ids.update(_respondents(order, plate))
    return PlateLinks(
        respondent_ids=frozenset(respondent_ids), is_common=mark in marked.common, unopened=unopened
    )


def _respondents(order: CourtOrder, plate: str) -> Iterable[str]:
    return (
        respondent.respondent_id
        for version in order.versions
        for respondent in version.respondents
        if any(vehicle.plate == plate for vehicle in respondent.vehicles)
    )
