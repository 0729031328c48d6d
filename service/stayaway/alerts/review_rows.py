"""From database rows to what a reviewer sees: unsealing and typing, no judgement."""

from collections.abc import Sequence
from decimal import Decimal

import asyncpg

from stayaway.alerts.review_model import Act, AlertRow, Evidence
from stayaway.alerts.stored_events import open_event
from stayaway.kernel.jsontext import parse_json
from stayaway.matching.model import DecisionStep
from stayaway.platform.seal import Seal
from stayaway.sightings.model import Sighting


def alert_row(row: asyncpg.Record) -> AlertRow:
    """An alert's row."""
    return AlertRow(
        alert_number=row["alert_number"],
        alert_id=row["alert_id"],
        order_id=row["order_id"],
        respondent_id=row["respondent_id"],
        raised_at=row["raised_at"],
        state=row["state"],
        order_versions=tuple(row["order_versions"]),
        zone_ids=tuple(row["zone_ids"]),
        first_observed_at=row["first_observed_at"],
        last_observed_at=row["last_observed_at"],
        sighting_count=row["sighting_count"],
        match_kind=row["match_kind"],
        zone_relation=row["zone_relation"],
        cautions=tuple(row["cautions"]),
        content_conflict=row["content_conflict"],
        revisions=row["revisions"],
        registry_sequence=row["registry_sequence"],
        known_at=row["known_at"],
        policy_sha256=row["policy_sha256"],
        engine=row["engine"],
        merged_into=row["merged_into"],
        merged_into_number=row["merged_into_number"],
        raised_anew_from=row["raised_anew_from"],
        raised_anew_from_number=row["raised_anew_from_number"],
        claimed_by=row["claimed_by"],
        claimed_until=row["claimed_until"],
        disposition=row["disposition"],
        disposed_at=row["disposed_at"],
        disposed_by=row["disposed_by"],
        to_acknowledge_by=row["to_acknowledge_by"],
        acknowledged_at=row["acknowledged_at"],
    )


def evidence_rows(seal: Seal, order_id: str, rows: Sequence[asyncpg.Record]) -> tuple[Evidence, ...]:
    """Judged matches with their events, unsealed with the order's key; each event is read once."""
    events: dict[tuple[str, int, int], tuple[Sighting, str]] = {}
    unsealed = []
    for row in rows:
        origin = (row["topic"], row["partition"], row["record_offset"])
        if origin not in events:
            events[origin] = _event(seal, order_id, row)
        unsealed.append(_evidence(seal, order_id, row, *events[origin]))
    return tuple(unsealed)


def _event(seal: Seal, order_id: str, row: asyncpg.Record) -> tuple[Sighting, str]:
    event = open_event(seal, order_id, row)
    return event.read(), event.content_sha256


def _evidence(
    seal: Seal, order_id: str, row: asyncpg.Record, sighting: Sighting, content_sha256: str
) -> Evidence:
    detail = parse_json(seal.unseal(order_id, "decision", row["detail_sealed"]))
    probability: Decimal | None = row["inside_probability"]
    return Evidence(
        zone_id=row["zone_id"],
        order_version=row["order_version"],
        match_kind=row["match_kind"],
        region_match=row["region_match"],
        description=row["description"],
        zone_relation=row["zone_relation"],
        inside_probability=None if probability is None else float(probability),
        reasons=tuple(row["reasons"]),
        cautions=tuple(row["cautions"]),
        outcome=row["outcome"],
        registry_sequence=row["registry_sequence"],
        known_at=row["known_at"],
        policy_sha256=row["policy_sha256"],
        engine=row["engine"],
        vehicle_id=detail["vehicle_id"],
        device_id=detail["device_id"],
        exception_ids=tuple(detail["exception_ids"]),
        steps=tuple(DecisionStep(*step) for step in detail["steps"]),
        order_sha256=detail["order_sha256"],
        input_sha256=detail["input_sha256"],
        sighting=sighting,
        content_sha256=content_sha256,
        content_conflict=row["content_conflict"],
        topic=row["topic"],
        partition=row["partition"],
        record_offset=row["record_offset"],
    )


def act_row(row: asyncpg.Record) -> Act:
    """One act of a person."""
    return Act(
        act_number=row["act_number"],
        act=row["act"],
        acted_at=row["acted_at"],
        actor=row["actor"],
        actor_verified=row["actor_verified"],
        reason_code=row["reason_code"],
    )
