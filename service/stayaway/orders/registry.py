"""What the registry holds at one sequence: the input of every decision, frozen."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from stayaway.orders.model import CourtOrder


@dataclass(frozen=True, slots=True)
class RegistrySnapshot:
    """What is known at registry sequence `registry_sequence`.

    `known_at` is K: the latest `recorded_at` of any record applied by then (or, in `decide`, the
    instant asked for). `orders` are those at hand, and hold only what was recorded by K: in `decide` all of
    them; in an act on orders those that it changes; in a matcher none, which reads an order when a sighting
    comes near it (worker/shelf.py). `head_changes` names for each order that there is, or that is at hand,
    the number of its last change; a commit compares it under a lock. Both mappings are never changed; a
    later snapshot shares with an earlier one what is the same in both.
    """

    orders: Mapping[str, CourtOrder]
    registry_sequence: int
    known_at: datetime
    head_changes: Mapping[str, int]
