"""One alert explained: the numbered steps of its decisions, and what came of running them again.

Everything comes from what was stored: the event's sealed bytes, the order's records up to the registry
sequence that the decision names, the policy of that digest. The look is audited with its verdict.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from stayaway.access.policies import load_policies
from stayaway.access.policy import Policy
from stayaway.alerts.episodes import Summary, join_all, sorted_cautions, summarise
from stayaway.alerts.neighbours import fetch_neighbours, open_neighbours
from stayaway.alerts.rerun import (
    Difference,
    Recorded,
    Rerun,
    StoredDecision,
    Verdict,
    rerun_all,
    worst,
)
from stayaway.alerts.review_audit import record_look_or_act
from stayaway.alerts.review_model import AlertRow, Reviewer
from stayaway.alerts.review_rows import alert_row
from stayaway.alerts.two_places import Fix, Neighbours, TwoPlaces, find_two_places
from stayaway.audit.entries import EntryType
from stayaway.kernel.instants import format_instant, from_us, to_us
from stayaway.kernel.jsontext import parse_json
from stayaway.matching.model import DecisionStep
from stayaway.orders.codec import StoredOrderError
from stayaway.orders.history_load import load_recorded
from stayaway.platform.postgres import Connection, load_queries
from stayaway.platform.seal import NoKeyError, Seal, SealError
from stayaway.sightings.model import Refusal
from stayaway.sightings.wire import parse_sighting

_SQL = load_queries("stayaway.alerts", "review.sql")
_NO_KEY = "the order's key is not in the keys file: destroyed, and with it what was sealed, or another file"
_NO_EVENT = "the event was destroyed: its row is gone, as retention demands"
EPISODE_STEP = 6


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """An alert's decisions, each run again, and its episode put together again from them.

    `difference`: the first one found, in a decision or in what the alert's row shows. `two_places`: among
    the alert's sightings and those that `neighbours` found beside them.
    """

    row: AlertRow
    decisions: tuple[Rerun, ...]
    episode: DecisionStep
    verdict: Verdict
    difference: Difference | None
    two_places: TwoPlaces | None
    neighbours: Neighbours


async def explain_alert(
    conn: Connection,
    seal: Seal,
    alert_number: int,
    reviewer: Reviewer,
    *,
    now: datetime,
    policy: Policy | None = None,
) -> Explanation:
    """Run the alert's decisions again. `policy`: stands in where the one it names is not kept.

    A policy with another digest than the decision names is never used for it.
    """
    async with conn.transaction():
        record = await conn.fetchrow(_SQL.load_alert, alert_number)
        assert record is not None, "the caller has found it"
        row = alert_row(record)
        rows = await conn.fetch(_SQL.load_decisions, record["root_id"], row.order_id, row.respondent_id)
        root = await _load_root(conn, record["root_id"], row)
        beside = await fetch_neighbours(conn, record["root_id"], row.order_id, row.respondent_id, rows)
        policies = await load_policies(conn, {item["policy_sha256"] for item in (*rows, *beside)})
        if policy is not None:
            policies[policy.sha256] = policy
        stored = [_stored(seal, item) for item in rows]
        decisions = await _run_again(conn, seal, row.order_id, stored, policies)
        neighbours = _open_neighbours(seal, beside, stored)
        explanation = _explain(row, root, decisions, neighbours, policies)
        await _record_look(conn, seal, explanation, reviewer, now)
    return explanation


async def _load_root(conn: Connection, root_id: str, row: AlertRow) -> AlertRow:
    if root_id == row.alert_id:
        return row
    number = (await conn.fetchrow(_SQL.find_by_id, root_id))["alert_number"]  # type: ignore[index]
    return alert_row(await conn.fetchrow(_SQL.load_alert, number))  # type: ignore[arg-type]


def _stored(seal: Seal, row: Any) -> StoredDecision:
    columns = dict(row)
    order_id = row["order_id"]
    gone = _NO_EVENT if row["payload_sealed"] is None else None
    detail: Mapping[str, Any] | None = None
    event: Mapping[str, Any] | None = None
    digest: bytes | None = None
    opening = "detail_sealed"
    try:
        detail = parse_json(seal.unseal(order_id, "decision", row["detail_sealed"]))
        opening = "payload_sealed"
        if gone is None:
            opened = parse_json(seal.unseal(order_id, "sighting", row["payload_sealed"]))
            event, digest = opened, seal.reference(order_id, opened["content_sha256"])
    except NoKeyError:
        gone = _NO_KEY
    except SealError:
        return StoredDecision(
            columns=columns, detail=detail, event=None, content_digest=None, gone=None, changed=opening
        )
    return StoredDecision(columns=columns, detail=detail, event=event, content_digest=digest, gone=gone)


def _open_neighbours(seal: Seal, rows: Sequence[Any], stored: Sequence[StoredDecision]) -> Neighbours:
    identities = {(item.detail["vehicle_id"], item.detail["device_id"]) for item in stored if item.detail}
    columns = [item.columns for item in stored]
    origins = {(row["topic"], row["partition"], row["record_offset"]) for row in columns}
    return open_neighbours(seal, rows, identities, origins)


async def _run_again(
    conn: Connection,
    seal: Seal,
    order_id: str,
    stored: Sequence[StoredDecision],
    policies: Mapping[str, Policy],
) -> tuple[Rerun, ...]:
    recorded: Recorded
    try:
        recorded = await load_recorded(conn, seal, order_id)
    except NoKeyError:
        return tuple(Rerun(stored=item, verdict="NOT_RUN", why=item.gone or _NO_KEY) for item in stored)
    except (SealError, StoredOrderError):
        difference = Difference("order_record", "as recorded", "a record that does not open or was changed")
        return tuple(Rerun(stored=item, verdict="DIFFERENT", difference=difference) for item in stored)
    return rerun_all(stored, recorded, policies)


# ---------------------------------------------------------------- the whole


def _explain(
    row: AlertRow,
    root: AlertRow,
    decisions: tuple[Rerun, ...],
    neighbours: Neighbours,
    policies: Mapping[str, Policy],
) -> Explanation:
    difference = next((item.difference for item in decisions if item.difference is not None), None)
    verdict = worst([item.verdict for item in decisions] or ["NOT_RUN"])
    shown = _shown(decisions)
    if verdict == "SAME" and shown is not None:
        for looked_at in _comparable(row, root):
            difference = difference or _first_difference(looked_at, *shown)
        verdict = "SAME" if difference is None else "DIFFERENT"
    return Explanation(
        row=row,
        decisions=decisions,
        episode=_episode_step(row, decisions),
        verdict=verdict,
        difference=difference,
        two_places=find_two_places(_fixes(decisions, neighbours, policies)),
        neighbours=neighbours,
    )


def _shown(decisions: Sequence[Rerun]) -> tuple[Summary, int] | None:
    """What the alerting decisions show together, as run today; None where none alerts any more."""
    members = [
        (item, summarise(to_us(item.stored.columns["observed_at"]), item.match))
        for item in decisions
        if item.match is not None and not item.match.reasons
    ]
    if not members:
        return None
    events = {
        tuple(item.stored.columns[name] for name in ("source", "event_id", "observed_at", "content_digest"))
        for item, _ in members
    }
    return join_all(summary for _, summary in members), len(events)


def _comparable(row: AlertRow, root: AlertRow) -> Iterable[AlertRow]:
    """The rows that show the episode as it stands: its root, and those still open.

    One that was merged or withdrawn shows what it showed before.
    """
    for item in dict.fromkeys((root, row)):
        standing = item.state not in ("MERGED", "WITHDRAWN")
        if standing and (item is root or item.state in ("OPEN", "CLAIMED")):
            yield item


def _first_difference(row: AlertRow, summary: Summary, sighting_count: int) -> Difference | None:
    pairs = (
        ("order_versions", list(row.order_versions), sorted(summary.order_versions)),
        ("zone_ids", list(row.zone_ids), sorted(summary.zone_ids)),
        (
            "first_observed_at",
            format_instant(row.first_observed_at),
            format_instant(from_us(summary.first_us)),
        ),
        ("last_observed_at", format_instant(row.last_observed_at), format_instant(from_us(summary.last_us))),
        ("sighting_count", row.sighting_count, sighting_count),
        ("match_kind", row.match_kind, summary.match_kind),
        ("zone_relation", row.zone_relation, summary.zone_relation),
        ("cautions", list(row.cautions), list(sorted_cautions(summary.cautions))),
    )
    return next((Difference(f"alert/{name}", was, now) for name, was, now in pairs if was != now), None)


def _episode_step(row: AlertRow, decisions: Sequence[Rerun]) -> DecisionStep:
    seen = (
        f"{row.sighting_count} sighting{'' if row.sighting_count == 1 else 's'} from "
        f"{format_instant(row.first_observed_at)} to {format_instant(row.last_observed_at)} in zone "
        f"{', '.join(row.zone_ids)}, {len(decisions)} decision{'' if len(decisions) == 1 else 's'} stored"
    )
    links = [f"merged into {row.merged_into}"] if row.merged_into else []
    links += [f"raised anew from {row.raised_anew_from}"] if row.raised_anew_from else []
    cautions = f"; cautions: {', '.join(row.cautions)}" if row.cautions else ""
    kept = f"{row.match_kind}, {row.zone_relation}{cautions}"
    return DecisionStep(
        EPISODE_STEP, "Episode", seen, "; ".join([f"one alert, {row.alert_id}: {kept}", *links])
    )


def _fixes(
    decisions: Sequence[Rerun], neighbours: Neighbours, policies: Mapping[str, Policy]
) -> Iterable[Fix]:
    for item in decisions:
        stored = item.stored
        rules = policies.get(stored.columns["policy_sha256"])
        sighting = parse_sighting(stored.value) if stored.event is not None else None
        if stored.detail is None or rules is None or sighting is None or isinstance(sighting, Refusal):
            continue
        yield Fix.of(sighting, stored.detail["vehicle_id"], stored.detail["device_id"], rules)
    for neighbour in neighbours.found:
        rules = policies.get(neighbour.policy_sha256)
        if rules is not None:
            yield neighbour.fix(rules)


async def _record_look(
    conn: Connection, seal: Seal, explanation: Explanation, reviewer: Reviewer, now: datetime
) -> None:
    row = explanation.row
    payload = {
        "alert_id": row.alert_id,
        "alert_number": row.alert_number,
        "view": "explain",
        "beside": explanation.neighbours.audited,
        "verdict": explanation.verdict,
        "field": explanation.difference.field if explanation.difference else None,
    }
    scope: str | None = row.order_id
    try:
        seal.reference(row.order_id, "")
    except NoKeyError:  # nothing can be sealed with a key that is gone: the look is recorded without it
        scope = None
    await record_look_or_act(conn, seal, EntryType.ALERT_VIEWED, reviewer, scope, row.alert_id, payload, now)
