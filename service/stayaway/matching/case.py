"""One case before the judge: the input of a decision, and what steps 2 to 4 made of it."""

import hashlib
from dataclasses import dataclass, fields
from datetime import datetime
from functools import lru_cache
from typing import Any

from stayaway.access.policy import Policy
from stayaway.kernel.instants import format_instant
from stayaway.kernel.jsontext import canonical_json
from stayaway.matching.identity import Identity
from stayaway.matching.model import ZoneRelation
from stayaway.orders.model import CourtOrder, Notice, OrderVersion, Record, Respondent, Zone
from stayaway.sightings.model import Sighting


@dataclass(frozen=True, slots=True, kw_only=True)
class DecisionInput:
    """All that the decisions on one event under one order are a function of.

    `content_sha256`: of the event's bytes. `order` holds what was known at `known_at`.
    `policy_sha256` is the policy's own, taken once by whoever decides many.
    """

    sighting: Sighting
    content_sha256: bytes
    order: CourtOrder
    policy: Policy
    policy_sha256: str
    known_at: datetime

    @property
    def sha256(self) -> str:
        """Digest of the whole input; the order in which records were applied does not show in it."""
        order = self.order
        records = (
            *order.notices,
            *order.recalls,
            *order.suspensions,
            *order.provisionals,
            *order.confirmations,
        )
        lines = (
            "stayaway decision input v1",
            self.content_sha256.hex(),
            order.order_id,
            ",".join(version.content_sha256 for version in order.versions),
            _records_sha256(records),
            self.policy_sha256,
            format_instant(self.known_at),
        )
        return hashlib.sha256("\n".join(lines).encode()).hexdigest()


@lru_cache(maxsize=4_096)
def _records_sha256(records: tuple[Record, ...]) -> str:
    """Of what was recorded beside the versions; kept, since an order is decided on again and again."""
    texts = sorted(canonical_json(_plain(record)) for record in records)
    return hashlib.sha256(b"\n".join(texts)).hexdigest()


def _plain(record: Record) -> dict[str, Any]:
    content: dict[str, Any] = {"record": type(record).__name__}
    for item in fields(record):
        value = getattr(record, item.name)
        content[item.name] = format_instant(value) if isinstance(value, datetime) else value
    return content


@dataclass(frozen=True, slots=True)
class Binding:
    """The version that decides for one respondent, and that respondent's counting notices."""

    order: CourtOrder
    version: OrderVersion
    respondent: Respondent
    notices: tuple[Notice, ...]


@dataclass(frozen=True, slots=True)
class Place:
    """Where the point lies to the zone. `radius_m` is the r of step 4, 0 where nothing widens.

    `distance_m`: to the boundary; infinity where that is farther than the circle and the warning ring
    reach, None where nothing depended on it.
    """

    relation: ZoneRelation
    probability: float | None
    radius_m: float
    accuracy_m: float
    over_cap: bool
    inside: bool
    distance_m: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """Identity and place agree. `applying`, `possible`: ids of exceptions, as step 5 reads them."""

    given: DecisionInput
    binding: Binding
    identity: Identity
    zone: Zone
    place: Place
    applying: tuple[str, ...]
    possible: tuple[str, ...]
