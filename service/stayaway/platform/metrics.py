"""Every metric in one place: name, kind, meaning, labels. No label names a person, car or place."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.core import HistogramMetricFamily
from prometheus_client.registry import Collector

MetricKind = Literal["counter", "gauge", "histogram"]

# From one record to a full batch while draining (ENGINEERING.md, "Goals": p99 of 25 ms).
_BATCH_BUCKETS_S = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0)
_LATENCY_BUCKETS_S = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0, 60.0, 600.0, 3600.0)
_RECORD_BUCKETS = (1.0, 10.0, 100.0, 500.0, 1_000.0, 2_500.0, 5_000.0, 10_000.0)
# So many cost as much to count as a few dozen: mostly the calls.
_COUNTED_AT_ONCE = 2_000
_SKEW_BUCKETS_S = (-300.0, -60.0, -5.0, -1.0, 0.0, 1.0, 5.0, 60.0, 600.0, 3600.0, 86_400.0)


@dataclass(frozen=True, slots=True)
class MetricDef:
    """One metric. Labels hold closed codes, topic names and partition numbers only."""

    name: str
    kind: MetricKind
    meaning: str
    labels: tuple[str, ...] = ()
    buckets: tuple[float, ...] = ()


EVENTS = MetricDef(
    "stayaway_events", "counter", "Records read from the topics, refused ones too.", ("topic",)
)
REFUSED = MetricDef("stayaway_events_refused", "counter", "Records refused, by reason code.", ("reason",))
DECISIONS = MetricDef(
    "stayaway_decisions", "counter", "Lines decided: NONE, SUPPRESSED or ALERT.", ("outcome",)
)
SUPPRESSED = MetricDef(
    "stayaway_matches_suppressed", "counter", "Matches that raised nothing, by reason code.", ("reason",)
)
ALERTS = MetricDef("stayaway_alerts", "counter", "Changes of alerts, by kind of change.", ("change",))
DEAD_LETTERS = MetricDef("stayaway_dead_letters", "counter", "Dead letters recorded, by reason.", ("reason",))
LAG = MetricDef(
    "stayaway_lag_records", "gauge", "Records not decided yet, to the log's end.", ("topic", "partition")
)
HELD = MetricDef(
    "stayaway_partition_held", "gauge", "1 while a partition waits for a person.", ("topic", "partition")
)
BATCH_SECONDS = MetricDef(
    "stayaway_batch_seconds", "histogram", "One batch from fetch to commit.", buckets=_BATCH_BUCKETS_S
)
BATCH_RECORDS = MetricDef(
    "stayaway_batch_records", "histogram", "Records of one batch.", buckets=_RECORD_BUCKETS
)
JUDGE_SECONDS = MetricDef(
    "stayaway_judge_seconds",
    "histogram",
    "Decoding and judging one batch, with the turns that others took meanwhile.",
    buckets=_BATCH_BUCKETS_S,
)
RETRIES = MetricDef("stayaway_batch_retries", "counter", "Batches judged or written again.", ("reason",))
FENCES_LOST = MetricDef(
    "stayaway_fences_lost", "counter", "Partitions that another matcher had taken over.", ("topic",)
)
CLAIMED = MetricDef("stayaway_partitions_claimed", "gauge", "Partitions that this matcher reads.")
ALERT_LATENCY_SECONDS = MetricDef(
    "stayaway_alert_latency_seconds",
    "histogram",
    "From a read's received_at to its alert's commit.",
    buckets=_LATENCY_BUCKETS_S,
)
READER_AGE_SECONDS = MetricDef(
    "stayaway_reader_age_seconds",
    "histogram",
    "received_at - observed_at of accepted events: below 0 the reader's clock is ahead.",
    buckets=_SKEW_BUCKETS_S,
)
REGISTRY_SEQUENCE = MetricDef("stayaway_registry_sequence", "gauge", "Registry sequence that matching uses.")
REGISTRY_AGE_SECONDS = MetricDef(
    "stayaway_registry_age_seconds", "gauge", "Since the registry in use was last the database's."
)
REGISTRY_HOLD = MetricDef(
    "stayaway_registry_hold",
    "gauge",
    "1 while nothing is judged because the registry is out of touch with the database.",
)
REGISTRY_APPLY_SECONDS = MetricDef(
    "stayaway_registry_apply_seconds",
    "histogram",
    "From a change of orders being recorded to its use by this matcher, changes followed live.",
    buckets=_LATENCY_BUCKETS_S,
)
ORDERS = MetricDef("stayaway_registry_orders", "gauge", "Orders in the registry that matching uses.")
UNOPENED_ORDERS = MetricDef(
    "stayaway_registry_orders_unopened",
    "gauge",
    "Orders taken from a pack at the start whose records have not been opened since, to check them.",
)
AUDIT_ENTRIES = MetricDef("stayaway_audit_entries", "counter", "Audit entries written, by type.", ("type",))

DEFINITIONS = (
    EVENTS,
    REFUSED,
    DECISIONS,
    SUPPRESSED,
    ALERTS,
    DEAD_LETTERS,
    LAG,
    HELD,
    CLAIMED,
    BATCH_SECONDS,
    BATCH_RECORDS,
    JUDGE_SECONDS,
    RETRIES,
    FENCES_LOST,
    ALERT_LATENCY_SECONDS,
    READER_AGE_SECONDS,
    REGISTRY_SEQUENCE,
    REGISTRY_AGE_SECONDS,
    REGISTRY_HOLD,
    REGISTRY_APPLY_SECONDS,
    ORDERS,
    UNOPENED_ORDERS,
    AUDIT_ENTRIES,
)


class SpanHistogram(Collector):
    """A histogram of spans in microseconds, shown in seconds, that takes a whole batch's at once: one by
    one they would cost as much as judging the events. Counted when somebody asks, or when many have come.
    """

    def __init__(self, definition: MetricDef, registry: CollectorRegistry) -> None:
        assert definition.kind == "histogram"
        assert not definition.labels
        self._definition = definition
        self._bounds_s = np.array(definition.buckets)
        self._counts = np.zeros(len(self._bounds_s) + 1, dtype=np.int64)
        self._sum_us = 0
        self._waiting_us: list[npt.NDArray[np.int64]] = []
        self._waiting = 0
        registry.register(self)

    def observe_all(self, spans_us: npt.NDArray[np.int64]) -> None:
        """Count each span in the first bucket whose bound is not below it. They stay as they are."""
        self._waiting_us.append(spans_us)
        self._waiting += len(spans_us)
        if self._waiting >= _COUNTED_AT_ONCE:
            self._count()

    def _count(self) -> None:
        spans_us = np.concatenate([np.zeros(0, dtype=np.int64), *self._waiting_us])
        self._waiting_us, self._waiting = [], 0
        self._counts += np.bincount(self._bounds_s.searchsorted(spans_us / 1e6), minlength=len(self._counts))
        self._sum_us += int(spans_us.sum())

    def collect(self) -> Iterable[HistogramMetricFamily]:
        """As prometheus_client asks for it; no sum where values may be negative."""
        self._count()
        bounds = [*(str(float(bound)) for bound in self._definition.buckets), "+Inf"]
        buckets = list(zip(bounds, np.cumsum(self._counts).tolist(), strict=True))
        family = HistogramMetricFamily(self._definition.name, self._definition.meaning)
        family.add_metric([], buckets, self._sum_us / 1e6)
        yield family


class Metrics:
    """The metrics of one process, or of one matcher where several share a process."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.events = self._counter(EVENTS)
        self.refused = self._counter(REFUSED)
        self.decisions = self._counter(DECISIONS)
        self.suppressed = self._counter(SUPPRESSED)
        self.alerts = self._counter(ALERTS)
        self.dead_letters = self._counter(DEAD_LETTERS)
        self.lag = self._gauge(LAG)
        self.held = self._gauge(HELD)
        self.claimed = self._gauge(CLAIMED)
        self.batch_seconds = self._histogram(BATCH_SECONDS)
        self.batch_records = self._histogram(BATCH_RECORDS)
        self.judge_seconds = self._histogram(JUDGE_SECONDS)
        self.retries = self._counter(RETRIES)
        self.fences_lost = self._counter(FENCES_LOST)
        self.alert_latency_seconds = self._histogram(ALERT_LATENCY_SECONDS)
        self.reader_age_seconds = SpanHistogram(READER_AGE_SECONDS, self.registry)
        self.registry_sequence = self._gauge(REGISTRY_SEQUENCE)
        self.registry_age_seconds = self._gauge(REGISTRY_AGE_SECONDS)
        self.registry_hold = self._gauge(REGISTRY_HOLD)
        self.registry_apply_seconds = self._histogram(REGISTRY_APPLY_SECONDS)
        self.orders = self._gauge(ORDERS)
        self.unopened_orders = self._gauge(UNOPENED_ORDERS)
        self.audit_entries = self._counter(AUDIT_ENTRIES)

    def _counter(self, definition: MetricDef) -> Counter:
        assert definition.kind == "counter"
        return Counter(definition.name, definition.meaning, definition.labels, registry=self.registry)

    def _gauge(self, definition: MetricDef) -> Gauge:
        assert definition.kind == "gauge"
        return Gauge(definition.name, definition.meaning, definition.labels, registry=self.registry)

    def _histogram(self, definition: MetricDef) -> Histogram:
        assert definition.kind == "histogram"
        return Histogram(
            definition.name,
            definition.meaning,
            definition.labels,
            buckets=definition.buckets,
            registry=self.registry,
        )

    def render(self) -> bytes:
        """All of them in Prometheus' text format."""
        return generate_latest(self.registry)
