"""What the registry holds at one sequence: the input of every decision, frozen."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from stayaway.orders.model import CourtOrder


@dataclass(frozen=True, slots=True)
class RegistrySnapshot:
    """All orders as known at registry sequence `registry_sequence`.

    `known_at` is K: the latest `recorded_at` of any record applied by then (or, in `decide`, the
    instant asked for). Orders hold only what was recorded by K. `head_changes` names for each
    order the sequence of its last change; a commit compares it under a lock. Both mappings are
    never changed; a later snapshot shares with an earlier one what is the same in both.
    """

    orders: Mapping[str, CourtOrder]
    registry_sequence: int
    known_at: datetime
    head_changes: Mapping[str, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class RegistryChange:
    """A snapshot, and what became different on the way to it from an earlier one.

    `order_ids`: the orders with new records, each once. `recorded`: for each sequence passed, ascending, the
    instant at which its records were applied (`order_record.applied_at`, the writer's clock).
    """

    snapshot: RegistrySnapshot
    order_ids: tuple[str, ...]
    recorded: tuple[tuple[int, datetime], ...]
