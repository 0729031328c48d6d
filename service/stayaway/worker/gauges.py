"""What a matcher shows of its state at a moment: lag, holds, and the registry it decides on."""

from stayaway.platform.metrics import Metrics
from stayaway.worker.assignment import Assignment
from stayaway.worker.follow import RegistryFollower


def show(metrics: Metrics, follower: RegistryFollower, assignment: Assignment) -> None:
    """Set the gauges. Partitions that went to another matcher are no longer shown."""
    registry = follower.current
    metrics.registry_sequence.set(registry.knowledge.registry_sequence)
    metrics.orders.set(len(registry.engine.snapshot.head_changes))
    metrics.registry_age_seconds.set(follower.age_s())
    metrics.registry_hold.set(follower.is_out_of_touch)
    metrics.claimed.set(len(assignment.states))
    metrics.held.clear()
    metrics.lag.clear()
    for where in assignment.consumer.assignment():
        key = (where.topic, where.partition)
        metrics.held.labels(*key).set(key in assignment.held)
        state, end = assignment.states.get(key), assignment.consumer.highwater(where)
        if state is not None and end is not None:
            metrics.lag.labels(*key).set(max(0, end - state.next_offset))
