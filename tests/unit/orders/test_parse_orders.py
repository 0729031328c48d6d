"""The records of an orders file: what can be used, every finding with order, pointer, value and remedy."""

import copy
import json
from collections.abc import Callable
from datetime import date, datetime
from typing import Any

import pytest

from stayaway.kernel.instants import parse_instant
from stayaway.kernel.shape import Shape
from stayaway.orders.model import Recurrence, Window
from stayaway.orders.parse import parse_orders_file, to_orders
from support.rich_orders import SQUARE, example, parse, pointers, rich
from support.wire_examples import ORDERS


def test_the_wire_example_can_be_used() -> None:
    """WIRE.md's orders file: one order, its zone drawn, its notice, K the notice's recording."""
    parsed = parse(ORDERS)
    assert parsed.findings == ()
    assert parsed.known_at == parse_instant("2026-01-07T19:00:00Z")
    order = to_orders(parsed)["O1"]
    (version,), (notice,) = order.versions, order.notices
    assert version.expiry.after_notice == (2, "Y")
    assert version.respondents[0].vehicles[0].plate == "BAK471"
    assert version.respondents[0].vehicles[0].plate_as_entered == "BAK 471"
    assert version.respondents[0].device_ids == ("D9",)
    assert version.zones[0].anchor_lon_lat == (-111.9, 33.4)
    assert version.zones[0].warning_m is None
    assert len(version.zones[0].shape.parts[0][0]) > 100
    assert notice.noticed_at == parse_instant("2026-01-07T18:30:00Z")


def test_every_field_reaches_the_model() -> None:
    """Nothing that WIRE.md lists is dropped on the way."""
    parsed = parse(rich())
    assert parsed.findings == ()
    assert parsed.known_at == parse_instant("2026-02-01T00:00:00.25Z")
    order = to_orders(parsed)["O1"]
    version = order.versions[0]
    assert (version.order_number, version.nic_number, version.issuing_jurisdiction) == ("17", "H123", "US-AZ")
    assert (version.issued_on, version.conditions) == (date(2026, 1, 4), ("01", "04"))
    assert (version.confidentiality, version.supersedes_order_id) == (("ADDRESS_WITHHELD",), "O0")
    assert version.source_document_sha256 == "ab" * 32
    assert version.not_monitored == ("300 feet from the petitioner",)
    assert version.protected_persons[0].name == "A. B."
    vehicle = version.respondents[0].vehicles[0]
    assert (vehicle.make, vehicle.model, vehicle.colour, vehicle.plate_type) == (
        "Ford",
        "F-150",
        "blue",
        "PC",
    )
    assert (vehicle.used_by, vehicle.link_basis) == (frozenset({"P1"}), "REGISTERED")
    zone = version.zones[1]
    assert zone.shape == Shape.from_parts([[SQUARE]])
    assert (zone.distance_value, zone.distance_unit, zone.anchor, zone.anchor_accuracy_m) == (
        100,
        "YD",
        "PARCEL",
        3,
    )
    assert (zone.warning_m, zone.warning_alerts, zone.address_confidential) == (50.5, True, True)
    assert zone.anchor_lon_lat is None
    assert zone.schedule == (
        Window(
            time_zone="America/Phoenix",
            start_local=datetime.fromisoformat("2026-01-05T08:00:00"),
            end_local=datetime.fromisoformat("2026-01-05T17:00:00"),
            recurrence=Recurrence(frequency="WEEKLY", by_day=((0, 0), (0, 1))),
        ),
    )
    first, second = version.exceptions
    assert (first.zone_ids, first.place) == (frozenset({"Z2"}), Shape.from_parts([[SQUARE]]))
    assert (second.zone_ids, second.place) == (None, None)
    assert order.recalls[0].reason_text == "dismissed"
    assert order.suspensions[0].until_at == parse_instant("2026-01-22T00:00:00Z")


def test_empty_lists_mean_what_they_say() -> None:
    """An empty schedule counts as none; asked-nobody differs from not-asked; no window never applies."""
    body = rich()
    body["orders"][0]["zones"][1]["schedule"] = []
    body["orders"][0]["exceptions"][0]["windows"] = []
    body["orders"][0]["respondents"][0]["vehicles"][0]["used_by"] = []
    parsed = parse(body)
    version = to_orders(parsed)["O1"].versions[0]
    assert version.zones[1].schedule is None
    assert version.exceptions[0].windows == ()
    assert version.respondents[0].vehicles[0].used_by == frozenset()
    assert pointers(parsed, "WARNING") == ["/orders/0/zones/1/schedule", "/orders/0/exceptions/0/windows"]


def test_the_content_hash_is_of_content_not_of_writing() -> None:
    """Order of names and white space change nothing; any value does."""
    one = parse(rich()).versions[0].value
    body = rich()
    body["orders"][0] = dict(reversed(body["orders"][0].items()))
    other = parse_orders_file(json.dumps(body, indent=3).encode()).versions[0].value
    assert one is not None
    assert one == other
    body["orders"][0]["case_number"] = "F-2"
    changed = parse(body).versions[0].value
    assert changed is not None
    assert changed.content_sha256 != one.content_sha256  # type: ignore[union-attr]


# Each case: how the rich file is broken, the pointer of the ERROR, a word of the remedy.
ORDER = "/orders/0"
Break = Callable[[dict[str, Any]], object]
BROKEN: dict[str, tuple[Break, str, str]] = {
    "missing field": (lambda o: o.pop("case_number"), "/case_number", "required"),
    "unknown field": (lambda o: o.update(colour="x"), "/colour", "Unknown field"),
    "misspelt field": (lambda o: o.update(exeptions=[]), "/exeptions", "did you mean exceptions"),
    "null": (lambda o: o.update(order_number=None), "/order_number", "leave the field out"),
    "number in a string": (lambda o: o.update(version="1"), "/version", "whole number"),
    "version 0": (lambda o: o.update(version=0), "/version", "greater than or equal to 1"),
    "fraction": (lambda o: o.update(version=1.5), "/version", "whole number"),
    "huge version": (lambda o: o.update(version=10**400), "/version", ""),
    "bad enum": (lambda o: o.update(kind="PERMANENT"), "/kind", "EMERGENCY"),
    "bad id": (lambda o: o.update(order_id="a b"), "/order_id", "no spaces"),
    "local instant": (lambda o: o.update(effective_at="2026-01-05T17:00:00"), "/effective_at", "ending in Z"),
    "offset": (lambda o: o.update(recorded_at="2026-01-05T17:00:00-07:00"), "/recorded_at", "ending in Z"),
    "leap second": (lambda o: o.update(recorded_at="2026-01-05T17:00:60Z"), "/recorded_at", "ending in Z"),
    "no such day": (lambda o: o.update(issued_on="2026-02-30"), "/issued_on", "calendar"),
    "basic date": (lambda o: o.update(issued_on="20260228"), "/issued_on", "like 2026-03-06"),
    "ambiguous region": (lambda o: o.update(issuing_jurisdiction="CA"), "/issuing_jurisdiction", "US-AZ"),
    "short ori": (lambda o: o["court"].update(ori="AZ07"), "/court/ori", "9 of A-Z"),
    "bad zone": (lambda o: o["court"].update(time_zone="US/Arizonia"), "/court/time_zone", "US/Arizona"),
    "zone in lower case": (
        lambda o: o["court"].update(time_zone="america/phoenix"),
        "/court/time_zone",
        "IANA",
    ),
    "control character": (lambda o: o["agency"].update(telephone="1\t2"), "/agency/telephone", "control"),
    "empty text": (lambda o: o.update(case_number=""), "/case_number", "empty"),
    "long text": (lambda o: o.update(case_number="x" * 513), "/case_number", "512"),
    "two expiries": (lambda o: o.update(no_expiration=True), "/no_expiration", "exactly one"),
    "no expiry": (lambda o: o.pop("expires_after_notice"), "", "exactly one"),
    "false expiry": (
        lambda o: (o.update(no_expiration=False), o.pop("expires_after_notice")),
        "/no_expiration",
        "true",
    ),
    "one for true": (
        lambda o: (o.update(no_expiration=1), o.pop("expires_after_notice")),
        "/no_expiration",
        "true",
    ),
    "bad interval": (lambda o: o.update(expires_after_notice="P2W"), "/expires_after_notice", "P6M"),
    "no respondents": (lambda o: o.update(respondents=[]), "/respondents", "at least one respondent"),
    "no zones": (
        lambda o: (o.update(zones=[], exceptions=[]), o.pop("not_monitored")),
        "/zones",
        "not_monitored",
    ),
    "upper-case digest": (
        lambda o: o.update(source_document_sha256="AB" * 32),
        "/source_document_sha256",
        "lower case",
    ),
    "bad condition": (lambda o: o.update(conditions=["10"]), "/conditions/0", "'01'"),
    "big extensions": (lambda o: o.update(extensions={"a": "x" * 4096}), "/extensions", "4,096"),
    "big whole number": (lambda o: o.update(extensions={"a": 2**60}), "/extensions", "2^53"),
    "bad plate": (
        lambda o: o["respondents"][0]["vehicles"][0].update(plate="AB?1"),
        "/respondents/0/vehicles/0/plate",
        "unread",
    ),
    "same vehicle twice": (
        lambda o: o["respondents"][0]["vehicles"].append(o["respondents"][0]["vehicles"][0]),
        "/respondents/0/vehicles/1/vehicle_id",
        "unique",
    ),
    "same respondent twice": (
        lambda o: o["respondents"].append(o["respondents"][0]),
        "/respondents/1/respondent_id",
        "unique",
    ),
    "same device twice": (
        lambda o: o["respondents"][0]["devices"].append({"device_id": "D9"}),
        "/respondents/0/devices/1/device_id",
        "unique",
    ),
    "same zone twice": (lambda o: o["zones"].append(o["zones"][0]), "/zones/2/zone_id", "zones/0"),
    "same exception twice": (
        lambda o: o["exceptions"].append(o["exceptions"][0]),
        "/exceptions/2/exception_id",
        "unique",
    ),
    "zone in words": (lambda o: o["zones"].append("Z3"), "/zones/2", "object"),
    "no distance": (
        lambda o: o["zones"][0].pop("distance_value"),
        "/zones/0/distance_value",
        "Point needs a distance",
    ),
    "no unit": (lambda o: o["zones"][1].pop("distance_unit"), "/zones/1/distance_unit", "value and a unit"),
    "distance 0": (
        lambda o: o["zones"][0].update(distance_value=0),
        "/zones/0/distance_value",
        "greater than 0",
    ),
    "endless distance": (
        lambda o: o["zones"][0].update(distance_value=float("1e308")),
        "/zones/0/distance_value",
        "drawn",
    ),
    "mile": (lambda o: o["zones"][0].update(distance_unit="MI"), "/zones/0/distance_unit", "YD"),
    "pole": (
        lambda o: o["zones"][0].update(geometry={"type": "Point", "coordinates": [0, 89.9999]}),
        "/zones/0/distance_value",
        "pole",
    ),
    "geometry in words": (lambda o: o["zones"][0].update(geometry="home"), "/zones/0/geometry", "object"),
    "negative ring": (
        lambda o: o["zones"][1].update(warning_m=-1),
        "/zones/1/warning_m",
        "greater than or equal to 0",
    ),
    "place in words": (lambda o: o["exceptions"][0].update(place="ALL"), "/exceptions/0/place", "WHOLE_ZONE"),
    "place a point": (
        lambda o: o["exceptions"][0].update(place={"type": "Point", "coordinates": [0, 1]}),
        "/exceptions/0/place/type",
        "Polygon",
    ),
    "dangling zone": (
        lambda o: o["exceptions"][0].update(zone_ids=["Z9"]),
        "/exceptions/0/zone_ids/0",
        "No zone",
    ),
    "no zone ids": (
        lambda o: o["exceptions"][0].update(zone_ids=[]),
        "/exceptions/0/zone_ids",
        "Leave the field out",
    ),
    "window backwards": (
        lambda o: o["zones"][1]["schedule"][0].update(end_local="2026-01-05T08:00:00"),
        "/zones/1/schedule/0/end_local",
        "later",
    ),
    "instant for a wall clock": (
        lambda o: o["zones"][1]["schedule"][0].update(start_local="2026-01-05T08:00:00Z"),
        "/zones/1/schedule/0/start_local",
        "without Z",
    ),
    "window zone": (
        lambda o: o["zones"][1]["schedule"][0].update(time_zone="Arizona"),
        "/zones/1/schedule/0/time_zone",
        "IANA",
    ),
    "window rule": (
        lambda o: o["zones"][1]["schedule"][0].update(rrule="FREQ=WEEKLY;BYDAY=WE"),
        "/zones/1/schedule/0/rrule",
        "occurrence",
    ),
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_order_is_named_placed_and_remedied(name: str) -> None:
    """The ERROR has the order, the pointer from the file's root and a remedy; the order is unusable."""
    change, pointer, remedy = BROKEN[name]
    body = rich()
    change(body["orders"][0])
    parsed = parse(body)
    errors = [finding for finding in parsed.findings if finding.severity == "ERROR"]
    found = [finding for finding in errors if finding.pointer == ORDER + pointer]
    assert len(errors) == len(found) == 1, errors
    assert remedy in found[0].remedy
    assert found[0].order_id == body["orders"][0]["order_id"]
    assert parsed.blocks_orders
    assert to_orders(parsed) == {}
    assert {record.kind for record in parsed.records if record.value} == {"NOTICE", "RECALL", "SUSPENSION"}


def test_one_bad_field_hides_no_other() -> None:
    """All errors of all records come in one pass, those of the form and those of meaning."""
    body = rich()
    order = body["orders"][0]
    order["version"] = "1"
    order["zones"][0]["geometry"]["coordinates"] = [33.4, -111.9]
    order["zones"][1]["schedule"][0] = {
        "time_zone": "Mars",
        "start_local": "2026-01-05T08:00:00",
        "rrule": "FREQ=X",
    }
    order["exceptions"][0]["zone_ids"] = ["Z9"]
    body["notices"].append({"order_id": "O1"})
    assert set(pointers(parse(body), "ERROR")) == {
        "/orders/0/version",
        "/orders/0/zones/0/geometry/coordinates",
        "/orders/0/zones/1/schedule/0/time_zone",
        "/orders/0/zones/1/schedule/0/end_local",
        "/orders/0/zones/1/schedule/0/rrule",
        "/orders/0/exceptions/0/zone_ids/0",
        "/notices/1/recorded_at",
        "/notices/1/order_version",
        "/notices/1/respondent_id",
        "/notices/1/kind",
        "/notices/1/noticed_at",
    }


def test_warnings_leave_the_record_usable() -> None:
    """What may be meant but is odd is shown to the clerk and applied."""
    body = rich()
    order = body["orders"][0]
    order.pop("expires_after_notice")
    order["expires_on"] = "2026-01-04"
    order["protected_persons"] = []
    order["zones"][0] |= {"geometry": {"type": "Point", "coordinates": [0, 0]}, "distance_value": 2}
    order["respondents"].append({"respondent_id": "R2"})
    order["zones"][1].pop("warning_m")
    body["notices"][0] |= {"respondent_id": "R9", "order_version": 4, "noticed_at": "2027-01-01T00:00:00Z"}
    parsed = parse(body)
    assert pointers(parsed, "ERROR") == []
    assert set(pointers(parsed, "WARNING")) == {
        "/orders/0/expires_on",
        "/orders/0/respondents/0/vehicles/0/used_by/0",
        "/orders/0/respondents/1",
        "/orders/0/zones/0/distance_value",
        "/orders/0/zones/0/geometry/coordinates",
        "/orders/0/zones/1/protected_person_ids/0",
        "/orders/0/zones/1/warning_alerts",
        "/notices/0/noticed_at",
    }
    assert [finding.pointer for finding in parsed.unresolved] == [
        "/notices/0/order_version",
        "/notices/0/respondent_id",
    ]
    assert set(to_orders(parsed)) == {"O1"}


def test_a_term_that_no_zone_can_watch_is_an_order_all_the_same() -> None:
    """Firearms only: no zones, named under not_monitored."""
    body = example()
    body["orders"][0] |= {"zones": [], "not_monitored": ["firearms"]}
    parsed = parse(body)
    assert parsed.findings == ()
    assert to_orders(parsed)["O1"].versions[0].zones == ()


def test_versions_ascend_and_repeats_count_once() -> None:
    """The same record again is left out with a warning; the same version otherwise is an error."""
    body = example()
    second = copy.deepcopy(body["orders"][0]) | {"version": 2, "recorded_at": "2026-01-06T00:00:00Z"}
    body["orders"] = [second, body["orders"][0], copy.deepcopy(second)]
    parsed = parse(body)
    assert [version.version for version in to_orders(parsed)["O1"].versions] == [1, 2]
    assert pointers(parsed, "WARNING") == ["/orders/2"]
    assert not parsed.blocks_orders
    body["orders"][2]["case_number"] = "F-3"
    parsed = parse(body)
    assert pointers(parsed, "ERROR") == ["/orders/2/version"]
    assert parsed.blocks_orders


def test_an_order_that_would_alert_again_is_pointed_out() -> None:
    """A DRAFT after ENTERED_IN_ERROR makes the error's mark cease to be the last version's."""
    body = example()
    first = body["orders"][0]
    body["orders"] += [
        first | {"version": 2, "status": "ENTERED_IN_ERROR", "recorded_at": "2026-01-06T00:00:00Z"},
        first | {"version": 3, "status": "DRAFT", "recorded_at": "2026-01-05T19:00:00Z"},
    ]
    found = {finding.pointer: finding.remedy for finding in parse(body).findings}
    assert set(found) == {"/orders/2/status", "/orders/2/recorded_at"}
    assert "alert again" in found["/orders/2/status"]


def test_records_of_orders_elsewhere_are_warned_of_only() -> None:
    """The registry may have the order."""
    body = rich() | {"orders": []}
    parsed = parse(body)
    assert parsed.findings == ()
    assert [(finding.severity, finding.pointer) for finding in parsed.unresolved] == [
        ("WARNING", "/notices/0/order_id"),
        ("WARNING", "/recalls/0/order_id"),
        ("WARNING", "/suspensions/0/order_id"),
    ]
    assert sum(record.value is not None for record in parsed.records) == 3
