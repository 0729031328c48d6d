"""`decide`: the same decision code with no server, one line out per line in.

It is how an auditor re-runs a day and a clerk tries an order. The same files give the same bytes.
"""

from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any

import shapely

from stayaway import ENGINE_VERSION
from stayaway.access.policy import Policy
from stayaway.alerts.episodes import Alerting, Episode, group_alerts
from stayaway.kernel.instants import format_instant, from_us, to_us
from stayaway.kernel.timezones import TZDATA_VERSION
from stayaway.matching.engine import Engine
from stayaway.matching.model import EventDecision, Match
from stayaway.matching.steps_told import tell_steps
from stayaway.orders.model import CourtOrder
from stayaway.orders.registry import RegistrySnapshot
from stayaway.sightings.batch import SightingBatch, decode_batch
from stayaway.sightings.model import Refusal

_BLANK = b" \t\r\n"
_BATCH_LINES = 5_000


Line = dict[str, Any]


@dataclass
class _Run:
    """What has been judged so far, compact: most lines match nothing."""

    refused: dict[int, Refusal] = field(default_factory=dict)
    decided: dict[int, EventDecision] = field(default_factory=dict)
    lines: list[int] = field(default_factory=list)


def snapshot_known_at(orders: dict[str, CourtOrder], known_at: datetime) -> RegistrySnapshot:
    """The registry that a file is, as known at `known_at`."""
    known = {order_id: order.as_known_at(known_at) for order_id, order in orders.items()}
    kept = {order_id: order for order_id, order in known.items() if order is not None}
    return RegistrySnapshot(orders=kept, registry_sequence=0, known_at=known_at, head_changes={})


def run_versions(policy: Policy) -> Line:
    """The versions and hashes that a result depends on."""
    return {
        "engine": ENGINE_VERSION,
        "policy_id": policy.policy_id,
        "policy_sha256": policy.sha256,
        "tzdata": TZDATA_VERSION,
        "geos": shapely.geos_version_string,
    }


def replay(
    snapshot: RegistrySnapshot | None,
    policy: Policy,
    events: Iterable[bytes],
    batch_lines: int = _BATCH_LINES,
) -> Iterator[Line]:
    """Decision lines in order, then alerts by id, then the summary, as WIRE.md "Output of decide".

    `snapshot` None: nothing was ever recorded, so nothing can match. The result does not
    depend on `batch_lines`.
    """
    engine = None if snapshot is None else Engine(snapshot, policy)
    run = _Run()
    for numbers, values in _batches(events, batch_lines):
        _judge(engine, policy, numbers, values, run)
    episodes = group_alerts(_alertings(run), policy.seconds_us("episode_gap_s"))
    yield from _decision_lines(run, episodes)
    yield from (_alert_line(episode) for episode in episodes)
    outcomes = [decision.outcome for decision in run.decided.values()]
    yield {
        "schema": "summary.v1",
        "read": len(run.lines),
        "refused": len(run.refused),
        "none": len(run.lines) - len(run.refused) - len(outcomes),
        "suppressed": outcomes.count("SUPPRESSED"),
        "alert": outcomes.count("ALERT"),
        "alerts": len(episodes),
        "known_at": format_instant(snapshot.known_at) if snapshot else None,
        "versions": run_versions(policy),
    }


def _batches(events: Iterable[bytes], batch_lines: int) -> Iterator[tuple[list[int], list[bytes]]]:
    numbers: list[int] = []
    values: list[bytes] = []
    for number, line in enumerate(events, start=1):
        if not line.strip(_BLANK):
            continue
        numbers.append(number)
        values.append(line.removesuffix(b"\n"))
        if len(numbers) == batch_lines:
            yield numbers, values
            numbers, values = [], []
    if numbers:
        yield numbers, values


def _judge(engine: Engine | None, policy: Policy, numbers: list[int], values: list[bytes], run: _Run) -> None:
    batch: SightingBatch = decode_batch(values, policy)
    run.lines += numbers
    run.refused.update((numbers[i], refusal) for i, refusal in batch.refusals.items())
    if engine is not None:
        run.decided.update((numbers[d.index], d) for d in engine.judge(batch).decisions)


def _alertings(run: _Run) -> Iterator[Alerting]:
    for line, decision in run.decided.items():
        sighting = decision.sighting
        observed_us = to_us(sighting.observed_at)
        key = (sighting.source, sighting.event_id, observed_us, decision.content_sha256)
        for match in decision.matches:
            if match.outcome == "ALERT":
                yield Alerting(line, key, observed_us, match)


def _decision_lines(run: _Run, episodes: tuple[Episode, ...]) -> Iterator[Line]:
    alert_ids = {
        (line, episode.order_id, episode.respondent_id): episode.alert_id
        for episode in episodes
        for line in episode.lines
    }
    for line in run.lines:
        start: Line = {"schema": "decision.v1", "line": line}
        if line in run.refused:
            refusal = run.refused[line]
            yield {**start, "outcome": "REFUSED", "reasons": [refusal.reason], "field": refusal.field}
        elif line in run.decided:
            yield {**start, **_matched(run.decided[line], line, alert_ids)}
        else:
            yield {**start, "outcome": "NONE"}


def _matched(decision: EventDecision, line: int, alert_ids: dict[tuple[int, str, str], str]) -> Line:
    sighting = decision.sighting
    return {
        "outcome": decision.outcome,
        "source": sighting.source,
        "event_id": sighting.event_id,
        "observed_at": format_instant(sighting.observed_at),
        "matches": [
            _match(match, alert_ids.get((line, match.order_id, match.respondent_id)))
            for match in decision.matches
        ],
        "content_sha256": decision.content_sha256.hex(),
    }


def _match(match: Match, alert_id: str | None) -> Line:
    return {
        "order_id": match.order_id,
        "order_version": match.order_version,
        "respondent_id": match.respondent_id,
        "zone_id": match.zone_id,
        "vehicle_id": match.vehicle_id,
        "device_id": match.device_id,
        "match_kind": match.match_kind,
        "region_match": match.region_match,
        "description": match.description,
        "zone_relation": match.zone_relation,
        "inside_probability": match.inside_probability,
        "reasons": list(match.reasons),
        "cautions": list(match.cautions),
        "exception_ids": list(match.exception_ids),
        "alert_id": None if match.reasons else alert_id,
        "order_sha256": match.order_sha256,
        "input_sha256": match.input_sha256,
        "steps": [asdict(step) for step in tell_steps(match)],
    }


def _alert_line(episode: Episode) -> Line:
    return {
        "schema": "alert.v1",
        "alert_id": episode.alert_id,
        "order_id": episode.order_id,
        "respondent_id": episode.respondent_id,
        "order_versions": list(episode.order_versions),
        "zone_ids": list(episode.zone_ids),
        "first_observed_at": format_instant(from_us(episode.first_observed_us)),
        "last_observed_at": format_instant(from_us(episode.last_observed_us)),
        "lines": list(episode.lines),
        "sighting_count": episode.sighting_count,
        "match_kind": episode.match_kind,
        "zone_relation": episode.zone_relation,
        "cautions": list(episode.cautions),
    }
