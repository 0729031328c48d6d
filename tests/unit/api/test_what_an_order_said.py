"""Nothing that a version says is left out where it is shown: by the API, in lines, in a preview.

Each value of a record with everything in it is changed, one at a time: what is shown must change too.
"""

import copy
import json
import re
from collections.abc import Iterator
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

import pytest

from stayaway.api.order_forms import OrderDetail
from stayaway.cli.order_lines import order_lines
from stayaway.cli.version_lines import field_words
from stayaway.orders.history import state_order
from stayaway.orders.parse import parse_orders_file, to_orders
from stayaway.orders.preview import compare
from support.rich_orders import rich

Json = dict[str, Any]
Path = tuple[str | int, ...]
AT = datetime(2026, 3, 6, 20, tzinfo=UTC)
EXPIRY = "expires_after_notice"
OTHER: Json = {
    "kind": "CRIMINAL_NO_CONTACT",
    "status": "MODIFIED",
    "ori": "AZ0079990",
    "time_zone": "America/Denver",
    "telephone": "+1 555 0199",
    "case_number": "F-99",
    "order_number": "18",
    "nic_number": "H124",
    "issuing_jurisdiction": "US-NV",
    "issued_on": "2026-01-03",
    "effective_at": "2026-01-05T17:00:01Z",
    EXPIRY: "P3Y",
    "relief": True,
    "conditions": "02",
    "confidentiality": "SEALED",
    "not_monitored": "no firearms",
    "name": "Kim Sample",
    "supersedes_order_id": "O00",
    "source_document_sha256": "cd" * 32,
    "vehicle_id": "V99",
    "plate": "NEW 999",
    "region": "US-NV",
    "link_basis": "KNOWN_DRIVER",
    "plate_type": "XX",
    "plate_year": "2031",
    "vin": "1HGCM82633A004352",
    "make": "Kia",
    "model": "Rio",
    "colour": "green",
    "used_by": "P9",
    "last_verified_at": "2026-01-03T00:00:00Z",
    "device_id": "D99",
    "place_type": "WORSHIP",
    "distance_value": 101,
    "distance_unit": "M",
    "anchor": "BUILDING",
    "anchor_accuracy_m": 4,
    "warning_m": 51.5,
    "warning_alerts": False,
    "address_confidential": False,
    "protected_person_ids": "P9",
    "authority": "par. 99",
    "exception_id": "E99",
    "zone_ids": "Z1",
    "place": "WHOLE_ZONE",
    "start_local": "2026-01-05T08:00:01",
    "end_local": "2026-01-05T17:00:01",
    "rrule": "FREQ=WEEKLY;BYDAY=MO,WE;COUNT=9",
}
"""Another value of each field, which fits wherever the field stands."""
OF_EXCEPTIONS = {"kind": "WORK"}
NOT_CHANGED = {"order_id", "version", "recorded_at", "respondent_id", "protected_person_id", "zone_id"}
"""What names the record and its parts: other tests hold to these."""
NOT_SHOWN = {"extensions"}
"""What decides nothing and no version keeps: `orders/ORDER/versions/N` has it with the record as it came."""


def _leaves(value: Any, at: Path = ()) -> Iterator[Path]:
    name = next((step for step in reversed(at) if isinstance(step, str)), "")
    if name in NOT_CHANGED | NOT_SHOWN:
        return
    if name in ("geometry", "place"):
        yield at
    elif isinstance(value, dict):
        for key, item in value.items():
            yield from _leaves(item, (*at, key))
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from _leaves(item, (*at, index))
    else:
        yield at


def _with_other(order: Json, at: Path) -> Json:
    changed = copy.deepcopy(order)
    holder: Any = changed
    for step in at[:-1]:
        holder = holder[step]
    name = next(step for step in reversed(at) if isinstance(step, str))
    if name == "geometry":
        ring = holder[name]["coordinates"]
        if holder[name]["type"] == "Point":
            ring[0] += 0.01
        else:
            ring[0][1][0] += 0.01
        return changed
    if holder[at[-1]] == OTHER[name]:  # WHOLE_ZONE
        holder[at[-1]] = RICH["exceptions"][0]["place"]
        return changed
    holder[at[-1]] = OF_EXCEPTIONS.get(name, OTHER[name]) if "exceptions" in at else OTHER[name]
    return changed


def _shown(order: Json) -> tuple[str, str, str]:
    """The API's answer, the command's lines and a preview, without the digests."""
    orders = to_orders(parse_orders_file(json.dumps({"schema": "orders.v1", "orders": [order]}).encode()))
    version = orders["O1"].versions[0]
    statement = state_order(orders["O1"], AT, AT, ["PERSONAL"])
    assert statement is not None
    detail = OrderDetail.of_statement(statement)
    differences = [asdict(item) for item in compare(None, version)]
    digest = re.compile(r"[0-9a-f]{64}")
    keep = str(order.get("source_document_sha256"))

    def cleaned(text: str) -> str:
        return digest.sub(lambda found: found[0] if found[0] == keep else "", text)

    lines = "\n".join(order_lines(detail))
    return cleaned(detail.model_dump_json()), cleaned(lines), cleaned(json.dumps(differences))


RICH: Json = rich()["orders"][0]
PATHS = list(_leaves(RICH))


def test_the_record_has_everything_that_can_be_said() -> None:
    assert {step for at in PATHS for step in at if isinstance(step, str)} >= set(OTHER)


@pytest.mark.parametrize("at", PATHS, ids=lambda at: "/".join(map(str, at)))
def test_whatever_changes_in_a_version_changes_what_is_shown(at: Path) -> None:
    before, after = _shown(RICH), _shown(_with_other(RICH, at))
    api, lines, preview = (old != new for old, new in zip(before, after, strict=True))
    assert api
    assert preview or at[-1] == "geometry"  # there by digest
    assert lines or at[-1] == "geometry"  # an outline is not said in words


@pytest.mark.parametrize(
    ("ends", "said"),
    [
        ({"expires_on": "2028-01-05"}, "expires with the end of 2028-01-05 (America/Phoenix)"),
        ({"expires_at": "2028-01-05T17:00:00Z"}, "expires at 2028-01-05T17:00:00Z"),
        ({EXPIRY: "P2Y"}, "expires P2Y after the first counting notice"),
        ({"no_expiration": True}, "no expiration"),
    ],
)
def test_each_way_to_expire_is_shown_as_it_was_ordered(ends: Json, said: str) -> None:
    order = {name: value for name, value in RICH.items() if name != EXPIRY} | ends
    api, lines, _ = _shown(order)
    (version,) = json.loads(api)["said"]
    given = {name: version[name] for name in ("expires_on", "expires_at", EXPIRY, "no_expiration")}
    assert {name: value for name, value in given.items() if value} == ends
    assert said in lines


def test_each_version_that_decides_for_somebody_is_told() -> None:
    """R1 was told of the first one only: it decides for R1, and the second is the latest."""
    first = RICH
    second = {**RICH, "version": 2, "recorded_at": "2026-02-01T00:00:00Z", "status": "MODIFIED"}
    file = rich() | {"orders": [first, second]}
    order = to_orders(parse_orders_file(json.dumps(file).encode()))["O1"]
    statement = state_order(order, AT, AT, ["PERSONAL"])
    assert statement is not None
    detail = OrderDetail.of_statement(statement)
    assert [item.version for item in detail.respondents] == [1]
    assert [(item.version, item.status) for item in detail.said] == [(1, "ACTIVE"), (2, "MODIFIED")]


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("used_by", [], "nobody"),
        ("conditions", [], "none"),
        ("relief", False, "no"),
        ("expiry", {}, "no expiration"),
        ("expiry", {"after_notice": [2, "Y"]}, "P2Y after the first counting notice"),
        ("expiry", None, "none"),
        ("windows", [], "none"),
        ("place", "WHOLE_ZONE", "WHOLE_ZONE"),
        ("schedule", None, "always"),
        ("distance_value", 100.0, "100.0"),
    ],
)
def test_a_field_of_a_preview_is_said_in_words(name: str, value: Any, words: str) -> None:
    assert field_words(name, value) == words
