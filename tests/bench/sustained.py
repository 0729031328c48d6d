"""A steady rate for long: `cd tests && python -m bench.sustained --rate 50000 --seconds 600 --zones 100000`.

Real Kafka, an fsynced Postgres and the feed on the same cores. Each ten seconds it tells how many records the
matcher's committed position is behind what was due by then. The matcher keeps up if that does not grow.
"""

import argparse
import asyncio
import time

import asyncpg
import numpy as np

from bench.road import POSITIONS, make_road
from bench.workload import make_workload
from stayaway.sightings.wire import PLATE_READ_TOPIC

_TOLD_S = 10.0


async def follow(dsn: str, rate: int, count: int) -> list[float]:
    """How far behind, in records, each half second, until all is read."""
    conn = await asyncpg.connect(dsn)
    behind: list[float] = []
    began, told = time.perf_counter(), _TOLD_S
    position = 0
    while position < count:
        await asyncio.sleep(0.5)  # a sample, not a wait for luck
        position = int(await conn.fetchval(POSITIONS, PLATE_READ_TOPIC))
        passed_s = time.perf_counter() - began
        behind.append(min(count, passed_s * rate) - position)
        if passed_s >= told:
            told += _TOLD_S
            print(f"  {passed_s:5.0f} s: {position:,} read, {behind[-1]:,.0f} behind", flush=True)
    await conn.close()
    return behind


def main() -> None:
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("--rate", type=int, default=50_000)
    parser.add_argument("--seconds", type=int, default=600)
    parser.add_argument("--zones", type=int, default=100_000)
    wanted = parser.parse_args()
    count = wanted.rate * wanted.seconds
    with (
        make_road(make_workload(wanted.zones)) as road,
        road.matchers(1),
        road.feeding(wanted.zones, count, wanted.rate, "steady"),
    ):
        behind = np.array(asyncio.run(follow(road.dsn, wanted.rate, count)))
    middle, most = np.median(behind), behind.max()
    print(f"{count:,} at {wanted.rate:,}/s: behind by {middle:,.0f} in the middle, {most:,.0f} at most")


if __name__ == "__main__":
    main()
