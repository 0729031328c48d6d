"""Importing many orders: `cd tests && python -m bench.imports`, on an fsynced Postgres alone.

How long the import by the command takes, how long recalls beside it wait, what a start on those orders costs;
the same for a second file that changes some of them, and what the check of one order beside all costs.
"""

import argparse
import asyncio
import json
import subprocess
import sys
import tempfile
import time
import uuid
from pathlib import Path
from typing import Any

import asyncpg
import numpy as np

from bench.road import Road
from bench.workload import make_workload, orders_file
from stayaway.access.person import Person
from stayaway.alerts.order_acts import act_on_order
from stayaway.platform.clock import now
from stayaway.platform.embedded.postgres import EmbeddedPostgres
from stayaway.platform.seal import FileSeal

# Everything a matcher does with the registry before it reads its first event.
_START = """
import asyncio, os, pathlib, time
from stayaway.access.policy_file import load_policy
from stayaway.platform.embedded.postgres import EmbeddedPostgres
from stayaway.platform.seal import FileSeal
from stayaway.worker.database import Database
from stayaway.worker.follow import RegistryFollower
from stayaway.worker.shelf import OrderShelf
seal = FileSeal(pathlib.Path(os.environ["STAYAWAY_KEYS_FILE"]))
policy = load_policy(pathlib.Path(os.environ["STAYAWAY_POLICY_FILE"]))
def peak_mb():  # not getrusage: that remembers whoever started this process
    status = pathlib.Path("/proc/self/status").read_text()
    return int(status.partition("VmHWM:")[2].split()[0]) / 1e3
async def main():
    start, used = time.perf_counter(), time.process_time()
    database = Database(os.environ["STAYAWAY_DATABASE"], wait_s=5, on_wait=print)
    shelf = OrderShelf(database, seal, wait_s=5)
    registry = await RegistryFollower(database, seal, policy, source=shelf).reload()
    orders = len(registry.engine.snapshot.head_changes)
    print(f"  start on {orders:,} orders: {time.perf_counter() - start:.1f} s,"
        f" {time.process_time() - used:.1f} s of them this process's,"
        f" {peak_mb():,.0f} MB at most", flush=True)
asyncio.run(main())
"""
# What a clerk waits for who checks a file of one order: without the start of the command.
_CHECK = """
import asyncio, os, pathlib, sys, time
import asyncpg
from stayaway.orders.advice import advise
from stayaway.orders.meet import load_met
from stayaway.orders.parse import parse_orders_file
from stayaway.platform.seal import FileSeal
seal = FileSeal(pathlib.Path(os.environ["STAYAWAY_KEYS_FILE"]))
async def main():
    conn = await asyncpg.connect(os.environ["STAYAWAY_DATABASE"])
    await conn.fetchval("SELECT 1")
    start = time.perf_counter()
    parsed = parse_orders_file(pathlib.Path(sys.argv[1]).read_bytes())
    met = await load_met(conn, seal, parsed)
    found = advise(parsed, met=met)
    took_ms = 1e3 * (time.perf_counter() - start)
    print(f"  one order checked beside them: {took_ms:.0f} ms, {len(met.orders)} met, {len(found)} findings",
        flush=True)
    await conn.close()
asyncio.run(main())
"""
_FEW = 60


def bench_import(zones: int, changed: int) -> None:
    """Import of `zones` orders by the command while others are recalled one by one; then a start on them.

    `changed`: how many of them a second file changes.
    """
    workload = make_workload(zones)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        file = orders_file(workload)
        (folder / "orders.json").write_text(json.dumps(file))
        few = [{**order, "order_id": f"FEW-{n}"} for n, order in enumerate(file["orders"][:_FEW])]
        (folder / "few.json").write_text(json.dumps({"schema": "orders.v1", "orders": few}))
        again = [{**order, "version": 2, "case_number": "F-2"} for order in file["orders"][:changed]]
        (folder / "changed.json").write_text(json.dumps({"schema": "orders.v1", "orders": again}))
        one = [{**file["orders"][0], "order_id": "ONE", "respondents": [_somebody(file["orders"][0])]}]
        (folder / "one.json").write_text(json.dumps({"schema": "orders.v1", "orders": one}))
        (folder / "policy.json").write_bytes(workload.policy.model_dump_json(by_alias=True).encode())
        del file, workload, again
        with EmbeddedPostgres(folder / "postgres") as postgres:
            road = Road(postgres.dsn, "127.0.0.1:1", folder)
            road.run("migrate")
            road.run("orders", "import", str(folder / "few.json"))
            import_beside_recalls(road, "orders.json", f"{zones:,} orders", pause_s=0.5)
            subprocess.run([sys.executable, "-c", _START], env=road.environment, check=True)
            one_file = str(folder / "one.json")
            subprocess.run([sys.executable, "-c", _CHECK, one_file], env=road.environment, check=True)
            import_beside_recalls(road, "changed.json", f"{changed:,} changed orders", pause_s=0.02)
            postgres.destroy()


def _somebody(order: dict[str, Any]) -> dict[str, Any]:
    """The order's respondent under an id that nobody else has: the workload's share one."""
    respondent: dict[str, Any] = order["respondents"][0]
    return {**respondent, "respondent_id": "SOMEBODY"}


def import_beside_recalls(road: Road, name: str, what: str, *, pause_s: float) -> None:
    """Import that file by the command while orders are recalled one by one, `pause_s` after each other."""
    command = road.stayaway("orders", "import", str(road.folder / name))
    start = time.perf_counter()
    importing = subprocess.Popen(command, env=road.environment, stderr=subprocess.DEVNULL)
    waits_s = asyncio.run(recalls_beside(road, importing, pause_s))
    took_s = time.perf_counter() - start
    if importing.returncode:
        raise RuntimeError("the import failed")
    print(f"  {what} imported by the command in {took_s:.1f} s")
    print(
        f"  {len(waits_s)} recalls beside it: p50 {np.median(waits_s) * 1e3:.0f} ms, longest"
        f" {max(waits_s) * 1e3:,.0f} ms"
    )


async def recalls_beside(road: Road, importing: "subprocess.Popen[bytes]", pause_s: float) -> list[float]:
    """Seconds that each recall took while the import ran."""
    seal, waits_s = FileSeal(road.folder / "keys"), list[float]()
    conn = await asyncpg.connect(road.dsn)
    clerk = Person(name="bench", channel="cli", purpose="bench")
    while importing.poll() is None:
        start = time.perf_counter()
        fields = {"recalled_at": "2026-03-01T00:00:00Z", "reason_text": f"{uuid.uuid4()}"}
        await act_on_order(
            conn,
            seal,
            f"FEW-{len(waits_s) % _FEW}",
            "RECALL",
            fields,
            clerk,
            policy=None,
            now=now(),
            idempotency_key=None,
        )
        waits_s.append(time.perf_counter() - start)
        await asyncio.sleep(pause_s)
    await conn.close()
    return waits_s


def main() -> None:
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("--zones", type=int, default=100_000)
    parser.add_argument("--changed", type=int, default=20_000)
    chosen = parser.parse_args()
    bench_import(chosen.zones, chosen.changed)


if __name__ == "__main__":
    main()
