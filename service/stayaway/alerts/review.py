"""Review: people look at alerts, claim, confirm and dismiss them. The web page and the command
line share these functions.

Every look and every act leaves its audit entry in its own transaction (promise 4). `now` is the
instant recorded; `read_now` the one that "read N min ago" counts from (a replay has its own).
"""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any

from stayaway.access.policy import Policy
from stayaway.alerts.model import OUTBOX_CHANNEL
from stayaway.alerts.review_facts import best_evidence, best_plate, facts_against
from stayaway.alerts.review_model import (
    CLAIM_LEASE_S,
    Act,
    ActRefusedError,
    AlertPage,
    AlertRow,
    AlertView,
    Confirmation,
    Dismissal,
    Evidence,
    ListName,
    ListQuery,
    Reviewer,
    check_confirmation,
    check_dismissal,
)
from stayaway.alerts.review_rows import act_row, alert_row, evidence_rows
from stayaway.alerts.words import Standing, lead_words
from stayaway.audit.entries import EntryType, NewEntry
from stayaway.audit.store import record_entry
from stayaway.kernel.errors import ConflictError, NotFoundError
from stayaway.kernel.jsontext import canonical_json
from stayaway.orders.load import load_registry
from stayaway.orders.model import CourtOrder, OrderException, OrderVersion, Zone
from stayaway.orders.registry import RegistrySnapshot
from stayaway.orders.rules import counting_notices, version_expires_at
from stayaway.platform.postgres import Connection, load_queries
from stayaway.platform.seal import Seal

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


# ---------------------------------------------------------------- looking
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
        await _record(conn, seal, EntryType.ALERTS_LISTED, reviewer, None, "alerts", payload, now)
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
        payload = {"alert_id": row.alert_id, "alert_number": row.alert_number, "view": view}
        await _record(conn, seal, EntryType.ALERT_VIEWED, reviewer, row.order_id, row.alert_id, payload, now)
    if not matches:
        raise NotFoundError(
            "This alert has no evidence stored.", "Its rows were removed: restore the database."
        )
    evidence = evidence_rows(seal, row.order_id, matches)
    known = {version.version for version in order.versions}
    if any(item.order_version not in known for item in evidence):  # changed between the two reads
        order = await orders.load(conn, row.order_id)
    return _view(row, order, orders, evidence, acts, policy, read_now or now, total=matches[0]["total"])


def _view(
    row: AlertRow,
    order: CourtOrder,
    orders: OrderReader,
    evidence: tuple[Evidence, ...],
    acts: tuple[Act, ...],
    policy: Policy,
    read_now: datetime,
    *,
    total: int,
) -> AlertView:
    best = best_evidence(evidence)
    version = _version(order, best.order_version)
    plate = best_plate(evidence, version, row.respondent_id)
    linked = orders.respondents_of_plate(plate.vehicle.plate) if plate else frozenset()
    zones = _zones(order, evidence)
    exceptions = _exceptions(version, evidence)
    expires_at = version_expires_at(version, counting_notices(order, row.respondent_id, policy.notice_kinds))
    withheld = "ADDRESS_WITHHELD" in version.confidentiality or any(
        zone.address_confidential for zone in zones
    )
    words = lead_words(
        age_s=(read_now - row.last_observed_at).total_seconds(),
        has_plate=any(item.plate_read for item in evidence),
        has_device=any(item.check_in for item in evidence),
        agency_ori=version.agency.ori,
        telephone=version.agency.telephone,
        address_withheld=withheld,
    )
    return AlertView(
        row=row,
        order=order,
        version=version,
        respondent=next(
            (item for item in version.respondents if item.respondent_id == row.respondent_id), None
        ),
        expires_at=expires_at,
        words=words,
        facts=facts_against(
            row=row,
            order=order,
            best=best,
            plate=plate,
            others_linked=len(linked - {row.respondent_id}),
            exceptions=exceptions,
            expires_at=expires_at,
            now=read_now,
        ),
        best=best,
        best_plate=plate,
        evidence=evidence,
        evidence_total=total,
        zones=zones,
        exceptions=exceptions,
        acts=acts,
        address_withheld=withheld,
    )


def _version(order: CourtOrder, number: int) -> OrderVersion:
    for version in order.versions:
        if version.version == number:
            return version
    raise NotFoundError("The order's version of this alert is not in the registry.", "Load the page again.")


def _zones(order: CourtOrder, evidence: tuple[Evidence, ...]) -> tuple[Zone, ...]:
    """The alert's own zones only, each as the version had it that judged its latest read."""
    versions: dict[str, int] = {}
    for item in evidence:
        versions.setdefault(item.zone_id, item.order_version)
    found = []
    for zone_id in sorted(versions):
        zones = _version(order, versions[zone_id]).zones
        found += [zone for zone in zones if zone.zone_id == zone_id]
    return tuple(found)


def _exceptions(version: OrderVersion, evidence: tuple[Evidence, ...]) -> tuple[OrderException, ...]:
    named = {exception_id for item in evidence for exception_id in item.exception_ids}
    return tuple(item for item in version.exceptions if item.exception_id in named)


# ---------------------------------------------------------------- acting
async def claim(
    conn: Connection, seal: Seal, alert_number: int, reviewer: Reviewer, *, now: datetime
) -> AlertRow:
    """Take the alert for 90 s, or hold it for 90 s more; of many at once exactly one wins.

    Raises ConflictError where somebody else holds it or it is closed. Claiming is not
    confirming; a renewal by its holder is no new act.
    """
    until = now + timedelta(seconds=CLAIM_LEASE_S)
    async with conn.transaction():
        row, _ = await _locked(conn, alert_number)
        _check_actable(row, reviewer, now)
        if row.claim_holder(now) == reviewer.name:
            await conn.execute(_SQL.renew_claim, alert_number, reviewer.name, until)
        else:
            await conn.execute(_SQL.take_claim, alert_number, reviewer.name, until)
            await _act(conn, seal, EntryType.ALERT_CLAIMED, row, reviewer, None, {}, now)
        fresh = await conn.fetchrow(_SQL.load_alert, alert_number)
    assert fresh is not None
    return alert_row(fresh)


async def confirm(
    conn: Connection,
    seal: Seal,
    alert_number: int,
    confirmation: Confirmation,
    reviewer: Reviewer,
    *,
    policy: Policy,
    has_image: bool,
    now: datetime,
) -> AlertRow:
    """Record VERIFIED_LEAD. `has_image`: an image of this alert's reads can be shown.

    Raises ActRefusedError where a needed statement is missing, ConflictError where somebody
    else holds the alert, it is closed, or its evidence changed since it was looked at.
    """
    async with conn.transaction():
        row, root_id = await _locked(conn, alert_number)
        _check_actable(row, reviewer, now)
        _check_seen(row, confirmation.seen)
        has_plate = await conn.fetchval(_SQL.has_plate, root_id, row.order_id, row.respondent_id)
        problems = check_confirmation(
            confirmation,
            has_plate=has_plate,
            needs_second_look=row.match_kind in policy.second_look_kinds,
            has_image=has_image,
        )
        if problems:
            raise ActRefusedError(problems)
        await conn.execute(_SQL.dispose, alert_number, "CONFIRMED", "VERIFIED_LEAD", now, reviewer.name)
        stated = {"sight": confirmation.sight, "second_look": confirmation.second_look}
        await _act(conn, seal, EntryType.ALERT_CONFIRMED, row, reviewer, "VERIFIED_LEAD", stated, now)
        fresh = await conn.fetchrow(_SQL.load_alert, alert_number)
    assert fresh is not None
    return alert_row(fresh)


async def dismiss(
    conn: Connection,
    seal: Seal,
    alert_number: int,
    dismissal: Dismissal,
    reviewer: Reviewer,
    *,
    now: datetime,
) -> AlertRow:
    """Close the alert with a reason of the closed list. Raises as `confirm` does."""
    problems = check_dismissal(dismissal)
    if problems:
        raise ActRefusedError(problems)
    async with conn.transaction():
        row, _ = await _locked(conn, alert_number)
        _check_actable(row, reviewer, now)
        _check_seen(row, dismissal.seen)
        await conn.execute(_SQL.dispose, alert_number, "DISMISSED", dismissal.reason_code, now, reviewer.name)
        await _act(conn, seal, EntryType.ALERT_DISMISSED, row, reviewer, dismissal.reason_code, {}, now)
        fresh = await conn.fetchrow(_SQL.load_alert, alert_number)
    assert fresh is not None
    return alert_row(fresh)


async def _locked(conn: Connection, alert_number: int) -> tuple[AlertRow, str]:
    """The alert under its row's lock, its order's head shared before it (lock order), and its root's id."""
    found = await conn.fetchrow(_SQL.find_by_number, alert_number)
    if found is None:
        raise NotFoundError("There is no such alert.", "Look at the list for the alerts there are.")
    await conn.fetchrow(_SQL.share_order_head, found["order_id"])
    row = await conn.fetchrow(_SQL.lock_alert, alert_number)
    assert row is not None
    return alert_row(row), row["root_id"]


def _check_actable(row: AlertRow, reviewer: Reviewer, now: datetime) -> None:
    if row.state not in ("OPEN", "CLAIMED"):
        raise ConflictError(f"This alert is closed already: {row.state}.", "Load it again to see how.")
    holder = row.claim_holder(now)
    if holder is not None and holder != reviewer.name:
        raise ConflictError(f"{holder} holds this alert.", "Wait until the claim runs out, or ask them.")


def _check_seen(row: AlertRow, seen: str | None) -> None:
    if seen is not None and seen != row.seen:
        raise ConflictError("The evidence changed since you looked.", "Look at it again, then decide.")


async def _act(
    conn: Connection,
    seal: Seal,
    entry_type: EntryType,
    row: AlertRow,
    reviewer: Reviewer,
    reason_code: str | None,
    stated: Mapping[str, Any],
    now: datetime,
) -> None:
    """The act's row, its audit entry and its place in the outbox."""
    act = entry_type.value.removeprefix("ALERT_")
    detail = {**stated, "seen": row.seen, "purpose": reviewer.purpose, "channel": reviewer.channel}
    sealed = seal.seal(row.order_id, "alert_act", canonical_json(detail))
    await conn.execute(
        _SQL.insert_act,
        row.alert_id,
        row.order_id,
        act,
        now,
        reviewer.name,
        reviewer.verified,
        reason_code,
        sealed,
    )
    payload = {
        "alert_id": row.alert_id,
        "alert_number": row.alert_number,
        "act": act,
        "state_before": row.state,
        "reason_code": reason_code,
        "match_kind": row.match_kind,
        **detail,
    }
    await _record(conn, seal, entry_type, reviewer, row.order_id, row.alert_id, payload, now)
    # Last of all: every writer waits for this row (alerts.store.publish_changes does the same).
    sequence: int = await conn.fetchval(_SQL.next_outbox)
    await conn.execute(_SQL.insert_outbox, sequence, row.alert_id, act, now)
    await conn.execute(_SQL.notify_outbox, OUTBOX_CHANNEL, str(sequence))


async def _record(
    conn: Connection,
    seal: Seal,
    entry_type: EntryType,
    reviewer: Reviewer,
    order_id: str | None,
    subject: str,
    payload: Mapping[str, Any],
    now: datetime,
) -> None:
    entry = NewEntry(
        entry_type=entry_type,
        order_id=order_id,
        actor=reviewer.name,
        subject=subject,
        payload={
            **payload,
            "actor": reviewer.name,
            "actor_verified": reviewer.verified,
            "channel": reviewer.channel,
            "purpose": reviewer.purpose,
        },
        recorded_at=now,
        policy_sha256=None,
    )
    await record_entry(conn, seal, reviewer.channel, entry)
