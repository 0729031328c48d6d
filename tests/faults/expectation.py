"""What must stand at the end of a round, worked out from the broker's log by the oracle alone.

Each record is judged with the orders that the coverage entries say were in force for its offset.
Where orders change while the day flows, a member is judged again with each change of its order.
"""

import hashlib
from collections import Counter, defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache

from faults.day import Json, joined
from faults.servers import Log
from oracle import Member, Oracle

Key = tuple[str, int]
Place = tuple[str, str, str]
"""(order id, respondent id, zone id)."""


@dataclass
class Expected:
    """`alerts`: alert.v1 without ids; `members`: rows of export.sightings_v1 without ids."""

    alerts: list[Json] = field(default_factory=list)
    members: Counter[tuple[str, ...]] = field(default_factory=Counter)
    letters: set[tuple[str, int, int, str, str | None]] = field(default_factory=set)


class Judge:
    """The oracle at each registry sequence; `files[s]` was imported as sequence s."""

    def __init__(self, policy: Json, files: dict[int, Json]) -> None:
        self._files = files
        self._policy = policy
        self.last = max(files)
        self.oracle = cache(self._oracle)
        self.judge = cache(self._judge)

    def _oracle(self, sequence: int) -> Oracle:
        known = [self._files[number] for number in sorted(self._files) if number <= sequence]
        return Oracle(joined(known), self._policy)

    def _judge(self, value: bytes, sequence: int) -> tuple[Json, list[Member]]:
        return self.oracle(sequence).decide_line(1, value)

    def changed(self, sequence: int) -> set[str]:
        """The orders that the change `sequence` is about."""
        file = self._files[sequence]
        return {record["order_id"] for name in file if name != "schema" for record in file[name]}

    def members_at_the_end(self, value: bytes, sequences: set[int]) -> list[Member]:
        """The alerting matches that stand, of an event that was read at these sequences."""
        held: dict[Place, Member] = {}
        for sequence in range(min(sequences), self.last + 1):
            now = {_place(member): member for member in self.judge(value, sequence)[1]}
            if sequence > min(sequences):
                changed = self.changed(sequence)
                for place in [place for place in held if place[0] in changed]:
                    held.pop(place)
                    if place in now:
                        held[place] = now[place]
            if sequence in sequences:
                held = {**now, **held}
        return list(held.values())


def _place(member: Member) -> Place:
    return member.match["order_id"], member.match["respondent_id"], member.match["zone_id"]


def expect(log: Log, judge: Judge, sequence_at: Callable[[Key, int], int]) -> Expected:
    """What the log must have led to."""
    expected = Expected()
    read: dict[bytes, tuple[bytes, set[int]]] = {}
    for key, records in log.items():
        for offset, stored in records:
            value, sequence = stored or b"", sequence_at(key, offset)
            decision, members = judge.judge(value, sequence)
            if decision["outcome"] == "REFUSED":
                reason = decision["reasons"][0]
                # WIRE.md: the pointer of an unknown field would repeat the input.
                named = None if reason == "UNKNOWN_FIELD" else decision["field"]
                expected.letters.add((*key, offset, reason, named))
            if members:
                read.setdefault(hashlib.sha256(value).digest(), (value, set()))[1].add(sequence)
    parties: dict[tuple[str, str], list[Member]] = defaultdict(list)
    for value, sequences in read.values():
        source_and_id = judge.judge(value, min(sequences))[0]
        for member in judge.members_at_the_end(value, sequences):
            match = member.match
            parties[match["order_id"], match["respondent_id"]].append(member)
            expected.members[_row(source_and_id, match)] += 1
    last = judge.oracle(judge.last)
    for party, members in parties.items():
        expected.alerts += last.episodes(party, members)
    return expected


def _row(decision: Json, match: Json) -> tuple[str, ...]:
    names = ("order_id", "respondent_id", "zone_id", "match_kind", "region_match", "zone_relation")
    return (
        decision["source"],
        decision["event_id"],
        decision["observed_at"],
        *(str(match[name]) for name in names),
    )
