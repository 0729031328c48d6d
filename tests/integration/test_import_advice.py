"""Importing an orders file gives the clerk the same advice as checking it, and records it all the same."""

import json
from datetime import UTC, datetime

import pytest

from stayaway.alerts.order_changes import import_orders
from stayaway.orders.cli_support import check_lines
from stayaway.platform.postgres import open_pool
from stayaway.platform.seal import FileSeal
from support.advised import order, orders_file, vehicle
from support.databases import SERVERS

pytestmark = pytest.mark.parametrize("databases", SERVERS, indirect=True)

NOW = datetime(2026, 3, 6, 20, 15, tzinfo=UTC)


async def test_an_import_returns_the_advice_and_records_the_orders(database: str, seal: FileSeal) -> None:
    """Warnings refuse nothing; terms that cannot be watched are stored, and said."""
    firearms_only = order(2, zones=[], conditions=["07"], not_monitored=["no firearms"])
    record = order(1)
    record["respondents"][0]["vehicles"] = [vehicle(vin="1M8GDM9A1KP042788")]
    data = json.dumps(orders_file(record, firearms_only)).encode()
    async with await open_pool(database, wait_s=5, on_wait=print) as pool:
        imported = await import_orders(pool, seal, data, None, actor="clerk", at=NOW)
    outcome = imported.outcome
    assert dict(outcome.applied) == {"VERSION": 2, "NOTICE": 2}
    assert [finding.as_line() for finding in outcome.findings] == check_lines(data, now=NOW)[0]
    assert [finding.pointer for finding in outcome.findings] == [
        "/orders/0/respondents/0/vehicles/0/vin",
        "/orders/1/zones",
    ]
    assert not outcome.has_errors
