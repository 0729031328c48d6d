"""Relief that restricts more than the version before: in a file, and in the rule that approvals ask by."""

import copy
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stayaway.orders.model import OrderVersion
from stayaway.orders.parse import parse_orders_file, to_orders
from stayaway.orders.relief import find_wider, version_relieved
from support.advised import (
    PHOENIX,
    drawn,
    exception,
    findings,
    notice,
    order,
    orders_file,
    respondent,
    vehicle,
    window,
    zone,
)

Json = dict[str, Any]
LATER = {"version": 2, "recorded_at": "2026-01-08T00:00:00Z", "relief": True}
LON, LAT = PHOENIX
TIMED = zone(LON, LAT, schedule=[window()])
HOME = zone(LON, LAT, warning_m=50)
RESTRICTED = order(
    1,
    zones=[HOME],
    exceptions=[exception()],
    respondents=[respondent(1, devices=[{"device_id": "D1"}])],
)


def version(record: Json) -> OrderVersion:
    file = json.dumps({"schema": "orders.v1", "orders": [record]}).encode()
    return to_orders(parse_orders_file(file))[record["order_id"]].versions[0]


def wider(before: Json, **changes: Any) -> list[tuple[str, str]]:
    """(path, text) of what a relief with these changes restricts more."""
    after = copy.deepcopy(before) | LATER | changes
    if {"expires_at", "expires_after_notice", "no_expiration"} & changes.keys():
        after.pop("expires_on", None)
    found = find_wider(version(after), version(before))
    return [("/".join(map(str, item.path)), item.text) for item in found]


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"zones": [zone(LON, LAT, warning_m=50, distance_value=50)]},
        {"zones": [zone(LON, LAT)]},
        {"zones": [zone(LON, LAT, zone_id="Z9", schedule=[window()])]},
        {"zones": [], "not_monitored": ["the distance from her car"]},
        {"expires_on": "2026-12-31"},
        {"expires_at": "2027-01-05T00:00:00Z"},
        {"exceptions": [exception(), exception(exception_id="E2")]},
        {"exceptions": [exception(exception_id="E2", windows=[window(end="2026-01-09T19:00:00")])]},
        {"respondents": [respondent(1, vehicles=[])]},
        {"effective_at": "2026-01-09T00:00:00Z"},
    ],
)
def test_what_only_lifts_is_not_noted(changes: Json) -> None:
    assert wider(RESTRICTED, **changes) == []


@pytest.mark.parametrize(
    ("changes", "path", "words"),
    [
        ({"zones": [HOME | {"distance_value": 5000}]}, "zones/0/zone_id", "not lie within"),
        ({"zones": [HOME, zone(LON + 1, LAT, zone_id="Z2")]}, "zones/1/zone_id", "zone Z2"),
        ({"zones": [HOME | {"warning_m": 60}]}, "zones/0/warning_m", "wider warning ring"),
        ({"zones": [HOME | {"warning_alerts": True}]}, "zones/0/warning_alerts", "alerts in its warning"),
        ({"expires_on": "2027-01-06"}, "expires_on", "ends later"),
        ({"no_expiration": True}, "no_expiration", "never ends"),
        ({"expires_after_notice": "P1D"}, "expires_after_notice", "of another kind"),
        ({"effective_at": "2026-01-01T00:00:00Z"}, "effective_at", "takes effect before"),
        ({"exceptions": []}, "version", "exception E1 is lost"),
        ({"exceptions": [exception(windows=[window(end="2026-01-09T17:30:00")])]}, "version", "narrower"),
        ({"exceptions": [exception(place=drawn(LON, LAT, 0.0001)["geometry"])]}, "version", "narrower"),
        ({"exceptions": [exception(zone_ids=["Z9"])], "zones": [HOME, HOME | {"zone_id": "Z9"}]},
         "version", "zone Z1"),
        ({"respondents": [*RESTRICTED["respondents"], respondent(2, vehicles=[])]},
         "respondents/1/respondent_id", "R2 is bound"),
        ({"respondents": [respondent(1, devices=[{"device_id": "D2"}])]},
         "respondents/0/devices/0/device_id", "D2 is new"),
        ({"respondents": [respondent(1, vehicles=[vehicle(plate="NEW 1")])]},
         "respondents/0/vehicles/0/vehicle_id", "V1 is new"),
    ],
)  # fmt: skip
def test_each_restriction_more_is_named_where_it_stands(changes: Json, path: str, words: str) -> None:
    ((at, text),) = wider(RESTRICTED, **changes)
    assert at == path
    assert words in text


def test_a_schedule_that_is_gone_or_another_may_be_wider() -> None:
    timed = order(1, zones=[TIMED])
    assert wider(timed) == []
    assert wider(timed, zones=[zone(LON, LAT, schedule=[window(end="2026-01-09T17:10:00")])]) == []
    ((path, text),) = wider(timed, zones=[zone(LON, LAT)])
    assert (path, "holds at all times" in text) == ("zones/0/zone_id", True)
    ((path, _),) = wider(timed, zones=[zone(LON, LAT, schedule=[window(rrule="FREQ=DAILY")])])
    assert path == "zones/0/schedule"


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [("P1Y", "P12M", None), ("P1Y", "P11M", None), ("P1Y", "P13M", "later"), ("P90D", "P91D", "later"),
     ("P90D", "P2M", "another unit")],
)  # fmt: skip
def test_intervals_after_notice_are_compared_in_one_unit(old: str, new: str, words: str | None) -> None:
    before = {name: value for name, value in order(1).items() if name != "expires_on"}
    found = wider(before | {"expires_after_notice": old}, expires_after_notice=new)
    assert [words in text for _, text in found if words] == ([True] if words else [])
    assert bool(found) == bool(words)


def test_a_vehicle_that_the_protected_person_no_longer_drives_alerts_anew() -> None:
    people = [{"protected_person_id": "P1"}]
    shared = order(
        1, protected_persons=people, respondents=[respondent(1, vehicles=[vehicle(used_by=["P1"])])],
        zones=[zone(LON, LAT, protected_person_ids=["P1"])],
    )  # fmt: skip
    assert wider(shared) == []
    ((_, text),) = wider(shared, respondents=[respondent(1, vehicles=[vehicle()])])
    assert "no longer used by" in text
    ((_, text),) = wider(shared, zones=[zone(LON, LAT)])
    assert "no longer of a protected person" in text


def test_an_exception_whose_windows_have_passed_is_no_loss() -> None:
    over = exception(windows=[window("2026-01-06T08:00:00", "2026-01-06T09:00:00", rrule=None)])
    before = order(1, exceptions=[over])
    assert wider(before, exceptions=[], effective_at="2026-01-07T00:00:00Z") == []
    assert len(wider(before, exceptions=[])) == 1


@given(lon=st.integers(-20, 20), lat=st.integers(-20, 20), half=st.integers(1, 30), cut=st.integers(0, 1))
def test_a_square_is_within_a_square_if_and_only_if_its_sides_are(
    lon: int, lat: int, half: int, cut: int
) -> None:
    """Against arithmetic on whole numbers of 1e-5 degree; a grid step beyond the side is still within."""
    before = order(1, zones=[drawn(LON, LAT, 20e-5)])
    moved = drawn(LON + lon * 1e-5 + cut * 1e-7, LAT + lat * 1e-5, half * 1e-5)
    is_within = max(abs(lon), abs(lat)) + half <= 20
    assert (wider(before, zones=[moved]) == []) == is_within


def test_relief_relieves_the_latest_earlier_version_that_counts() -> None:
    first, drafted, relief = (
        version(order(1)),
        version(order(1, version=2, status="DRAFT")),
        version(order(1, version=3)),
    )
    assert version_relieved(relief, [relief, drafted, first]) == first
    assert version_relieved(first, [first, relief]) is None


def test_a_file_says_where_its_relief_is_wider() -> None:
    """The reviewer's example: fifty times the distance, a second zone, a second respondent."""
    first = order(1)
    second = first | LATER | {
        "zones": [zone(LON, LAT, distance_value=5000), zone(LON + 0.1, LAT, zone_id="Z2")],
        "respondents": [*first["respondents"], respondent(2)],
    }  # fmt: skip
    told = [notice(first), notice(second, respondent_id="R2")]
    noted = [
        item
        for item in findings(orders_file(first, second, notices=told))
        if item.remedy.startswith("Marked as relief")
    ]
    assert [item.pointer for item in noted] == [
        "/orders/1/respondents/1/respondent_id",
        "/orders/1/zones/0/zone_id",
        "/orders/1/zones/1/zone_id",
    ]
    assert all("wider than version 1" in item.remedy for item in noted)
