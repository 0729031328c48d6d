"""Orders that have much in common, as a registry and as files: what is said of one beside the others."""

import json
import random
import re
from collections.abc import Mapping, Sequence
from typing import Any

from stayaway.kernel.instants import EPOCH
from stayaway.orders.findings import Finding
from stayaway.orders.model import CourtOrder
from stayaway.orders.parse import parse_orders_file, to_orders
from stayaway.orders.records import ParsedOrders
from stayaway.orders.standing import Met
from support.advised import PHOENIX, Json, notice, order, vehicle, zone

PLATES = ("ATO 123", "AT0 123", "AT0-123", "B8I5", "BBL5", "XYZ 900")
PEOPLE = ("P1", "P2", "P3", "P4")
NAMES = ("Sam Example", "SAM  example", "Kim Invented", None)
RECALL: Json = {
    "recalled_at": "2026-02-01T00:00:00Z",
    "recorded_at": "2026-02-01T00:00:00Z",
    "reason_text": "x",
}


def drawn_order(rng: random.Random, number: int) -> Json:
    """An order of few people, plates, devices and places, so that most have something to do with others."""
    record = order(number, status=rng.choice(["ACTIVE"] * 5 + ["ENTERED_IN_ERROR"]))
    record["respondents"] = [_respondent(rng, person) for person in rng.sample(PEOPLE, rng.choice([1, 1, 2]))]
    record["protected_persons"] = [
        {"protected_person_id": person} | _named(rng)
        for person in rng.sample(PEOPLE, rng.choice([0, 1, 1, 2]))
    ]
    record["zones"] = [zone(PHOENIX[0] + rng.choice([0, 0.0001, 0.3, 0.6]), PHOENIX[1])]
    if rng.random() < 0.2:
        record["supersedes_order_id"] = f"O{rng.randint(1, 8)}"
    return record


def _respondent(rng: random.Random, person: str) -> Json:
    plates = rng.sample(PLATES, rng.choice([0, 1, 1, 2]))
    cars = [_vehicle(rng, f"V{n}", plate) for n, plate in enumerate(plates)]
    worn = [{"device_id": rng.choice(["D1", "D2"])}] if not cars or rng.random() < 0.3 else []
    return {"respondent_id": person, "vehicles": cars, "devices": worn} | _named(rng)


def _vehicle(rng: random.Random, vehicle_id: str, plate: str) -> Json:
    made = vehicle(vehicle_id=vehicle_id, plate=plate, region=rng.choice(["US-AZ", "US-AZ", "US-CO", None]))
    return {name: value for name, value in made.items() if value is not None}


def _named(rng: random.Random) -> Json:
    name = rng.choice(NAMES)
    return {} if name is None else {"name": name}


def to_file(records: Sequence[Json], recalled: Sequence[str] = ()) -> Json:
    """An orders file: the orders, each noticed, and those of `recalled` recalled."""
    told = [notice(item, respondent_id=r["respondent_id"]) for item in records for r in item["respondents"]]
    return {
        "schema": "orders.v1",
        "orders": list(records),
        "notices": told,
        "recalls": [RECALL | {"order_id": name} for name in recalled],
    }


def parsed(file: Json) -> ParsedOrders:
    """The file, which has no error."""
    found = parse_orders_file(json.dumps(file).encode())
    assert not found.has_errors, found.findings
    return found


def to_met(file: ParsedOrders, orders: Mapping[str, CourtOrder] | None = None) -> Met:
    """The orders as the registry would have them; else all of the file."""
    return Met(to_orders(file) if orders is None else orders, 1, file.known_at or EPOCH)


_PLACE = re.compile(r" ?\((?:in the registry, version \d+(?:, )?)?(?:/orders/\d+)?(/[^)]*)?\)")


def said(findings: Sequence[Finding], order_ids: set[str]) -> list[tuple[Any, ...]]:
    """What is said of these orders, without where in a file the orders stand."""
    return sorted(
        (
            item.order_id,
            re.sub(r"^/(\w+)/\d+", r"/\1", item.pointer),
            item.value,
            _PLACE.sub(r"(\1)", item.remedy)
            .replace("this file or the registry", "this file")
            .replace("in the registry", "in this file")
            .replace(", unless the registry has it", ""),
        )
        for item in findings
        if item.order_id in order_ids
    )
