"""What a draft changes, beside the version that counts."""

import copy
import json
import math
from typing import Any

import pytest

from stayaway.orders.model import OrderVersion
from stayaway.orders.parse import parse_orders_file, to_orders
from stayaway.orders.preview import compare, preview_version
from support.alert_seed import order

Json = dict[str, Any]


def version(body: Json) -> OrderVersion:
    file = json.dumps({"schema": "orders.v1", "orders": [body]}).encode()
    return to_orders(parse_orders_file(file))["O1"].versions[0]


def changed(path: tuple[str | int, ...], value: Any) -> Json:
    """The seeded order with one value replaced; None takes it out."""
    body = copy.deepcopy(order())
    holder: Any = body
    for step in path[:-1]:
        holder = holder[step]
    if value is None:
        del holder[path[-1]]
    else:
        holder[path[-1]] = value
    return body


BEFORE = version(order())
FIRST_CAR = ("respondents", 0, "vehicles", 0)


def test_the_same_content_differs_in_nothing() -> None:
    assert list(compare(BEFORE, version(order(version=2, recorded_at="2026-03-01T00:00:00Z")))) == []


def test_where_there_was_nothing_everything_is_added() -> None:
    found = [(item.what, item.subject, item.change) for item in compare(None, BEFORE)]
    assert found == [
        ("order", "O1", "ADDED"),
        ("zone", "Z1", "ADDED"),
        ("respondent", "R1", "ADDED"),
        ("vehicle", "R1/V1", "ADDED"),
        ("vehicle", "R1/V2", "ADDED"),
        ("device", "R1/D9", "ADDED"),
    ]


@pytest.mark.parametrize(
    ("path", "value", "expected"),
    [
        (("expires_on",), "2029-01-05", ("order", "O1", "CHANGED", ["expiry"])),
        (("effective_at",), "2026-01-06T17:00:00Z", ("order", "O1", "CHANGED", ["effective_at"])),
        (("relief",), True, ("order", "O1", "CHANGED", ["relief"])),
        (("zones", 0, "distance_value"), 200, ("zone", "Z1", "CHANGED", ["shape", "distance_value"])),
        (("zones", 0, "warning_m"), 50, ("zone", "Z1", "CHANGED", ["warning_m"])),
        (("respondents", 0, "name"), "Kim Sample", ("respondent", "R1", "CHANGED", ["name"])),
        ((*FIRST_CAR, "used_by"), None, ("vehicle", "R1/V1", "CHANGED", ["used_by"])),
        ((*FIRST_CAR, "plate"), "NEW 1", ("vehicle", "R1/V1", "CHANGED", ["plate", "plate_as_entered"])),
        (("respondents", 0, "devices"), None, ("device", "R1/D9", "REMOVED", [])),
        (("conditions",), ["04"], ("order", "O1", "CHANGED", ["conditions"])),
    ],
)
def test_one_change_is_one_difference_with_its_fields(
    path: tuple[str | int, ...], value: Any, expected: tuple[str, str, str, list[str]]
) -> None:
    (item,) = compare(BEFORE, version(changed(path, value)))
    assert (item.what, item.subject, item.change, [name for name, _, _ in item.fields]) == expected


def test_what_is_added_or_removed_is_told_with_all_that_it_says() -> None:
    without = version(changed(FIRST_CAR, None))
    (added,), (removed,) = compare(without, BEFORE), compare(BEFORE, without)
    assert (added.what, added.subject, added.change) == ("vehicle", "R1/V1", "ADDED")
    assert (removed.subject, removed.change) == ("R1/V1", "REMOVED")
    car = BEFORE.respondents[0].vehicles[0]
    assert ("plate_as_entered", None, car.plate_as_entered) in added.fields
    assert ("link_basis", None, car.link_basis) in added.fields
    assert [(name, after, before) for name, before, after in added.fields] == list(removed.fields)


def test_a_protected_persons_own_car_shows_before_and_after() -> None:
    body = order(protected_persons=[{"protected_person_id": "P1"}])
    body["respondents"][0]["vehicles"][0]["used_by"] = ["P1"]
    found = {(item.what, item.subject): item for item in compare(BEFORE, version(body))}
    assert found["vehicle", "R1/V1"].fields == (("used_by", [], ["P1"]),)
    assert found["protected_person", "P1"].change == "ADDED"


def test_zones_and_places_are_geojson_with_vertices_and_area() -> None:
    square = [[-111.9, 33.4], [-111.89, 33.4], [-111.89, 33.41], [-111.9, 33.41], [-111.9, 33.4]]
    exception = {
        "exception_id": "E1",
        "kind": "OTHER",
        "authority": "par. 1",
        "windows": [],
        "place": {"type": "Polygon", "coordinates": [square]},
    }
    shown = preview_version(version(order(exceptions=[exception])), BEFORE, {})
    zone, place = shown.places["features"]
    # pi r^2, less what an inscribed polygon lacks.
    assert zone["properties"]["area_m2"] == pytest.approx(math.pi * 91.44**2, rel=0.002)
    assert zone["properties"] | {"vertices": 0, "area_m2": 0.0} == {
        "kind": "zone",
        "zone_id": "Z1",
        "place_type": "HOME",
        "distance_value": 100.0,
        "distance_unit": "YD",
        "vertices": 0,
        "area_m2": 0.0,
    }
    ring = zone["geometry"]["coordinates"][0][0]
    assert (ring[0], len(ring) - 1) == (ring[-1], zone["properties"]["vertices"])
    about = place["properties"]
    assert (about["kind"], about["exception_id"], about["vertices"]) == ("exception", "E1", 4)
    assert shown.vertices == zone["properties"]["vertices"] + 4
