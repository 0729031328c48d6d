"""Stored decisions run again and compared field by field with what was stored (pure).

The whole road is run, gates and all, on the order as it was known at the decision's registry sequence,
by the policy that the decision names. SAME means every field, to the last character of each step.
"""

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Literal

from stayaway.access.policy import Policy
from stayaway.alerts.kept import decode_kept
from stayaway.kernel.instants import format_instant
from stayaway.matching.engine import Engine
from stayaway.matching.model import DecisionStep, Match
from stayaway.matching.steps_told import tell_steps
from stayaway.orders.model import CourtOrder, Record
from stayaway.orders.registry import RegistrySnapshot
from stayaway.sightings.model import Refusal, Sighting
from stayaway.sightings.wire import parse_sighting

Verdict = Literal["SAME", "DIFFERENT", "NOT_RUN"]
Fields = dict[str, Any]
Recorded = Sequence[tuple[int, Record]]
"""(registry sequence, record) pairs of one order, in the order applied."""

NO_MATCH: Final = "NO_MATCH"
_BASIS = ("registry_sequence", "known_at", "policy_sha256", "engine", "decided_at")


@dataclass(frozen=True, slots=True)
class Difference:
    """The first field that is not as it was stored, with both values."""

    field: str
    stored: Any
    now: Any


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredDecision:
    """A decision's row, its unsealed detail and the event it was made on.

    `columns`: the row in the clear, and its sighting's. `gone`: why there is no event or no detail any
    more, in words. `changed`: what does not open although its key is there.
    """

    columns: Mapping[str, Any]
    detail: Mapping[str, Any] | None
    event: Mapping[str, Any] | None
    content_digest: bytes | None
    gone: str | None = None
    changed: str | None = None

    @property
    def steps(self) -> tuple[DecisionStep, ...]:
        """As they were stored; none where the detail is gone."""
        return tuple(DecisionStep(*step) for step in self.detail["steps"]) if self.detail else ()

    @property
    def value(self) -> bytes:
        """The event's bytes."""
        assert self.event is not None
        return str(self.event["value"]).encode()


@dataclass(frozen=True, slots=True, kw_only=True)
class Rerun:
    """What came of one decision. `why`: in words, where it was not run. `match`: today's, where it was."""

    stored: StoredDecision
    verdict: Verdict
    difference: Difference | None = None
    why: str | None = None
    match: Match | None = None


def rerun_all(
    decisions: Sequence[StoredDecision], recorded: Recorded, policies: Mapping[str, Policy]
) -> tuple[Rerun, ...]:
    """Each decision again, in the order given. `recorded`: of the order that all of them belong to."""
    found: dict[int, Rerun] = {}
    groups: dict[tuple[int, datetime, str], list[int]] = defaultdict(list)
    for place, stored in enumerate(decisions):
        if stored.changed is not None:
            difference = Difference(stored.changed, "as sealed", "bytes that do not open")
            found[place] = Rerun(stored=stored, verdict="DIFFERENT", difference=difference)
        elif stored.gone is not None:
            found[place] = Rerun(stored=stored, verdict="NOT_RUN", why=stored.gone)
        elif (changed := _first(_source_pairs(stored))) is not None:
            found[place] = Rerun(stored=stored, verdict="DIFFERENT", difference=changed)
        elif stored.columns["policy_sha256"] not in policies:
            why = "the policy it was decided by is not kept here: name its file with --policy"
            found[place] = Rerun(stored=stored, verdict="NOT_RUN", why=why)
        else:
            row = stored.columns
            groups[row["registry_sequence"], row["known_at"], row["policy_sha256"]].append(place)
    for (sequence, known_at, digest), places in groups.items():
        order = _order_at(recorded, sequence, decisions[places[0]].columns["order_id"])
        group = [decisions[place] for place in places]
        outcomes = _run(group, order, sequence, known_at, policies[digest])
        found.update(
            (place, _compare(stored, outcome))
            for place, stored, outcome in zip(places, group, outcomes, strict=True)
        )
    return tuple(found[place] for place in range(len(decisions)))


def _order_at(recorded: Recorded, sequence: int, order_id: str) -> CourtOrder:
    records = [record for applied_at, record in recorded if applied_at <= sequence]
    return CourtOrder(order_id=order_id, versions=()).with_records(records)


def _run(
    group: Sequence[StoredDecision], order: CourtOrder, sequence: int, known_at: datetime, policy: Policy
) -> Iterator[Match | Refusal | None]:
    """Each decision's match today; None: no match; a Refusal: the event is not even read."""
    snapshot = RegistrySnapshot(
        orders={order.order_id: order} if order.versions else {},
        registry_sequence=sequence,
        known_at=known_at,
        head_changes={},
    )
    batch = decode_kept([stored.value for stored in group], policy)
    found = {
        (decision.index, match.respondent_id, match.zone_id): match
        for decision in Engine(snapshot, policy).judge(batch).decisions
        for match in decision.matches
    }
    for index, stored in enumerate(group):
        key = (index, stored.columns["respondent_id"], stored.columns["zone_id"])
        yield batch.refusals.get(index) or found.get(key)


def _compare(stored: StoredDecision, outcome: Match | Refusal | None) -> Rerun:
    match = outcome if isinstance(outcome, Match) else None
    pairs = [*_outcome_pairs(stored, outcome), *(_match_pairs(stored, match) if match is not None else ())]
    difference = _first(pairs)
    verdict: Verdict = "SAME" if difference is None else "DIFFERENT"
    return Rerun(stored=stored, verdict=verdict, difference=difference, match=match)


def _first(pairs: Iterable[tuple[str, Any, Any]]) -> Difference | None:
    return next((Difference(name, was, now) for name, was, now in pairs if was != now), None)


def _source_pairs(stored: StoredDecision) -> Iterator[tuple[str, Any, Any]]:
    """(field, as the row has it, as the sealed parts have it): the event, where it lay, the basis."""
    row, event, detail = stored.columns, stored.event, stored.detail
    assert event is not None
    assert detail is not None
    yield "content_sha256", event["content_sha256"], hashlib.sha256(stored.value).hexdigest()
    yield "content_digest", row["content_digest"].hex(), (stored.content_digest or b"").hex()
    for name, was in zip(("topic", "partition", "record_offset"), event["origin"], strict=True):
        yield name, row[name], was
    sighting = parse_sighting(stored.value)
    if not isinstance(sighting, Refusal):
        yield from _event_pairs(row, sighting)
    for name in _BASIS:
        yield name, _plain(row[name]), detail["basis"][name]


def _event_pairs(row: Mapping[str, Any], sighting: Sighting) -> Iterator[tuple[str, Any, Any]]:
    for name in ("source", "event_id", "observed_at", "received_at"):
        yield name, _plain(row[name]), _plain(getattr(sighting, name))


def _outcome_pairs(stored: StoredDecision, outcome: Match | Refusal | None) -> Iterator[tuple[str, Any, Any]]:
    """A WITHDRAWN decision still does not alert; any other alerts as it did."""
    row = stored.columns
    if isinstance(outcome, Refusal):
        yield "outcome", row["outcome"], f"REFUSED {outcome.reason}"
        return
    now: str = NO_MATCH if outcome is None else outcome.outcome
    if row["outcome"] == "WITHDRAWN" and now != "ALERT":
        now = "WITHDRAWN"
    yield "outcome", row["outcome"], now
    yield "reasons", list(row["reasons"]), list(outcome.reasons) if outcome else []


def _match_pairs(stored: StoredDecision, match: Match) -> Iterator[tuple[str, Any, Any]]:
    row, detail = stored.columns, stored.detail
    assert detail is not None
    probability = row["inside_probability"]
    for name in ("order_version", "match_kind", "region_match", "description", "zone_relation"):
        yield name, row[name], getattr(match, name)
    yield "inside_probability", None if probability is None else float(probability), match.inside_probability
    yield "cautions", list(row["cautions"]), list(match.cautions)
    for name in ("vehicle_id", "device_id", "order_sha256", "input_sha256"):
        yield name, detail[name], getattr(match, name)
    yield "exception_ids", detail["exception_ids"], list(match.exception_ids)
    steps = tell_steps(match)
    yield "steps", len(stored.steps), len(steps)
    for was, now in zip(stored.steps, steps, strict=False):
        for name in ("number", "name", "saw", "concluded"):
            yield f"steps/{now.number}/{name}", getattr(was, name), getattr(now, name)


def _plain(value: Any) -> Any:
    return format_instant(value) if isinstance(value, datetime) else value


def worst(verdicts: Iterable[Verdict]) -> Verdict:
    """DIFFERENT before NOT_RUN before SAME."""
    held = set(verdicts)
    if "DIFFERENT" in held:
        return "DIFFERENT"
    return "NOT_RUN" if "NOT_RUN" in held else "SAME"
