"""Orders files recorded as an import records them."""

import copy
import json
from datetime import UTC, datetime
from typing import Any

from stayaway.orders.parse import parse_orders_file
from stayaway.orders.store import ImportOutcome, record_orders
from stayaway.platform.postgres import Connection
from stayaway.platform.seal import FileSeal
from support.wire_examples import ORDERS

RECORDED = datetime(2026, 3, 6, 21, 0, tzinfo=UTC)


def orders(*order_ids: str, **changes: Any) -> dict[str, Any]:
    """WIRE.md's file with its order under these ids, and its notice to each."""
    order, notice = ORDERS["orders"][0] | changes, ORDERS["notices"][0]
    return copy.deepcopy(
        {
            "schema": "orders.v1",
            "orders": [order | {"order_id": order_id} for order_id in order_ids],
            "notices": [notice | {"order_id": order_id} for order_id in order_ids],
        }
    )


async def try_record(
    conn: Connection, seal: FileSeal, file: dict[str, Any], *, at: datetime = RECORDED
) -> ImportOutcome:
    """In a transaction of its own, whatever is found in it."""
    parsed = parse_orders_file(json.dumps(file).encode())
    async with conn.transaction():
        return await record_orders(conn, seal, parsed, actor="clerk", recorded_now=at)


async def record(conn: Connection, seal: FileSeal, file: dict[str, Any], *, at: datetime = RECORDED) -> None:
    """The same of a file without errors."""
    outcome = await try_record(conn, seal, file, at=at)
    assert not outcome.has_errors, outcome.findings
