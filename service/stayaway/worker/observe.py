"""What the matcher shows of itself: counters for people, metrics for Prometheus. No identity in either."""

from collections import Counter
from collections.abc import Iterable
from datetime import datetime
from typing import Any

import numpy as np
import numpy.typing as npt

from stayaway.audit.entries import AuditRow
from stayaway.matching.model import EventDecision
from stayaway.platform.logging import get_logger
from stayaway.platform.metrics import Metrics
from stayaway.sightings.model import Refusal
from stayaway.worker.counters import Counters
from stayaway.worker.coverage import PartitionKey, PartitionState


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
        ages_us: npt.NDArray[np.int64],
        at: datetime,
    ) -> None:
        """One partition's records, committed at `at`. `ages_us`: the accepted events' own ages."""
        refused: Counter[str] = Counter(refusal.reason for refusal in refusals)
        matched = list(decisions)
        self.counters.add(records, refused, matched)
        metrics = self.metrics
        metrics.events.labels(topic).inc(records)
        for reason, count in refused.items():
            metrics.refused.labels(reason).inc(count)
            metrics.dead_letters.labels(reason).inc(count)
        metrics.decisions.labels("NONE").inc(records - refused.total() - len(matched))
        for decision in matched:
            self._matched(decision, at)
        metrics.reader_age_seconds.observe_all(ages_us)

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
