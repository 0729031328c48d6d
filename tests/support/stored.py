"""What a matcher wrote, compared with what an oracle expects of the same knowledge (WIRE.md)."""

import json
from collections import Counter
from typing import Any

import asyncpg

from stayaway.kernel.instants import format_instant

Json = dict[str, Any]
_ALERT = """order_id respondent_id order_versions zone_ids first_observed_at last_observed_at sighting_count
    match_kind zone_relation cautions"""
_MATCH = ("zone_id", "match_kind", "region_match", "zone_relation")


async def fetch(dsn: str, query: str) -> list[asyncpg.Record]:
    """The rows of one query."""
    conn = await asyncpg.connect(dsn)
    try:
        return list(await conn.fetch(query))
    finally:
        await conn.close()


async def stored_differences(dsn: str, expected: list[Json]) -> list[str]:
    """How alerts, members and dead letters differ from the expected output lines, all of them.

    Alert ids are left out: they are fixed when an alert is raised.
    """
    alerts = await fetch(dsn, "SELECT * FROM export.alerts_v1 WHERE state NOT IN ('MERGED', 'WITHDRAWN')")
    members = await fetch(dsn, "SELECT * FROM export.sightings_v1")
    letters = await fetch(dsn, "SELECT reason, field FROM export.dead_letters_v1")
    parties = {row["alert_id"]: (row["order_id"], row["respondent_id"]) for row in alerts}
    return [
        *_differences("alert", Counter(map(_stored_alert, alerts)), _expected_alerts(expected)),
        *_differences(
            "member", {_stored_member(row, parties) for row in members}, _expected_members(expected)
        ),
        *_differences(
            "dead letter", Counter((r["reason"], r["field"]) for r in letters), _expected_letters(expected)
        ),
    ]


def _differences(what: str, found: Any, expected: Any) -> list[str]:
    lost, extra = expected - found, found - expected
    return [f"lost {what}: {item}" for item in lost] + [f"doubled or wrong {what}: {item}" for item in extra]


def _stored_alert(row: asyncpg.Record) -> str:
    instants = {name: format_instant(row[name]) for name in ("first_observed_at", "last_observed_at")}
    return _alert({**dict(row), **instants})


def _alert(row: Json) -> str:
    return json.dumps({name: row[name] for name in _ALERT.split()})


def _expected_alerts(expected: list[Json]) -> Counter[str]:
    return Counter(_alert(line) for line in expected if line["schema"] == "alert.v1")


def _stored_member(row: asyncpg.Record, parties: dict[str, tuple[str, str]]) -> tuple[str, ...]:
    event = (row["source"], row["event_id"], format_instant(row["observed_at"]))
    return (*parties.get(row["alert_id"], ("no", "alert")), *event, *(row[name] for name in _MATCH))


def _expected_members(expected: list[Json]) -> set[tuple[str, ...]]:
    """(order, respondent, source, event, instant, zone, kind, region, relation) of each alerting match."""
    return {
        (
            match["order_id"],
            match["respondent_id"],
            line["source"],
            line["event_id"],
            line["observed_at"],
            *(match[name] for name in _MATCH),
        )
        for line in expected
        for match in line.get("matches", ())
        if not match["reasons"]
    }


def _expected_letters(expected: list[Json]) -> Counter[tuple[str, str | None]]:
    refused = (line for line in expected if line.get("outcome") == "REFUSED")
    return Counter(
        (line["reasons"][0], None if line["reasons"] == ["UNKNOWN_FIELD"] else line["field"])
        for line in refused
    )
