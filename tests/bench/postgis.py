"""`make bench-postgis`: the same zones and points in PostGIS and in our index, each on one core.

Needs Debian's postgresql-15-postgis-3; says so and ends with 2 where it is missing.
"""

import asyncio
import sys
import time
from pathlib import Path

import asyncpg
import numpy as np
import shapely

from bench.workload import make_workload
from stayaway.kernel.shape import Shape
from stayaway.matching.index import Floats, ZoneIndex
from stayaway.matching.inside import is_inside
from support.databases import TestDatabases, find_debian_binaries
from support.zone_entries import ZoneEntry, boxes_of

ZONES, POINTS, BATCH = 100_000, 200_000, 5_000
REPO = Path(__file__).resolve().parents[2]
_HINT = "Debian's packages postgresql and postgresql-15-postgis-3 are needed (apt-get install them)."


_JOINED = "SELECT count(*) FROM points p JOIN zones z ON {}"
_EXACTLY, _BY_BOX = "ST_Intersects(z.geom, p.geom)", "z.geom && p.geom"


async def postgis_rates(dsn: str, shapes: list[Shape], points: Floats) -> tuple[float, float, float, int]:
    """(points a second joined in bulk, by boxes alone, in single queries of one client, pairs found)."""
    connection = await asyncpg.connect(dsn)
    try:
        await connection.execute("CREATE EXTENSION postgis")
        await connection.execute("SET max_parallel_workers_per_gather = 0")
        await connection.execute("CREATE TABLE zones (id int, raw bytea)")
        await connection.execute("CREATE TABLE points (x float8, y float8)")
        polygons = shapely.to_wkb([shapely.Polygon(shape.parts[0][0]) for shape in shapes])
        await connection.copy_records_to_table("zones", records=list(enumerate(polygons)))
        await connection.copy_records_to_table("points", records=[tuple(point) for point in points.tolist()])
        for statement in (
            "ALTER TABLE zones ADD geom geometry",
            "UPDATE zones SET geom = ST_GeomFromWKB(raw)",
            "CREATE INDEX ON zones USING gist (geom)",
            "ALTER TABLE points ADD geom geometry",
            "UPDATE points SET geom = ST_MakePoint(x, y)",
            "VACUUM ANALYZE zones",
            "VACUUM ANALYZE points",
        ):
            await connection.execute(statement)
        bulk, pairs = await _joined(connection, _EXACTLY, len(points))
        boxes, _ = await _joined(connection, _BY_BOX, len(points))
        single = await connection.prepare(
            "SELECT id FROM zones WHERE ST_Intersects(geom, ST_MakePoint($1, $2))"
        )
        some = points[:5_000].tolist()
        start = time.perf_counter()
        for x, y in some:
            await single.fetch(x, y)
        return bulk, boxes, len(some) / (time.perf_counter() - start), pairs
    finally:
        await connection.close()


async def _joined(connection: asyncpg.Connection, condition: str, count: int) -> tuple[float, int]:
    """(points a second of the fastest of three joins, pairs found)."""
    fastest_s = float("inf")
    for _ in range(3):
        start = time.perf_counter()
        pairs = int(await connection.fetchval(_JOINED.format(condition)))
        fastest_s = min(fastest_s, time.perf_counter() - start)
    return count / fastest_s, pairs


def our_rates(shapes: list[Shape], points: Floats) -> tuple[float, float, int]:
    """(points a second of the index alone, with the exact test of each candidate, pairs found)."""
    index = ZoneIndex.of(boxes_of(ZoneEntry(shape, 0.0, number) for number, shape in enumerate(shapes)))
    parts = [tuple(np.ascontiguousarray(part.T)) for part in np.split(points, len(points) // BATCH)]
    alone_s = exact_s = float("inf")
    for _ in range(3):
        start = time.perf_counter()
        for x, y in parts:
            index.query(x, y)
        alone_s = min(alone_s, time.perf_counter() - start)
        start = time.perf_counter()
        pairs = sum(_inside(index, shapes, x, y) for x, y in parts)
        exact_s = min(exact_s, time.perf_counter() - start)
    return len(points) / alone_s, len(points) / exact_s, pairs


def _inside(index: ZoneIndex, shapes: list[Shape], x: Floats, y: Floats) -> int:
    rows, owners = index.query(x, y)
    near = zip(x[rows].tolist(), y[rows].tolist(), owners.tolist(), strict=True)
    return sum(is_inside(shapes[owner], lon, lat) for lon, lat, owner in near)


def main() -> int:
    binaries = find_debian_binaries()
    if binaries is None or not list(Path("/usr/share/postgresql").glob("*/extension/postgis.control")):
        print(f"PostGIS is not on this machine. {_HINT}", file=sys.stderr)
        return 2
    workload = make_workload(ZONES)
    shapes = [order.versions[0].zones[0].shape for order in workload.snapshot.orders.values()]
    rng = np.random.default_rng(1)
    near = np.array(workload.anchors)[rng.integers(0, ZONES, POINTS)] + rng.uniform(
        -0.002, 0.002, (POINTS, 2)
    )
    far = np.column_stack([rng.uniform(-115, -70, POINTS), rng.uniform(28, 48, POINTS)])
    points = np.where((rng.random(POINTS) < 0.29)[:, None], near, far)
    with TestDatabases(REPO, binaries=binaries) as databases, databases.fresh(template="template0") as dsn:
        bulk, boxes, single, theirs = asyncio.run(postgis_rates(dsn, shapes, points))
    alone, exact, ours = our_rates(shapes, points)
    print(f"{ZONES:,} zones, {POINTS:,} points; pairs found: PostGIS {theirs:,}, we {ours:,}")
    print(f"  PostGIS joined in bulk, one core    {bulk:12,.0f} points/s")
    print(f"  PostGIS joined by boxes alone       {boxes:12,.0f} points/s")
    print(f"  PostGIS, single queries, one client {single:12,.0f} points/s")
    print(f"  our index and exact test            {exact:12,.0f} points/s {exact / bulk:8.1f} x the join")
    print(f"  our index alone                     {alone:12,.0f} points/s {alone / boxes:8.1f} x by boxes")
    return int(theirs != ours)


if __name__ == "__main__":
    sys.exit(main())
