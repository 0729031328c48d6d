"""Episodes: one visit of one respondent under one order, a pure function of the set of sightings.

Alerting matches whose neighbouring `observed_at` lie at most the policy's `episode_gap_s` apart
belong together, whatever the zone (WIRE.md step 6). What joins is associative and commutative, so
order of arrival, batches, partitions and processes change nothing.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import reduce
from operator import attrgetter

from stayaway.kernel.instants import format_instant, from_us
from stayaway.matching.model import (
    CAUTIONS,
    MATCH_KINDS,
    ZONE_RELATIONS,
    Caution,
    Match,
    MatchKind,
    ZoneRelation,
)

EventKey = tuple[str, str, int, bytes]
"""(source, event_id, observed_us, SHA-256 of the bytes): what makes two events the same."""

_KIND_RANK = {kind: rank for rank, kind in enumerate(MATCH_KINDS)}
_RELATION_RANK = {relation: rank for rank, relation in enumerate(ZONE_RELATIONS)}


@dataclass(frozen=True, slots=True)
class Alerting:
    """One alerting match of one event. `line`: where the event stood in its file, from 1."""

    line: int
    key: EventKey
    observed_us: int
    match: Match


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """What the members of an episode show together; of one member, what it shows alone."""

    first_us: int
    last_us: int
    order_versions: frozenset[int]
    zone_ids: frozenset[str]
    match_kind: MatchKind
    zone_relation: ZoneRelation
    cautions: frozenset[Caution]

    def joined(self, other: "Summary") -> "Summary":
        """The summary of both members' sets: best kind and relation, all cautions.

        HISTORICAL stays only where both have it.
        """
        cautions = self.cautions | other.cautions
        if "HISTORICAL" not in self.cautions & other.cautions:
            cautions -= {"HISTORICAL"}
        return Summary(
            first_us=min(self.first_us, other.first_us),
            last_us=max(self.last_us, other.last_us),
            order_versions=self.order_versions | other.order_versions,
            zone_ids=self.zone_ids | other.zone_ids,
            match_kind=min(self.match_kind, other.match_kind, key=_KIND_RANK.__getitem__),
            zone_relation=min(self.zone_relation, other.zone_relation, key=_RELATION_RANK.__getitem__),
            cautions=cautions,
        )

    def rises_above(self, other: "Summary") -> bool:
        """Whether this shows more than `other`: a better kind or relation, or another zone."""
        return (
            _KIND_RANK[self.match_kind] < _KIND_RANK[other.match_kind]
            or _RELATION_RANK[self.zone_relation] < _RELATION_RANK[other.zone_relation]
            or not self.zone_ids <= other.zone_ids
        )


def summarise(observed_us: int, match: Match) -> Summary:
    """The summary of an episode that has this one member."""
    return Summary(
        first_us=observed_us,
        last_us=observed_us,
        order_versions=frozenset({match.order_version}),
        zone_ids=frozenset({match.zone_id}),
        match_kind=match.match_kind,
        zone_relation=match.zone_relation,
        cautions=frozenset(match.cautions),
    )


def join_all(summaries: Iterable[Summary]) -> Summary:
    """All of them together; at least one."""
    return reduce(Summary.joined, summaries)


def sorted_cautions(cautions: frozenset[Caution]) -> tuple[Caution, ...]:
    """In the wire's order."""
    return tuple(caution for caution in CAUTIONS if caution in cautions)


def episode_alert_id(order_id: str, respondent_id: str, first_us: int) -> str:
    """`O1/R1/2026-03-06T20:15:00Z`: no id holds a slash, so no two episodes share it."""
    return f"{order_id}/{respondent_id}/{format_instant(from_us(first_us))}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Episode:
    """alert.v1's content. `lines` and `zone_ids`, `order_versions` ascending; cautions in wire order."""

    alert_id: str
    order_id: str
    respondent_id: str
    order_versions: tuple[int, ...]
    zone_ids: tuple[str, ...]
    first_observed_us: int
    last_observed_us: int
    lines: tuple[int, ...]
    sighting_count: int
    match_kind: MatchKind
    zone_relation: ZoneRelation
    cautions: tuple[Caution, ...]


def group_alerts(alertings: Iterable[Alerting], gap_us: int) -> tuple[Episode, ...]:
    """The episodes of alerting matches, by alert id. `gap_us`: the policy's gap in microseconds."""
    parties: dict[tuple[str, str], list[Alerting]] = {}
    for alerting in alertings:
        match = alerting.match
        parties.setdefault((match.order_id, match.respondent_id), []).append(alerting)
    episodes = [
        _to_episode(order_id, respondent_id, members)
        for (order_id, respondent_id), party in parties.items()
        for members in split_at_gaps(party, gap_us)
    ]
    return tuple(sorted(episodes, key=attrgetter("alert_id")))


def split_at_gaps(alertings: Iterable[Alerting], gap_us: int) -> Iterator[list[Alerting]]:
    """Those of one order and respondent in event time, cut wherever neighbours lie over `gap_us` apart."""
    ordered = sorted(alertings, key=attrgetter("observed_us"))
    start = 0
    for index in range(1, len(ordered)):
        if ordered[index].observed_us - ordered[index - 1].observed_us > gap_us:
            yield ordered[start:index]
            start = index
    if ordered:
        yield ordered[start:]


def _to_episode(order_id: str, respondent_id: str, members: Sequence[Alerting]) -> Episode:
    summary = join_all(summarise(member.observed_us, member.match) for member in members)
    return Episode(
        alert_id=episode_alert_id(order_id, respondent_id, summary.first_us),
        order_id=order_id,
        respondent_id=respondent_id,
        order_versions=tuple(sorted(summary.order_versions)),
        zone_ids=tuple(sorted(summary.zone_ids)),
        first_observed_us=summary.first_us,
        last_observed_us=summary.last_us,
        lines=tuple(sorted({member.line for member in members})),
        sighting_count=len({member.key for member in members}),
        match_kind=summary.match_kind,
        zone_relation=summary.zone_relation,
        cautions=sorted_cautions(summary.cautions),
    )
