"""Episodes are a pure function of the set of sightings, told apart by an oracle of its own."""

from dataclasses import dataclass, field
from random import Random

from hypothesis import given, settings
from hypothesis import strategies as st

from stayaway.alerts.episodes import Alerting, Summary, group_alerts
from stayaway.alerts.model import DISPOSED, AlertState
from support.episode_world import (
    GAP,
    KINDS,
    RELATIONS,
    SECOND,
    Row,
    Table,
    alertings,
    make_match,
    oracle,
    oracle_content,
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


@dataclass
class Matcher:
    """Reads some partitions, in an order of its own, some lines a batch."""

    lines: list[int]
    random: Random
    last: list[int] = field(default_factory=list)

    def next_batch(self) -> list[int]:
        """Usually the next lines; now and then the last batch once more, as after a crash."""
        if not self.last or self.random.random() >= 0.2:
            size = self.random.randint(1, 5)
            self.last, self.lines = self.lines[:size], self.lines[size:]
        return self.last


def run(items: list[Alerting], random: Random, *, with_people: bool) -> Table:
    """Two matchers with two partitions each, in any interleaving; people close alerts in between."""
    lines = sorted({item.line for item in items})
    random.shuffle(lines)
    partition_of = {line: random.randrange(4) for line in lines}
    matchers = [
        Matcher([line for line in lines if partition_of[line] // 2 == number], random) for number in (0, 1)
    ]
    table = Table()
    while waiting := [matcher for matcher in matchers if matcher.lines]:
        chosen = set(random.choice(waiting).next_batch())
        batch = [item for item in items if item.line in chosen]
        if random.random() < 0.2:  # an older registry first: some of an event's matches did not alert yet
            table.take([item for item in batch if random.random() < 0.5])
        table.take(batch)
        if with_people and random.random() < 0.4:
            close_one(table, random)
    return table


def close_one(table: Table, random: Random) -> None:
    waiting = [
        (party, row.alert_id)
        for party, rows in table.rows.items()
        for row in rows.values()
        if row.state == "OPEN"
    ]
    states: list[AlertState] = ["CONFIRMED", "DISMISSED"]
    if waiting:
        table.close(*random.choice(waiting), random.choice(states))


@given(alertings(), st.randoms(use_true_random=False))
@settings(max_examples=600, deadline=None)
def test_any_split_over_batches_partitions_and_two_matchers_ends_in_the_same_episodes(
    items: list[Alerting], random: Random
) -> None:
    """Rows extended, bridged and merged stand for exactly the whole set's episodes: one alert each."""
    check_without_people(items, random)


def check_without_people(items: list[Alerting], random: Random) -> None:
    table = run(items, random, with_people=False)
    assert sorted(table.standing(), key=str) == sorted(oracle_content(items), key=str)
    assert all(len(chain) == 1 for chain in table.chains())
    check_links(table)


@given(alertings(), st.randoms(use_true_random=False))
@settings(max_examples=600, deadline=None)
def test_dispositions_in_between_change_no_episode(items: list[Alerting], random: Random) -> None:
    """What was closed stays closed; where more shows than was closed, one linked alert is open."""
    check_with_people(items, random)


def check_with_people(items: list[Alerting], random: Random) -> None:
    table = run(items, random, with_people=True)
    assert sorted(table.standing(), key=str) == sorted(oracle_content(items), key=str)
    check_links(table)
    for chain in table.chains():
        assert all(row.summary == chain[0].summary for row in chain)
        *earlier, last = chain
        assert all(row.state in DISPOSED for row in earlier)
        if last.state in DISPOSED:
            assert not shows_more(last.summary, table.shown_when_closed[last.alert_id])


def test_two_new_sightings_within_a_long_visit_belong_to_it() -> None:
    check_two_within_a_long_visit()


def check_two_within_a_long_visit() -> None:
    """They lie farther apart than the gap, and the visit that is stored spans both."""
    table = Table()
    table.take([_seen(second) for second in range(0, 41, 8)])
    table.take([_seen(4), _seen(38)])
    assert [(row.summary.first_us, row.sighting_count) for row in table.rows["O1", "R1"].values()] == [(0, 8)]


def test_an_alert_raised_anew_takes_no_id_that_a_merged_one_has() -> None:
    check_raised_anew_after_merging()


def check_raised_anew_after_merging() -> None:
    """A late sighting's alert was merged into another, which is closed long after: then more is shown."""
    table = Table()
    for second in (20, 0, 10, 30, 40):
        table.take([_seen(second)])
    rows = list(table.rows["O1", "R1"].values())
    assert [(row.state, row.summary.first_us) for row in rows] == [("OPEN", 0), ("MERGED", 0)]
    first = rows[0]
    table.close(("O1", "R1"), first.alert_id, "DISMISSED")
    table.take([_seen(45, zone_id="Z2")])
    *_, anew = table.rows["O1", "R1"].values()
    assert (anew.state, anew.raised_anew_from, anew.summary.first_us) == ("OPEN", first.alert_id, 0)
    assert anew.raised_us == 45 * SECOND


def _seen(second: int, zone_id: str = "Z1") -> Alerting:
    at_us = second * SECOND
    key = ("net", str(second), at_us, bytes([second]) * 32)
    return Alerting(second, key, at_us, make_match(zone_id=zone_id))


def check_links(table: Table) -> None:
    """Links are one step long and end at an alert that stands."""
    for rows in table.rows.values():
        for row in rows.values():
            if row.state == "MERGED":
                assert row.merged_into is not None
                assert rows[row.merged_into].is_root
            else:
                assert row.merged_into is None


def shows_more(now: Summary, closed: Summary) -> bool:
    """A better kind, a better relation, or a zone that was not there."""
    return (
        KINDS.index(now.match_kind) < KINDS.index(closed.match_kind)
        or RELATIONS.index(now.zone_relation) < RELATIONS.index(closed.zone_relation)
        or bool(set(now.zone_ids) - set(closed.zone_ids))
    )
