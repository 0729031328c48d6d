"""Which faults a run injects, drawn from its seed: a deck that holds every kind at every place."""

import random
from collections.abc import Iterator
from dataclasses import dataclass

from stayaway.worker.failpoints import FAILPOINTS

# A zombie inside a transaction is ended by the server after 5 s, and all wait for it.
IN_PROCESS = {"kill": 3, "stop": 1, "raise": 1, "cancel": 1, "delay": 1}
# Broker restarts and Postgres crashes cost seconds each, so a deck has few of them.
AROUND = {
    "backend_terminated": 6,
    "commit_reply_cut": 6,
    "commit_cut_before": 3,
    "move_reply_cut": 3,
    "kicked_from_group": 4,
    "join_and_sigterm": 4,
    "postgres_killed": 3,
    "broker_killed": 1,
}


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault. `place`: a failpoint, or "" for what is done from outside; `nth`: at which passing."""

    kind: str
    place: str = ""
    nth: int = 1
    seconds: float = 0.0

    @property
    def rule(self) -> str:
        """As STAYAWAY_FAILPOINTS says it."""
        kind = f"delay:{self.seconds}" if self.kind == "delay" else self.kind
        return f"{self.place}={kind}@{self.nth}"

    @property
    def name(self) -> str:
        """For the tally and for comparing with what fired."""
        return f"{self.kind} {self.place}".strip()


def draw_faults(rng: random.Random, count: int) -> list[Fault]:
    """`count` faults: whole decks, each shuffled, the last one cut off."""
    drawn: list[Fault] = []
    while len(drawn) < count:
        deck = list(_deck(rng))
        rng.shuffle(deck)
        drawn += deck
    return drawn[:count]


def _deck(rng: random.Random) -> Iterator[Fault]:
    for place in FAILPOINTS:
        # Assignments and revocations happen once a rebalance, the rest with every batch.
        latest = {"on_assign": 1, "on_revoke": 2}.get(place, 4)
        for kind, copies in IN_PROCESS.items():
            for _ in range(copies):
                yield Fault(kind, place, rng.randint(1, latest), round(rng.uniform(0.05, 0.4), 2))
    for kind, copies in AROUND.items():
        yield from [Fault(kind)] * copies
