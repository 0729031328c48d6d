"""Alerting sightings drawn at random, their episodes by an oracle of its own, and alert rows in memory."""

import itertools
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any, cast

from hypothesis import strategies as st

from stayaway.alerts.episodes import Alerting, Summary, summarise
from stayaway.alerts.model import AlertRow, AlertState
from stayaway.alerts.plan import EpisodeChange, Member, plan_changes
from stayaway.kernel.instants import EPOCH
from stayaway.matching.model import Caution, Match, MatchKind, ZoneRelation

SECOND = 1_000_000
GAP = 10 * SECOND

KINDS: list[MatchKind] = ["DEVICE", "EXACT", "REGION_UNKNOWN", "OCR_EQUIVALENT", "ONE_DIFFERENT"]
RELATIONS: list[ZoneRelation] = ["INSIDE", "INSIDE_WITHIN_ERROR", "WARNING"]


def make_match(
    order_id: str = "O1",
    respondent_id: str = "R1",
    *,
    zone_id: str = "Z1",
    version: int = 1,
    kind: MatchKind = "EXACT",
    relation: ZoneRelation = "INSIDE",
    cautions: tuple[Caution, ...] = (),
) -> Match:
    return Match(
        order_id=order_id,
        order_version=version,
        order_sha256="00",
        respondent_id=respondent_id,
        zone_id=zone_id,
        vehicle_id="V1",
        device_id=None,
        match_kind=kind,
        region_match="MATCH",
        description="UNKNOWN",
        zone_relation=relation,
        inside_probability=None,
        reasons=(),
        cautions=cautions,
        exception_ids=(),
        case=cast("Any", None),
    )


@st.composite
def alertings(draw: st.DrawFn) -> list[Alerting]:
    """Lines of events, some repeated byte for byte, each with one to three matches."""
    events = []
    for number in range(draw(st.integers(0, 12))):
        key_number = draw(st.integers(0, number)) if draw(st.booleans()) else number
        events.append(key_number)
    by_key: dict[int, tuple[int, list[Match]]] = {}
    result = []
    for line, number in enumerate(events, start=1):
        if number not in by_key:
            historical = draw(st.booleans())
            by_key[number] = (draw(st.integers(0, 80)) * SECOND, draw(_matches(historical=historical)))
        observed_us, matches = by_key[number]
        key = ("net", str(number), observed_us, bytes([number]) * 32)
        result += [Alerting(line, key, observed_us, match) for match in matches]
    return result


@st.composite
def _matches(draw: st.DrawFn, *, historical: bool) -> list[Match]:
    parties = draw(
        st.lists(
            st.tuples(st.sampled_from("OP"), st.sampled_from("RS"), st.sampled_from("XYZ")),
            min_size=1,
            max_size=3,
            unique=True,
        )
    )
    cautions: tuple[Caution, ...] = ("HISTORICAL",) if historical else ()
    possible: tuple[Caution, ...] = ("EXCEPTION_POSSIBLE",)
    return [
        make_match(
            order,
            respondent,
            zone_id=zone,
            version=draw(st.integers(1, 3)),
            kind=draw(st.sampled_from(KINDS)),
            relation=draw(st.sampled_from(RELATIONS)),
            cautions=(*possible, *cautions) if draw(st.booleans()) else cautions,
        )
        for order, respondent, zone in parties
    ]


Row = tuple[object, ...]


def oracle(items: list[Alerting], gap_us: int) -> list[Row]:
    """Connected components of "at most a gap apart", found by spreading from each item in turn."""
    left = set(range(len(items)))
    rows: list[Row] = []
    while left:
        frontier = [left.pop()]
        component = list(frontier)
        while frontier:
            here = items[frontier.pop()]
            near = [
                other
                for other in left
                if items[other].match.order_id == here.match.order_id
                and items[other].match.respondent_id == here.match.respondent_id
                and abs(items[other].observed_us - here.observed_us) <= gap_us
            ]
            left.difference_update(near)
            frontier += near
            component += near
        rows.append(_oracle_row([items[index] for index in component]))
    return sorted(rows, key=lambda row: str(row[0]))


def _oracle_row(members: list[Alerting]) -> Row:
    matches = [member.match for member in members]
    first = min(member.observed_us for member in members)
    at = (EPOCH + timedelta(microseconds=first)).strftime("%Y-%m-%dT%H:%M:%SZ")
    cautions = []
    if any("EXCEPTION_POSSIBLE" in match.cautions for match in matches):
        cautions.append("EXCEPTION_POSSIBLE")
    if all("HISTORICAL" in match.cautions for match in matches):
        cautions.append("HISTORICAL")
    return (
        f"{matches[0].order_id}/{matches[0].respondent_id}/{at}",
        sorted({match.order_version for match in matches}),
        sorted({match.zone_id for match in matches}),
        first,
        max(member.observed_us for member in members),
        sorted({member.line for member in members}),
        len({member.key for member in members}),
        next(kind for kind in KINDS if any(match.match_kind == kind for match in matches)),
        next(relation for relation in RELATIONS if any(match.zone_relation == relation for match in matches)),
        cautions,
    )


Party = tuple[str, str]


@dataclass
class Table:
    """Alert rows in memory: finds and applies as the store does, one transaction a call of `take`."""

    rows: dict[Party, dict[str, AlertRow]] = field(default_factory=dict)
    decided: set[tuple[Party, object, str]] = field(default_factory=set)
    counted: set[tuple[Party, object]] = field(default_factory=set)
    shown_when_closed: dict[str, Summary] = field(default_factory=dict)
    numbers: "itertools.count[int]" = field(default_factory=lambda: itertools.count(1))

    def take(self, items: Sequence[Alerting]) -> None:
        """One batch; what was decided before changes nothing."""
        for party in sorted({(item.match.order_id, item.match.respondent_id) for item in items}):
            self._take_party(party, [i for i in items if (i.match.order_id, i.match.respondent_id) == party])

    def close(self, party: Party, alert_id: str, state: AlertState) -> None:
        """A person's disposition."""
        row = self.rows[party][alert_id]
        self.rows[party][alert_id] = replace(row, state=state)
        self.shown_when_closed[alert_id] = row.summary

    def _take_party(self, party: Party, items: Iterable[Alerting]) -> None:
        events: dict[object, int] = {}
        members: list[Member] = []
        for item in items:
            decided = (party, item.key, item.match.zone_id)
            if decided in self.decided:
                continue
            self.decided.add(decided)
            event = events.setdefault(item.key, len(events))
            members.append(
                Member(
                    index=len(members),
                    event=event,
                    is_new_event=(party, item.key) not in self.counted,
                    summary=summarise(item.observed_us, item.match),
                )
            )
        if not members:
            return
        self.counted.update((party, key) for key in events)
        rows = self.rows.setdefault(party, {})
        for change in plan_changes(*party, _near(rows.values(), members), members, GAP):
            self._apply(rows, change)

    def _apply(self, rows: dict[str, AlertRow], change: EpisodeChange) -> None:
        summary, count = change.summary, change.sighting_count
        for row in change.updated:
            rows[row.alert_id] = replace(row, summary=summary, sighting_count=count)
        merged_ids = {row.alert_id for row in change.merged}
        for row in list(rows.values()):
            if row.alert_id in merged_ids or row.merged_into in merged_ids:
                rows[row.alert_id] = replace(row, state="MERGED", merged_into=change.root_id)
        if change.raised is not None:
            assert change.raised.alert_id not in rows, "an id is given once"
            rows[change.raised.alert_id] = AlertRow(
                alert_id=change.raised.alert_id,
                raised_us=change.raised.raised_us,
                alert_number=next(self.numbers),
                state="OPEN",
                summary=summary,
                sighting_count=count,
                merged_into=None,
                raised_anew_from=change.raised.raised_anew_from,
            )

    def standing(self) -> list[Row]:
        """What the roots show, to compare with `oracle_content`."""
        return [
            _content(party, row) for party, rows in self.rows.items() for row in rows.values() if row.is_root
        ]

    def chains(self) -> list[list[AlertRow]]:
        """Each episode's rows that stand, oldest first."""
        found = []
        for rows in self.rows.values():
            standing = sorted(filter(is_standing, rows.values()), key=lambda row: row.alert_number)
            found += [
                [row for row in standing if root.alert_id in (row.alert_id, row.raised_anew_from)]
                for root in standing
                if root.is_root
            ]
        return found


def is_standing(row: AlertRow) -> bool:
    """Neither merged nor withdrawn."""
    return row.is_standing


def _near(rows: Iterable[AlertRow], members: Sequence[Member]) -> list[AlertRow]:
    """What the store's statement `lock_alerts_near` finds."""
    low = min(member.observed_us for member in members) - GAP
    high = max(member.observed_us for member in members) + GAP
    return [
        row
        for row in rows
        if (row.summary.last_us >= low and row.summary.first_us <= high) or low <= row.raised_us <= high
    ]


def _content(party: Party, row: AlertRow) -> Row:
    return (
        list(party),
        sorted(row.summary.order_versions),
        sorted(row.summary.zone_ids),
        row.summary.first_us,
        row.summary.last_us,
        row.sighting_count,
        row.summary.match_kind,
        row.summary.zone_relation,
        sorted(row.summary.cautions),
    )


def oracle_content(items: list[Alerting]) -> list[Row]:
    """The oracle's episodes without what an alert's row has not: its first id, the lines of a file."""
    return [(str(row[0]).split("/")[:2], *row[1:5], *row[6:]) for row in oracle(items, GAP)]
