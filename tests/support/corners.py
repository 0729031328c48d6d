"""One order a corner: inputs that stand exactly on the edge of a rule, which random ones seldom do."""

import json
from datetime import timedelta
from typing import Any

from stayaway.kernel.instants import format_instant, parse_instant
from support.wire_examples import CHECK_IN, ORDERS, POLICY
from support.worlds import World

Json = dict[str, Any]

_HALF_SIDE = 0.002  # degrees; some 190 m
_LON, _LAT = CHECK_IN["lon"], CHECK_IN["lat"]
_RING = [
    [_LON + x * _HALF_SIDE, _LAT + y * _HALF_SIDE] for x, y in ((-1, -1), (1, -1), (1, 1), (-1, 1), (-1, -1))
]
_SQUARE = {"type": "Polygon", "coordinates": [_RING]}
# Los Angeles shows 01:30 twice that night, first at 08:30 UTC.
_REPEATED = {
    "time_zone": "America/Los_Angeles",
    "start_local": "2026-11-01T01:30:00",
    "end_local": "2026-11-01T05:00:00",
}


class _Corners:
    def __init__(self) -> None:
        self.orders: Json = {"schema": "orders.v1", "orders": [], "notices": []}
        self.lines: list[bytes] = []

    def order(
        self, name: str, *, zone: Json | None = None, notice: str | None = None, **changes: Any
    ) -> None:
        """An order over the square whose respondent has a device of that name."""
        record = {
            name: value for name, value in ORDERS["orders"][0].items() if name != "expires_after_notice"
        }
        place = {"zone_id": "Z1", "place_type": "HOME", "geometry": _SQUARE, **(zone or {})}
        person = {"respondent_id": "R1", "vehicles": [], "devices": [{"device_id": f"D-{name}"}]}
        record |= {"order_id": name, "respondents": [person], "zones": [place]}
        self.orders["orders"].append(record | (changes or {"no_expiration": True}))
        told = {**ORDERS["notices"][0], "order_id": name}
        self.orders["notices"].append(told | ({"noticed_at": notice} if notice else {}))

    def fix(self, name: str, at: str, **changes: Any) -> None:
        """A check-in of that order's device, received a second later."""
        received_at = format_instant(parse_instant(at) + timedelta(seconds=1))
        number = f"e{len(self.lines)}"
        event = {**CHECK_IN, "event_id": number, "device_id": f"D-{name}", "observed_at": at}
        self.lines.append(json.dumps({**event, "received_at": received_at, **changes}).encode() + b"\n")


def corner_world() -> World:
    """The corners that `test_edges_are_needed` has found random worlds to miss."""
    c = _Corners()
    # A month after 31 January is 28 February, through that day in Phoenix.
    c.order("short-month", notice="2026-01-31T20:00:00Z", expires_after_notice="P1M")
    for at in ("2026-02-20T12:00:00Z", "2026-03-01T06:59:59.999999Z", "2026-03-01T07:00:00Z"):
        c.fix("short-month", at)
    # One window without a rule: its start belongs, its end does not, the repeated hour is the first.
    c.order("once", zone={"schedule": [_REPEATED]})
    for at in ("2026-11-01T08:29:59.999999Z", "2026-11-01T08:30:00Z", "2026-11-01T13:00:00Z"):
        c.fix("once", at)
    # The occurrence that starts at UNTIL is the last one.
    window = {**_REPEATED, "start_local": "2026-10-01T12:00:00", "end_local": "2026-10-01T14:00:00"}
    c.order("until", zone={"schedule": [window | {"rrule": "FREQ=DAILY;UNTIL=20261003T190000Z"}]})
    for at in ("2026-10-03T19:00:00Z", "2026-10-03T20:00:00Z", "2026-10-04T20:00:00Z"):
        c.fix("until", at)
    # An accuracy equal to the cap is not over it.
    c.order("cap")
    for accuracy_m in (500, 500.0000000001):
        c.fix("cap", "2026-03-06T20:00:00Z", accuracy_m=accuracy_m)
    # One visit, first surely inside, then perhaps: it shows the better of both.
    c.order("relations")
    c.fix("relations", "2026-03-06T20:00:00Z", accuracy_m=5)
    c.fix("relations", "2026-03-06T20:05:00Z", accuracy_m=5, lon=_LON + _HALF_SIDE - 0.00001)
    return World(c.orders, POLICY, c.lines)
