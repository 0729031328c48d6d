"""Events at a steady rate from a process of their own: `python -m bench.feed` (bench.road starts it).

A pool of the workload's events again and again, each time with other ids. Writes when each was handed to
the client, so that append → alert includes the client's own wait.
"""

import argparse
import gc
import sys
import time
from array import array
from collections.abc import Iterator

import numpy as np
from confluent_kafka import Producer

from bench.workload import Workload, make_workload
from stayaway.sightings.wire import PLATE_READ_TOPIC

TICK_S = 0.002
POOL = 100_000


def renamed(pool: list[bytes], count: int, prefix: str) -> Iterator[bytes]:
    """`count` events out of `pool` (made with the prefix "e"), the nth with the id PREFIX-n."""
    head = b'"event_id":"'
    for number in range(count):
        event = pool[number % len(pool)]
        at = event.index(head) + len(head)
        end = event.index(b'"', at)
        yield b"%b%b-%09d%b" % (event[:at], prefix.encode(), number, event[end:])


def feed(
    bootstrap: str, partitions: int, workload: Workload, count: int, rate: int, prefix: str
) -> "array[float]":  # the class itself takes no argument before Python 3.12
    """Publish `count` events at `rate` a second; when each was handed to the client (epoch seconds)."""
    messages = renamed(workload.events(min(count, POOL)), count, prefix)
    # The linger that producers have by default (librdkafka, and Kafka's own since 4.0).
    producer = Producer(
        {"bootstrap.servers": bootstrap, "linger.ms": 5, "queue.buffering.max.messages": 1_000_000}
    )
    # The generator's own pauses would be taken for the matcher's.
    gc.collect()
    gc.freeze()
    gc.disable()
    tick = max(1, int(rate * TICK_S))
    sent = array("d")
    print("ready", flush=True)
    sys.stdin.readline()
    start = time.perf_counter()
    for first in range(0, count, tick):
        wait_s = start + first / rate - time.perf_counter()
        if wait_s > 0:
            time.sleep(wait_s)
        now = time.time()
        for number in range(first, min(first + tick, count)):
            producer.produce(PLATE_READ_TOPIC, next(messages), partition=number % partitions)
            sent.append(now)
        producer.poll(0)
    if producer.flush(120):
        raise RuntimeError("Kafka did not take every event")
    return sent


def main() -> None:
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("--bootstrap", required=True)
    parser.add_argument("--partitions", type=int, required=True)
    parser.add_argument("--zones", type=int, required=True)
    parser.add_argument("--count", type=int, required=True)
    parser.add_argument("--rate", type=int, required=True)
    parser.add_argument("--prefix", required=True)
    parser.add_argument("--out", required=True)
    wanted = parser.parse_args()
    sent = feed(
        wanted.bootstrap,
        wanted.partitions,
        make_workload(wanted.zones),
        wanted.count,
        wanted.rate,
        wanted.prefix,
    )
    np.save(wanted.out, np.array(sent))


if __name__ == "__main__":
    main()
