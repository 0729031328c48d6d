"""What new alerting matches do to the alerts of one order and respondent: a pure plan.

An alert row is an interval with what its members show. New members extend the rows they touch,
bridge two of them into one (the older stays, the other is MERGED), or raise a new alert.

A disposed alert stays its episode's root: later members still count to it. Where they show more
than the last alert of that episode did (a better kind or relation, another zone), a linked alert is
raised anew. All rows of an episode show it as it stands; decisions point to the root.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from stayaway.alerts.episodes import Summary, episode_alert_id, join_all
from stayaway.alerts.model import DISPOSED, AlertRow


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """One new alerting match. `event`: index of its event in the batch; `is_new_event`: it counts."""

    index: int
    event: int
    is_new_event: bool
    summary: Summary

    @property
    def observed_us(self) -> int:
        """When it was seen."""
        return self.summary.first_us


@dataclass(frozen=True, slots=True, kw_only=True)
class EpisodeChange:
    """One episode after the new `members`: rows to raise, to update, to merge.

    `root_id`, `root_raised_us`: the alert that the members' decisions point to. `raised`: None, or the
    alert to insert (the root itself, or one raised anew from it). `updated`: rows that stay and show
    the summary. `merged`: rows that went into the root. `rose`: more is shown than before.
    """

    root_id: str
    root_raised_us: int
    raised: "Raised | None"
    updated: tuple[AlertRow, ...]
    merged: tuple[AlertRow, ...]
    rose: bool
    summary: Summary
    sighting_count: int
    members: tuple[Member, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Raised:
    """A new alert's fixed identity; `raised_anew_from` names the root after a disposition.

    `raised_us`: when the first of the sightings that raised it was seen. Its id is of that instant.
    """

    alert_id: str
    raised_us: int
    raised_anew_from: str | None


def plan_changes(
    order_id: str, respondent_id: str, rows: Sequence[AlertRow], members: Iterable[Member], gap_us: int
) -> tuple[EpisodeChange, ...]:
    """The changes of all episodes that gain a member.

    `rows`: every alert of this order and respondent that lies within the gap of a member, or was
    raised at an instant there (their ids are taken).
    """
    taken = {row.alert_id for row in rows}
    roots = [row for row in rows if row.is_root]
    changes = []
    for touched, gained in _clusters(roots, list(members), gap_us):
        changes.append(_change(order_id, respondent_id, _with_followers(touched, rows), gained, taken))
    return tuple(changes)


def _clusters(
    roots: Sequence[AlertRow], members: Sequence[Member], gap_us: int
) -> Iterable[tuple[list[AlertRow], list[Member]]]:
    """Roots and members that a chain of gaps links; only those that have a new member."""
    items: list[tuple[int, int, AlertRow | Member]] = [
        (root.summary.first_us, root.summary.last_us, root) for root in roots
    ]
    items += [(member.observed_us, member.observed_us, member) for member in members]
    items.sort(key=lambda item: item[:2])
    cluster: list[AlertRow | Member] = []
    reach = 0
    for first, last, item in items:
        if cluster and first - reach > gap_us:
            yield from _if_gained(cluster)
            cluster = []
        reach = max(reach, last) if cluster else last
        cluster.append(item)
    yield from _if_gained(cluster)


def _if_gained(cluster: Sequence[AlertRow | Member]) -> Iterable[tuple[list[AlertRow], list[Member]]]:
    gained = [item for item in cluster if isinstance(item, Member)]
    if gained:
        yield [item for item in cluster if isinstance(item, AlertRow)], gained


def _with_followers(roots: Sequence[AlertRow], rows: Sequence[AlertRow]) -> list[AlertRow]:
    """The roots and what was raised anew from them, oldest first."""
    ids = {root.alert_id for root in roots}
    followers = [row for row in rows if row.raised_anew_from in ids and row.is_standing]
    return sorted([*roots, *followers], key=lambda row: row.alert_number)


def _change(
    order_id: str, respondent_id: str, chain: list[AlertRow], members: list[Member], taken: set[str]
) -> EpisodeChange:
    summary = join_all([*(row.summary for row in chain), *(member.summary for member in members)])
    new_events = len({member.event for member in members if member.is_new_event})
    roots = [row for row in chain if row.raised_anew_from is None]
    count = sum(row.sighting_count for row in roots) + new_events
    # Of the new members, never of the episode's beginning: an alert whose id is of that instant may lie
    # beyond a gap from all of them, and then its id is not among `taken`.
    raised_us = min(member.observed_us for member in members)
    raised: Raised | None = None
    if not roots:
        raised = _raise(order_id, respondent_id, raised_us, None, taken)
        root_id, root_raised_us, kept, rose = raised.alert_id, raised.raised_us, [], False
    else:
        root_id, root_raised_us = roots[0].alert_id, roots[0].raised_us
        kept = [row for row in chain if root_id in (row.alert_id, row.raised_anew_from)]
        rose = summary.rises_above(kept[-1].summary)
        if rose and kept[-1].state in DISPOSED:
            raised = _raise(order_id, respondent_id, raised_us, root_id, taken)
    return EpisodeChange(
        root_id=root_id,
        root_raised_us=root_raised_us,
        raised=raised,
        updated=tuple(kept),
        merged=tuple(row for row in chain if row not in kept),
        rose=rose,
        summary=summary,
        sighting_count=count,
        members=tuple(members),
    )


def _raise(
    order_id: str, respondent_id: str, raised_us: int, anew_from: str | None, taken: set[str]
) -> Raised:
    return Raised(
        alert_id=free_alert_id(order_id, respondent_id, raised_us, taken),
        raised_us=raised_us,
        raised_anew_from=anew_from,
    )


def free_alert_id(order_id: str, respondent_id: str, raised_us: int, taken: set[str]) -> str:
    """The id of an alert raised at that instant, with `/2`, `/3` ... where an earlier one has it.

    Adds it to `taken`, which must hold the ids of all alerts of these two that were raised there.
    """
    base = episode_alert_id(order_id, respondent_id, raised_us)
    alert_id, number = base, 1
    while alert_id in taken:
        number += 1
        alert_id = f"{base}/{number}"
    taken.add(alert_id)
    return alert_id
