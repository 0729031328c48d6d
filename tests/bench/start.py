"""The start of a matcher: `cd tests && python -m bench.start --orders 1000000`, on an fsynced Postgres alone.

Orders of the workload's mix are written by the code that seals them (nothing is parsed). Then, each in a
process of its own: a start without a pack, which writes one, and starts from the pack, by the clock from the
beginning of the process until the registry is in use; what the first and the second read of an order cost;
the check of all orders, and how long the loop stood still meanwhile. `--folder` keeps the database for more
runs.
"""

import argparse
import asyncio
import math
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import asyncpg
import numpy as np

from bench.road import Road
from bench.workload import CLUSTERS, RECORDED, one_zone_order, random_plate
from stayaway.kernel.shape import Shape
from stayaway.orders.change import SOURCE_PURPOSE, content_digest
from stayaway.orders.codec import SEAL_PURPOSE, encode_values
from stayaway.orders.distance import circle
from stayaway.orders.model import CourtOrder, Record
from stayaway.orders.records import RecordKind
from stayaway.platform.clock import now
from stayaway.platform.embedded.postgres import EmbeddedPostgres
from stayaway.platform.migrations import migrate
from stayaway.platform.seal import FileSeal
from support.wire_examples import example_policy

_CHUNK = 20_000
_MODELS = 300

_START = """
import time
began = time.time()
import asyncio, os, pathlib, sys
import numpy as np
from stayaway.access.policy_file import load_policy
from stayaway.platform.metrics import Metrics
from stayaway.platform.seal import FileSeal
from stayaway.worker import keeper
from stayaway.worker.database import Database
from stayaway.worker.follow import RegistryFollower
from stayaway.worker.shelf import OrderShelf
import stayaway.worker.loop
import uvloop
imported = time.time()
def peak_mb():  # not getrusage: that remembers whoever started this process
    status = pathlib.Path("/proc/self/status").read_text()
    return int(status.partition("VmHWM:")[2].split()[0]) / 1e3
def new_database():
    return Database(os.environ["STAYAWAY_DATABASE"], wait_s=5, on_wait=print)
async def reads(follower):
    snapshot = follower.current.engine.snapshot
    roster = follower.current.engine.parts.roster
    few = min(1_500, len(roster))  # fewer than are kept
    ids = [roster.order_id(n) for n in np.random.default_rng(3).choice(len(roster), few, replace=False)]
    for many, chosen in ((1, ids[:300]), (25, ids[300:])):
        for what in ("first", "second"):
            took = []
            for at in range(0, len(chosen), many):
                start = time.perf_counter()
                await follower.current.source.orders(snapshot, chosen[at : at + many])
                took.append((time.perf_counter() - start) * 1e3)
            print(f"    {what} read of {many} orders at once: p50 {np.median(took):.2f} ms,"
                f" p99 {np.percentile(took, 99):.2f} ms")
async def keep(follower, seal):
    left = []
    kept = keeper.PackKeeper(follower, new_database(), seal, on_unopened=left.append, is_busy=lambda: False)
    longest, start, used = [0.0, 0.0], time.perf_counter(), time.process_time()
    async def meter():
        while True:
            at, own = time.perf_counter(), time.thread_time()
            await asyncio.sleep(0.002)
            longest[0] = max(longest[0], time.perf_counter() - at - 0.002)
            longest[1] = max(longest[1], time.thread_time() - own)
    metering = asyncio.create_task(meter())
    await kept._settle(follower.take_first())
    metering.cancel()
    print(f"    beside the work: {'checked' if left else 'written'} in {time.perf_counter() - start:.1f} s,"
        f" {time.process_time() - used:.1f} s of them this process's; the loop stood still for"
        f" {longest[0] * 1e3:.1f} ms at most, {longest[1] * 1e3:.1f} ms of its own time; {peak_mb():,.0f} MB")
async def main():
    start = time.time()
    seal = FileSeal(pathlib.Path(os.environ["STAYAWAY_KEYS_FILE"]))
    keys = time.time()
    policy = load_policy(pathlib.Path(os.environ["STAYAWAY_POLICY_FILE"]))
    shelf = OrderShelf(new_database(), seal, wait_s=5)
    follower = RegistryFollower(new_database(), seal, policy, source=shelf)
    registry = await follower.reload()
    done = time.time()
    orders = len(registry.engine.snapshot.head_changes)
    print(f"    {orders:,} orders in use {done - float(sys.argv[1]):.2f} s after the start of the process:"
        f" imports {imported - began:.2f}, keys {keys - start:.2f}, registry {done - keys:.2f} s;"
        f" {time.process_time():.2f} s of processor time; {peak_mb():,.0f} MB at most", flush=True)
    if "reads" in sys.argv:
        await reads(follower)
    if "keep" in sys.argv:
        await keep(follower, seal)
uvloop.run(main())
"""


def moved(shape: Shape, lon: float, lat: float) -> Shape:
    """The shape, drawn around 0, 40, in another place."""
    by = (np.round(np.array([lon, lat - 40.0]) * 1e7)).astype("<i4")
    return Shape(
        tuple(
            tuple((np.frombuffer(ring, "<i4").reshape(-1, 2) + by).astype("<i4").tobytes() for ring in part)
            for part in shape.packed
        )
    )


def model_shapes(rng: random.Random) -> list[Shape]:
    """The workload's mix: 60 % circles, 39 % of 8-60 vertices, 1 % over 1,000."""
    shapes = []
    for number in range(_MODELS):
        if number < _MODELS * 0.6:
            shapes.append(circle(0.0, 40.0, 91.44))
            continue
        vertices = rng.randint(8, 60) if number < _MODELS * 0.99 else rng.randint(1000, 1500)
        turns = [2 * math.pi * i / vertices for i in range(vertices)]
        radii = [0.001 * rng.uniform(0.8, 1.2) for _ in turns]
        ring = [(r * math.cos(a), 40.0 + r * math.sin(a)) for r, a in zip(radii, turns, strict=True)]
        shapes.append(Shape.from_parts([[[*ring, ring[0]]]]))
    return shapes


def make_orders(count: int) -> Iterator[CourtOrder]:
    """Orders, one zone and one vehicle each, a third with a notice."""
    rng = random.Random(1)
    centres = [(rng.uniform(-115, -70), rng.uniform(28, 48)) for _ in range(CLUSTERS)]
    shapes = model_shapes(rng)
    for number in range(count):
        lon, lat = rng.choice(centres)
        shape = moved(rng.choice(shapes), rng.gauss(lon, 0.3), rng.gauss(lat, 0.3))
        yield one_zone_order(number, shape, random_plate(rng), in_force=rng.random() < 1 / 3)


async def fill(dsn: str, seal: FileSeal, count: int) -> None:
    """Write the orders as a change writes them, but for the audit entries."""
    conn = await asyncpg.connect(dsn)
    await migrate(conn)
    if await conn.fetchval("SELECT count(*) FROM order_head") == count:
        await conn.close()
        return
    seal.ensure(f"B-{number:07d}" for number in range(count))
    chunk = list[CourtOrder]()
    for order in make_orders(count):
        chunk.append(order)
        if len(chunk) == _CHUNK:
            await _write(conn, seal, chunk)
            chunk = []
    if chunk:
        await _write(conn, seal, chunk)
    await conn.execute("VACUUM ANALYZE")
    await conn.close()


async def _write(conn: asyncpg.Connection, seal: FileSeal, orders: list[CourtOrder]) -> None:
    async with conn.transaction():
        sequence = await conn.fetchval("SELECT registry_sequence FROM registry") + 1
        number = await conn.fetchval(
            "INSERT INTO registry_change (registry_sequence, applied_at) VALUES ($1, $2)"
            " RETURNING change_number",
            sequence,
            now(),
        )
        await conn.copy_records_to_table("order_head", records=[(order.order_id, number) for order in orders])
        await conn.copy_records_to_table(
            "order_record",
            records=_rows(seal, orders, number),
            columns=(
                "order_id", "change_number", "ordinal", "record_kind", "version", "recorded_at",
                "applied_by_ref", "content_digest", "payload_sealed", "source_sealed",
            ),
        )  # fmt: skip
        await conn.execute("UPDATE registry SET registry_sequence = $1, known_at = $2", sequence, RECORDED)


def _rows(seal: FileSeal, orders: list[CourtOrder], number: int) -> Iterator[tuple[object, ...]]:
    for order in orders:
        version = order.versions[0]
        yield _row(seal, number, 0, "VERSION", version, version.version)
        for notice in order.notices:
            yield _row(seal, number, 1, "NOTICE", notice, None)


def _row(
    seal: FileSeal, number: int, ordinal: int, kind: RecordKind, value: Record, version: int | None
) -> tuple[object, ...]:
    name, digest = value.order_id, bytes([ordinal]) * 32
    return (
        name, number, ordinal, kind, version, RECORDED, bytes(32), content_digest(seal, digest, name),
        seal.seal(name, SEAL_PURPOSE, encode_values(kind, digest, value)),
        seal.seal(name, SOURCE_PURPOSE, b"{}"),
    )  # fmt: skip


def start(road: Road, *what: str) -> None:
    """One start in a process of its own; `what`: reads, keep."""
    subprocess.run([sys.executable, "-c", _START, str(time.time()), *what], env=road.environment, check=True)


def bench_start(folder: Path, count: int, *, starts: bool, full: bool, check: bool) -> None:
    """Fill the database unless it is, then start without and with a pack."""
    policy = example_policy(accuracy_cap_m=100)
    (folder / "policy.json").write_bytes(policy.model_dump_json(by_alias=True).encode())
    with EmbeddedPostgres(folder / "postgres") as postgres:
        road = Road(postgres.dsn, "127.0.0.1:1", folder)
        asyncio.run(fill(postgres.dsn, FileSeal(folder / "keys"), count))
        if not starts:
            return
        if full:
            asyncio.run(_drop(postgres.dsn))
            print("  without a pack, every order opened; then a pack is written", flush=True)
            start(road, "keep")
        print("  from the pack", flush=True)
        for _ in range(3):
            start(road)
        start(road, "reads", *(["keep"] if check else []))


async def _drop(dsn: str) -> None:
    conn = await asyncpg.connect(dsn)
    await conn.execute("DELETE FROM registry_pack")
    await conn.close()


def main() -> None:
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("--orders", type=int, default=100_000)
    parser.add_argument("--folder", type=Path)
    parser.add_argument("--only-fill", action="store_true")
    parser.add_argument("--only-from-pack", action="store_true")
    parser.add_argument("--no-check", action="store_true")
    wanted = parser.parse_args()
    print(f"{wanted.orders:,} orders", flush=True)
    options = {
        "starts": not wanted.only_fill,
        "full": not wanted.only_from_pack,
        "check": not wanted.no_check,
    }
    if wanted.folder:
        wanted.folder.mkdir(exist_ok=True)
        bench_start(wanted.folder, wanted.orders, **options)
    else:
        with tempfile.TemporaryDirectory() as name:
            bench_start(Path(name), wanted.orders, **options)


if __name__ == "__main__":
    main()
