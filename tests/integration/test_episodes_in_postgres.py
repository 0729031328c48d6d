"""Episodes in Postgres: two writers at once make the oracle's alerts, and a parked car stays cheap."""

import asyncio
import json
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

import asyncpg
import pytest

import oracle
from stayaway.access.policy import Policy, parse_policy
from stayaway.alerts.explain import explain_alert
from stayaway.alerts.queries import SQL
from stayaway.alerts.review import dismiss
from stayaway.alerts.review_model import Dismissal, Reviewer
from stayaway.kernel.errors import ConflictError
from stayaway.kernel.instants import format_instant
from stayaway.orders.parse import parse_orders_file
from stayaway.orders.store import record_orders
from stayaway.platform.seal import FileSeal
from support.databases import SERVERS
from support.direct_writer import NOW, DirectWriter
from support.wire_examples import CHECK_IN, ORDERS, PLATE_READ, POLICY, example_policy

SHOWN = """order_id respondent_id order_versions zone_ids first_observed_at last_observed_at sighting_count
    match_kind zone_relation cautions"""
EAST_LON = -111.89
START = datetime(2026, 3, 6, 0, 0, tzinfo=UTC)
WHO = Reviewer(name="dispatcher", channel="cli")


Json = dict[str, Any]


@dataclass
class Room:
    """One database, and as many connections as are asked for."""

    dsn: str
    seal: FileSeal
    stack: AsyncExitStack

    async def connect(self) -> asyncpg.Connection:
        conn = await asyncpg.connect(self.dsn)
        self.stack.push_async_callback(conn.close)
        return conn

    async def record(self, orders: bytes) -> None:
        conn = await self.connect()
        async with conn.transaction():
            parsed = parse_orders_file(orders)
            await record_orders(conn, self.seal, parsed, actor="clerk", recorded_now=NOW)

    async def writer(self, policy: Policy, partition: int = 0) -> DirectWriter:
        writer = DirectWriter(await self.connect(), self.seal, policy, partition=partition)
        await writer.load()
        return writer


@pytest.fixture
async def room(database: str, seal: FileSeal) -> AsyncIterator[Room]:
    async with AsyncExitStack() as stack:
        yield Room(database, seal, stack)


# ---------------------------------------------------------------- two writers at once


def orders_of_two() -> Json:
    """WIRE.md's order with a second zone 900 m to the east and a second respondent."""
    file: Json = json.loads(json.dumps(ORDERS))
    (order,), (notice,) = file["orders"], file["notices"]
    place = {"type": "Point", "coordinates": [EAST_LON, 33.4]}
    order["zones"].append({**order["zones"][0], "zone_id": "Z2", "place_type": "WORK", "geometry": place})
    vehicle = {**order["respondents"][0]["vehicles"][0], "vehicle_id": "V2", "plate": "QRS 902"}
    order["respondents"].append({"respondent_id": "R2", "vehicles": [vehicle]})
    file["notices"].append({**notice, "respondent_id": "R2"})
    return file


def draw_visits(random: Random) -> list[bytes]:
    """Reads and check-ins over six hours, on whole minutes; some again, some ids with other bytes."""
    lines: list[bytes] = []
    for number in range(150):
        at = START + timedelta(minutes=random.randrange(360))
        event = {
            **random.choice(
                [
                    {**PLATE_READ, "plate": "BAK-471"},
                    PLATE_READ,
                    {**PLATE_READ, "plate": "QRS902"},
                    CHECK_IN,
                ]
            ),
            "event_id": f"e{number}",
            "observed_at": format_instant(at),
            "received_at": format_instant(at + timedelta(seconds=random.choice([2, 2, 2, 4_000]))),
            "lon": random.choice([-111.9, EAST_LON]),
            "lat": random.choice([33.4, 33.4, 33.4008]),
        }
        lines.append(json.dumps(event).encode())
        if random.random() < 0.1:
            lines.append(lines[-1])
        if random.random() < 0.1:
            lines.append(json.dumps({**event, "extensions": {"n": number}}).encode())
    random.shuffle(lines)
    return lines


async def write_all(writer: DirectWriter, lines: list[bytes], random: Random) -> None:
    """Some lines a transaction, now and then the last ones once more."""
    last: list[bytes] = []
    while lines:
        if not last or random.random() >= 0.2:
            size = random.randint(1, 12)
            last, lines = lines[:size], lines[size:]
        await writer.write(last)


async def close_some(conn: asyncpg.Connection, seal: FileSeal, random: Random, until: asyncio.Event) -> int:
    """A person who dismisses what they find, while the writers write; how many."""
    closed = 0
    while not until.is_set():
        await asyncio.sleep(0)
        numbers = await conn.fetch("SELECT alert_number FROM alert WHERE state = 'OPEN'")
        if not numbers or random.random() < 0.5:
            continue
        number = random.choice(numbers)["alert_number"]
        try:
            await dismiss(conn, seal, number, Dismissal(reason_code="MISREAD"), WHO, now=NOW)
        except ConflictError:  # it was merged meanwhile
            continue
        closed += 1
    return closed


def as_text(row: Any) -> str:
    shown = {name: row[name] for name in SHOWN.split()}
    plain = {k: format_instant(v) if isinstance(v, datetime) else v for k, v in shown.items()}
    return json.dumps(plain)


@pytest.mark.parametrize("with_people", [False, True])
@pytest.mark.parametrize("seed", range(4))
async def test_two_writers_at_once_make_the_oracles_alerts(room: Room, seed: int, with_people: bool) -> None:
    """Any order of arrival, any batches, two connections at once; every alert explains itself the same."""
    random, orders = Random(seed), orders_of_two()
    policy_file = {**POLICY, "episode_gap_s": 300}
    policy, lines = parse_policy(json.dumps(policy_file).encode()), draw_visits(random)
    decided = list(oracle.decide(orders, policy_file, lines))
    expected = [line for line in decided if line["schema"] == "alert.v1"]
    assert 10 < len(expected) < decided[-1]["alert"] / 3, "visits of several sightings, many of them"
    await room.record(json.dumps(orders).encode())
    writers = [await room.writer(policy, partition) for partition in (0, 1)]
    done, person = asyncio.Event(), await room.connect()
    closing = asyncio.create_task(close_some(person, room.seal, random, done)) if with_people else None
    shares = ([line for number, line in enumerate(lines) if number % 2 == mine] for mine in (0, 1))
    await asyncio.gather(*(write_all(w, s, Random(seed)) for w, s in zip(writers, shares, strict=True)))
    done.set()
    closed = await closing if closing else 0
    rows = await person.fetch("SELECT * FROM alert WHERE state <> 'MERGED' AND raised_anew_from IS NULL")
    assert Counter(map(as_text, rows)) == Counter(map(as_text, expected))
    assert (closed > 0) == with_people
    for row in await person.fetch("SELECT alert_number FROM alert"):
        found = await explain_alert(person, room.seal, row["alert_number"], WHO, now=NOW)
        assert (found.verdict, found.difference) == ("SAME", None)


# ---------------------------------------------------------------- a parked car

TOUCHED = """SELECT relname, seq_tup_read + coalesce(idx_tup_fetch, 0) AS rows_read, n_tup_ins, n_tup_upd,
                    n_tup_del
               FROM pg_stat_xact_user_tables"""


def parked(number: int, **changes: Any) -> bytes:
    """Read `number` of a car that stands there: one every ten seconds."""
    at = START + timedelta(seconds=10 * number)
    instants = {
        "observed_at": format_instant(at),
        "received_at": format_instant(at + timedelta(seconds=2)),
    }
    return json.dumps({**PLATE_READ, "event_id": f"e{number}", **instants, **changes}).encode()


async def touched(writer: DirectWriter, values: list[bytes]) -> dict[str, tuple[int, ...]]:
    """Rows read, added, changed and removed in each table by one transaction that writes `values`."""
    judged = writer.judge(values)
    async with writer.conn.transaction():
        # What the server has not yet taken over from earlier transactions is counted here too.
        before = {row["relname"]: tuple(row)[1:] for row in await writer.conn.fetch(TOUCHED)}
        await writer.write_judged(judged)
        after = {row["relname"]: tuple(row)[1:] for row in await writer.conn.fetch(TOUCHED)}
    counts = {
        name: tuple(now - was for now, was in zip(counted, before.get(name, (0, 0, 0, 0)), strict=True))
        for name, counted in after.items()
    }
    return {name: counted for name, counted in counts.items() if any(counted)}


async def pages_of_a_conflict(writer: DirectWriter) -> int:
    """Pages looked at to find the alerts of one sighting: of tables and of indexes."""
    async with writer.conn.transaction():
        explained = await writer.conn.fetchval(
            f"EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) {SQL.flag_alerts}", ["O1"], ["az"], ["e50"]
        )
        plan = json.loads(explained)[0]["Plan"]
    return int(plan["Shared Hit Blocks"] + plan["Shared Read Blocks"])


@pytest.mark.parametrize("databases", SERVERS, indirect=True)
async def test_a_parked_cars_next_read_touches_no_more_rows_than_its_hundredth(room: Room) -> None:
    """5,000 reads are one alert; a new read, a repeated one and a conflicting one cost what they did."""
    await room.record(json.dumps(ORDERS).encode())
    writer = await room.writer(example_policy())
    costs, pages = [], []
    for start, end in ((0, 100), (200, 5_000)):
        for at in range(start, end, 100):
            await writer.write([parked(number) for number in range(at, at + 100)])
        await writer.conn.execute("VACUUM ANALYZE")
        later = end + 40
        await writer.conn.execute("UPDATE alert SET content_conflict = false")
        pages.append(await pages_of_a_conflict(writer))
        costs.append(
            {
                "new": await touched(writer, [parked(later)]),
                "again": await touched(writer, [parked(later)]),
                "in between": await touched(writer, [parked(end // 2, event_id=f"between-{end}")]),
                "conflicting": await touched(writer, [parked(later, colour="red")]),
            }
        )
    assert costs[1] == costs[0]
    assert pages[1] <= pages[0] + 10, "an index may be a level deeper; its entries are not run through"
    assert costs[1]["new"]["alert"][2] == 1
    assert costs[1]["new"]["decision"][1:3] == (1, 0)
    alerts = await writer.conn.fetch("SELECT sighting_count, state FROM alert")
    assert [tuple(row) for row in alerts] == [(4_906, "OPEN")]
