"""One round's field: its database, group and files; publishing, progress, and matchers coming and going."""

import asyncio
import itertools
import json
import os
import random
import signal
from collections import Counter
from collections.abc import Awaitable, Callable

from confluent_kafka import Producer

from faults.checker import Checker, Findings
from faults.day import Day, Json, as_bytes
from faults.expectation import Key
from faults.matchers import Matcher, Stable
from faults.servers import PARTITIONS, Log, Servers, patiently, rows
from stayaway.access.policy import parse_policy
from stayaway.alerts.order_changes import import_orders
from stayaway.platform.clock import now
from stayaway.platform.postgres import open_pool
from stayaway.sightings.dead_letters import DEAD_LETTER_TOPIC
from stayaway.worker.loop import TOPICS
from support.keys import made_keys

STOP_S = 5.0
"""ARCHITECTURE.md: a graceful stop takes no longer."""
_DRAIN_S = 90.0
_BACKLOG = 60
_TICK_S = 0.02
Condition = Callable[[], bool] | Callable[[], Awaitable[bool]]


class FaultRunError(AssertionError):
    """The run itself went wrong: a failpoint that did not fire, a matcher that died unasked."""


class Field:
    """Everything of one round but its faults."""

    def __init__(self, servers: Servers, stable: Stable, name: str, day: Day, rng: random.Random) -> None:
        self.servers = servers
        self.stable = stable
        self.name = name
        self.day = day
        self.rng = rng
        self.folder = servers.folder / name
        self.folder.mkdir()
        self.seal = made_keys(self.folder / "keys.jsonl")
        self.files: dict[int, Json] = {}
        self.tally: Counter[str] = Counter()
        self.matchers: list[Matcher] = []
        self.fed = asyncio.Event()
        self.slowest_stop_s = 0.0
        self.dsn = ""
        self.begins: dict[Key, int] = {}
        self._published = 0
        self._lines = itertools.cycle(day.lines)

    @property
    def group(self) -> str:
        return f"group-{self.name}"

    async def open(self) -> None:
        """Database, orders, and topics that begin where the last round ended."""
        self.dsn = await self.servers.make_database(self.name)
        (self.folder / "policy.json").write_text(json.dumps(self.day.policy), encoding="utf-8")
        self.begins = await asyncio.to_thread(self.servers.empty_topics)
        await self.import_file(self.day.first)

    @property
    def environment(self) -> dict[str, str]:
        return {
            "STAYAWAY_DATABASE": self.servers.through_proxy(self.name),
            "STAYAWAY_BOOTSTRAP": self.servers.kafka.bootstrap,
            "STAYAWAY_KEYS_FILE": str(self.folder / "keys.jsonl"),
            "STAYAWAY_POLICY_FILE": str(self.folder / "policy.json"),
            "STAYAWAY_FIRST_POSITION": "earliest",
            "STAYAWAY_GROUP": self.group,
        }

    async def import_file(self, file: Json) -> None:
        """Tell the registry; note which sequence that made."""
        policy = parse_policy((self.folder / "policy.json").read_bytes())

        async def attempt() -> int:
            async with await open_pool(self.dsn, wait_s=30, on_wait=lambda _: None, max_size=1) as pool:
                done = await import_orders(pool, self.seal, as_bytes(file), policy, actor="clerk", at=now())
            if done.outcome.has_errors:
                raise FaultRunError(f"an orders file was refused: {done.outcome.findings}")
            self.tally["alerts withdrawn"] += len(done.withdrawn)
            self.tally["alerts marked as ended"] += len(done.ended)
            return done.outcome.registry_sequence

        self.files[await patiently(attempt)] = file

    # ------------------------------------------------------------ the stream

    def publish(self, count: int) -> None:
        """The next lines, on partitions that chance chooses; acknowledged."""
        self.publish_values([next(self._lines) for _ in range(count)])

    def publish_values(self, values: list[bytes]) -> None:
        """These, on partitions that chance chooses; acknowledged."""
        failed: list[object] = []
        producer = Producer(
            {"bootstrap.servers": self.servers.kafka.bootstrap, "enable.idempotence": True, "log_level": 0,
             "linger.ms": 0}
        )  # fmt: skip
        for value in values:
            where = self.rng.choice(TOPICS), self.rng.randrange(PARTITIONS)
            producer.produce(
                where[0], value, partition=where[1],
                on_delivery=lambda error, _: failed.append(error) if error else None,
            )  # fmt: skip
        if producer.flush(60) or failed:
            raise FaultRunError(f"Kafka did not take every line: {failed[:1]}")
        self._published += len(values)

    async def done(self) -> int:
        """Records that the database has behind it."""
        found = await rows(
            self.dsn,
            "SELECT coalesce(sum(next_offset - first_offset), 0)::bigint AS done FROM partition_position",
        )
        return int(found[0]["done"])

    async def feed(self) -> None:
        """Publish a few lines whenever most of the last ones were judged; until `fed` is set."""
        while not self.fed.is_set():
            if self._published - await self.done() < _BACKLOG:
                await asyncio.to_thread(self.publish, self.rng.choice([1, 2, 8, 40]))
            await asyncio.sleep(_TICK_S)

    async def drain(self) -> None:
        """Until everything published is behind the database."""
        await self.until(self._drained, _DRAIN_S, "the stream was not drained")

    async def _drained(self) -> bool:
        return await self.done() >= self._published

    async def until(self, condition: Condition, within_s: float, failure: str) -> None:
        """Wait for a plain or an awaitable condition. Raises FaultRunError."""
        loop = asyncio.get_running_loop()
        deadline = loop.time() + within_s
        while not await _holds(condition):
            if loop.time() > deadline:
                said = "\n".join(f"[{m.pid} {m.rules}] {m.said()}" for m in self.matchers[-4:])
                raise FaultRunError(f"{self.name}: {failure} within {within_s:.0f} s\n{said}")
            await asyncio.sleep(_TICK_S)

    # ------------------------------------------------------------ matchers

    async def start(self, rules: str = "") -> Matcher:
        matcher = await self.stable.start(self.environment, rules)
        self.matchers.append(matcher)
        return matcher

    @property
    def alive(self) -> list[Matcher]:
        return [matcher for matcher in self.matchers if matcher.alive and not matcher.stopped]

    async def leave(self, matcher: Matcher) -> None:
        """SIGTERM; it must be gone in order within 5 s."""
        loop = asyncio.get_running_loop()
        await self.until(lambda: matcher.started or not matcher.alive, 30, f"{matcher.pid} did not start")
        began = loop.time()
        matcher.signal(signal.SIGTERM)
        try:
            code = await matcher.end(STOP_S + 1)  # the machine may be busy with the other faults
        except TimeoutError:
            raise FaultRunError(f"{matcher.pid} did not stop in {STOP_S + 1} s\n{matcher.said()}") from None
        self.slowest_stop_s = max(self.slowest_stop_s, loop.time() - began)
        if code != 0:
            raise FaultRunError(f"{matcher.pid} ({matcher.rules}) stopped with {code}\n{matcher.said()}")

    async def wake(self, matcher: Matcher) -> None:
        """From SIGSTOP."""
        matcher.signal(signal.SIGCONT)
        await self.until(lambda: not matcher.stopped, 10, "it did not wake")

    async def reads_something(self, matcher: Matcher) -> bool:
        """Whether it owns a partition."""
        found = await rows(self.dsn, "SELECT FROM partition_position WHERE owner = $1", matcher.owner)
        return bool(found)

    async def kill_all(self) -> None:
        """For a round that failed."""
        for matcher in self.matchers:
            if matcher.alive:
                os.kill(matcher.pid, signal.SIGKILL)
                await matcher.end(5)

    async def check(self) -> Findings:
        """The independent checker's findings."""
        log = self.of_this_round(await asyncio.to_thread(self.servers.read_log))
        letters = self.of_this_round(await asyncio.to_thread(self.servers.read_log, (DEAD_LETTER_TOPIC,)))
        checker = Checker(self.dsn, self.seal, log, letters, self.begins)
        return await checker.check(self.day.policy, self.files)

    def of_this_round(self, log: Log) -> Log:
        """A broker that was killed may have forgotten that earlier rounds' records were deleted."""
        return {
            key: [record for record in records if record[0] >= self.begins[key]]
            for key, records in log.items()
        }


async def _holds(condition: Condition) -> bool:
    answer = condition()
    return answer if isinstance(answer, bool) else await answer
