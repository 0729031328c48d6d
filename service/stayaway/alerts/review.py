"""Review: people look at alerts, claim, confirm and dismiss them. The web page and the command
line share these functions.

Every look and every act leaves its audit entry in its own transaction (promise 4). `now` is the
instant recorded; `read_now` the one that "read N min ago" counts from (a replay has its own).
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from stayaway.access.policy import Policy
from stayaway.alerts.neighbours import fetch_neighbours, open_neighbours
from stayaway.alerts.plate_links import PlateLinks, find_plate_links
from stayaway.alerts.review_acts import acknowledge, claim, confirm, dismiss
from stayaway.alerts.review_audit import record_look_or_act
from stayaway.alerts.review_model import (
    AlertPage,
    AlertRow,
    AlertView,
    Evidence,
    ListName,
    ListQuery,
    Reviewer,
)
from stayaway.alerts.review_rows import act_row, alert_row, evidence_rows
from stayaway.alerts.review_view import shown_plate, view_alert
from stayaway.alerts.two_places import Neighbours
from stayaway.alerts.words import Standing
from stayaway.audit.entries import EntryType
from stayaway.kernel.errors import NotFoundError
from stayaway.matching.model import ZONE_RELATIONS
from stayaway.orders.history_load import load_court_orders
from stayaway.orders.model import CourtOrder
from stayaway.platform.postgres import Connection, load_queries
from stayaway.platform.seal import Seal

__all__ = [
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
"""A device reporting each minute makes 1,440 sightings a day: the newest are shown, with the best of each
kind of match; all are counted."""
_PAGE_LIMIT = 500

_STANDINGS: dict[ListName, Standing] = {
    "live": "LIVE",
    "historical": "HISTORICAL",
    "ended": "ORDER_SINCE_ENDED",
}


async def list_alerts(
    conn: Connection, seal: Seal, query: ListQuery, reviewer: Reviewer, *, now: datetime, view: str = "page"
) -> AlertPage:
    """One page of a list, newest first; the look is audited. `view`: page, stream or api."""
    limit = max(1, min(query.limit, _PAGE_LIMIT))
    async with conn.transaction():
        if query.list_name == "closed":
            found = await conn.fetch(_SQL.list_closed, query.before, limit + 1)
        else:
            standing = _STANDINGS[query.list_name]
            found = await conn.fetch(_SQL.list_open, standing, query.before, limit + 1)
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
        raise _no_alert()
    number: int = row["alert_number"]
    return number


async def load_alert(
    conn: Connection,
    seal: Seal,
    alert_number: int,
    reviewer: Reviewer,
    *,
    policy: Policy,
    now: datetime,
    read_now: datetime | None = None,
    view: str = "page",
) -> AlertView:
    """One alert with everything a reviewer needs; the look is audited.

    Of the registry only the alert's order is opened, and those that may have its plate. The order is read
    after the alert and its evidence, so that it never lacks a version by which they were judged.
    """
    async with conn.transaction():
        record = await conn.fetchrow(_SQL.load_alert, alert_number)
        if record is None:
            raise _no_alert()
        row = alert_row(record)
        acts = tuple(act_row(act) for act in await conn.fetch(_SQL.load_acts, row.alert_id))
        approved = {found["version"] for found in await conn.fetch(_SQL.approved_versions, row.order_id)}
        evidence, total, neighbours = await _load_evidence(conn, seal, record["root_id"], row)
        order = await _load_order(conn, seal, row.order_id)
        plate = shown_plate(row, order, evidence) if evidence else None
        links = PlateLinks()
        if plate is not None:
            links = await find_plate_links(conn, seal, plate.vehicle.plate, order)
        payload = {
            "alert_id": row.alert_id,
            "alert_number": row.alert_number,
            "view": view,
            "beside": neighbours.audited,
        }
        await record_look_or_act(
            conn, seal, EntryType.ALERT_VIEWED, reviewer, row.order_id, row.alert_id, payload, now
        )
    if not evidence:
        raise NotFoundError(
            "This alert has no evidence stored.", "Its rows were removed: restore the database."
        )
    return view_alert(
        row,
        order,
        evidence,
        acts,
        policy,
        read_now or now,
        total=total,
        approved_versions=approved,
        plate=plate,
        links=links,
        neighbours=neighbours,
    )


async def _load_evidence(
    conn: Connection, seal: Seal, root_id: str, row: AlertRow
) -> tuple[tuple[Evidence, ...], int, Neighbours]:
    """The newest and the best of an alert's evidence, how much there is, and what is stored beside it."""
    matches = await conn.fetch(
        _SQL.load_evidence, root_id, row.order_id, row.respondent_id, _EVIDENCE_SHOWN, ZONE_RELATIONS
    )
    beside = await fetch_neighbours(conn, root_id, row.order_id, row.respondent_id, _unbroken(matches))
    evidence = evidence_rows(seal, row.order_id, matches)
    neighbours = open_neighbours(
        seal,
        beside,
        {(item.vehicle_id, item.device_id) for item in evidence},
        {(item.topic, item.partition, item.record_offset) for item in evidence},
    )
    return evidence, matches[0]["total"] if matches else 0, neighbours


def _unbroken(matches: Sequence[Any]) -> list[Any]:
    """Those with nothing left out between them. A best match far behind the newest has neighbours of its own
    only where no other camera's, or no other device's, is among them.
    """
    newest = [match for match in matches if match["newest"] <= _EVIDENCE_SHOWN]
    sorts = {match["match_kind"] == "DEVICE" for match in newest}
    return newest + [
        match
        for match in matches
        if match["newest"] > _EVIDENCE_SHOWN and (match["match_kind"] == "DEVICE") not in sorts
    ]


async def _load_order(conn: Connection, seal: Seal, order_id: str) -> CourtOrder:
    order = (await load_court_orders(conn, seal, (order_id,))).get(order_id)
    if order is None:
        raise NotFoundError("The order of this alert is not in the registry.", "Restore the orders first.")
    return order


def _no_alert() -> NotFoundError:
    return NotFoundError("There is no such alert.", "Look at the list for the alerts there are.")
