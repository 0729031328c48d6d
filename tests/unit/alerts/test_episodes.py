"""Episodes are a pure function of the set of sightings, told apart by an oracle of its own."""

import itertools
from datetime import timedelta
from typing import Any, cast

from hypothesis import given, settings
from hypothesis import strategies as st

from stayaway.alerts.episodes import Alerting, group_alerts, summarise
from stayaway.alerts.model import AlertRow
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


def as_rows(items: list[Alerting], gap_us: int = GAP) -> list[Row]:
    return [
        (
            episode.alert_id,
            list(episode.order_versions),
            list(episode.zone_ids),
            episode.first_observed_us,
            episode.last_observed_us,
            list(episode.lines),
            episode.sighting_count,
            episode.match_kind,
            episode.zone_relation,
            list(episode.cautions),
        )
        for episode in group_alerts(items, gap_us)
    ]


@given(alertings(), st.integers(0, 20))
@settings(max_examples=300, deadline=None)
def test_equals_the_oracle(items: list[Alerting], gap_s: int) -> None:
    assert as_rows(items, gap_s * SECOND) == oracle(items, gap_s * SECOND)


@given(alertings(), st.randoms(use_true_random=False))
@settings(max_examples=100, deadline=None)
def test_order_of_arrival_changes_nothing(items: list[Alerting], random: object) -> None:
    shuffled = list(items)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    assert as_rows(shuffled) == as_rows(items)


@given(alertings(), st.randoms(use_true_random=False), st.integers(1, 5))
@settings(max_examples=300, deadline=None)
def test_any_split_into_batches_ends_in_the_same_episodes(
    items: list[Alerting], random: object, size: int
) -> None:
    """Rows extended, bridged and merged batch by batch stand for exactly the whole set's episodes."""
    lines = sorted({item.line for item in items})
    random.shuffle(lines)  # type: ignore[attr-defined]
    table = Table()
    for start in range(0, len(lines), size):
        chosen = set(lines[start : start + size])
        table.take([item for item in items if item.line in chosen])
    expected = [(str(row[0]).split("/")[:2], *row[1:5], *row[6:]) for row in oracle(items, GAP)]
    assert sorted(table.standing(), key=str) == sorted(expected, key=str)


class Table:
    """Alert rows in memory: applies plans as the store does."""

    def __init__(self) -> None:
        self.rows: dict[tuple[str, str], dict[str, AlertRow]] = {}
        self.seen: set[tuple[str, str, object]] = set()
        self.numbers = itertools.count(1)

    def take(self, items: list[Alerting]) -> None:
        parties = {(item.match.order_id, item.match.respondent_id) for item in items}
        for party in sorted(parties):
            mine = [item for item in items if (item.match.order_id, item.match.respondent_id) == party]
            self._take_party(party, mine)

    def _take_party(self, party: tuple[str, str], items: list[Alerting]) -> None:
        events: dict[object, int] = {}
        members = []
        for index, item in enumerate(items):
            event = events.setdefault(item.key, len(events))
            is_new = (*party, item.key) not in self.seen
            members.append(
                Member(
                    index=index,
                    event=event,
                    is_new_event=is_new,
                    summary=summarise(item.observed_us, item.match),
                )
            )
        self.seen.update((*party, item.key) for item in items)
        rows = self.rows.setdefault(party, {})
        for change in plan_changes(*party, list(rows.values()), members, GAP):
            self._apply(rows, change)

    def _apply(self, rows: dict[str, AlertRow], change: EpisodeChange) -> None:
        for row in change.updated:
            rows[row.alert_id] = _with(row, change, row.state)
        for row in change.merged:
            rows[row.alert_id] = _with(row, change, "MERGED")
        if change.raised is not None:
            rows[change.raised.alert_id] = AlertRow(
                alert_id=change.raised.alert_id,
                raised_us=change.raised.raised_us,
                alert_number=next(self.numbers),
                state="OPEN",
                summary=change.summary,
                sighting_count=change.sighting_count,
                merged_into=None,
                raised_anew_from=change.raised.raised_anew_from,
            )

    def standing(self) -> list[Row]:
        return [
            (
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
            for party, rows in self.rows.items()
            for row in rows.values()
            if row.is_root
        ]


def _with(row: AlertRow, change: EpisodeChange, state: object) -> AlertRow:
    return AlertRow(
        alert_id=row.alert_id,
        raised_us=row.raised_us,
        alert_number=row.alert_number,
        state=state,  # type: ignore[arg-type]
        summary=change.summary,
        sighting_count=change.sighting_count,
        merged_into=change.root_id if state == "MERGED" else row.merged_into,
        raised_anew_from=row.raised_anew_from,
    )
