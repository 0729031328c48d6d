"""An order that changes after a matcher has raised its alerts: withdrawn, marked, cut in two, left alone."""

import json
from collections.abc import AsyncIterator
from typing import Any

import pytest

from stayaway.alerts.order_changes import import_orders
from stayaway.kernel.errors import SettingsError
from stayaway.platform.postgres import Pool, open_pool
from support.handed_batches import Matcher
from support.wire_examples import ORDERS
from support.worker_rig import NOW, Rig, check_in_at, orders_file, read


@pytest.fixture
async def pool(rig: Rig) -> AsyncIterator[Pool]:
    async with await open_pool(rig.dsn, wait_s=5, on_wait=print) as opened:
        yield opened


def recall(recalled_at: str, **more: Any) -> bytes:
    record = {"order_id": "O1", "recorded_at": "2026-03-06T20:50:00Z", "recalled_at": recalled_at}
    return orders_file(orders=[], notices=[], recalls=[{**record, "reason_text": "court", **more}])


async def test_an_order_not_in_force_then_withdraws(rig: Rig, matcher: Matcher, pool: Pool) -> None:
    await matcher.judge(await matcher.claim(), [read()])
    data = recall("2026-03-06T20:00:00Z")
    imported = await import_orders(pool, rig.seal, data, rig.policy, actor="clerk", at=NOW)
    alerts = await rig.alerts()
    assert imported.withdrawn == (alerts[0]["alert_id"],)
    assert alerts[0]["state"] == "WITHDRAWN"
    decisions = await rig.rows("SELECT outcome, reasons, registry_sequence FROM decision")
    assert decisions == [{"outcome": "WITHDRAWN", "reasons": ["RECALLED"], "registry_sequence": 2}]
    assert await rig.rows("SELECT FROM export.sightings_v1") == []
    assert [row["change"] for row in await rig.rows("SELECT change FROM outbox ORDER BY 1")] == [
        "RAISED",
        "WITHDRAWN",
    ]
    await rig.check_promises()


async def test_an_order_ended_since_marks(rig: Rig, matcher: Matcher, pool: Pool) -> None:
    await matcher.judge(await matcher.claim(), [read()])
    data = recall("2026-03-06T20:40:00Z")
    imported = await import_orders(pool, rig.seal, data, rig.policy, actor="clerk", at=NOW)
    alert = (await rig.alerts())[0]
    assert imported.ended == (alert["alert_id"],)
    assert (alert["state"], alert["cautions"]) == ("OPEN", ["ORDER_SINCE_ENDED"])
    assert [row["cautions"] for row in await rig.rows("SELECT cautions FROM decision")] == [
        ["ORDER_SINCE_ENDED"]
    ]
    assert len(await rig.payloads("ALERT_ORDER_ENDED")) == 1
    await rig.check_promises()


async def test_a_suspension_in_the_middle_cuts_a_visit_in_two(rig: Rig, matcher: Matcher, pool: Pool) -> None:
    await matcher.judge(await matcher.claim(), [check_in_at(0), check_in_at(25), check_in_at(50)])
    record = {"order_id": "O1", "recorded_at": "2026-03-06T20:55:00Z", "reason_text": "exchange"}
    span = {"from_at": "2026-03-06T20:20:00Z", "until_at": "2026-03-06T20:30:00Z"}
    data = orders_file(orders=[], notices=[], suspensions=[{**record, **span}])
    await import_orders(pool, rig.seal, data, rig.policy, actor="clerk", at=NOW)
    alerts = await rig.alerts()
    assert [(row["state"], row["sighting_count"]) for row in alerts] == [("OPEN", 1), ("OPEN", 1)]
    members = await rig.rows("SELECT alert_id, event_id FROM export.sightings_v1 ORDER BY observed_at")
    assert [(row["alert_id"], row["event_id"]) for row in members] == [
        (alerts[0]["alert_id"], "c0"),
        (alerts[1]["alert_id"], "c50"),
    ]
    await rig.check_promises()


async def test_without_a_policy_nothing_is_recorded(rig: Rig, matcher: Matcher, pool: Pool) -> None:
    await matcher.judge(await matcher.claim(), [read()])
    with pytest.raises(SettingsError, match="policy"):
        await import_orders(pool, rig.seal, recall("2026-03-06T20:00:00Z"), None, actor="c", at=NOW)
    assert await rig.rows("SELECT registry_sequence FROM registry") == [{"registry_sequence": 1}]


async def test_an_unchanged_order_changes_no_alert(rig: Rig, matcher: Matcher, pool: Pool) -> None:
    await matcher.judge(await matcher.claim(), [read()])
    other = json.loads(json.dumps(ORDERS).replace('"O1"', '"O2"'))
    before = await rig.alerts()
    await import_orders(pool, rig.seal, json.dumps(other).encode(), rig.policy, actor="clerk", at=NOW)
    assert await rig.alerts() == before
