"""After a round: the database against the oracle and against itself. Knows nothing of the matcher's code
but the audit streams' verifier and the key that opens their payloads.
"""

import json
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import asyncpg

from faults.day import Json
from faults.expectation import Expected, Judge, Key, expect
from faults.servers import Log
from oracle import EPOCH, printed
from stayaway.audit.store import list_streams, verify_stream
from stayaway.platform.seal import FileSeal
from stayaway.sightings.dead_letters import DEAD_LETTER_TOPIC

_ALERT = ("order_id", "respondent_id", "order_versions", "zone_ids", "first_observed_at", "last_observed_at",
          "sighting_count", "match_kind", "zone_relation", "cautions")  # fmt: skip
_GONE = ("MERGED", "WITHDRAWN")


@dataclass
class Findings:
    """What is wrong, by kind, in words; empty if the promises held. `counts`: what was looked at."""

    lost: list[str] = field(default_factory=list)
    doubled: list[str] = field(default_factory=list)
    gaps: list[str] = field(default_factory=list)
    broken: list[str] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)

    @property
    def all(self) -> list[str]:
        return [
            f"{kind}: {text}"
            for kind in ("lost", "doubled", "gaps", "broken")
            for text in getattr(self, kind)
        ]


@dataclass(frozen=True, slots=True)
class Jump:
    """A GAP that a person recorded: judged up to `start`, then from `end` on."""

    start: int
    end: int


class Checker:
    """One round's database, its keys, and what the broker holds."""

    def __init__(self, dsn: str, seal: FileSeal, log: Log, letters: Log, begins: dict[Key, int]) -> None:
        self._dsn = dsn
        self._seal = seal
        self._log = log
        self._letters = letters
        self._begins = begins
        self.found = Findings()
        self._conn: asyncpg.Connection

    async def check(self, policy: Json, files: dict[int, Json]) -> Findings:
        """Everything."""
        self._conn = await asyncpg.connect(self._dsn)
        try:
            await self._check_streams()
            registry = await self._check_coverage()
            judge = Judge(policy, files)
            self._check_knowledge(registry, judge)
            expected = expect(self._log, judge, lambda key, offset: _sequence_at(registry[key], offset))
            await self._check_alerts(expected)
            await self._check_members(expected)
            await self._check_letters(expected)
            await self._check_entries()
            await self._check_outbox()
        finally:
            await self._conn.close()
        self.found.counts["records"] = sum(len(records) for records in self._log.values())
        return self.found

    async def _payloads(self, *entry_types: str) -> list[tuple[str, Json]]:
        """What these entries say, each with its type, stream by stream in order."""
        rows = await self._conn.fetch(
            "SELECT entry_type, order_id, payload_sealed FROM audit_entry WHERE entry_type = ANY ($1)"
            " ORDER BY stream, stream_sequence",
            list(entry_types),
        )
        return [(row["entry_type"], self._opened(row)) for row in rows]

    def _opened(self, row: Any) -> Json:
        inside = json.loads(self._seal.unseal(row["order_id"] or "@system", "audit", row["payload_sealed"]))
        details: Json = json.loads(inside["payload"])["details"]
        return details

    async def _check_streams(self) -> None:
        streams = await list_streams(self._conn)
        for stream in streams:
            for problem in await verify_stream(self._conn, self._seal, stream):
                self.found.broken.append(f"stream {stream}: {problem}")
        self.found.counts["streams"] = len(streams)

    async def _check_coverage(self) -> dict[Key, list[tuple[int, int, str]]]:
        """COVERAGE and GAP tile [first, next), next is the log's end; which orders held for which offset."""
        ranges: dict[Key, list[tuple[str, Json]]] = defaultdict(list)
        for entry_type, payload in await self._payloads("COVERAGE", "GAP"):
            ranges[payload["topic"], payload["partition"]].append((entry_type, payload))
        registry: dict[Key, list[tuple[int, int, str]]] = {}
        positions = {
            (row["topic"], row["partition"]): row
            for row in await self._conn.fetch("SELECT * FROM partition_position")
        }
        for key, records in self._log.items():
            if key not in positions:
                self.found.lost.append(f"{key}: no position")
                continue
            registry[key] = self._tile(key, positions[key], ranges[key], records)
        self.found.counts["coverage entries"] = sum(len(found) for found in ranges.values())
        return registry

    def _tile(
        self, key: Key, row: Any, ranges: list[tuple[str, Json]], records: list[tuple[int, bytes | None]]
    ) -> list[tuple[int, int, str]]:
        gaps, position, judged, registry = self.found.gaps, row["first_offset"], 0, []
        if position != self._begins[key]:
            gaps.append(f"{key}: first offset {position}, the log began at {self._begins[key]}")
        for entry_type, payload in ranges:
            if payload["from"] != position:
                gaps.append(f"{key}: {entry_type} from {payload['from']}, expected {position}")
            position = payload["to"]
            if entry_type == "COVERAGE":
                judged += payload["records"]
                registry += [tuple(change) for change in payload["registry"]]
        if row["coverage_from"] != position:
            gaps.append(f"{key}: open range from {row['coverage_from']}, expected {position}")
        if row["coverage_from"] != row["next_offset"]:
            gaps.append(f"{key}: stopped in order, and yet a range is open from {row['coverage_from']}")
        end = records[-1][0] + 1 if records else self._begins[key]
        if row["next_offset"] != end and not (not records and row["next_offset"] >= end):
            self.found.lost.append(f"{key}: next offset {row['next_offset']}, the log ends at {end}")
        if not any(entry_type == "GAP" for entry_type, _ in ranges) and judged != len(records):
            gaps.append(f"{key}: {judged} records covered, the log has {len(records)}")
        return registry

    def _check_knowledge(self, registry: dict[Key, list[tuple[int, int, str]]], judge: Judge) -> None:
        """Sequence and instant K that the coverage names belong together."""
        for sequence, known_at in {change[1:] for changes in registry.values() for change in changes}:
            if printed(judge.oracle(sequence).known) != known_at:
                self.found.broken.append(f"sequence {sequence} is named with K {known_at}")

    # ------------------------------------------------------------ alerts

    async def _check_alerts(self, expected: Expected) -> None:
        rows = await self._conn.fetch("SELECT * FROM export.alerts_v1")
        standing = [row for row in rows if row["state"] not in _GONE]
        wanted = Counter(_alert_text(alert) for alert in expected.alerts)
        got = Counter(_alert_text({**row, **_instants(row)}) for row in standing)
        self.found.lost += [f"alert {text}" for text in (wanted - got).elements()]
        self.found.doubled += [f"alert {text}" for text in (got - wanted).elements()]
        known = {row["alert_id"] for row in standing}
        for row in rows:
            target = row["merged_into"]
            if (row["state"] == "MERGED") != (target is not None):
                self.found.broken.append(f"{row['alert_id']} is {row['state']} and merged into {target}")
        if len({row["alert_id"] for row in rows}) != len(rows):
            self.found.doubled.append("an alert id was given twice")
        self.found.counts["alerts"] += len(known)

    async def _check_members(self, expected: Expected) -> None:
        rows = await self._conn.fetch(
            "SELECT s.*, a.order_id, a.respondent_id, a.state FROM export.sightings_v1 s"
            " JOIN export.alerts_v1 a USING (alert_id)"
        )
        got: Counter[tuple[str, ...]] = Counter(
            (row["source"], row["event_id"], _printed(row["observed_at"]), row["order_id"],
             row["respondent_id"], row["zone_id"], row["match_kind"], str(row["region_match"]),
             row["zone_relation"])
            for row in rows
        )  # fmt: skip
        self.found.lost += [f"member {row}" for row in (expected.members - got).elements()]
        self.found.doubled += [f"member {row}" for row in (got - expected.members).elements()]
        self.found.broken += [
            f"member of {row['alert_id']}: {row['state']}" for row in rows if row["state"] in _GONE
        ]
        self.found.counts["members"] = got.total()

    async def _check_entries(self) -> None:
        raised = Counter(payload["alert_id"] for _, payload in await self._payloads("ALERT_RAISED"))
        alerts = {row["alert_id"] for row in await self._conn.fetch("SELECT alert_id FROM alert")}
        self.found.broken += [f"{alert_id}: no ALERT_RAISED entry" for alert_id in alerts - raised.keys()]
        self.found.broken += [f"{alert_id}: an entry and no alert" for alert_id in raised.keys() - alerts]
        self.found.doubled += [
            f"{alert_id}: {count} entries" for alert_id, count in raised.items() if count != 1
        ]

    async def _check_outbox(self) -> None:
        rows = await self._conn.fetch("SELECT * FROM outbox ORDER BY outbox_sequence")
        if [row["outbox_sequence"] for row in rows] != list(range(1, len(rows) + 1)):
            self.found.broken.append("the outbox is not dense")
        raised = Counter(row["alert_id"] for row in rows if row["change"] == "RAISED")
        alerts = {row["alert_id"] for row in await self._conn.fetch("SELECT alert_id FROM alert")}
        if raised != Counter(alerts):
            self.found.broken.append("outbox and alerts differ in what was raised")

    async def _check_letters(self, expected: Expected) -> None:
        rows = await self._conn.fetch("SELECT * FROM export.dead_letters_v1")
        got = Counter(tuple(row) for row in rows)
        self.found.lost += [f"dead letter {row}" for row in expected.letters - got.keys()]
        self.found.doubled += [f"dead letter {row}" for row in (got - Counter(expected.letters)).elements()]
        sent = set()
        for key, records in self._letters.items():
            if key[0] == DEAD_LETTER_TOPIC:
                sent |= {_origin(json.loads(value)) for _, value in records if value is not None}
        self.found.lost += [f"dead letter on the topic {row}" for row in expected.letters - sent]
        self.found.broken += [f"a dead letter too many on the topic {row}" for row in sent - expected.letters]
        self.found.counts["dead letters"] = len(rows)


def _origin(letter: Json) -> tuple[str, int, int, str, str | None]:
    return (
        letter["topic"],
        letter["partition"],
        letter["record_offset"],
        letter["reason"],
        letter.get("field"),
    )


def _sequence_at(changes: list[tuple[int, int, str]], offset: int) -> int:
    """The registry sequence that the record at `offset` was judged on."""
    sequence = 0
    for start, number, _ in changes:
        if start <= offset:
            sequence = number
    return sequence


def _printed(at: datetime) -> str:
    delta = at - EPOCH
    return printed((delta.days * 86_400 + delta.seconds) * 1_000_000 + delta.microseconds)


def _instants(row: Any) -> Json:
    return {name: _printed(row[name]) for name in ("first_observed_at", "last_observed_at")}


def _alert_text(alert: Any) -> str:
    return json.dumps([alert[name] for name in _ALERT])
