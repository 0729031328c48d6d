"""What the matcher shows of itself: counters for people, metrics for Prometheus. No identity in either."""

from collections import Counter
from collections.abc import Iterable
from datetime import datetime

from stayaway.audit.entries import AuditRow
from stayaway.matching.model import EventDecision
from stayaway.platform.metrics import Metrics
from stayaway.sightings.model import Refusal
from stayaway.worker.counters import Counters


class Observer:
    """Takes note of what was committed, never of what was only tried."""

    def __init__(self, counters: Counters, metrics: Metrics) -> None:
        self.counters = counters
        self.metrics = metrics

    def part(
        self,
        topic: str,
        records: int,
        refusals: Iterable[Refusal],
        decisions: Iterable[EventDecision],
        at: datetime,
    ) -> None:
        """One partition's records, committed at `at`."""
        refused: Counter[str] = Counter(refusal.reason for refusal in refusals)
        matched = list(decisions)
        outcomes = Counter(decision.outcome for decision in matched)
        self.counters.add(records, refused, matched)
        metrics = self.metrics
        metrics.events.labels(topic).inc(records)
        for reason, count in refused.items():
            metrics.refused.labels(reason).inc(count)
            metrics.dead_letters.labels(reason).inc(count)
        metrics.decisions.labels("NONE").inc(records - refused.total() - outcomes.total())
        for decision in matched:
            self._matched(decision, at)

    def _matched(self, decision: EventDecision, at: datetime) -> None:
        metrics, sighting = self.metrics, decision.sighting
        metrics.decisions.labels(decision.outcome).inc()
        for match in decision.matches:
            for reason in match.reasons:
                metrics.suppressed.labels(reason).inc()
        if decision.outcome == "ALERT":
            metrics.alert_latency_seconds.observe((at - sighting.received_at).total_seconds())
        metrics.reader_age_seconds.observe((sighting.received_at - sighting.observed_at).total_seconds())

    def batch(self, seconds: float) -> None:
        """A batch from fetch to commit."""
        self.counters.batches += 1
        self.metrics.batch_seconds.observe(seconds)

    def retry(self, reason: str) -> None:
        """A batch is judged or written again."""
        self.metrics.retries.labels(reason).inc()

    def changes(self, words: Iterable[str], raised: int) -> None:
        """Alerts that a committed batch changed."""
        self.counters.alerts_raised += raised
        for word, count in Counter(words).items():
            self.metrics.alerts.labels(word).inc(count)

    def entries(self, rows: Iterable[AuditRow]) -> None:
        """Audit entries of a committed batch."""
        for entry_type, count in Counter(row.entry_type for row in rows).items():
            self.metrics.audit_entries.labels(entry_type).inc(count)
