"""Review: people look at alerts, claim, confirm and dismiss them. The web page and the command
line share these functions.

Every look and every act leaves its audit entry in its own transaction (promise 4). `now` is the
instant recorded; `read_now` the one that "read N min ago" counts from (a replay has its own).
"""

from collections.abc import Iterable
from datetime import datetime

from stayaway.access.policy import Policy
from stayaway.alerts.neighbours import fetch_neighbours, open_neighbours
from stayaway.alerts.review_acts import acknowledge, claim, confirm, dismiss
from stayaway.alerts.review_audit import record_look_or_act
from stayaway.alerts.review_model import (
    AlertPage,
    AlertView,
    ListName,
    ListQuery,
    Reviewer,
)
from stayaway.alerts.review_rows import act_row, alert_row, evidence_rows
from stayaway.alerts.review_view import view_alert
from stayaway.alerts.words import Standing
from stayaway.audit.entries import EntryType
from stayaway.kernel.errors import NotFoundError
from stayaway.orders.load import load_registry
from stayaway.orders.model import CourtOrder
from stayaway.orders.registry import RegistrySnapshot
from stayaway.platform.postgres import Connection, load_queries
from stayaway.platform.seal import Seal

__all__ = [
    "OrderReader",
    "acknowledge",
    "claim",
    "confirm",
    "dismiss",
    "find_alert",
    "list_alerts",
    "load_alert",
    "open_counts",
]

_SQL = load_queries("stayaway.alerts", "review.sql")
_EVIDENCE_SHOWN = 200
"""A device reporting each minute makes 1,440 sightings a day: the newest are shown, all are counted."""
_PAGE_LIMIT = 500

_STATES: dict[ListName, tuple[str, ...]] = {
    "live": ("OPEN", "CLAIMED"),
    "historical": ("OPEN", "CLAIMED"),
    "ended": ("OPEN", "CLAIMED"),
    "closed": ("CONFIRMED", "DISMISSED", "MERGED", "WITHDRAWN"),
}
_STANDINGS: dict[ListName, Standing] = {
    "live": "LIVE",
    "historical": "HISTORICAL",
    "ended": "ORDER_SINCE_ENDED",
}


class OrderReader:
    """Orders for display, kept between looks and brought up to date at each."""

    def __init__(self, seal: Seal) -> None:
        self._seal = seal
        self._snapshot: RegistrySnapshot | None = None
        self._plates: tuple[int, dict[str, set[str]]] = (-1, {})

    async def load(self, conn: Connection, order_id: str) -> CourtOrder:
        """The order with everything recorded so far. Call it outside a transaction."""
        self._snapshot = await load_registry(conn, self._seal, self._snapshot)
        order = self._snapshot.orders.get(order_id)
        if order is None:
            raise NotFoundError(
                "The order of this alert is not in the registry.", "Restore the orders first."
            )
        return order

    async def load_all(self, conn: Connection) -> RegistrySnapshot:
        """Every order with everything recorded so far. Call it outside a transaction."""
        self._snapshot = await load_registry(conn, self._seal, self._snapshot)
        return self._snapshot

    def respondents_of_plate(self, plate: str) -> frozenset[str]:
        """Everyone whom any order links to `plate` (normal form); for a warning, never to be named."""
        if self._snapshot is None:
            return frozenset()
        if self._plates[0] != self._snapshot.registry_sequence:
            self._plates = (self._snapshot.registry_sequence, _by_plate(self._snapshot.orders.values()))
        return frozenset(self._plates[1].get(plate, ()))


def _by_plate(orders: Iterable[CourtOrder]) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for order in orders:
        for version in order.versions:
            for respondent in version.respondents:
                for vehicle in respondent.vehicles:
                    found.setdefault(vehicle.plate, set()).add(respondent.respondent_id)
    return found


async def list_alerts(
    conn: Connection, seal: Seal, query: ListQuery, reviewer: Reviewer, *, now: datetime, view: str = "page"
) -> AlertPage:
    """One page of a list, newest first; the look is audited. `view`: page, stream or api."""
    limit = max(1, min(query.limit, _PAGE_LIMIT))
    async with conn.transaction():
        found = await conn.fetch(
            _SQL.list_alerts,
            list(_STATES[query.list_name]),
            _STANDINGS.get(query.list_name),
            query.before,
            limit + 1,
        )
        rows = tuple(alert_row(row) for row in found[:limit])
        counts = await open_counts(conn)
        payload = {
            "list": query.list_name,
            "view": view,
            "before": query.before,
            "alert_numbers": [row.alert_number for row in rows],
        }
        await record_look_or_act(conn, seal, EntryType.ALERTS_LISTED, reviewer, None, "alerts", payload, now)
    more = len(found) > limit
    return AlertPage(
        query=query, rows=rows, open_counts=counts, next_before=rows[-1].alert_number if more else None
    )


async def open_counts(conn: Connection) -> dict[ListName, int]:
    """How many alerts wait for a person, by list; numbers only, so no look at any alert."""
    by_standing = {row["standing"]: row["alerts"] for row in await conn.fetch(_SQL.count_open)}
    return {name: by_standing.get(standing, 0) for name, standing in _STANDINGS.items()}


async def find_alert(conn: Connection, reference: str) -> int:
    """The number of the alert that `reference` names: its number, or the id it was raised with."""
    if reference.isascii() and reference.isdigit() and len(reference) <= 18:
        row = await conn.fetchrow(_SQL.find_by_number, int(reference))
    else:
        row = await conn.fetchrow(_SQL.find_by_id, reference)
    if row is None:
        raise NotFoundError("There is no such alert.", "Look at the list for the alerts there are.")
    number: int = row["alert_number"]
    return number


async def load_alert(
    conn: Connection,
    seal: Seal,
    orders: OrderReader,
    alert_number: int,
    reviewer: Reviewer,
    *,
    policy: Policy,
    now: datetime,
    read_now: datetime | None = None,
    view: str = "page",
) -> AlertView:
    """One alert with everything a reviewer needs; the look is audited."""
    found = await conn.fetchrow(_SQL.find_by_number, alert_number)
    if found is None:
        raise NotFoundError("There is no such alert.", "Look at the list for the alerts there are.")
    order = await orders.load(conn, found["order_id"])
    async with conn.transaction():
        record = await conn.fetchrow(_SQL.load_alert, alert_number)
        assert record is not None
        row = alert_row(record)
        matches = await conn.fetch(
            _SQL.load_evidence, record["root_id"], row.order_id, row.respondent_id, _EVIDENCE_SHOWN
        )
        acts = tuple(act_row(act) for act in await conn.fetch(_SQL.load_acts, row.alert_id))
        beside = await fetch_neighbours(conn, record["root_id"], row.order_id, row.respondent_id, matches)
        approved = {found["version"] for found in await conn.fetch(_SQL.approved_versions, row.order_id)}
        evidence = evidence_rows(seal, row.order_id, matches)
        neighbours = open_neighbours(
            seal,
            beside,
            {(item.vehicle_id, item.device_id) for item in evidence},
            {(item.topic, item.partition, item.record_offset) for item in evidence},
        )
        payload = {
            "alert_id": row.alert_id,
            "alert_number": row.alert_number,
            "view": view,
            "beside": neighbours.audited,
        }
        await record_look_or_act(
            conn, seal, EntryType.ALERT_VIEWED, reviewer, row.order_id, row.alert_id, payload, now
        )
    if not matches:
        raise NotFoundError(
            "This alert has no evidence stored.", "Its rows were removed: restore the database."
        )
    known = {version.version for version in order.versions}
    if any(item.order_version not in known for item in evidence):  # changed between the two reads
        order = await orders.load(conn, row.order_id)
    return view_alert(
        row,
        order,
        orders,
        evidence,
        acts,
        policy,
        read_now or now,
        total=matches[0]["total"],
        approved_versions=approved,
        neighbours=neighbours,
    )
