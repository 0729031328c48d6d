"""Every alert of the day explains itself and comes out the same again; a changed byte is noticed."""

import json
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from stayaway.access.policy import Policy, parse_policy
from stayaway.alerts.explain import Explanation, explain_alert
from stayaway.alerts.order_changes import apply_records
from stayaway.alerts.review_model import Reviewer
from stayaway.orders.parse import parse_orders_file
from stayaway.orders.store import record_orders
from stayaway.platform.seal import FileSeal
from stayaway.sightings.wire import PLATE_READ_TOPIC
from support.commands import run_stayaway
from support.databases import TestDatabases, run_apart
from support.days import PACKAGED_DAY, DayFolder
from support.direct_writer import DirectWriter
from support.tampering import tamper

DAY = DayFolder(PACKAGED_DAY)
NOW = datetime(2026, 3, 7, tzinfo=UTC)
WHO = Reviewer(name="auditor", channel="cli", purpose="AUDIT")
_BATCH = 5_000


@dataclass
class StoredDay:
    """The whole day in one database. `database` names it as a template of its server."""

    database: str
    keys: Path


@pytest.fixture(scope="module")
def stored_day(_embedded: TestDatabases, tmp_path_factory: pytest.TempPathFactory) -> Iterator[StoredDay]:
    keys = tmp_path_factory.mktemp("keys") / "keys.jsonl"
    with _embedded.fresh() as dsn:
        yield StoredDay(run_apart(write_day(dsn, FileSeal(keys))), keys)


async def write_day(dsn: str, seal: FileSeal) -> str:
    """The day as a matcher writes it; the database's name."""
    conn = await asyncpg.connect(dsn)
    try:
        async with conn.transaction():
            parsed = parse_orders_file(DAY.orders.read_bytes())
            assert parsed.known_at is not None
            await record_orders(conn, seal, parsed, actor="clerk", recorded_now=parsed.known_at)
        writer = DirectWriter(conn, seal, parse_policy(DAY.policy.read_bytes()), PLATE_READ_TOPIC)
        await writer.load()
        lines = [line.rstrip(b"\n") for line in DAY.event_lines() if line.strip()]
        for start in range(0, len(lines), _BATCH):
            await writer.write(lines[start : start + _BATCH])
        return str(await conn.fetchval("SELECT current_database()"))
    finally:
        await conn.close()


@dataclass
class Desk:
    """A database of the test's own with the day in it, and the keys that open it."""

    dsn: str
    conn: asyncpg.Connection
    seal: FileSeal
    keys: Path

    async def explain(self, number: int, **more: Any) -> Explanation:
        return await explain_alert(self.conn, self.seal, number, WHO, now=NOW, **more)


@pytest.fixture
async def desk(stored_day: StoredDay, _embedded: TestDatabases, tmp_path: Path) -> AsyncIterator[Desk]:
    keys = tmp_path / "keys.jsonl"
    keys.write_bytes(stored_day.keys.read_bytes())
    keys.chmod(0o600)
    with _embedded.fresh(stored_day.database) as dsn:
        conn = await asyncpg.connect(dsn)
        yield Desk(dsn, conn, FileSeal(keys), keys)
        await conn.close()


async def test_every_alert_of_the_day_comes_out_the_same(desk: Desk) -> None:
    alerts = await desk.conn.fetch("SELECT alert_number, state FROM alert ORDER BY alert_number")
    expected = DAY.expected_alerts()
    assert sum(row["state"] != "MERGED" for row in alerts) == len(expected)
    decisions = 0
    for row in alerts:
        found = await desk.explain(row["alert_number"])
        assert (found.verdict, found.difference) == ("SAME", None), row["alert_number"]
        for item in found.decisions:
            assert [step.number for step in item.stored.steps] == [1, 2, 3, 4, 5]
            assert all(step.saw and step.concluded for step in item.stored.steps)
        if row["state"] != "MERGED":  # whose decisions its root explains too
            decisions += len(found.decisions)
    assert decisions == await desk.conn.fetchval("SELECT count(*) FROM decision WHERE outcome = 'ALERT'")


def flipped(table: str, column: str) -> str:
    """One bit of each value, well within the ciphertext."""
    return f"UPDATE {table} SET {column} = set_byte({column}, 40, get_byte({column}, 40) # 1)"


CHANGES = {
    "policy_sha256": "UPDATE decision SET policy_sha256 = repeat('0', 64)",
    "match_kind": "UPDATE decision SET match_kind = 'REGION_UNKNOWN'",
    "region_match": "UPDATE decision SET region_match = 'DIFFERS'",
    "description": "UPDATE decision SET description = 'CONFLICTS'",
    "zone_relation": "UPDATE decision SET zone_relation = 'WARNING'",
    "inside_probability": "UPDATE decision SET inside_probability = 0.123",
    "reasons": "UPDATE decision SET reasons = '{EXPIRED}'",
    "cautions": "UPDATE decision SET cautions = '{EXCEPTION_POSSIBLE}'",
    "order_version": "UPDATE decision SET order_version = 7",
    "registry_sequence": "UPDATE decision SET registry_sequence = registry_sequence + 1",
    "known_at": "UPDATE decision SET known_at = known_at + interval '1 microsecond'",
    "engine": "UPDATE decision SET engine = 'another'",
    "decided_at": "UPDATE decision SET decided_at = decided_at + interval '1 microsecond'",
    "received_at": "UPDATE sighting SET received_at = received_at + interval '1 microsecond'",
    "record_offset": "UPDATE sighting SET record_offset = record_offset + 1",
    "partition": "UPDATE sighting SET partition = partition + 1",
    "topic": "UPDATE sighting SET topic = 'elsewhere'",
    "payload_sealed": flipped("sighting", "payload_sealed"),
    "detail_sealed": flipped("decision", "detail_sealed"),
    "order_record": flipped("order_record", "payload_sealed"),
    "alert/order_versions": "UPDATE alert SET order_versions = '{1,9}'",
    "alert/zone_ids": "UPDATE alert SET zone_ids = '{ELSEWHERE}'",
    "alert/first_observed_at": "UPDATE alert SET first_observed_at = first_observed_at - interval '1 s'",
    "alert/last_observed_at": "UPDATE alert SET last_observed_at = last_observed_at + interval '1 s'",
    "alert/sighting_count": "UPDATE alert SET sighting_count = sighting_count + 1",
    "alert/match_kind": "UPDATE alert SET match_kind = 'ONE_DIFFERENT'",
    "alert/zone_relation": "UPDATE alert SET zone_relation = 'WARNING'",
    "alert/cautions": "UPDATE alert SET cautions = '{EXCEPTION_POSSIBLE}'",
}  # fmt: skip


async def an_alert(desk: Desk) -> int:
    """One that stands, of a plate with the region known, without cautions."""
    number: int = await desk.conn.fetchval(
        "SELECT min(alert_number) FROM alert WHERE state = 'OPEN' AND match_kind = 'EXACT'"
        " AND zone_relation = 'INSIDE' AND cautions = '{}'"
    )
    return number


@pytest.mark.parametrize("field", CHANGES)
async def test_a_changed_byte_is_noticed_and_named(desk: Desk, field: str) -> None:
    number = await an_alert(desk)
    await tamper(desk.conn, CHANGES[field])
    found = await desk.explain(number)
    assert found.verdict == "DIFFERENT"
    assert found.difference is not None
    assert found.difference.field == field


async def test_a_policy_that_was_changed_is_not_used(desk: Desk) -> None:
    """Its digest no longer fits, so nothing is run by it; the file with that digest stands in."""
    number = await an_alert(desk)
    await tamper(desk.conn, "UPDATE policy SET content = replace(content, '1800', '1801')")
    found = await desk.explain(number)
    assert (found.verdict, found.difference) == ("NOT_RUN", None)
    assert found.decisions[0].why is not None
    assert "--policy" in found.decisions[0].why
    policy = parse_policy(DAY.policy.read_bytes())
    assert (await desk.explain(number, policy=policy)).verdict == "SAME"
    other = policy.model_copy(update={"loose_min_length": 6})
    assert (await desk.explain(number, policy=other)).verdict == "NOT_RUN"


async def test_a_destroyed_event_is_said_to_be_destroyed(desk: Desk) -> None:
    """Retention removes the event: the steps are still told, nothing is run again."""
    number = await an_alert(desk)
    await tamper(desk.conn, "DELETE FROM sighting")
    found = await desk.explain(number)
    assert (found.verdict, found.difference) == ("NOT_RUN", None)
    assert len(found.decisions[0].stored.steps) == 5
    assert "the event was destroyed" in str(found.decisions[0].why)


async def test_after_shredding_nothing_is_told_but_that(desk: Desk) -> None:
    """The order's key is gone: what was sealed stays closed, and the look is audited all the same."""
    number = await an_alert(desk)
    order_id = await desk.conn.fetchval("SELECT order_id FROM alert WHERE alert_number = $1", number)
    lines = desk.keys.read_text().splitlines(keepends=True)
    shorter = desk.keys.with_name("shredded.jsonl")
    shorter.write_text("".join(line for line in lines if json.loads(line)["scope"] != order_id))
    shorter.chmod(0o600)
    looks = await desk.conn.fetchval("SELECT count(*) FROM audit_entry WHERE entry_type = 'ALERT_VIEWED'")
    found = await explain_alert(desk.conn, FileSeal(shorter), number, WHO, now=NOW)
    assert (found.verdict, found.difference) == ("NOT_RUN", None)
    assert all(item.stored.steps == () and "key" in str(item.why) for item in found.decisions)
    after = await desk.conn.fetchval("SELECT count(*) FROM audit_entry WHERE entry_type = 'ALERT_VIEWED'")
    assert after == looks + 1


async def test_the_command(desk: Desk) -> None:
    """Steps, versions and verdict in words and as JSON; the exit code tells them apart."""
    number = await an_alert(desk)
    options = ["--database", desk.dsn, "--keys", str(desk.keys)]
    done = run_stayaway("explain", str(number), *options)
    assert done.returncode == 0, done.stderr
    told = done.stdout.decode()
    for text in ("1. Read: saw", "5. Reasons: saw", "6. Episode: saw", "SAME bit for bit", "unverified lead"):
        assert text in told
    lowered = told.lower()
    assert not any(word in lowered for word in ("violat", "suspect", "offender", "wanted"))
    as_json = run_stayaway("explain", str(number), "--json", *options)
    found = json.loads(as_json.stdout)
    assert (found["schema"], found["verdict"], found["difference"]) == ("explanation.v1", "SAME", None)
    assert found["engine_now"] == found["decisions"][0]["engine"]
    await desk.conn.execute("UPDATE decision SET zone_relation = 'WARNING'")
    changed = run_stayaway("explain", str(number), *options)
    assert changed.returncode == 1
    words = "DIFFERENT: zone_relation was stored as 'WARNING' and is 'INSIDE' now."
    assert words in changed.stdout.decode()
    await tamper(desk.conn, "DELETE FROM sighting")
    assert run_stayaway("explain", str(number), *options).returncode == 3
    assert run_stayaway("explain", "999999", *options).returncode == 2  # 1 says that something differs


# ---------------------------------------------------------------- after the order has changed


async def change(desk: Desk, policy: Policy | None = None, **lists: Any) -> None:
    """Record these lists of an orders file and judge the open alerts again, as an import does."""
    parsed = parse_orders_file(json.dumps({"schema": "orders.v1", "orders": [], **lists}).encode())
    async with desk.conn.transaction():
        rules = policy or parse_policy(DAY.policy.read_bytes())
        done = await apply_records(desk.conn, desk.seal, parsed, rules, actor="clerk", at=NOW)
    assert not done.outcome.has_errors, done.outcome.findings


async def order_of(desk: Desk, number: int) -> dict[str, Any]:
    """The first version of the alert's order, as the file has it."""
    order_id = await desk.conn.fetchval("SELECT order_id FROM alert WHERE alert_number = $1", number)
    orders = json.loads(DAY.orders.read_bytes())["orders"]
    found: dict[str, Any] = next(order for order in orders if order["order_id"] == order_id)
    return found


def outcomes(found: Explanation) -> set[tuple[str, tuple[str, ...]]]:
    rows = [item.stored.columns for item in found.decisions]
    return {(row["outcome"], tuple(row["reasons"])) for row in rows}


RECALL = {"recorded_at": "2026-03-06T23:00:00Z", "recalled_at": "2026-03-06T23:00:00Z", "reason_text": "x"}


async def test_a_withdrawn_alert_explains_why_and_comes_out_withdrawn_again(desk: Desk) -> None:
    number = await an_alert(desk)
    order = await order_of(desk, number)
    await change(desk, recalls=[{**RECALL, "order_id": order["order_id"], "void": True}])
    found = await desk.explain(number)
    assert (found.row.state, found.verdict, found.difference) == ("WITHDRAWN", "SAME", None)
    assert outcomes(found) == {("WITHDRAWN", ("VOID",))}
    assert found.decisions[0].stored.steps[-1].concluded == "SUPPRESSED: VOID"
    await desk.conn.execute("UPDATE decision SET outcome = 'ALERT' WHERE outcome = 'WITHDRAWN'")
    changed = (await desk.explain(number)).difference
    assert changed is not None
    assert changed.field == "outcome"


async def test_an_order_that_names_the_vehicle_no_more_leaves_no_match(desk: Desk) -> None:
    """Relief that was in effect then and was recorded late: the decision is withdrawn without a reason."""
    number = await an_alert(desk)
    order = await order_of(desk, number)
    nobody = [{"respondent_id": r["respondent_id"]} for r in order["respondents"]]
    relief = {"relief": True, "recorded_at": "2026-03-06T23:00:00Z", "respondents": nobody}
    await change(desk, orders=[{**order, "version": order["version"] + 1, **relief}])
    found = await desk.explain(number)
    assert (found.row.state, found.verdict, found.difference) == ("WITHDRAWN", "SAME", None)
    assert outcomes(found) == {("WITHDRAWN", ())}


async def test_an_ended_order_is_told_and_what_was_closed_before_is_as_it_was_decided(desk: Desk) -> None:
    """An open alert is judged again and marked; a closed one names the sequence of its own day."""
    number = await an_alert(desk)
    order = await order_of(desk, number)
    await desk.conn.execute("UPDATE alert SET state = 'DISMISSED' WHERE alert_number = $1", number)
    before = await desk.explain(number)
    await change(desk, recalls=[{**RECALL, "order_id": order["order_id"]}])
    after = await desk.explain(number)
    assert (after.verdict, after.decisions) == ("SAME", before.decisions)
    await desk.conn.execute("UPDATE alert SET state = 'OPEN' WHERE alert_number = $1", number)
    await change(
        desk,
        recalls=[{**RECALL, "order_id": order["order_id"], "recalled_at": "2026-03-06T23:30:00Z"}],
    )
    marked = await desk.explain(number)
    assert (marked.verdict, marked.difference) == ("SAME", None)
    assert "ORDER_SINCE_ENDED" in marked.row.cautions
    assert "ORDER_SINCE_ENDED" in marked.decisions[0].stored.steps[-1].concluded


async def test_a_stricter_age_limit_makes_no_alert_vanish(desk: Desk) -> None:
    """Kept events were accepted by the policy of their day; they are judged again all the same."""
    number = await an_alert(desk)
    order = await order_of(desk, number)
    strict = parse_policy(DAY.policy.read_bytes()).model_copy(update={"max_age_s": 0.0})
    await change(desk, strict, recalls=[{**RECALL, "order_id": order["order_id"]}])
    found = await desk.explain(number)
    assert (found.row.state, found.verdict, found.difference) == ("OPEN", "SAME", None)
    assert {item.stored.columns["policy_sha256"] for item in found.decisions} == {strict.sha256}
