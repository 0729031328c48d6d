"""The whole road on embedded servers: from Kafka to alerts, and what must never be left behind."""

import asyncio
import json

import pytest
from aiokafka import AIOKafkaConsumer, TopicPartition

from stayaway.sightings.dead_letters import DEAD_LETTER_TOPIC
from stayaway.worker.breaker import Breaker, BreakerTrippedError
from support.databases import SERVERS
from support.worker_rig import CHECKS, READS, Rig, check_in, read, running

pytestmark = pytest.mark.parametrize("databases", SERVERS, indirect=True)

STRANGER = "ZZZ9999"


async def test_examples_become_one_alert(rig: Rig) -> None:
    """WIRE.md's two events are one visit; bad lines are dead letters; a stranger leaves no trace."""
    bad = [b"{", read(lat=91, event_id="bad1"), read(event_id="bad2", owner="Jane Roe"), None, b"\xff\xfe"]
    rig.publish(READS, [read(), *bad, read(plate=STRANGER, event_id="other")])
    rig.publish(CHECKS, [check_in()], partition=2)
    worker = await rig.run_until(8, rig.worker(group="stayaway"))

    alerts = await rig.rows("SELECT * FROM export.alerts_v1")
    assert len(alerts) == 1
    assert {key: alerts[0][key] for key in ("alert_id", "order_versions", "zone_ids", "sighting_count")} == {
        "alert_id": alerts[0]["alert_id"],
        "order_versions": [1],
        "zone_ids": ["Z1"],
        "sighting_count": 2,
    }
    assert (alerts[0]["match_kind"], alerts[0]["zone_relation"], alerts[0]["state"]) == (
        "DEVICE",
        "INSIDE",
        "OPEN",
    )
    sightings = await rig.rows("SELECT * FROM export.sightings_v1 ORDER BY event_id")
    assert [(row["event_id"], row["match_kind"]) for row in sightings] == [
        ("12", "OCR_EQUIVALENT"),
        ("77", "DEVICE"),
    ]
    assert {row["alert_id"] for row in sightings} == {alerts[0]["alert_id"]}

    letters = await rig.rows("SELECT * FROM export.dead_letters_v1 ORDER BY record_offset")
    assert [(row["record_offset"], row["reason"], row["field"]) for row in letters] == [
        (1, "NOT_JSON", None),
        (2, "OUT_OF_RANGE", "/lat"),
        (3, "UNKNOWN_FIELD", None),
        (4, "NOT_JSON", None),
        (5, "NOT_JSON", None),
    ]
    assert await topic_letters(rig, 5) == [
        (f"{READS}/0/{row['record_offset']}", row["reason"], row["field"]) for row in letters
    ]
    counters = worker.counters
    assert (counters.read, counters.refused, counters.none, counters.alert) == (8, 5, 1, 2)
    await rig.check_promises()
    await rig.check_log()
    first = await rig.payloads("FIRST_POSITION")
    assert {entry["setting"] for entry in first} == {"earliest"}
    dump = await rig.dump()
    for text in (STRANGER, "8AK", "BAK", "Jane Roe", STRANGER.encode().hex()):
        assert text not in dump


async def topic_letters(rig: Rig, count: int) -> list[tuple[str, str, str | None]]:
    """Everything on the dead-letter topic, by origin."""
    consumer = AIOKafkaConsumer(bootstrap_servers=rig.bootstrap, auto_offset_reset="earliest")
    await consumer.start()
    partitions = [TopicPartition(DEAD_LETTER_TOPIC, number) for number in range(4)]
    consumer.assign(partitions)
    found = []
    for _ in range(100):
        fetched = await consumer.getmany(timeout_ms=100)
        for records in fetched.values():
            found += [(record.key.decode(), json.loads(record.value)) for record in records]
        if len(found) >= count:
            break
    await consumer.stop()
    for key, value in found:
        assert key == f"{value['topic']}/{value['partition']}/{value['record_offset']}"
        assert value["schema"] == "dead_letter.v1"
    return sorted((key, value["reason"], value["field"]) for key, value in found)


async def test_the_same_bytes_again_count_once(rig: Rig) -> None:
    """In one batch, in another batch, on another partition."""
    rig.publish(READS, [read(), read()])
    rig.publish(READS, [read()], partition=1)
    await rig.run_until(3)
    rig.publish(READS, [read()])
    await rig.run_until(4)
    assert [(row["sighting_count"], row["row_version"]) for row in await rig.alerts()] == [(1, 1)]
    assert len(await rig.rows("SELECT FROM decision")) == 1
    assert [row["change"] for row in await rig.rows("SELECT change FROM outbox")] == ["RAISED"]
    await rig.check_promises()
    await rig.check_log()


async def test_one_id_with_other_bytes_counts_again_and_is_flagged(rig: Rig) -> None:
    rig.publish(READS, [read(), read(colour="red")])
    await rig.run_until(2)
    alerts = await rig.alerts()
    assert [(row["sighting_count"], row["content_conflict"]) for row in alerts] == [(2, True)]
    assert [row["content_conflict"] for row in await rig.rows("SELECT * FROM sighting")] == [True, True]


async def test_a_restart_goes_on_at_the_stored_offset(rig: Rig) -> None:
    """Each start is a new epoch; what was read is neither read again nor left out."""
    rig.publish(READS, [read(event_id=str(n)) for n in range(3)])
    first = await rig.run_until(3)
    rig.publish(READS, [read(event_id=str(n)) for n in range(3, 5)])
    second = await rig.run_until(5, rig.worker("m2"))
    assert (first.counters.read, second.counters.read) == (3, 2)
    assert [row["sighting_count"] for row in await rig.alerts()] == [5]
    positions = await rig.rows(
        "SELECT epoch, owner FROM partition_position WHERE topic = $1 AND partition = 0", READS
    )
    assert positions == [{"epoch": 2, "owner": "m2"}]
    await rig.check_promises()
    await rig.check_log()


async def test_a_matcher_follows_orders(rig: Rig) -> None:
    """An order recorded while it runs is enforced from when the matcher has applied it."""
    worker = rig.worker()
    async with running(worker):
        rig.publish(READS, [read(event_id="1", plate="NEW 123")])
        await rig.wait_for(1)
        order = json.loads(json.dumps(_other_order()))
        await rig.import_orders(json.dumps(order).encode())
        async with asyncio.timeout(5):
            while worker._follower.current.knowledge.registry_sequence < 2:  # noqa: ASYNC110 - it has no event
                await asyncio.sleep(0.005)
        rig.publish(READS, [read(event_id="2", plate="NEW 123")])
        await rig.wait_for(2)
    alerts = await rig.alerts()
    assert [row["order_id"] for row in alerts] == ["O2"]
    assert alerts[0]["sighting_count"] == 1
    coverage = [entry for entry in await rig.payloads("COVERAGE") if entry["topic"] == READS]
    assert [change[:2] for entry in coverage for change in entry["registry"]] == [[0, 1], [1, 2]]


def _other_order() -> dict[str, object]:
    from support.wire_examples import ORDERS

    text = json.dumps(ORDERS).replace('"O1"', '"O2"').replace("BAK 471", "NEW 123").replace('"D9"', '"D10"')
    other: dict[str, object] = json.loads(text)
    return other


async def test_the_breaker_stops_before_it_drains_the_topic(rig: Rig) -> None:
    rig.publish(READS, [b"{"] * 30)
    worker = rig.worker(breaker=Breaker(window=20))
    with pytest.raises(BreakerTrippedError, match="were refused"):
        await worker.run(asyncio.Event())
    assert len(await rig.rows("SELECT FROM dead_letter")) < 20


async def test_non_matching_batches_leave_only_the_position(rig: Rig) -> None:
    rig.publish(READS, [read(plate=STRANGER, event_id=str(n)) for n in range(500)])
    worker = await rig.run_until(500)
    assert worker.counters.none == 500
    for table in ("alert", "sighting", "decision", "dead_letter", "outbox"):
        assert await rig.rows(f"SELECT FROM {table}") == []
    covered = [entry for entry in await rig.payloads("COVERAGE") if entry["to"] == 500]
    assert [(entry["records"], entry["matches"]) for entry in covered] == [(500, 0)]
