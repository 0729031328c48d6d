"""Metrics: all named in one place, none with a label that could name a person, car or place."""

import numpy as np
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


def test_a_batch_of_values_counts_as_the_values_one_by_one() -> None:
    """On a bucket's bound, between two, below the first and above the last."""
    definition = metrics.MetricDef("skew", "histogram", "Skew.", buckets=(-5.0, 0.0, 0.5, 60.0))
    batches = [[-6.0, -5.0, -4.9], [], [0.0, 0.25, 0.5, 0.500001, 60.0, 61.0, 1e9]]
    at_once, one_by_one = CollectorRegistry(), CollectorRegistry()
    bulk = metrics.BulkHistogram(definition, at_once)
    plain = Histogram("skew", "Skew.", buckets=definition.buckets, registry=one_by_one)
    for batch in batches:
        bulk.observe_all(np.array(batch))
        for value in batch:
            plain.observe(value)

    def counted(registry: CollectorRegistry) -> list[str]:
        lines = generate_latest(registry).decode().splitlines()
        return [line for line in lines if line.startswith("skew_bucket")]

    assert counted(at_once) == counted(one_by_one)
    assert len(counted(at_once)) == 5
