"""Logs that lost records or were made again: held by real matchers until a person records a GAP."""

import asyncio
import os
import random
import subprocess
import sys
from collections.abc import AsyncIterator

import pytest

from faults.checker import Checker, Findings
from faults.day import draw_day
from faults.expectation import Key
from faults.field import Field
from faults.matchers import Matcher, Stable
from faults.run import open_servers
from faults.servers import Log, Servers, rows
from stayaway.sightings.dead_letters import DEAD_LETTER_TOPIC
from stayaway.worker.loop import TOPICS
from support.kafka_server import KafkaServer
from support.names import unique_name

pytestmark = pytest.mark.real_kafka
HELD_S = 60.0


@pytest.fixture
async def servers(real_kafka: KafkaServer) -> AsyncIterator[tuple[Servers, Stable]]:
    async with open_servers(real_kafka) as opened:
        yield opened


@pytest.fixture
async def field(servers: tuple[Servers, Stable]) -> AsyncIterator[Field]:
    """A round's field with 200 lines judged by a matcher that has left."""
    rng = random.Random(5)
    day = draw_day(rng, lines=400, with_changes=False)
    field = Field(*servers, unique_name("gap").replace("-", "_"), day, rng)
    await field.open()
    field.publish(200)
    matcher = await field.start()
    await field.drain()
    await field.leave(matcher)
    yield field
    await field.kill_all()


async def positions(field: Field) -> dict[Key, tuple[int, str | None]]:
    found = await rows(field.dsn, "SELECT topic, partition, next_offset, hold_reason FROM partition_position")
    return {(row[0], row[1]): (row[2], row[3]) for row in found}


async def until_held(field: Field, keys: set[Key], reasons: set[str]) -> None:
    async def held() -> bool:
        now = await positions(field)
        return {key for key, (_, reason) in now.items() if reason in reasons} == keys

    await field.until(held, HELD_S, f"not held: {keys}")


async def gap(field: Field, key: Key, to_offset: int) -> None:
    """As a person does."""
    command = [sys.executable, "-m", "stayaway", "partitions", "gap", key[0], str(key[1])]
    options = ["--to", str(to_offset), "--reason", "records are gone"]
    environment = {name: text for name, text in field.environment.items() if name != "STAYAWAY_GROUP"}
    paths = os.pathsep.join(path for path in sys.path if path)
    await asyncio.to_thread(
        subprocess.run,
        [*command, *options],
        env={**os.environ, **environment, "PYTHONPATH": paths},
        check=True,
        capture_output=True,
    )


async def finish(field: Field, matcher: Matcher, judged: Log) -> Findings:
    """Everything read, stopped in order, and checked against the records that were there to read."""
    ends = await asyncio.to_thread(field.servers.ends)

    async def at_the_end() -> bool:
        now = await positions(field)
        return all(now[key] == (end, None) for key, (_, end) in ends.items())

    await field.until(at_the_end, HELD_S, "reading did not go on")
    await field.leave(matcher)
    letters = await asyncio.to_thread(field.servers.read_log, (DEAD_LETTER_TOPIC,))
    checker = Checker(field.dsn, field.seal, judged, letters, field.begins)
    return await checker.check(field.day.policy, field.files)


@pytest.mark.parametrize("running", [False, True])
async def test_records_that_retention_took(field: Field, running: bool) -> None:
    """Those never read are gone: each partition is held, and goes on where a person says."""
    judged = field.of_this_round(await asyncio.to_thread(field.servers.read_log))
    matcher = await field.start("after_fetch=stop@1") if running else None
    if matcher is not None:
        await field.until(lambda: matcher.stopped, HELD_S, "not stopped")
    field.publish(200)
    begins = {key: (at + end) // 2 for key, (at, end) in (await unread(field)).items() if end - at > 3}
    await asyncio.to_thread(field.servers.delete_before, begins)
    if matcher is not None:
        await field.servers.evict(field.group, matcher)
        await field.wake(matcher)
    else:
        matcher = await field.start()
    await until_held(field, set(begins), {"OFFSET_GONE"})
    for key, begin in begins.items():
        await gap(field, key, begin)
    left = await asyncio.to_thread(field.servers.read_log)
    for key, records in left.items():
        known = {offset for offset, _ in judged[key]}
        judged[key] += [record for record in records if record[0] not in known]
    assert (await finish(field, matcher, judged)).all == []


async def unread(field: Field) -> dict[Key, tuple[int, int]]:
    """Where reading stands, and where the log ends."""
    ends = await asyncio.to_thread(field.servers.ends)
    return {key: (at, ends[key][1]) for key, (at, _) in (await positions(field)).items()}


async def test_a_topic_made_again_under_a_running_matcher(field: Field) -> None:
    matcher = await field.start()
    judged = field.of_this_round(await asyncio.to_thread(field.servers.read_log))
    await asyncio.to_thread(field.servers.delete_topics, TOPICS[:1])
    await asyncio.to_thread(field.servers.make_topics, TOPICS[:1])
    await field.leave(matcher)
    matcher = await field.start()
    read = {key for key, records in judged.items() if key[0] == TOPICS[0] and records}
    await until_held(field, read, {"LOG_ENDS_BEFORE_POSITION", "LAST_RECORD_DIFFERS"})
    for key in sorted(read):
        await gap(field, key, 0)
    ends = await asyncio.to_thread(field.servers.ends)
    assert all(end == 0 for key, (_, end) in ends.items() if key[0] == TOPICS[0])
    findings = await finish(field, matcher, judged)
    # What was judged stays judged; only the position went back to where the new log begins.
    assert [text for text in findings.all if "the log ends at" not in text] == []
