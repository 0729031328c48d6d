"""Two places at once across the edge of an episode: on the page, in the API's view and in `explain`."""

import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import asyncpg
import pytest

from stayaway.access.policy import Policy
from stayaway.alerts.explain import explain_alert
from stayaway.alerts.explain_wire import ExplanationForm
from stayaway.alerts.neighbours import MOST_OPENED
from stayaway.alerts.order_changes import import_orders
from stayaway.alerts.review import load_alert
from stayaway.alerts.review_model import Reviewer
from stayaway.cli.explain import explanation_lines
from stayaway.kernel.instants import format_instant
from stayaway.kernel.jsontext import parse_json
from stayaway.platform.postgres import Pool, load_queries, open_pool
from stayaway.platform.seal import FileSeal
from support.databases import SERVERS
from support.direct_writer import NOW, DirectWriter
from support.tampering import tamper
from support.wire_examples import CHECK_IN, ORDERS, PLATE_READ, example_policy

pytestmark = pytest.mark.parametrize("databases", SERVERS, indirect=True)

START = datetime(2026, 3, 6, 20, 0, tzinfo=UTC)
POLICY = example_policy()
WHO = Reviewer(name="dispatcher", channel="cli")
PHOENIX, NEW_YORK = {"lon": -111.9, "lat": 33.4}, {"lon": -73.98, "lat": 40.75}
Json = dict[str, Any]


def orders() -> Json:
    """WIRE.md's order with a second zone, in New York."""
    file: Json = json.loads(json.dumps(ORDERS))
    (order,) = file["orders"]
    place = {"type": "Point", "coordinates": [NEW_YORK["lon"], NEW_YORK["lat"]]}
    order["zones"].append({**order["zones"][0], "zone_id": "Z2", "geometry": place})
    return file


def seen(minutes: float, where: Json, event: Json = PLATE_READ, **changes: Any) -> bytes:
    """The order's vehicle, or its device, so many minutes after START."""
    at = START + timedelta(minutes=minutes)
    plate = {"plate": "BAK-471"} if event is PLATE_READ else {}
    instants = {
        "observed_at": format_instant(at),
        "received_at": format_instant(at + timedelta(seconds=2)),
    }
    return json.dumps(
        {**event, **plate, **where, **instants, "event_id": f"e{minutes:g}", **changes}
    ).encode()


class Room:
    """One database with the orders, and a matcher that writes to it."""

    def __init__(self, pool: Pool, conn: asyncpg.Connection, seal: FileSeal) -> None:
        self.pool, self.conn, self.seal = pool, conn, seal

    async def record(self, file: Json) -> None:
        """Record an orders file."""
        await import_orders(self.pool, self.seal, json.dumps(file).encode(), POLICY, actor="clerk", at=NOW)

    async def write(self, *batches: list[bytes], policy: Policy = POLICY) -> None:
        """What a matcher makes of these batches, by the orders as they stand."""
        writer = DirectWriter(self.conn, self.seal, policy)
        await writer.load()
        for batch in batches:
            await writer.write(batch)

    async def told(self, number: int) -> str | None:
        """What `explain` says; the page and `explain --json` say the same."""
        explained = await explain_alert(self.conn, self.seal, number, WHO, now=NOW)
        assert (explained.verdict, explained.difference) == ("SAME", None)
        words = explained.two_places.words if explained.two_places else None
        assert ExplanationForm.of(explained).two_places == words
        assert (f"Evidence, which decides nothing: {words}" in explanation_lines(explained, every=False)) == (
            words is not None
        )
        view = await load_alert(self.conn, self.seal, number, WHO, policy=POLICY, now=NOW)
        assert [fact.text for fact in view.facts if fact.code == "TWO_PLACES"] == ([words] if words else [])
        return words

    async def looks(self) -> list[list[str]]:
        """The events that each look so far opened besides the alert's own, in order."""
        rows = await self.conn.fetch(
            "SELECT order_id, payload_sealed FROM audit_entry WHERE entry_type = 'ALERT_VIEWED'"
            " ORDER BY stream_sequence"
        )
        opened = [self.seal.unseal(row["order_id"], "audit", row["payload_sealed"]) for row in rows]
        payloads = [parse_json(parse_json(text)["payload"].encode()) for text in opened]
        return [payload["details"]["beside"] for payload in payloads]


@pytest.fixture
async def room(database: str, seal: FileSeal) -> AsyncIterator[Room]:
    async with await open_pool(database, wait_s=5, on_wait=print) as pool:
        conn = await asyncpg.connect(database)
        room = Room(pool, conn, seal)
        await room.record(orders())
        yield room
        await conn.close()


async def test_each_alert_of_the_flight_shows_it(room: Room) -> None:
    """Phoenix, five minutes later New York, and 31 minutes each to another visit there and back."""
    await room.write([seen(15, PHOENIX), seen(20, NEW_YORK), seen(51, NEW_YORK), seen(82, PHOENIX)])
    counts = await room.conn.fetch("SELECT sighting_count FROM alert ORDER BY alert_number")
    assert [row["sighting_count"] for row in counts] == [2, 1, 1]
    own = await room.told(1)
    assert own is not None
    assert "2026-03-06T20:15:00Z (of this alert) and at 2026-03-06T20:20:00Z (of this alert)" in own
    before_and_after = await room.told(2)
    assert before_and_after is not None
    assert "20:51:00Z (of this alert) and at 2026-03-06T21:22:00Z (not of this alert but of alert 3)" in (
        before_and_after
    )
    after = await room.told(3)
    assert after is not None
    assert "vehicle V1 was seen at 2026-03-06T20:51:00Z (not of this alert but of alert 2) and at" in after
    assert "2026-03-06T21:22:00Z (of this alert), at least 34" in after
    beside = [["az/e51"], ["az/e20", "az/e82"], ["az/e51"]]
    assert await room.looks() == [events for events in beside for _ in ("explain", "page")]


async def test_a_suppressed_sighting_beside_it_is_looked_at_too(room: Room) -> None:
    """Suspended then, so it raised nothing; it lies where the vehicle cannot have come from."""
    paused = {
        "order_id": "O1",
        "recorded_at": format_instant(START),
        "from_at": format_instant(START + timedelta(minutes=50)),
        "until_at": format_instant(START + timedelta(minutes=60)),
        "reason_text": "as the court ordered",
    }
    await room.record({"schema": "orders.v1", "orders": [], "suspensions": [paused]})
    await room.write([seen(51, NEW_YORK), seen(82, PHOENIX)])
    assert await room.conn.fetchval("SELECT count(*) FROM alert") == 1
    told = await room.told(1)
    assert told is not None
    assert "20:51:00Z (not of this alert: it raised none) and at" in told


async def test_a_neighbour_that_does_not_open_is_said_and_hides_no_alert(room: Room) -> None:
    await room.write([seen(51, NEW_YORK), seen(82, PHOENIX)])
    await tamper(
        room.conn,
        "UPDATE sighting SET payload_sealed = set_byte(payload_sealed, 40, get_byte(payload_sealed, 40) # 1)"
        " WHERE event_id = 'e51'",
    )
    explained = await explain_alert(room.conn, room.seal, 2, WHO, now=NOW)
    assert (explained.verdict, explained.two_places) == ("SAME", None)
    assert ExplanationForm.of(explained).neighbours_unopened == 1
    words = str(explained.neighbours.unopened_words)
    assert words in explanation_lines(explained, every=False)
    view = await load_alert(room.conn, room.seal, 2, WHO, policy=POLICY, now=NOW)
    assert ("NEIGHBOURS_UNOPENED", words) in [(fact.code, fact.text) for fact in view.facts]


async def test_a_plausible_visit_before_is_nothing(room: Room) -> None:
    await room.write([seen(15, PHOENIX), seen(82, PHOENIX)])
    assert [await room.told(number) for number in (1, 2)] == [None, None]


async def test_a_device_that_reports_each_minute_hides_no_car(room: Room) -> None:
    """A thousand decisions on the device lie between; the nearest are found by an index, not by a search."""
    check_ins = [seen(0.5 + n / 25, PHOENIX, CHECK_IN) for n in range(1_000)]
    cars_only = example_policy(match_kinds=["EXACT"])
    await room.write([seen(0, NEW_YORK)], check_ins, [seen(41, PHOENIX)], policy=cars_only)
    assert await room.conn.fetchval("SELECT count(*) FROM alert") == 2
    await room.conn.execute("ANALYZE decision")
    told = await room.told(2)
    assert told is not None
    assert "vehicle V1 was seen at 2026-03-06T20:00:00Z (not of this alert but of alert 1) and at" in told
    statement = load_queries("stayaway.alerts", "review.sql").load_neighbours
    edge = START + timedelta(minutes=41)
    arguments = ["O1", "R1", "none", [False, True], [edge, edge], [edge, edge], MOST_OPENED]
    plan = await room.conn.fetchval(f"EXPLAIN (ANALYZE, FORMAT JSON) {statement}", *arguments)
    scans = [node for node in nodes(json.loads(plan)[0]["Plan"]) if node.get("Relation Name") == "decision"]
    assert {node.get("Index Name") for node in scans} == {"decision_party"}
    assert all(node["Actual Rows"] <= MOST_OPENED for node in scans)
    assert not any(node.get("Rows Removed by Filter") for node in scans)


def nodes(plan: Json) -> list[Json]:
    return [plan, *(node for child in plan.get("Plans", ()) for node in nodes(child))]
