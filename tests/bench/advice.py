"""What the advice on an orders file costs beside reading the file, in the same run.

`cd tests && python -m bench.advice --orders 10000`. Two files of the workload's zones: as drawn (outside
the court's state, nobody asked who drives: two or three findings an order), and clean (inside it, all
questions answered, two orders a respondent, a fifth with a schedule and an exception).
"""

import argparse
import json
import math
import random
import time
from typing import Any

from bench.workload import make_workload, orders_file
from stayaway.kernel.shape import Shape
from stayaway.orders.advice import advise
from stayaway.orders.court_areas import CourtArea, CourtAreas
from stayaway.orders.known_places import NO_PLACES, KnownPlaces
from stayaway.orders.parse import parse_orders_file
from stayaway.orders.readers import Reader

Json = dict[str, Any]
CENTRES = [(-112.07, 33.45), (-110.97, 32.22), (-111.65, 35.2)]
WINDOW = {
    "time_zone": "America/Phoenix",
    "start_local": "2026-01-09T17:00:00",
    "end_local": "2026-01-09T18:00:00",
    "rrule": "FREQ=WEEKLY",
}


def cleaned(file: Json, rng: random.Random) -> Json:
    """The file with each zone moved into Arizona and every question answered."""
    for number, order in enumerate(file["orders"]):
        respondent, zone = order["respondents"][0], order["zones"][0]
        respondent["respondent_id"] = f"R{number // 2}"
        respondent["vehicles"][0] |= {"used_by": [], "plate_type": "PC", "make": "Toyota"}
        west, south = moved(zone["geometry"], rng)
        if number % 5 == 0:
            ring = [[west, south], [west + 1e-3, south], [west + 1e-3, south + 1e-3], [west, south]]
            place = {"type": "Polygon", "coordinates": [ring]}
            zone["schedule"] = [WINDOW | {"rrule": "FREQ=DAILY"}]
            allowed = {"exception_id": "E", "kind": "CHILD_EXCHANGE", "authority": "par. 4"}
            order["exceptions"] = [allowed | {"windows": [WINDOW], "place": place}]
    file["notices"] = [notice(order) for order in file["orders"]]
    return file


def moved(geometry: Json, rng: random.Random) -> tuple[float, float]:
    """Move the geometry to a place drawn by `rng`; its first vertex there."""
    lon, lat = rng.choice(CENTRES)
    lon, lat = lon + rng.uniform(-0.3, 0.3), lat + rng.uniform(-0.2, 0.2)
    first_lon, first_lat = geometry["coordinates"][0][0][0]
    for part in geometry["coordinates"]:
        for ring in part:
            ring[:] = [[round(x - first_lon + lon, 7), round(y - first_lat + lat, 7)] for x, y in ring]
    return lon, lat


def notice(order: Json) -> Json:
    return {
        "order_id": order["order_id"],
        "recorded_at": order["recorded_at"],
        "order_version": 1,
        "respondent_id": order["respondents"][0]["respondent_id"],
        "kind": "PERSONAL",
        "noticed_at": "2026-01-01T00:00:00Z",
    }


def court_areas(file: Json) -> CourtAreas:
    """3,000 round areas of 1,000 positions in a grid; each ORI of the file has every thousandth of them."""
    oris = sorted({order["court"]["ori"] for order in file["orders"]})
    turns = [2 * math.pi * step / 1_000 for step in range(1_000)]
    areas = []
    for number in range(3_000):
        lon, lat = -120.0 + number % 60, 25.0 + number // 60 / 3
        ring = [(lon + 0.4 * math.cos(turn), lat + 0.4 * math.sin(turn)) for turn in turns]
        entry = oris[number % 1_000] if number % 1_000 < len(oris) else f"ZZ{number:07}"
        areas.append(CourtArea(f"Area {number}", (entry,), Shape.from_parts([[[*ring, ring[0]]]])))
    return CourtAreas(tuple(areas))


def measure(name: str, file: Json, rng: random.Random) -> None:
    data = json.dumps(file).encode()
    start = time.process_time()
    parsed = parse_orders_file(data)
    read_s = time.process_time() - start
    lon, lat = CENTRES[0]
    readers = tuple(
        Reader(f"r{k}", lon + rng.uniform(-0.3, 0.3), lat + rng.uniform(-0.2, 0.2), 30.0)
        for k in range(5_000)
    )
    for what, known in (
        ("advised", NO_PLACES),
        ("advised with 5,000 readers", KnownPlaces(readers=readers)),
        ("advised with 3,000 court areas", KnownPlaces(court_areas=court_areas(file))),
    ):
        start = time.process_time()
        found = advise(parsed, known)
        spent_s = time.process_time() - start
        print(
            f"{name}: read {read_s:.2f} CPU s, {what} {spent_s:.2f} CPU s"
            f" ({spent_s / read_s:.0%} of reading), {len(found):,} findings"
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("--orders", type=int, default=10_000)
    count = parser.parse_args().orders
    rng = random.Random(3)
    measure(f"{count:,} orders as drawn", orders_file(make_workload(count)), rng)
    measure(f"{count:,} clean orders", cleaned(orders_file(make_workload(count)), rng), rng)


if __name__ == "__main__":
    main()
