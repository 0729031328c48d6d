"""What a change of an order does to its open alerts, in the transaction that changes it.

Every member of an open alert is judged again from its sealed evidence by the same code, on what is
known now. A member whose order was not in force then is withdrawn; an alert without members is
WITHDRAWN; one whose order has ended since is marked. Matchers cannot slip in between: they share the
heads that the import has locked.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from stayaway.access.person import Person
from stayaway.access.policies import record_policy
from stayaway.access.policy import Policy
from stayaway.access.registry_policy import RegistryPolicy
from stayaway.alerts.episodes import Alerting, Summary, join_all, split_at_gaps, summarise
from stayaway.alerts.members import (
    Member,
    judge_again,
    members_payload,
    overwritten_payload,
    to_alertings,
    write_members,
)
from stayaway.alerts.model import DISPOSED, AlertRow, Change
from stayaway.alerts.plan import Raised, free_alert_id
from stayaway.alerts.queries import SQL
from stayaway.alerts.rows import (
    ENGINE_NAME,
    Basis,
    Party,
    alert_entry,
    episode_payload,
    insert_arguments,
    shown,
    summary_payload,
    to_alert_row,
)
from stayaway.alerts.store import publish_changes
from stayaway.audit.entries import NewEntry
from stayaway.audit.store import record_entries
from stayaway.kernel.errors import SettingsError
from stayaway.kernel.instants import from_us
from stayaway.matching.engine import Engine
from stayaway.orders.advice import with_advice
from stayaway.orders.ahead import refuse_ahead
from stayaway.orders.change import AUDIT_STREAM
from stayaway.orders.keys_check import ensure_keys
from stayaway.orders.load import load_orders
from stayaway.orders.meet import look_at_met
from stayaway.orders.parse import parse_orders_file
from stayaway.orders.records import ParsedOrders
from stayaway.orders.registry import RegistrySnapshot
from stayaway.orders.store import ImportOutcome, record_orders
from stayaway.platform.postgres import Connection, Pool
from stayaway.platform.seal import Seal
from stayaway.platform.statements import fetch_in_one, of_rows


@dataclass(frozen=True, slots=True, kw_only=True)
class Imported:
    """An import's outcome, and the open alerts that it changed, by id.

    `ended`: newly marked, or marked by a matcher before and told only now. `revised`: those that stand, with
    other sightings, zones or cautions than before.
    """

    outcome: ImportOutcome
    withdrawn: tuple[str, ...] = ()
    ended: tuple[str, ...] = ()
    revised: tuple[str, ...] = ()
    raised: tuple[str, ...] = ()


@dataclass(slots=True)
class _Work:
    """Everything to be written for the changed orders."""

    seal: Seal
    basis: Basis
    actor: str
    entries: list[NewEntry] = field(default_factory=list)
    changes: list[tuple[str, Change]] = field(default_factory=list)
    withdrawn: list[str] = field(default_factory=list)
    ended: list[str] = field(default_factory=list)
    revised: list[str] = field(default_factory=list)
    raised: list[str] = field(default_factory=list)

    def note(self, entry_type: str, party: Party, alert_id: str, payload: dict[str, Any]) -> None:
        self.entries.append(alert_entry(entry_type, party, alert_id, payload, self.basis, self.actor))


async def import_orders(
    pool: Pool,
    seal: Seal,
    data: bytes,
    policy: Policy | None,
    *,
    actor: str,
    at: datetime,
    registry_policy: RegistryPolicy | None = None,
) -> Imported:
    """Record an orders file and judge the open alerts of the orders it changes again, in one transaction.

    Raises UnreadableFileError before anything is written. Without a policy nothing can be judged:
    SettingsError where an open alert belongs to a changed order, and nothing is recorded.
    """
    parsed = refuse_ahead(parse_orders_file(data), at)
    async with pool.acquire() as conn:
        await ensure_keys(conn, seal)
        met = await look_at_met(conn, seal, parsed, Person.of(actor, "cli"), now=at, view="import")
    advised = with_advice(parsed, met=met)
    return await import_parsed(
        pool, seal, advised, policy, actor=actor, at=at, registry_policy=registry_policy
    )


async def import_parsed(
    pool: Pool,
    seal: Seal,
    parsed: ParsedOrders,
    policy: Policy | None,
    *,
    actor: str,
    at: datetime,
    clock: Callable[[], datetime] | None = None,
    registry_policy: RegistryPolicy | None = None,
) -> Imported:
    """The same for a file that was read already. `at`: when it is recorded, not when reading began.

    `clock`: tells when all is written and it takes effect, where that may be much later than `at`.
    `registry_policy`: may forbid that a file changes what was approved here; None does not.
    """
    may_change = registry_policy is None or registry_policy.feeds_may_change_approved_orders
    async with pool.acquire() as conn:
        await ensure_keys(conn, seal)  # not in the transaction: others that seal first would wait for its end
        async with conn.transaction():
            outcome = await record_orders(
                conn,
                seal,
                parsed,
                actor=actor,
                recorded_now=at,
                clock=clock,
                may_change_approved=may_change,
            )
            return await _judged_again(conn, seal, outcome, policy, actor=actor, at=at)


async def apply_records(
    conn: Connection, seal: Seal, parsed: ParsedOrders, policy: Policy | None, *, actor: str, at: datetime
) -> Imported:
    """Approvals and single acts by the road of a file: record, then judge again.

    In the caller's transaction, which has locked the registry and the order. Raises as `import_orders`
    does, and ConflictError where a file with the same order is just being written.
    """
    outcome = await record_orders(conn, seal, parsed, actor=actor, recorded_now=at, holds_registry=True)
    return await _judged_again(conn, seal, outcome, policy, actor=actor, at=at)


async def _judged_again(
    conn: Connection, seal: Seal, outcome: ImportOutcome, policy: Policy | None, *, actor: str, at: datetime
) -> Imported:
    if not outcome.moved_order_ids:
        return Imported(outcome=outcome)  # an order that was not there has no alerts
    work = await rejudge_open_alerts(conn, seal, outcome.moved_order_ids, policy, actor=actor, at=at)
    if work is None:
        return Imported(outcome=outcome)
    return Imported(
        outcome=outcome,
        withdrawn=tuple(work.withdrawn),
        ended=tuple(work.ended),
        revised=tuple(work.revised),
        raised=tuple(work.raised),
    )


async def rejudge_open_alerts(
    conn: Connection, seal: Seal, order_ids: Sequence[str], policy: Policy | None, *, actor: str, at: datetime
) -> _Work | None:
    """Judge the open alerts of these orders again; the caller has locked their heads for update."""
    parties = await conn.fetch(SQL.open_parties, list(order_ids))
    if not parties:
        return None
    if policy is None:
        raise SettingsError(
            "These orders have open alerts, and to judge those again a policy is needed.",
            "Name the policy file with --policy; nothing was recorded.",
        )
    await record_policy(conn, policy, at)
    chains = _to_chains(await conn.fetch(SQL.lock_open_alerts, list(order_ids)))
    snapshot = await load_orders(conn, seal, sorted({row["order_id"] for row in parties}))
    rows = await conn.fetch(SQL.load_members, sorted(chains), list(order_ids))
    members = judge_again(seal, rows, Engine(snapshot, policy), policy)
    work = _Work(seal=seal, basis=_to_basis(snapshot, policy, at), actor=actor)
    await write_members(conn, seal, [member for group in members.values() for member in group], work.basis)
    for root_id, (party, chain) in sorted(chains.items()):
        await _settle(conn, party, chain, members.get(root_id, []), work)
    await record_entries(conn, seal, AUDIT_STREAM, work.entries)
    await publish_changes(conn, work.changes, at)
    return work


def _to_basis(snapshot: RegistrySnapshot, policy: Policy, at: datetime) -> Basis:
    return Basis(
        registry_sequence=snapshot.registry_sequence,
        known_at=snapshot.known_at,
        policy_sha256=policy.sha256,
        engine=ENGINE_NAME,
        gap_us=policy.seconds_us("episode_gap_s"),
        decided_at=at,
    )


def _to_chains(rows: Sequence[Any]) -> dict[str, tuple[Party, list[AlertRow]]]:
    """The locked alerts by the root that holds their decisions."""
    chains: dict[str, tuple[Party, list[AlertRow]]] = {}
    for row in rows:
        alert = to_alert_row(row)
        root_id = alert.raised_anew_from or alert.alert_id
        chains.setdefault(root_id, ((row["order_id"], row["respondent_id"]), []))[1].append(alert)
    return chains


async def _settle(
    conn: Connection, party: Party, chain: Sequence[AlertRow], members: Sequence[Member], work: _Work
) -> None:
    """One episode after its members were judged again: withdrawn, marked, shrunk or cut in several."""
    pairs = to_alertings(members)
    if not pairs:
        await _withdraw(conn, party, chain, members, work)
        return
    gone = [member for member in members if not member.stands]
    by_alerting = {id(alerting): member for alerting, member in pairs}
    pieces = list(split_at_gaps((alerting for alerting, _ in pairs), work.basis.gap_us))
    summary, count = _summarise(pieces[0])
    is_changed = any(member.is_changed for member in members)
    updates = [row for row in chain if is_changed or (row.summary, row.sighting_count) != (summary, count)]
    arguments = [(row.alert_id, from_us(row.raised_us), *shown(summary, count)) for row in updates]
    await fetch_in_one(conn, of_rows(SQL.update_alerts, arguments))
    await conn.execute(SQL.count_revision, [row.alert_id for row in updates])
    ends = any(by_alerting[id(item)].is_newly_ended for item in pieces[0])
    newly = {row.alert_id for row in updates if _is_newly_ended(row, summary, ends=ends)}
    overwritten = overwritten_payload(work.seal, members)
    for row in updates:
        about = {**episode_payload(summary, count, work.basis), **_before(row, overwritten)}
        _note_revised(party, row, about, gone, work, newly_ended=row.alert_id in newly)
    if newly:
        await conn.execute(SQL.ask_claimant, sorted(newly))
    for piece in pieces[1:]:
        await _raise_piece(conn, party, chain[0], piece, [by_alerting[id(item)] for item in piece], work)


def _is_newly_ended(row: AlertRow, summary: Summary, *, ends: bool) -> bool:
    """Whether it is to be told now that the alert's order has ended. `ends`: some member says so only now.

    A matcher that knew of the end marks the alert by a late sighting, but tells and asks nobody.
    """
    if "ORDER_SINCE_ENDED" not in row.summary.cautions:
        return "ORDER_SINCE_ENDED" in summary.cautions
    return ends and row.to_acknowledge_by is None


def _summarise(piece: Sequence[Alerting]) -> tuple[Summary, int]:
    summary = join_all(summarise(item.observed_us, item.match) for item in piece)
    return summary, len({item.key for item in piece})


async def _withdraw(
    conn: Connection, party: Party, chain: Sequence[AlertRow], members: Sequence[Member], work: _Work
) -> None:
    # Also the one that was closed before: an episode has no alert without a sighting, and the next sighting
    # there must not be counted to what somebody closed for another reason.
    rows = [row for row in chain if row.is_standing]
    alert_ids = [row.alert_id for row in rows]
    await conn.execute(SQL.withdraw_alerts, alert_ids)
    about = {"whole": True, "members": members_payload(members)}
    overwritten = overwritten_payload(work.seal, members)
    for row in rows:
        work.note("ALERT_WITHDRAWN", party, row.alert_id, {**about, **_before(row, overwritten)})
        work.changes.append((row.alert_id, "WITHDRAWN"))
    work.withdrawn += alert_ids


def _before(row: AlertRow, overwritten: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """What the alert showed, and what its decisions said, until now: the rows do not say it any more."""
    shown_before = {"state": row.state, **summary_payload(row.summary, row.sighting_count)}
    return {"before": shown_before, "decisions_before": list(overwritten)}


def _note_revised(
    party: Party,
    row: AlertRow,
    about: dict[str, Any],
    gone: Sequence[Member],
    work: _Work,
    *,
    newly_ended: bool,
) -> None:
    """One entry at least for every alert that stands and shows something else now."""
    if gone:
        partly = {"whole": False, "members": members_payload(gone)}
        work.note("ALERT_WITHDRAWN", party, row.alert_id, {**about, **partly})
    if newly_ended:
        work.note("ALERT_ORDER_ENDED", party, row.alert_id, about)
    if not gone and not newly_ended:
        work.note("ALERT_REVISED", party, row.alert_id, about)
    if row.state not in DISPOSED:
        (work.ended if newly_ended else work.revised).append(row.alert_id)
    work.changes.append((row.alert_id, "ORDER_ENDED" if newly_ended else "REVISED"))


async def _raise_piece(
    conn: Connection,
    party: Party,
    root: AlertRow,
    piece: Sequence[Alerting],
    members: Sequence[Member],
    work: _Work,
) -> None:
    """What was one episode is several now: a later piece becomes an alert of its own."""
    summary, count = _summarise(piece)
    taken = {row["alert_id"] for row in await conn.fetch(SQL.taken_ids, *party)}
    alert_id = free_alert_id(*party, summary.first_us, taken)
    raised = Raised(alert_id=alert_id, raised_us=summary.first_us, raised_anew_from=None)
    alert = insert_arguments(party, raised, summary, count, work.basis)
    await fetch_in_one(conn, of_rows(SQL.insert_alerts, [alert]))
    place = (alert_id, from_us(summary.first_us))
    await conn.executemany(SQL.move_decision, [(*member.key, *place) for member in members])
    about = episode_payload(summary, count, work.basis)
    work.note(
        "ALERT_RAISED",
        party,
        alert_id,
        {**about, "cut_from": root.alert_id, "members": members_payload(members)},
    )
    work.changes.append((alert_id, "RAISED"))
    work.raised.append(alert_id)
