"""A batch's decisions into Postgres, inside the caller's transaction.

The caller holds the fenced partition rows and the order heads; here follow the alert rows, so that any number
of matchers make one alert of one visit. What nothing else waits for is left to the caller, to be sent with
statements of its own.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from stayaway.alerts.episodes import summarise
from stayaway.alerts.evidence import (
    EventId,
    Judged,
    StorableMatch,
    StoredEvent,
    flag_conflicts,
    insert_sightings,
    storable,
)
from stayaway.alerts.model import AlertRow, Change
from stayaway.alerts.plan import EpisodeChange, Member, plan_changes
from stayaway.alerts.queries import SQL
from stayaway.alerts.rows import (
    Basis,
    Party,
    alert_entry,
    episode_payload,
    insert_arguments,
    listed,
    probability,
    seal_detail,
    shown,
    to_alert_row,
)
from stayaway.audit.entries import NewEntry
from stayaway.kernel.instants import format_instant, from_us, moved, to_us
from stayaway.kernel.steps import each_step
from stayaway.platform.postgres import Connection
from stayaway.platform.seal import Seal
from stayaway.platform.statements import Statement, fetch_in_one, of_rows
from stayaway.platform.turns import in_turns


@dataclass(slots=True)
class Recorded:
    """What was written: audit entries, each for the stream of a judged event (its place in the
    batch), and the alerts that changed, for the outbox.
    """

    entries: list[tuple[int, NewEntry]] = field(default_factory=list)
    changes: list[tuple[str, Change]] = field(default_factory=list)
    alerts_raised: int = 0
    to_run: list[Statement] = field(default_factory=list)
    """What is still to be run in the transaction: nothing else needs its rows."""


async def record_decisions(conn: Connection, seal: Seal, judged: Sequence[Judged], basis: Basis) -> Recorded:
    """Sightings, decisions and alerts of what may be stored; the same event again changes nothing."""
    recorded = Recorded()
    rows = storable(seal, judged)
    if not rows:
        return recorded
    fresh, repeated = await insert_sightings(conn, seal, rows, judged)
    known = await _load_known(conn, [row for row in rows if row.stored not in fresh])
    rows = _drop_known(rows, known)
    alerting = [row for row in rows if not row.match.reasons]
    roots = await _change_alerts(conn, alerting, known, judged, basis, recorded)
    recorded.to_run += await _decisions(seal, rows, roots, basis)
    if repeated:
        await _flag(conn, repeated, recorded)
    return recorded


async def _flag(conn: Connection, repeated: Collection[EventId], recorded: Recorded) -> None:
    """Flag the sightings under one event id, and the alerts that hold one by the decisions made now, too."""
    await _run(conn, recorded)
    told = {alert_id for alert_id, _ in recorded.changes}
    revised = await flag_conflicts(conn, repeated)
    recorded.changes += [(alert_id, "REVISED") for alert_id in revised if alert_id not in told]


def publication(changes: Sequence[tuple[str, Change]], at: datetime) -> list[Statement]:
    """What tells the outbox; nothing where there is nothing to tell. It belongs into the last statement
    before commit: it holds a lock that all writers need.
    """
    if not changes:
        return []
    alert_ids, words = zip(*changes, strict=True)
    return [Statement(SQL.publish_changes, (list(alert_ids), list(words), at))]


async def publish_changes(conn: Connection, changes: Sequence[tuple[str, Change]], at: datetime) -> None:
    """The same by itself."""
    await fetch_in_one(conn, publication(changes, at))


# ---------------------------------------------------------------- what was decided before

_Known = dict[tuple[str, str, StoredEvent], dict[str, str]]
"""For each event under a respondent: zone id -> outcome."""


async def _load_known(conn: Connection, rows: Sequence[StorableMatch]) -> _Known:
    known: _Known = {}
    events = sorted({row.event for row in rows})
    if not events:
        return known
    found = await conn.fetch(
        SQL.load_decisions,
        [event[0] for event in events],
        [event[1] for event in events],
        *([event[2][column] for event in events] for column in range(1, 5)),
    )
    for row in found:
        stored = (row["order_id"], row["source"], row["event_id"], row["observed_at"], row["content_digest"])
        event = (row["order_id"], row["respondent_id"], stored)
        known.setdefault(event, {})[row["zone_id"]] = row["outcome"]
    return known


def _drop_known(rows: Sequence[StorableMatch], known: _Known) -> list[StorableMatch]:
    """Without what stands already: an alerting decision, or one suppressed then and now."""
    kept = []
    for row in rows:
        before = known.get(row.event, {}).get(row.match.zone_id)
        if before is None or (before != "ALERT" and not row.match.reasons):
            kept.append(row)
    return kept


# ---------------------------------------------------------------- alerts


async def _change_alerts(
    conn: Connection,
    rows: Sequence[StorableMatch],
    known: _Known,
    judged: Sequence[Judged],
    basis: Basis,
    recorded: Recorded,
) -> dict[int, tuple[str, int]]:
    """Raise, extend and merge; for each alerting row (by its place in `rows`'s identity) its root."""
    roots: dict[int, tuple[str, int]] = {}
    parties: dict[Party, list[StorableMatch]] = {}
    for row in rows:
        parties.setdefault(row.party, []).append(row)
    near = await _lock_alerts_near(conn, parties, basis.gap_us)
    changes: list[tuple[Party, EpisodeChange]] = []
    for party, mine in sorted(parties.items()):
        members = _to_members(mine, known)
        for change in plan_changes(*party, near.get(party, ()), members, basis.gap_us):
            changes.append((party, change))
            roots.update((id(mine[m.index]), (change.root_id, change.root_raised_us)) for m in change.members)
            _note(recorded, party, change, [mine[m.index] for m in change.members], judged, basis)
    recorded.to_run += _alerts(changes, basis)
    await _merge(conn, changes, recorded)
    return roots


def _to_members(rows: Sequence[StorableMatch], known: _Known) -> list[Member]:
    events: dict[StoredEvent, int] = {}
    members = []
    for index, row in enumerate(rows):
        event = events.setdefault(row.stored, len(events))
        counted = "ALERT" in known.get(row.event, {}).values()
        summary = summarise(to_us(row.stored[3]), row.match)
        members.append(Member(index=index, event=event, is_new_event=not counted, summary=summary))
    return members


async def _lock_alerts_near(
    conn: Connection, parties: dict[Party, list[StorableMatch]], gap_us: int
) -> dict[Party, list[AlertRow]]:
    if not parties:
        return {}
    gap = timedelta(microseconds=gap_us)
    spans = [
        (
            *party,
            moved(min(row.stored[3] for row in rows), -gap),
            moved(max(row.stored[3] for row in rows), gap),
        )
        for party, rows in sorted(parties.items())
    ]
    found = await conn.fetch(SQL.lock_alerts_near, *([span[column] for span in spans] for column in range(4)))
    near: dict[Party, list[AlertRow]] = {}
    for row in found:
        near.setdefault((row["order_id"], row["respondent_id"]), []).append(to_alert_row(row))
    return near


def _alerts(changes: Sequence[tuple[Party, EpisodeChange]], basis: Basis) -> list[Statement]:
    inserts = [
        insert_arguments(party, change.raised, change.summary, change.sighting_count, basis)
        for party, change in changes
        if change.raised is not None
    ]
    updates = [
        (row.alert_id, from_us(row.raised_us), *shown(change.summary, change.sighting_count))
        for _, change in changes
        for row in change.updated
    ]
    return [*of_rows(SQL.insert_alerts, inserts), *of_rows(SQL.update_alerts, updates)]


async def _merge(
    conn: Connection, changes: Sequence[tuple[Party, EpisodeChange]], recorded: Recorded
) -> None:
    """Merged alerts go into roots that show the episode already."""
    for party, change in changes:
        if change.merged:
            await _run(conn, recorded)
            merged_ids = [row.alert_id for row in change.merged]
            await conn.execute(SQL.merge_alerts, change.root_id, merged_ids, *party)


async def _run(conn: Connection, recorded: Recorded) -> None:
    """What is still to be run, now."""
    await fetch_in_one(conn, recorded.to_run)
    recorded.to_run.clear()


def _note(
    recorded: Recorded,
    party: Party,
    change: EpisodeChange,
    rows: Sequence[StorableMatch],
    judged: Sequence[Judged],
    basis: Basis,
) -> None:
    """The audit entries and outbox rows of one episode's change.

    Entries go to the stream of the earliest new member, so that they do not depend on the order
    in which partitions were read.
    """
    place = min(rows, key=lambda row: (row.stored[3], row.stored)).place
    members = [_member_payload(row, judged) for row in rows]
    about = episode_payload(change.summary, change.sighting_count, basis)
    entries: list[NewEntry] = []
    if change.raised is not None:
        raised = change.raised
        recorded.alerts_raised += 1
        payload = {**about, "raised_anew_from": raised.raised_anew_from, "members": members}
        entries.append(alert_entry("ALERT_RAISED", party, raised.alert_id, payload, basis))
        recorded.changes.append((raised.alert_id, "RAISED"))
    if change.rose:
        payload = {**about, "members": members}
        entries.append(alert_entry("ALERT_EVIDENCE_ROSE", party, change.root_id, payload, basis))
    for row in change.merged:
        payload = {**about, "merged_into": change.root_id}
        entries.append(alert_entry("ALERT_MERGED", party, row.alert_id, payload, basis))
        recorded.changes.append((row.alert_id, "MERGED"))
    recorded.entries += [(place, entry) for entry in entries]
    recorded.changes += [(row.alert_id, "EXTENDED") for row in change.updated]


def _member_payload(row: StorableMatch, judged: Sequence[Judged]) -> dict[str, Any]:
    item = judged[row.place]
    return {
        "source": row.stored[1],
        "event_id": row.stored[2],
        "observed_at": format_instant(row.stored[3]),
        "content_sha256": item.decision.content_sha256.hex(),
        "zone_id": row.match.zone_id,
        "topic": item.topic,
        "partition": item.partition,
        "record_offset": item.record_offset,
    }


# ---------------------------------------------------------------- decisions


async def _decisions(
    seal: Seal, rows: Sequence[StorableMatch], roots: dict[int, tuple[str, int]], basis: Basis
) -> list[Statement]:
    """What inserts them; nothing where there are none."""
    made = await in_turns(each_step(lambda row: _decision_row(seal, row, roots.get(id(row)), basis), rows))
    made_on = (
        basis.registry_sequence,
        basis.known_at,
        basis.policy_sha256,
        basis.engine,
        basis.decided_at,
    )
    return of_rows(SQL.insert_decisions, made, *made_on)


def _decision_row(
    seal: Seal, row: StorableMatch, root: tuple[str, int] | None, basis: Basis
) -> tuple[Any, ...]:
    match = row.match
    alert_id, raised_at = (root[0], from_us(root[1])) if root is not None else (None, None)
    order_id, *event = row.stored
    return (
        order_id,
        match.respondent_id,
        match.zone_id,
        *event,
        match.outcome,
        alert_id,
        raised_at,
        match.order_version,
        match.match_kind,
        match.region_match,
        match.description,
        match.zone_relation,
        probability(match),
        listed(match.reasons),
        listed(match.cautions),
        seal_detail(seal, match, basis),
    )
