"""What a round publishes: a random world, its orders known at once or told while the day flows."""

import json
import random
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from support.worlds import START, draw_world, instant

Json = dict[str, Any]
LISTS = ("orders", "notices", "recalls", "suspensions")
ORDERS = 10
# Most of what agrees alerts, so that there is something to lose.
_PERMISSIVE = {
    "match_kinds": ["DEVICE", "EXACT", "REGION_UNKNOWN", "OCR_EQUIVALENT"],
    "notice_kinds": ["PERSONAL", "MAIL"],
    "min_region_confidence": 0.5,
    "loose_min_length": 4,
    "accuracy_cap_m": 500,
    # A limit that probabilities come near to would be decided by how either computes them (0.249, 0.250).
    "min_inside_probability": 0,
    "live_limit_s": 600,
    "max_age_s": 2_592_000,
}
_BAD = (b"{", b"", b"\xff\xfe", b"[]", b'{"schema":"plate_read.v9"}')


@dataclass
class Day:
    """Lines to publish; `first`: the orders file at the start; `changes`: files to import meanwhile."""

    policy: Json
    lines: list[bytes]
    first: Json
    changes: list[Json] = field(default_factory=list)


def draw_day(rng: random.Random, *, lines: int, with_changes: bool) -> Day:
    """A day whose rules let most of what agrees alert."""
    world = draw_world(rng.randrange(1 << 32), orders=ORDERS, events=lines)
    policy = {**world.policy, **_PERMISSIVE, "episode_gap_s": rng.choice([600, 1800, 7200, 21_600])}
    values = [line.rstrip(b"\n") for line in world.lines]
    for _ in range(lines // 40):
        values.insert(rng.randrange(len(values)), rng.choice(_BAD))
    if not with_changes:
        return Day(policy, values, world.orders)
    first, changes = _split(rng, world.orders)
    return Day(policy, values, first, changes)


def _split(rng: random.Random, orders: Json) -> tuple[Json, list[Json]]:
    """First versions and most of their notices at the start; the rest in files of one record each."""
    first = empty_file()
    later: list[tuple[float, str, Json]] = []
    for record in orders["orders"]:
        if record["version"] == 1:
            first["orders"].append(record)
        else:  # versions of one order are told in their order
            later.append((record["version"] / 4 + rng.random() / 4, "orders", record))
    for record in orders["notices"]:
        if record["order_version"] == 1 and rng.random() < 0.7:
            first["notices"].append(record)
        else:
            later.append((record["order_version"] / 4 + rng.random(), "notices", record))
    for name in ("recalls", "suspensions"):
        later += [(rng.random(), name, record) for record in orders[name]]
    later += [(rng.random(), "recalls", _recall(rng, f"O{number}")) for number in range(0, ORDERS, 3)]
    later.sort(key=lambda item: item[0])
    return first, [{**empty_file(), name: [record]} for _, name, record in later]


def _recall(rng: random.Random, order_id: str) -> Json:
    return {
        "order_id": order_id,
        "recorded_at": instant(START + timedelta(hours=rng.randint(0, 90))),
        "recalled_at": instant(START + timedelta(hours=rng.randint(0, 90))),
        "reason_text": "invented, while the day flows",
    }


def empty_file() -> Json:
    """An orders file without a record."""
    return {"schema": "orders.v1", **{name: [] for name in LISTS}}


def joined(files: list[Json]) -> Json:
    """One file with the records of all."""
    whole = empty_file()
    for file in files:
        for name in LISTS:
            whole[name] = whole[name] + file[name]
    return whole


def as_bytes(file: Json) -> bytes:
    """The file to import."""
    return json.dumps(file).encode()
