"""Evidence: the events that matched, kept sealed once per order, inside the caller's transaction."""

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from stayaway.alerts.queries import SQL
from stayaway.alerts.rows import Party
from stayaway.kernel.jsontext import canonical_json
from stayaway.kernel.steps import each_step
from stayaway.matching.model import EventDecision, Match
from stayaway.platform.postgres import Connection
from stayaway.platform.seal import Seal
from stayaway.platform.turns import in_turns

EventId = tuple[str, str, str]
"""(order id, source, event id)."""
StoredEvent = tuple[str, str, str, datetime, bytes]
"""(order id, source, event id, observed_at, content digest): a sighting's key."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """An event that matched, its bytes and where in the stream they lie."""

    decision: EventDecision
    value: bytes
    topic: str
    partition: int
    record_offset: int


@dataclass(frozen=True, slots=True, kw_only=True)
class StorableMatch:
    """One match that may leave a row. `place`: of its event among the judged."""

    place: int
    match: Match
    stored: StoredEvent

    @property
    def party(self) -> Party:
        """Whose episodes it belongs to."""
        return self.match.order_id, self.match.respondent_id

    @property
    def event(self) -> tuple[str, str, StoredEvent]:
        """(order id, respondent id, sighting): what is decided on once for each zone."""
        return (*self.party, self.stored)


def storable(seal: Seal, judged: Sequence[Judged]) -> list[StorableMatch]:
    """The matches that may leave a row, once each, in the judged order."""
    rows: dict[tuple[str, StoredEvent, str], StorableMatch] = {}
    digests: dict[tuple[str, bytes], bytes] = {}
    for place, item in enumerate(judged):
        decision = item.decision
        for match in decision.matches:
            if not match.may_be_stored:
                continue
            key = (match.order_id, decision.content_sha256)
            if key not in digests:
                digests[key] = seal.reference(match.order_id, decision.content_sha256.hex())
            sighting = decision.sighting
            stored = (match.order_id, sighting.source, sighting.event_id, sighting.observed_at, digests[key])
            row = StorableMatch(place=place, match=match, stored=stored)
            rows.setdefault((match.respondent_id, stored, match.zone_id), row)
    return list(rows.values())


async def insert_sightings(
    conn: Connection, seal: Seal, rows: Sequence[StorableMatch], judged: Sequence[Judged]
) -> tuple[set[StoredEvent], set[EventId]]:
    """Evidence of these rows: the keys that were not there before, and those event ids (order, source,
    event id) among them that stand for more than one sighting now.
    """
    first: dict[StoredEvent, Judged] = {}
    for row in rows:
        first.setdefault(row.stored, judged[row.place])
    keys = sorted(first)
    events = [first[key] for key in keys]
    payloads = await in_turns(each_step(lambda key: _seal_sighting(seal, key[0], first[key]), keys))
    inserted = await conn.fetch(
        SQL.insert_sightings,
        *([key[column] for key in keys] for column in range(5)),
        [item.decision.sighting.received_at for item in events],
        [item.topic for item in events],
        [item.partition for item in events],
        [item.record_offset for item in events],
        payloads,
    )
    fresh = {tuple(row)[:5] for row in inserted}
    ids = Counter(key[:3] for key in fresh)
    repeated = {tuple(row)[:3] for row in inserted if row["is_known_id"]}
    return fresh, repeated | {key for key, count in ids.items() if count > 1}


def _seal_sighting(seal: Seal, order_id: str, item: Judged) -> bytes:
    payload = {
        "content_sha256": item.decision.content_sha256.hex(),
        "value": item.value.decode("utf-8"),
        "origin": [item.topic, item.partition, item.record_offset],
    }
    return seal.seal(order_id, "sighting", canonical_json(payload))


async def flag_conflicts(conn: Connection, repeated: Collection[EventId]) -> list[str]:
    """One event id with two contents is judged twice, and both are flagged. The alerts that hold one."""
    if not repeated:
        return []
    keys = sorted(repeated)
    flagged = await conn.fetch(SQL.flag_conflicts, *([key[column] for key in keys] for column in range(3)))
    if not flagged:
        return []
    columns = ([row[column] for row in flagged] for column in range(3))
    return [row["alert_id"] for row in await conn.fetch(SQL.flag_alerts, *columns)]
