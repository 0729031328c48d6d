"""An orders file with everything that WIRE.md lists, and what is found in one."""

import copy
import json
from typing import Any

from stayaway.orders.parse import parse_orders_file
from stayaway.orders.records import ParsedOrders
from support.wire_examples import ORDERS

SQUARE = [[-111.9, 33.4], [-111.8, 33.4], [-111.8, 33.5], [-111.9, 33.5], [-111.9, 33.4]]
WINDOW = {
    "time_zone": "America/Phoenix",
    "start_local": "2026-01-05T08:00:00",
    "end_local": "2026-01-05T17:00:00",
    "rrule": "FREQ=WEEKLY;BYDAY=MO,TU",
}


def example() -> dict[str, Any]:
    return copy.deepcopy(ORDERS)


def rich() -> dict[str, Any]:
    """An order with everything that WIRE.md lists."""
    copied: dict[str, Any] = json.loads(json.dumps(_rich()))
    return copied


def _rich() -> dict[str, Any]:
    body = example()
    order = body["orders"][0]
    order |= {
        "order_number": "17",
        "nic_number": "H123",
        "issuing_jurisdiction": "US-AZ",
        "issued_on": "2026-01-04",
        "relief": False,
        "conditions": ["01", "04"],
        "confidentiality": ["ADDRESS_WITHHELD"],
        "not_monitored": ["300 feet from the petitioner"],
        "protected_persons": [{"protected_person_id": "P1", "name": "A. B."}],
        "supersedes_order_id": "O0",
        "source_document_sha256": "ab" * 32,
        "extensions": {"vendor": {"depth": [1, None]}},
    }
    order["respondents"][0]["name"] = "C. D."
    order["respondents"][0]["vehicles"][0] |= {
        "plate_type": "PC",
        "plate_year": "2026",
        "vin": "1M8GDM9AXKP042788",
        "make": "Ford",
        "model": "F-150",
        "colour": "blue",
        "used_by": ["P1"],
        "last_verified_at": "2026-01-04T00:00:00Z",
    }
    order["zones"].append(
        {
            "zone_id": "Z2",
            "place_type": "SCHOOL",
            "geometry": {"type": "Polygon", "coordinates": [SQUARE]},
            "distance_value": 100,
            "distance_unit": "YD",
            "anchor": "PARCEL",
            "anchor_accuracy_m": 3,
            "warning_m": 50.5,
            "warning_alerts": True,
            "schedule": [WINDOW],
            "protected_person_ids": ["P1"],
            "address_confidential": True,
        }
    )
    order["exceptions"] = [
        {
            "exception_id": "E1",
            "kind": "CHILD_EXCHANGE",
            "authority": "par. 4",
            "zone_ids": ["Z2"],
            "windows": [WINDOW],
            "place": {"type": "MultiPolygon", "coordinates": [[SQUARE[::-1]]]},
        },
        {
            "exception_id": "E2",
            "kind": "OTHER",
            "authority": "par. 5",
            "windows": [WINDOW],
            "place": "WHOLE_ZONE",
        },
    ]
    body["recalls"] = [
        {
            "order_id": "O1",
            "recorded_at": "2026-02-01T00:00:00.25Z",
            "recalled_at": "2026-02-01T00:00:00Z",
            "reason_text": "dismissed",
            "void": False,
        }
    ]
    body["suspensions"] = [
        {
            "order_id": "O1",
            "recorded_at": "2026-01-20T00:00:00Z",
            "from_at": "2026-01-21T00:00:00Z",
            "until_at": "2026-01-22T00:00:00Z",
            "reason_text": "moving day",
        }
    ]
    return body


def parse(body: Any) -> ParsedOrders:
    return parse_orders_file(json.dumps(body).encode())


def pointers(parsed: ParsedOrders, severity: str) -> list[str]:
    return [finding.pointer for finding in parsed.findings if finding.severity == severity]
