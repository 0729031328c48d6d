"""Metrics: all named in one place, none with a label that could name a person, car or place."""

import numpy as np
import pytest
from prometheus_client import CollectorRegistry, Histogram, generate_latest

from stayaway.platform import metrics

CLOSED_LABELS = {"topic", "partition", "reason", "outcome", "change", "type"}


def test_every_definition_is_registered_once() -> None:
    names = [definition.name for definition in metrics.DEFINITIONS]
    registered = {family.name for family in metrics.Metrics().registry.collect()}
    assert sorted(names) == sorted(registered)
    assert len(set(names)) == len(names)


def test_labels_are_closed_words() -> None:
    for definition in metrics.DEFINITIONS:
        assert set(definition.labels) <= CLOSED_LABELS, definition.name
        assert definition.meaning.endswith(".")


def test_two_matchers_in_one_process_count_apart() -> None:
    one, other = metrics.Metrics(), metrics.Metrics()
    one.refused.labels(reason="NOT_JSON").inc()
    assert b'stayaway_events_refused_total{reason="NOT_JSON"} 1.0' in one.render()
    assert b"NOT_JSON" not in other.render()


@pytest.mark.parametrize("at_once", [1, 5, 1_000])
def test_batches_of_spans_count_as_the_spans_one_by_one(
    at_once: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On a bucket's bound, between two, below the first and above the last; whenever they are counted."""
    monkeypatch.setattr(metrics, "_COUNTED_AT_ONCE", at_once)
    definition = metrics.MetricDef("skew", "histogram", "Skew.", buckets=(-5.0, 0.0, 0.5, 60.0))
    batches_s = [[-6.0, -5.0, -4.9], [], [0.0, 0.25, 0.5, 0.500001], [60.0, 61.0, 1e9]]
    in_batches, one_by_one = CollectorRegistry(), CollectorRegistry()
    spans = metrics.SpanHistogram(definition, in_batches)
    plain = Histogram("skew", "Skew.", buckets=definition.buckets, registry=one_by_one)

    def counted(registry: CollectorRegistry) -> list[str]:
        lines = generate_latest(registry).decode().splitlines()
        return [line for line in lines if line.startswith("skew_bucket")]

    for batch_s in batches_s:
        spans.observe_all(np.array([round(span_s * 1e6) for span_s in batch_s], dtype=np.int64))
        for span_s in batch_s:
            plain.observe(span_s)
    assert counted(in_batches) == counted(one_by_one)
    assert len(counted(in_batches)) == 5


def test_a_span_counts_however_many_come_after_it() -> None:
    """What waited to be counted is counted, and once."""
    registry = CollectorRegistry()
    spans = metrics.SpanHistogram(metrics.READER_AGE_SECONDS, registry)
    for _ in range(1_000):
        spans.observe_all(np.full(7, 2_000_000))
    assert registry.get_sample_value("stayaway_reader_age_seconds_bucket", {"le": "5.0"}) == 7_000
    assert registry.get_sample_value("stayaway_reader_age_seconds_bucket", {"le": "1.0"}) == 0
    assert registry.get_sample_value("stayaway_reader_age_seconds_bucket", {"le": "+Inf"}) == 7_000
