"""What the matcher shows of itself: counters for people, metrics for Prometheus. No identity in either."""

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from stayaway.audit.entries import AuditRow
from stayaway.matching.model import EventDecision
from stayaway.platform.logging import get_logger
from stayaway.platform.metrics import Metrics
from stayaway.worker.counters import Counters
from stayaway.worker.coverage import PartitionKey, PartitionState
from stayaway.worker.judge import JudgedPart


class Observer:
    """Takes note of what was committed, never of what was only tried."""

    def __init__(self, counters: Counters, metrics: Metrics) -> None:
        self.counters = counters
        self.metrics = metrics

    def parts(self, committed: Sequence[JudgedPart], at: datetime) -> None:
        """Parts of a batch, committed at `at`."""
        records: Counter[str] = Counter()
        refused: Counter[str] = Counter()
        decisions = [decision for item in committed for decision in item.decisions]
        metrics = self.metrics
        for item in committed:
            records[item.key[0]] += item.tally.records
            refused.update(refusal.reason for refusal in item.refusals.values())
            metrics.reader_age_seconds.observe_all(item.ages_us)
        self.counters.add(records.total(), refused, decisions)
        for topic, count in records.items():
            metrics.events.labels(topic).inc(count)
        for reason, count in refused.items():
            metrics.refused.labels(reason).inc(count)
            metrics.dead_letters.labels(reason).inc(count)
        metrics.decisions.labels("NONE").inc(records.total() - refused.total() - len(decisions))
        for decision in decisions:
            self._matched(decision, at)

    def _matched(self, decision: EventDecision, at: datetime) -> None:
        metrics, sighting = self.metrics, decision.sighting
        metrics.decisions.labels(decision.outcome).inc()
        for match in decision.matches:
            for reason in match.reasons:
                metrics.suppressed.labels(reason).inc()
        if decision.outcome == "ALERT":
            metrics.alert_latency_seconds.observe((at - sighting.received_at).total_seconds())

    def batch(self, records: int, seconds: float, judge_s: float) -> None:
        """A batch from fetch to commit, and how long of it was decoding and judging."""
        self.counters.batches += 1
        self.metrics.batch_records.observe(records)
        self.metrics.batch_seconds.observe(seconds)
        self.metrics.judge_seconds.observe(judge_s)

    def retry(self, reason: str, error: BaseException | None = None) -> None:
        """A batch is judged or written again; `error`: what left it unknown whether it was committed."""
        self.metrics.retries.labels(reason).inc()
        get_logger().warning("batch again", reason=reason, exc_info=error)

    def unknown(self, states: Iterable[PartitionState]) -> None:
        """COMMIT's reply did not come: the database is asked where these partitions stand."""
        for state in states:
            get_logger().warning("commit unknown", **_where(state.key), expected_offset=state.next_offset)

    def claimed(self, state: PartitionState) -> None:
        """A partition is ours, read from its next offset on."""
        get_logger().info(
            "partition claimed", **_where(state.key), epoch=state.epoch, next_offset=state.next_offset
        )

    def held(self, key: PartitionKey, reason: str) -> None:
        """A partition stands still until a person looks at it."""
        get_logger().error("partition held", **_where(key), reason=reason)

    def lost(self, keys: Iterable[PartitionKey]) -> None:
        """Another matcher's epoch was found on these partitions."""
        for key in keys:
            self.metrics.fences_lost.labels(key[0]).inc()
            get_logger().warning("fence lost", **_where(key))

    def changes(self, words: Iterable[str], raised: int) -> None:
        """Alerts that a committed batch changed."""
        self.counters.alerts_raised += raised
        for word, count in Counter(words).items():
            self.metrics.alerts.labels(word).inc(count)

    def entries(self, rows: Iterable[AuditRow]) -> None:
        """Audit entries of a committed batch."""
        for entry_type, count in Counter(row.entry_type for row in rows).items():
            self.metrics.audit_entries.labels(entry_type).inc(count)


def _where(key: PartitionKey) -> dict[str, Any]:
    return {"topic": key[0], "partition": key[1]}
