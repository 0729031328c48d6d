"""Puts a file of events on the topics, spread over the partitions, no faster than they are read."""

import random
import time
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime
from threading import Event

import msgspec
from confluent_kafka import KafkaError, Message, Producer

from stayaway.kernel.errors import UnreachableError
from stayaway.kernel.instants import parse_instant
from stayaway.sightings.wire import CHECK_IN_TOPIC, PLATE_READ_TOPIC

PartitionKey = tuple[str, int]

# The embedded broker keeps about 5 MB or 100,000 messages a partition; the rest it drops unread.
_KEPT_BYTES = 2_000_000
_KEPT_RECORDS = 20_000
_WAIT_S = 0.005
_FLUSH_S = 30.0


class _Head(msgspec.Struct):
    schema: str = ""
    received_at: str = ""


_read_head = msgspec.json.Decoder(_Head).decode


@dataclass
class _Outstanding:
    """What a partition holds that nobody has read: sizes from `first` on."""

    first: int = 0
    published: int = 0
    bytes: int = 0
    sizes: deque[int] = field(default_factory=deque)

    def add(self, size: int) -> None:
        self.sizes.append(size)
        self.published += 1
        self.bytes += size

    def read_up_to(self, next_offset: int) -> None:
        while self.first < next_offset and self.sizes:
            self.bytes -= self.sizes.popleft()
            self.first += 1

    @property
    def is_full(self) -> bool:
        return self.bytes > _KEPT_BYTES or self.published - self.first > _KEPT_RECORDS


class Publisher:
    """Runs in a thread of its own; `reached_at` is the day's own clock as far as it is published.

    `speed`: how many times faster than the events' received_at; 0: as fast as they are read.
    `next_offsets`: how far each partition has been read; None for a broker that keeps everything.
    """

    def __init__(
        self,
        bootstrap: str,
        partitions: dict[str, int],
        *,
        speed: float,
        next_offsets: Callable[[PartitionKey], int] | None,
    ) -> None:
        self._producer = Producer(
            {
                "bootstrap.servers": bootstrap,
                "linger.ms": 5,
                "message.max.bytes": 4_000_000,
                "queue.buffering.max.messages": 50_000,
                "enable.idempotence": True,
                "log_level": 2,
            }
        )
        self._partitions = partitions
        self._speed = speed
        self._next_offsets = next_offsets
        self._outstanding: dict[PartitionKey, _Outstanding] = {}
        self._failed: KafkaError | None = None
        self._spread = random.Random(1)  # noqa: S311 - spreads records, guards nothing
        self.published = 0
        self.reached_at: datetime | None = None

    def publish(self, events: Iterable[bytes], stop: Event) -> None:
        """Every event, in order; returns early when `stop` is set. Raises UnreachableError."""
        started_s: tuple[float, datetime] | None = None
        for value in events:
            topic, received_at = _address(value)
            if received_at is not None:
                started_s = started_s or (time.monotonic(), received_at)
                self._wait_until(started_s, received_at, stop)
            if stop.is_set():
                return
            self._produce(topic, value, stop)
            if received_at is not None and (self.reached_at is None or received_at > self.reached_at):
                self.reached_at = received_at
            self._raise_if_failed()
        self._producer.flush(_FLUSH_S)
        self._raise_if_failed()

    def _wait_until(self, started: tuple[float, datetime], at: datetime, stop: Event) -> None:
        if not self._speed:
            return
        due_s = started[0] + (at - started[1]).total_seconds() / self._speed
        while (left_s := due_s - time.monotonic()) > 0 and not stop.is_set():
            self._producer.poll(0)
            stop.wait(min(left_s, 0.1))

    def _produce(self, topic: str, value: bytes, stop: Event) -> None:
        partition = self._spread.randrange(self._partitions[topic])
        self._hold_while_full((topic, partition), stop)
        while not stop.is_set():
            try:
                self._producer.produce(topic, value, partition=partition, on_delivery=self._delivered)
            except BufferError:
                self._producer.poll(_WAIT_S)
                continue
            break
        self._producer.poll(0)
        self._outstanding[topic, partition].add(len(value))
        self.published += 1

    def _hold_while_full(self, key: PartitionKey, stop: Event) -> None:
        outstanding = self._outstanding.setdefault(key, _Outstanding())
        while outstanding.is_full and self._next_offsets is not None and not stop.is_set():
            outstanding.read_up_to(self._next_offsets(key))
            if outstanding.is_full:
                self._producer.poll(0)
                stop.wait(_WAIT_S)

    def _delivered(self, error: KafkaError | None, _message: Message) -> None:
        self._failed = error or self._failed

    def _raise_if_failed(self) -> None:
        if self._failed is not None:
            raise UnreachableError(
                f"Kafka did not take an event ({self._failed.name()}).", "Is the broker still up?"
            )


def _address(value: bytes) -> tuple[str, datetime | None]:
    """The event's topic and when it was received; a line that cannot be read goes with the plate reads."""
    try:
        head = _read_head(value)
        topic = CHECK_IN_TOPIC if head.schema == "check_in.v1" else PLATE_READ_TOPIC
        return topic, parse_instant(head.received_at)
    except (ValueError, RecursionError):
        return PLATE_READ_TOPIC, None
