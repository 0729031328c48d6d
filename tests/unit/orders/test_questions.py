"""What an approver is asked, and what keeps a version from being approved."""

import json
from dataclasses import replace
from typing import Any

import pytest

from stayaway.kernel.errors import RefusedError
from stayaway.orders.model import OrderVersion
from stayaway.orders.parse import parse_orders_file, to_orders
from stayaway.orders.questions import (
    Answer,
    ApprovalStatement,
    check_answers,
    content_lacks,
    expiry_text,
    questions,
    require_statement,
)
from support.alert_seed import order

WINDOW = {
    "time_zone": "America/Phoenix",
    "start_local": "2026-01-09T17:00:00",
    "end_local": "2026-01-09T18:00:00",
    "rrule": "FREQ=WEEKLY",
}
PAST = {
    "time_zone": "America/Phoenix",
    "start_local": "2025-12-24T00:00:00",
    "end_local": "2025-12-26T00:00:00",
}
EXCEPTION = {
    "exception_id": "E1",
    "kind": "CHILD_EXCHANGE",
    "authority": "par. 4",
    "windows": [WINDOW],
    "place": "WHOLE_ZONE",
}
NO = Answer(answer="NO")


def version(**changes: Any) -> OrderVersion:
    body = {"schema": "orders.v1", "orders": [order(**changes)]}
    return to_orders(parse_orders_file(json.dumps(body).encode()))["O1"].versions[0]


def zone(zone_id: str, lon: float) -> dict[str, Any]:
    found: dict[str, Any] = order()["zones"][0] | {"zone_id": zone_id}
    return found | {"geometry": {"type": "Point", "coordinates": [lon, 33.4]}}


def asked(after: OrderVersion, before: OrderVersion | None = None) -> list[str]:
    return [question.question_id for question in questions(after, before)]


FIRST = ["mutual", "mutual-petition-and-findings"]


def test_a_first_version_is_asked_for_each_zone_and_whether_it_is_mutual() -> None:
    assert asked(version()) == [*FIRST, "through-road/Z1", "own-place/Z1"]


def test_a_later_version_is_asked_only_for_zones_that_are_new_or_drawn_anew() -> None:
    before = version(zones=[zone("Z1", -111.9), zone("Z2", -111.8)])
    after = version(zones=[zone("Z1", -111.9), zone("Z2", -111.7), zone("Z3", -111.6)])
    expected = ["through-road/Z2", "own-place/Z2", "through-road/Z3", "own-place/Z3"]
    assert asked(after, before) == expected
    assert asked(before, before) == []


def test_custody_rights_without_an_exception_need_a_reason_why_there_is_none() -> None:
    after = version(conditions=["04", "06"])
    question = questions(after, after)[0]
    assert (question.question_id, question.allowed, question.reason_on) == ("exceptions", ("NO",), ("NO",))
    assert check_answers((question,), {"exceptions": Answer(answer="YES")})
    assert check_answers((question,), {"exceptions": NO})
    assert not check_answers((question,), {"exceptions": Answer(answer="NO", reason_text="none ordered")})
    given = version(conditions=["04", "06"], exceptions=[EXCEPTION])
    assert asked(given, given) == []


FAR = {"type": "Polygon", "coordinates": [[[-111.5, 33.0], [-111.4, 33.0], [-111.4, 33.1], [-111.5, 33.0]]]}


@pytest.mark.parametrize(
    "changes",
    [
        {"windows": []},
        {"windows": [PAST]},
        {
            "windows": [
                WINDOW
                | {
                    "rrule": "FREQ=WEEKLY;UNTIL=20260101T000000Z",
                    "start_local": "2025-01-03T17:00:00",
                    "end_local": "2025-01-03T18:00:00",
                }
            ]
        },
        {"windows": [WINDOW | {"start_local": "2030-01-04T17:00:00", "end_local": "2030-01-04T18:00:00"}]},
        {"place": FAR},
    ],
    ids=["no window", "past", "a rule that is over", "after the order", "elsewhere"],
)
def test_an_exception_that_can_never_apply_is_none(changes: dict[str, Any]) -> None:
    """No way around the question about exceptions, nor around the reasons for a road or a home."""
    found = version(conditions=["04", "06"], exceptions=[EXCEPTION | changes])
    assert "exceptions" in asked(found, found)
    road = tuple(question for question in questions(found, None) if question.question_id == "own-place/Z1")
    assert check_answers(road, {"own-place/Z1": Answer(answer="YES")})


ZONE_QUESTIONS = ["through-road/Z1", "own-place/Z1"]


def people(**changes: Any) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = order()["respondents"]
    return [found[0] | changes, *found[1:]]


@pytest.mark.parametrize(
    "changes",
    [
        {"exceptions": []},
        {"exceptions": [EXCEPTION | {"windows": [PAST]}]},
        {"exceptions": [EXCEPTION | {"windows": [WINDOW | {"end_local": "2026-01-09T17:30:00"}]}]},
        {"respondents": [*people(), {"respondent_id": "R2"}]},
        {"respondents": people(vehicles=people()[0]["vehicles"][:1])},
        {"respondents": people(devices=[{"device_id": "D10"}])},
    ],
    ids=["dropped", "over", "shorter", "respondent", "vehicle", "device"],
)
def test_a_zone_is_asked_about_again_when_what_was_answered_may_hold_no_more(changes: dict[str, Any]) -> None:
    before = version(exceptions=[EXCEPTION])
    assert asked(version(**{"exceptions": [EXCEPTION], **changes}), before) == ZONE_QUESTIONS


def test_another_name_or_authority_asks_nothing_again() -> None:
    before = version(exceptions=[EXCEPTION])
    other = EXCEPTION | {"exception_id": "E7", "authority": "par. 5"}
    assert asked(version(exceptions=[other], respondents=people(name="Kim Sample")), before) == []


def test_relief_that_looks_wider_needs_a_reason() -> None:
    wide = version(relief=True, zones=[order()["zones"][0] | {"distance_value": 5000}], respondents=people())
    question = questions(wide, version())[0]
    assert (question.question_id, question.reason_on) == ("relief", ("YES",))
    assert "zone Z1 does not lie within any zone" in question.text
    assert check_answers((question,), {"relief": Answer(answer="YES")})
    assert not check_answers((question,), {"relief": Answer(answer="YES", reason_text="the court's erratum")})
    assert check_answers((question,), {"relief": Answer(answer="NO", reason_text="it is wider")})


def test_relief_must_only_lift_restrictions() -> None:
    before = version()
    assert asked(version(relief=True), before) == ["relief"]
    (question,) = questions(version(relief=True), before)
    assert check_answers((question,), {"relief": NO})
    assert not check_answers((question,), {"relief": Answer(answer="YES")})
    assert "relief" not in asked(version(relief=True))


@pytest.mark.parametrize(("zone_ids", "needs"), [(None, False), (["Z1"], False), (["Z2"], True)])
def test_a_through_road_needs_an_exception_for_that_zone_or_a_reason(
    zone_ids: list[str] | None, needs: bool
) -> None:
    exception = EXCEPTION | ({"zone_ids": zone_ids} if zone_ids else {})
    zones = [zone("Z1", -111.9), zone("Z2", -111.8)]
    found = questions(version(zones=zones, exceptions=[exception]), None)
    road = tuple(question for question in found if question.question_id == "through-road/Z1")
    given = {"through-road/Z1": Answer(answer="YES")}
    assert bool(check_answers(road, given)) == needs
    assert not check_answers(road, {"through-road/Z1": Answer(answer="YES", reason_text="a dead end")})
    assert not check_answers(road, {"through-road/Z1": NO})


def test_a_mutual_order_without_petition_and_findings_needs_the_approvers_recorded_yes() -> None:
    found = questions(version(), None)[:2]
    mutual = {"mutual": Answer(answer="YES")}
    second = "mutual-petition-and-findings"
    assert not check_answers(found, {"mutual": NO})
    assert check_answers(found, mutual)
    assert check_answers(found, mutual | {second: NO})
    assert not check_answers(found, mutual | {second: Answer(answer="NO", reason_text="entered on request")})
    assert not check_answers(found, mutual | {second: Answer(answer="YES")})
    assert check_answers(found, {"mutual": NO, second: NO}), "nobody asked the second one"


def test_a_vehicle_whose_users_nobody_named_is_answered_in_the_draft() -> None:
    people = order()["respondents"]
    del people[0]["vehicles"][0]["used_by"]
    lacking = version(respondents=people)
    assert [path for path, _ in content_lacks(lacking)] == [
        ("order", "respondents", 0, "vehicles", 0, "used_by")
    ]
    assert content_lacks(version()) == []


@pytest.mark.parametrize(
    ("expiry", "text"),
    [
        ({"expires_on": "2028-01-05"}, "2028-01-05"),
        ({"expires_at": "2028-01-05T17:00:00Z"}, "2028-01-05T17:00:00Z"),
        ({"expires_after_notice": "P90D"}, "P90D"),
        ({"no_expiration": True}, "none"),
    ],
)
def test_the_expiry_is_retyped_as_the_papers_have_it(expiry: dict[str, Any], text: str) -> None:
    body = {name: value for name, value in order().items() if name != "expires_on"} | expiry
    file = json.dumps({"schema": "orders.v1", "orders": [body]}).encode()
    found = to_orders(parse_orders_file(file))["O1"].versions[0]
    assert expiry_text(found) == text
    answers = dict.fromkeys(("mutual", "through-road/Z1", "own-place/Z1"), NO)
    typed = ApprovalStatement(case_number="F-2026-00117", expiry=text, answers=answers)
    require_statement(found, None, typed)
    with pytest.raises(RefusedError) as refused:
        require_statement(found, None, replace(typed, expiry="2030-01-01"))
    assert [path for path, _ in refused.value.problems] == [("expiry",)]
    assert text not in str(refused.value).replace("2028-01-05, 2028-01-05T17:00:00Z, P2Y or none", "")
