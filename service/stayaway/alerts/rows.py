"""Between alerts and their columns: what a row shows, what an audit entry says. No statements here."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

import shapely

from stayaway import ENGINE_VERSION
from stayaway.alerts.episodes import Summary, sorted_cautions
from stayaway.alerts.model import AlertRow
from stayaway.alerts.plan import Raised
from stayaway.audit.entries import EntryType, NewEntry
from stayaway.kernel.instants import format_instant, from_us, to_us
from stayaway.kernel.jsontext import canonical_json
from stayaway.kernel.timezones import TZDATA_VERSION
from stayaway.matching.model import Match
from stayaway.matching.steps_told import tell_steps
from stayaway.platform.seal import Seal

ENGINE_NAME = f"stayaway {ENGINE_VERSION}, tzdata {TZDATA_VERSION}, GEOS {shapely.geos_version_string}"
"""What decisions and coverage name as their engine."""

MATCHER = "matcher"
"""The actor of what the matcher does by itself."""

Party = tuple[str, str]
"""(order id, respondent id)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Basis:
    """What the decisions were made on; every decision's row names it. `gap_us`: the episode gap."""

    registry_sequence: int
    known_at: datetime
    policy_sha256: str
    engine: str
    gap_us: int
    decided_at: datetime


def to_alert_row(row: Any) -> AlertRow:
    """An alert's row as the plan reads it."""
    summary = Summary(
        first_us=to_us(row["first_observed_at"]),
        last_us=to_us(row["last_observed_at"]),
        order_versions=frozenset(row["order_versions"]),
        zone_ids=frozenset(row["zone_ids"]),
        match_kind=row["match_kind"],
        zone_relation=row["zone_relation"],
        cautions=frozenset(row["cautions"]),
    )
    return AlertRow(
        alert_id=row["alert_id"],
        raised_us=to_us(row["raised_observed_at"]),
        alert_number=row["alert_number"],
        state=row["state"],
        summary=summary,
        sighting_count=row["sighting_count"],
        merged_into=row["merged_into"],
        raised_anew_from=row["raised_anew_from"],
        to_acknowledge_by=row["to_acknowledge_by"],
    )


def shown(summary: Summary, sighting_count: int) -> tuple[Any, ...]:
    """What an alert's row shows of its episode, in the order of `update_alerts`' columns."""
    return (
        listed(sorted(summary.order_versions)),
        listed(sorted(summary.zone_ids)),
        from_us(summary.first_us),
        from_us(summary.last_us),
        sighting_count,
        summary.match_kind,
        summary.zone_relation,
        listed(sorted_cautions(summary.cautions)),
    )


def listed(items: Iterable[object]) -> str:
    """A list within a column of many rows, for `string_to_array`: in Postgres an array of arrays is a table.
    No code, id or number in it has a comma (WIRE.md).
    """
    return ",".join(map(str, items))


def insert_arguments(
    party: Party, raised: Raised, summary: Summary, sighting_count: int, basis: Basis
) -> tuple[Any, ...]:
    """One alert for `insert_alerts`."""
    return (
        raised.alert_id,
        from_us(raised.raised_us),
        *party,
        basis.decided_at,
        *shown(summary, sighting_count),
        basis.registry_sequence,
        basis.known_at,
        basis.policy_sha256,
        basis.engine,
        raised.raised_anew_from,
    )


def alert_entry(
    entry_type: str, party: Party, alert_id: str, payload: dict[str, Any], basis: Basis, actor: str = MATCHER
) -> NewEntry:
    """An audit entry about one alert, sealed with its order's key."""
    return NewEntry(
        entry_type=EntryType(entry_type),
        order_id=party[0],
        actor=actor,
        subject=alert_id,
        payload={"alert_id": alert_id, "order_id": party[0], "respondent_id": party[1], **payload},
        recorded_at=basis.decided_at,
        policy_sha256=basis.policy_sha256,
    )


def episode_payload(summary: Summary, sighting_count: int, basis: Basis) -> dict[str, Any]:
    """What an alert shows, and on what that was decided, for the audit entry."""
    return {
        **summary_payload(summary, sighting_count),
        "registry_sequence": basis.registry_sequence,
        "known_at": format_instant(basis.known_at),
        "engine": basis.engine,
    }


def summary_payload(summary: Summary, sighting_count: int) -> dict[str, Any]:
    """What an alert shows, for an audit entry."""
    return {
        "order_versions": sorted(summary.order_versions),
        "zone_ids": sorted(summary.zone_ids),
        "first_observed_at": format_instant(from_us(summary.first_us)),
        "last_observed_at": format_instant(from_us(summary.last_us)),
        "sighting_count": sighting_count,
        "match_kind": summary.match_kind,
        "zone_relation": summary.zone_relation,
        "cautions": list(sorted_cautions(summary.cautions)),
    }


def probability(match: Match) -> Decimal | None:
    """`inside_probability` for a numeric column: exactly its three decimals."""
    return None if match.inside_probability is None else Decimal(f"{match.inside_probability:.3f}")


def seal_detail(seal: Seal, match: Match, basis: Basis) -> bytes:
    """What a decision holds of a person beyond its keys, and its basis once more.

    Sealed, the basis cannot be changed unnoticed: `explain` compares the row's columns with it.
    """
    detail = {
        "vehicle_id": match.vehicle_id,
        "device_id": match.device_id,
        "exception_ids": list(match.exception_ids),
        "order_sha256": match.order_sha256,
        "input_sha256": match.input_sha256,
        "steps": [[step.number, step.name, step.saw, step.concluded] for step in tell_steps(match)],
        "basis": basis_detail(basis),
    }
    return seal.seal(match.order_id, "decision", canonical_json(detail))


def basis_detail(basis: Basis) -> dict[str, Any]:
    """What a decision was made on, as its sealed detail names it."""
    return {
        "registry_sequence": basis.registry_sequence,
        "known_at": format_instant(basis.known_at),
        "policy_sha256": basis.policy_sha256,
        "engine": basis.engine,
        "decided_at": format_instant(basis.decided_at),
    }
