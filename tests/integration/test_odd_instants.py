"""Alerts raised at instants that are awkward: another's beginning, the calendar's first and last."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import asyncpg
import pytest

from stayaway.alerts.explain import explain_alert
from stayaway.alerts.review import dismiss, load_alert
from stayaway.alerts.review_model import Dismissal, Reviewer
from stayaway.kernel.instants import format_instant
from stayaway.platform.seal import FileSeal
from support.direct_writer import NOW, DirectWriter
from support.recording import record
from support.wire_examples import CHECK_IN, ORDERS, example_policy

START = datetime(2026, 3, 6, 20, 0, tzinfo=UTC)
FIRST, LAST = "0001-01-01T00:00:00Z", "9999-12-31T23:59:59.999999Z"
POLICY = example_policy()
WHO = Reviewer(name="dispatcher", channel="cli")


def fix(event_id: str, instant: str, **changes: Any) -> bytes:
    """A device's check-in."""
    return json.dumps(
        {**CHECK_IN, "event_id": event_id, "observed_at": instant, "received_at": instant, **changes}
    ).encode()


def after(minutes: int, **changes: Any) -> bytes:
    return fix(f"e{minutes}", format_instant(START + timedelta(minutes=minutes)), **changes)


async def writer_of(conn: asyncpg.Connection, seal: FileSeal, orders: dict[str, Any]) -> DirectWriter:
    await record(conn, seal, orders)
    writer = DirectWriter(conn, seal, POLICY)
    await writer.load()
    return writer


async def all_explain_themselves(conn: asyncpg.Connection, seal: FileSeal) -> None:
    for row in await conn.fetch("SELECT alert_number FROM alert"):
        found = await explain_alert(conn, seal, row["alert_number"], WHO, now=NOW)
        assert (found.verdict, found.difference) == ("SAME", None)


async def test_raised_anew_after_a_merge_it_takes_no_id_that_was_given(
    conn: asyncpg.Connection, seal: FileSeal
) -> None:
    """The merged alert has the id of the visit's beginning, and lies beyond a gap from the new sighting."""
    (order,) = ORDERS["orders"]
    (zone,) = order["zones"]
    elsewhere = {**zone, "zone_id": "Z2", "geometry": {"type": "Point", "coordinates": [-111.89, 33.4]}}
    writer = await writer_of(conn, seal, {**ORDERS, "orders": [{**order, "zones": [zone, elsewhere]}]})
    for minutes in (60, 0, 30, 90, 120):  # the third bridges two alerts
        await writer.write([after(minutes)])
    number = await conn.fetchval("SELECT alert_number FROM alert WHERE state = 'OPEN'")
    await dismiss(conn, seal, number, Dismissal(reason_code="MISREAD"), WHO, now=NOW)
    await writer.write([after(125, lon=-111.89)])
    first, merged, anew = await conn.fetch("SELECT * FROM alert ORDER BY alert_number")
    assert [row["state"] for row in (first, merged, anew)] == ["DISMISSED", "MERGED", "OPEN"]
    assert (anew["raised_anew_from"], anew["first_observed_at"]) == (first["alert_id"], START)
    assert anew["sighting_count"] == 6
    assert merged["alert_id"] == "O1/R1/2026-03-06T20:00:00Z"
    assert anew["alert_id"] == "O1/R1/2026-03-06T22:05:00Z"
    await all_explain_themselves(conn, seal)


@pytest.mark.parametrize("instant", [FIRST, LAST])
async def test_a_sighting_at_the_calendars_ends_is_judged_as_any_other(
    conn: asyncpg.Connection, seal: FileSeal, instant: str
) -> None:
    """Some systems write such an instant where they know none: one event must not stop the stream."""
    order: dict[str, Any] = {**ORDERS["orders"][0], "no_expiration": True, "effective_at": FIRST}
    del order["expires_after_notice"]
    notice = {**ORDERS["notices"][0], "noticed_at": FIRST}
    writer = await writer_of(conn, seal, {**ORDERS, "orders": [order], "notices": [notice]})
    await writer.write([fix("1", instant)])
    await writer.write([fix("2", instant)])
    (alert,) = await conn.fetch("SELECT * FROM alert")
    assert (alert["alert_id"], alert["sighting_count"]) == (f"O1/R1/{instant}", 2)
    shown = await load_alert(conn, seal, alert["alert_number"], WHO, policy=POLICY, now=NOW)
    assert shown.row.alert_id == alert["alert_id"]
    await all_explain_themselves(conn, seal)
