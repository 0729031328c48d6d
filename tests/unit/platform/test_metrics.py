"""Metrics: all named in one place, none with a label that could name a person, car or place."""

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
