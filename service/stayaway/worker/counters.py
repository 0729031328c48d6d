"""What a matcher has done since it started, for the demo and for people."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

from stayaway.matching.model import EventDecision


@dataclass(slots=True)
class Counters:
    """Records by outcome. Counted once committed; another process's share is not in here."""

    read: int = 0
    refused: int = 0
    none: int = 0
    suppressed: int = 0
    alert: int = 0
    alerts_raised: int = 0
    batches: int = 0
    refused_by_reason: Counter[str] = field(default_factory=Counter)
    suppressed_by_reason: Counter[str] = field(default_factory=Counter)

    def add(self, records: int, refused: Counter[str], decisions: Iterable[EventDecision]) -> None:
        """A batch's records, the refused by reason. Reasons are counted for each suppressed match."""
        alert = suppressed = 0
        for decision in decisions:
            if decision.outcome == "ALERT":
                alert += 1
            else:
                suppressed += 1
            for match in decision.matches:
                self.suppressed_by_reason.update(match.reasons)
        self.read += records
        self.refused += refused.total()
        self.alert += alert
        self.suppressed += suppressed
        self.none += records - refused.total() - alert - suppressed
        self.refused_by_reason.update(refused)
