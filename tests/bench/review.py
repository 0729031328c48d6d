"""A dispatcher's pages beside many orders: `cd tests && python -m bench.review`; fsynced Postgres.

The page's server is a process of its own, asked over HTTP: the first alert page after its start, more of
them, the lists, what is due, and the alert pages beside that. Then `stayaway orders due`. `--folder` keeps
the database for more runs.
"""

import argparse
import asyncio
import json
import random
import signal
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import asyncpg
import httpx
import numpy as np

from bench.road import Road
from bench.workload import make_workload, orders_file, random_plate
from stayaway.platform.embedded.postgres import EmbeddedPostgres
from stayaway.platform.seal import FileSeal
from support.alert_seed import SeededAlert, order, read, review_policy, seed_alert
from support.lives import REGISTRY_POLICY

_PAGES = 60
_LISTS = ("live", "historical", "ended", "closed")
_SHARED = 10
"""Of so many alerts two neighbours have one plate."""


def alert_orders(alerts: int) -> list[dict[str, Any]]:
    """An order for each alert, its cars like no other's but for the shared ones."""
    rng, made = random.Random(7), list[dict[str, Any]]()
    for number in range(alerts):
        body = order(f"ALERT-{number:06d}")
        for vehicle in body["respondents"][0]["vehicles"]:
            vehicle["plate"] = random_plate(rng)
        if number % _SHARED == 1:
            body["respondents"][0]["vehicles"][1]["plate"] = plate_of(made[-1])
        made.append(body)
    return made


def plate_of(body: dict[str, Any]) -> str:
    plate: str = body["respondents"][0]["vehicles"][1]["plate"]
    return plate


async def seed(road: Road, bodies: list[dict[str, Any]]) -> None:
    seal, conn = FileSeal(road.folder / "keys"), await asyncpg.connect(road.dsn)
    for body in bodies:
        event = read(plate=plate_of(body), event_id=body["order_id"])
        await seed_alert(conn, seal, SeededAlert(events=[event], order_id=body["order_id"]))
    await conn.execute("VACUUM ANALYZE")
    await conn.close()


async def close_more(dsn: str, wanted: int) -> None:
    """So many closed alerts, as rows alone: copies of those there are, numbered after them."""
    conn = await asyncpg.connect(dsn)
    there = await conn.fetchval("SELECT count(*) FROM alert WHERE state = 'DISMISSED'")
    columns = [
        row["attname"]
        for row in await conn.fetch(
            "SELECT attname FROM pg_attribute WHERE attrelid = 'alert'::regclass AND attnum > 0"
            " AND NOT attisdropped AND attidentity = '' AND attname NOT IN ('alert_id', 'state')"
        )
    ]
    names = ", ".join(columns)
    await conn.execute(
        f"INSERT INTO alert (alert_id, state, {names})"
        f" SELECT alert_id || '/' || more, 'DISMISSED', {names}"
        "   FROM alert, generate_series($1::bigint + 1, $1 + $2) AS more WHERE state = 'OPEN' LIMIT $2",
        there,
        max(wanted - there, 0),
    )
    await conn.execute("VACUUM ANALYZE alert")
    await conn.close()


def fill(road: Road, orders: int, alerts: int) -> None:
    """Import the orders by the command and seed the alerts, unless they are there."""
    (road.folder / "policy.json").write_bytes(review_policy().model_dump_json(by_alias=True).encode())
    (road.folder / "registry.json").write_text(json.dumps(REGISTRY_POLICY))
    if (road.folder / "filled").exists():
        return
    road.run("migrate")
    file = orders_file(make_workload(orders))
    for number, body in enumerate(file["orders"]):
        body["respondents"][0]["respondent_id"] = f"R-{number}"
    for notice in file["notices"]:
        notice["respondent_id"] = f"R-{int(notice['order_id'].removeprefix('B-'))}"
    bodies = alert_orders(alerts)
    file["orders"] += bodies
    (road.folder / "orders.json").write_text(json.dumps(file))
    road.run("orders", "import", str(road.folder / "orders.json"))
    asyncio.run(seed(road, bodies))
    (road.folder / "filled").touch()


@contextmanager
def page_server(road: Road) -> Iterator[tuple[httpx.Client, int]]:
    """The server as the command starts it, and its process id."""
    with (road.folder / "web.log").open("ab") as log:
        server = subprocess.Popen(
            road.stayaway("web", "--port", "0"), env=environment(road), stdout=subprocess.PIPE, stderr=log
        )
    try:
        assert server.stdout is not None
        address = server.stdout.readline().decode().removeprefix("page: ").strip()
        with httpx.Client(base_url=address, timeout=600) as http:
            yield http, server.pid
    finally:
        server.send_signal(signal.SIGTERM)
        server.wait()


def environment(road: Road) -> dict[str, str]:
    return {**road.environment, "STAYAWAY_REGISTRY_POLICY_FILE": str(road.folder / "registry.json")}


def memory_mb(pid: int, what: str) -> float:
    status = Path(f"/proc/{pid}/status").read_text()
    return int(status.partition(f"{what}:")[2].partition("kB")[0]) / 1e3


def asked_ms(http: httpx.Client, path: str) -> float:
    """Milliseconds until the whole answer is there."""
    start = time.perf_counter()
    http.get(path, headers={"stayaway-actor": "bench"}).raise_for_status()
    return 1e3 * (time.perf_counter() - start)


def say(what: str, took_ms: list[float]) -> None:
    print(f"  {what}: p50 {np.median(took_ms):.0f} ms, longest {max(took_ms):,.0f} ms", flush=True)


def measure_pages(http: httpx.Client, pid: int, alerts: int) -> None:
    before = memory_mb(pid, "VmRSS")
    first = asked_ms(http, "/alerts/1")
    grown, peak = memory_mb(pid, "VmRSS") - before, memory_mb(pid, "VmHWM")
    print(
        f"  first alert page after the start: {first:,.0f} ms; {grown:,.0f} MB more, {peak:,.0f} MB at most"
    )
    chosen = random.Random(2).sample(range(1, alerts + 1), _PAGES)
    say("alert page", [asked_ms(http, f"/alerts/{number}") for number in chosen])
    say("alert by the API", [asked_ms(http, f"/api/v1/alerts/{number}") for number in chosen])
    for name in _LISTS:
        say(f"list {name}", [asked_ms(http, f"/alerts?list={name}") for _ in range(10)])
    say("500 alerts by the API", [asked_ms(http, "/api/v1/alerts?limit=500") for _ in range(5)])
    say("200 orders by the API", [asked_ms(http, "/api/v1/orders?limit=200") for _ in range(5)])


def measure_due(http: httpx.Client, pid: int) -> None:
    """What is due, twice; the alert pages that are asked for meanwhile."""
    for which in ("first", "second"):
        beside, done = list[float](), threading.Event()

        def look(done: threading.Event = done, beside: list[float] = beside) -> None:
            with httpx.Client(base_url=http.base_url, timeout=600) as other:
                while not done.is_set():
                    beside.append(asked_ms(other, "/alerts/2"))
                    time.sleep(0.05)

        looking = threading.Thread(target=look)
        looking.start()
        took = asked_ms(http, "/api/v1/orders-due")
        done.set()
        looking.join()
        peak = memory_mb(pid, "VmHWM")
        print(f"  orders due by the API, {which} time: {took / 1e3:.1f} s; {peak:,.0f} MB at most")
        say(f"  {len(beside)} alert pages beside it", beside)


def measure_command(road: Road) -> None:
    start, silent, peak = time.perf_counter(), subprocess.DEVNULL, 0.0
    command = road.stayaway("orders", "due")
    running = subprocess.Popen(command, env=environment(road), stdout=silent, stderr=silent)
    while running.poll() is None:  # not getrusage: that remembers whoever started the process
        with suppress(OSError, ValueError):  # it is just ending
            peak = max(peak, memory_mb(running.pid, "VmHWM"))
        time.sleep(0.05)
    if running.returncode:
        raise RuntimeError("the command failed")
    print(f"  `stayaway orders due`: {time.perf_counter() - start:.1f} s, {peak:,.0f} MB at most")


def bench_review(folder: Path, orders: int, alerts: int, closed: int) -> None:
    with EmbeddedPostgres(folder / "postgres") as postgres:
        road = Road(postgres.dsn, "127.0.0.1:1", folder)
        fill(road, orders, alerts)
        asyncio.run(close_more(postgres.dsn, closed))
        with page_server(road) as (http, pid):
            measure_pages(http, pid, alerts)
            measure_due(http, pid)
        measure_command(road)


def main() -> None:
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("--orders", type=int, default=40_000)
    parser.add_argument("--alerts", type=int, default=2_000)
    parser.add_argument("--closed", type=int, default=0, help="closed alerts besides")
    parser.add_argument("--folder", type=Path)
    wanted = parser.parse_args()
    print(
        f"{wanted.orders:,} orders; {wanted.alerts:,} open alerts, an order each; {wanted.closed:,} closed",
        flush=True,
    )
    if wanted.folder:
        wanted.folder.mkdir(exist_ok=True)
        bench_review(wanted.folder, wanted.orders, wanted.alerts, wanted.closed)
    else:
        with tempfile.TemporaryDirectory() as name:
            bench_review(Path(name), wanted.orders, wanted.alerts, wanted.closed)


if __name__ == "__main__":
    main()
