"""The locks of a batch that leaves rows, taken by one statement.

Fence, then orders, each in its own order: whoever else takes several of them does too, so nobody waits in a
circle. One batch at a time writes sightings and alerts of an order.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from stayaway.alerts.evidence import Judged
from stayaway.platform.postgres import Connection
from stayaway.worker.coverage import PartitionKey, PartitionState
from stayaway.worker.partitions import SQL


@dataclass(frozen=True, slots=True)
class Locked:
    """What is locked until commit. `mine`: the partitions that are where we think, in our epoch.

    `heads`: the number of each order's last change, as it is now.
    """

    mine: frozenset[PartitionKey]
    heads: dict[str, int]


async def lock_batch(conn: Connection, states: Sequence[PartitionState], stored: Sequence[Judged]) -> Locked:
    """Lock the fences of `states`, and the orders that `stored` events leave rows of.

    Whoever lost a fence has orders locked for nothing until the transaction ends; that harms nobody.
    """
    rows = await conn.fetch(
        SQL.lock_batch,
        [state.topic for state in states],
        [state.partition for state in states],
        [state.next_offset for state in states],
        [state.epoch for state in states],
        [state.head.stream_sequence for state in states],
        sorted({match.order_id for item in stored for match in item.decision.matches}),
    )
    return Locked(
        mine=frozenset((row["topic"], row["partition"]) for row in rows if row["topic"] is not None),
        heads={row["order_id"]: row["change_number"] for row in rows if row["order_id"] is not None},
    )
