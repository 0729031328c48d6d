"""Drafts and their approval over the API: lost updates, repeats, races, what an approval lacks."""

import asyncio
import json
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest

from stayaway.alerts import order_approval
from stayaway.alerts.order_changes import import_orders as import_file
from stayaway.audit.entries import open_entry
from stayaway.audit.store import load_entries
from stayaway.kernel.instants import format_instant
from stayaway.orders import draft_views
from stayaway.platform.seal import FileSeal
from support.databases import SERVERS
from support.desk import POLICY, START, TYPED, Desk, opened_desk
from support.lives import draft_content

pytestmark = pytest.mark.parametrize("databases", SERVERS, indirect=True)

Json = dict[str, Any]


@pytest.fixture
async def desk(database: str, seal: FileSeal) -> AsyncIterator[Desk]:
    async with opened_desk(database, seal) as opened:
        yield opened


async def test_every_edit_needs_the_tag_of_what_was_seen(desk: Desk) -> None:
    draft = await desk.draft()
    other = {"order": draft_content(case_number="F-2")}
    assert (await desk.send("PUT", "order-drafts/1", "ann", other)).status_code == 428
    assert (await desk.send("PUT", "order-drafts/1", "ann", other, if_match='"1-0"')).status_code == 412
    for no_tag in ("*", f"W/{draft['etag']}", f"{draft['etag']}, {draft['etag']}", draft["etag"].strip('"')):
        refused = await desk.send("PUT", "order-drafts/1", "ann", other, if_match=no_tag)
        assert (refused.status_code, refused.json()["type"]) == (412, "urn:stayaway:problem:no-tag"), no_tag
    again = await desk.send("PUT", "order-drafts/1", "cleo", other, if_match=draft["etag"])
    assert again.json()["writers"] == ["ann", "cleo"]
    assert (await desk.send("PUT", "order-drafts/1", "ann", other, if_match=draft["etag"])).status_code == 412
    stale = await desk.approve(draft, "bob", case_number="F-2")
    assert (stale.status_code, stale.json()["type"]) == (412, "urn:stayaway:problem:stale")
    elsewhere = {"order": draft_content("O2")}
    refused = await desk.send("PUT", "order-drafts/1", "ann", elsewhere, if_match=again.headers["etag"])
    assert refused.status_code == 422
    for writer in ("ann", "cleo", " Cleo "):
        assert (await desk.approve(again.json(), writer.strip() or "x", case_number="F-2")).status_code == 403
    gone = await desk.send("POST", "order-drafts/1/withdrawal", "ann", {}, if_match=again.headers["etag"])
    assert gone.json()["state"] == "WITHDRAWN"
    assert (await desk.approve(again.json(), "bob", case_number="F-2")).status_code == 409


async def test_a_draft_sent_twice_is_made_once(desk: Desk) -> None:
    """The same key and body: the same answer, also after an edit; another body: refused."""
    body = {"order": draft_content()}
    answers = await asyncio.gather(
        *(desk.send("POST", "order-drafts", "ann", body, idempotency_key="same") for _ in range(6))
    )
    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.text for answer in answers}) == 1
    first = answers[0]
    other = {"order": draft_content(case_number="F-2")}
    await desk.send("PUT", "order-drafts/1", "cleo", other, if_match=first.headers["etag"])
    again = await desk.send("POST", "order-drafts", "ann", body, idempotency_key="same")
    assert again.text == first.text
    assert (await desk.send("POST", "order-drafts", "ann", other, idempotency_key="same")).status_code == 422
    assert (await desk.send("POST", "order-drafts", "bob", other, idempotency_key="same")).status_code == 201
    assert len((await desk.get("order-drafts"))["drafts"]) == 2


@pytest.mark.parametrize(
    ("changes", "given", "typed", "pointers"),
    [
        ({}, {}, {"case_number": "F-2026-00118"}, ["/case_number"]),
        ({}, {}, {"expiry": "2028-01-06"}, ["/expiry"]),
        ({"conditions": ["04", "06"]}, {"exceptions": "YES"}, {}, ["/answers/exceptions"]),
        ({"conditions": ["04", "06"]}, {}, {"drop": "exceptions"}, ["/answers/exceptions"]),
        ({}, {}, {"drop": "through-road/Z1"}, ["/answers/through-road~1Z1"]),
        ({}, {"through-road": "YES"}, {"bare": "through-road/Z1"}, ["/answers/through-road~1Z1"]),
        (
            {},
            {"mutual": "YES"},
            {"drop": "mutual-petition-and-findings"},
            ["/answers/mutual-petition-and-findings"],
        ),
        ({}, {}, {"extra": "no-such-question"}, ["/answers/no-such-question"]),
    ],
)
async def test_an_approval_that_lacks_something_is_refused_with_its_place(
    desk: Desk, changes: Json, given: dict[str, str], typed: Json, pointers: list[str]
) -> None:
    draft = await desk.draft(**changes)
    body = await desk.statement(draft, **given)
    answers = [answer for answer in body["answers"] if answer["question_id"] != typed.get("drop")]
    for answer in answers:
        if answer["question_id"] == typed.get("bare"):
            answer.pop("reason_text")
    if "extra" in typed:
        answers.append({"question_id": typed["extra"], "answer": "YES"})
    fields = {name: value for name, value in typed.items() if name in TYPED}
    sent = body | fields | {"answers": answers}
    path = f"order-drafts/{draft['draft_number']}/approval"
    answer = await desk.send("POST", path, "bob", sent, if_match=draft["etag"])
    assert answer.status_code == 422
    assert [item["pointer"] for item in answer.json()["problems"]] == pointers
    assert (await desk.get("orders"))["orders"] == []


async def test_who_uses_each_vehicle_is_answered_in_the_draft(desk: Desk) -> None:
    content = draft_content()
    del content["respondents"][0]["vehicles"][1]["used_by"]
    draft = (await desk.send("POST", "order-drafts", "ann", {"order": content})).json()
    checked = await desk.get("order-drafts/1/check")
    preview = await desk.get("order-drafts/1/preview")
    assert (checked["has_errors"], checked["lacks"]) == (False, preview["lacks"])
    assert [item["pointer"] for item in preview["lacks"]] == ["/order/respondents/0/vehicles/1/used_by"]
    refused = await desk.approve(draft, "bob")
    assert [item["pointer"] for item in refused.json()["problems"]] == [
        "/order/respondents/0/vehicles/1/used_by"
    ]


async def test_relief_that_looks_wider_is_approved_with_a_reason_only(desk: Desk) -> None:
    """The check names what is wider than the version in the registry; the approver must say why it may be."""
    await desk.in_force()
    wide = draft_content()["zones"][0] | {"distance_value": 5000}
    draft = await desk.draft(relief=True, zones=[wide])
    checked = await desk.get(f"order-drafts/{draft['draft_number']}/check")
    noted = [item for item in checked["findings"] if item["remedy"].startswith("Marked as relief")]
    assert [(item["severity"], item["pointer"]) for item in noted] == [("WARNING", "/zones/0/zone_id")]
    body = await desk.statement(draft, relief="YES")
    bare = [{**answer, "reason_text": ""} for answer in body["answers"]]
    path = f"order-drafts/{draft['draft_number']}/approval"
    refused = await desk.send("POST", path, "bob", body | {"answers": bare}, if_match=draft["etag"])
    assert [item["pointer"] for item in refused.json()["problems"]] == ["/answers/relief"]
    assert (await desk.send("POST", path, "bob", body, if_match=draft["etag"])).status_code == 201


async def recall(desk: Desk, **more: Any) -> None:
    body = {"recalled_at": format_instant(desk.clock.now), "reason_text": "dismissed", **more}
    assert (await desk.send("POST", "orders/O1/recalls", "ann", body)).status_code == 201


async def test_no_version_of_a_recalled_order_is_approved(desk: Desk) -> None:
    """It could never bind, whatever the check and the approver say of it."""
    await desk.in_force()
    before = await desk.draft()
    statement = await desk.statement(before)
    await recall(desk)
    after = await desk.draft()
    for draft in (before, after):
        path = f"order-drafts/{draft['draft_number']}"
        checked = await desk.get(f"{path}/check")
        errors = [item["pointer"] for item in checked["findings"] if item["severity"] == "ERROR"]
        assert (errors, checked["has_errors"]) == (["/order_id"], True)
        refused = await desk.send("POST", f"{path}/approval", "bob", statement, if_match=draft["etag"])
        assert (refused.status_code, refused.json()["problems"][0]["pointer"]) == (422, "/order/order_id")
        assert (await desk.send("GET", f"{path}/preview", "ann")).status_code == 422
    assert (await desk.draft(order_id="O2"))["version"] == 1


async def test_a_recall_that_is_to_come_keeps_no_version_from_being_approved(desk: Desk) -> None:
    await desk.in_force()
    ahead = format_instant(desk.clock.now + timedelta(days=9))
    await recall(desk, recalled_at=ahead, unusual_accepted=True)
    assert (await desk.approve(await desk.draft(), "bob")).status_code == 201


async def test_a_recall_while_an_approval_is_checked_wins(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The approval compares before it locks the registry: it looks once more under the lock."""
    await desk.in_force()
    draft = await desk.draft()
    compare = draft_views.compare_draft

    async def compare_then_recall(*arguments: Any) -> Any:
        found = await compare(*arguments)
        await recall(desk)
        return found

    statement = await desk.statement(draft)
    monkeypatch.setattr(order_approval, "compare_draft", compare_then_recall)
    path = f"order-drafts/{draft['draft_number']}/approval"
    refused = await desk.send("POST", path, "bob", statement, if_match=draft["etag"])
    assert (refused.status_code, "was recalled" in refused.text) == (409, True)


async def test_of_many_approvers_at_once_exactly_one_wins(desk: Desk) -> None:
    draft = await desk.draft()
    answers = await asyncio.gather(*(desk.approve(draft, f"p{number}") for number in range(8)))
    assert sorted(answer.status_code for answer in answers) == [201, *[409] * 7]
    assert [item["kind"] for item in (await desk.get("orders/O1/history"))["records"]] == ["VERSION"]


async def test_an_edit_and_an_approval_at_once_never_approve_what_nobody_saw(desk: Desk) -> None:
    for number in range(1, 6):
        draft = await desk.draft(order_id=f"O{number}")
        other = {"order": draft_content(f"O{number}", case_number="F-9")}
        path = f"order-drafts/{draft['draft_number']}"
        edited, approved = await asyncio.gather(
            desk.send("PUT", path, "cleo", other, if_match=draft["etag"]), desk.approve(draft, "bob")
        )
        assert {(200, 412), (409, 201), (200, 422)} >= {(edited.status_code, approved.status_code)}
        orders = (await desk.get("orders"))["orders"]
        assert "F-9" not in [item["case_number"] for item in orders]


async def test_the_next_version_is_written_from_the_one_before(desk: Desk) -> None:
    """What was recorded comes back word for word, without what the registry assigns."""
    draft = await desk.draft()
    assert (await desk.approve(draft, "bob")).status_code == 201
    shown = await desk.get("orders/O1/versions/1")
    assert shown["draft"] == draft["order"] == draft_content()
    assert shown["record"]["version"] == 1
    assert (await desk.send("GET", "orders/O1/versions/2", "ann")).status_code == 404
    assert (await desk.get("orders/O1/history"))["records"][0]["approval"]["approver"] == "bob"
    for path in ("orders", "orders/O1", "order-drafts", "orders-due"):
        odd = await desk.send("GET", path, "%00")
        assert odd.status_code in (200, 422), odd.text
    nobody = await desk.send("POST", "order-drafts", "%20", {"order": shown["draft"]})
    assert (nobody.status_code, nobody.json()["problems"][0]["pointer"]) == (422, "/Stayaway-Actor")


async def test_what_the_approver_answered_can_be_read(desk: Desk) -> None:
    """With the draft and with the version: the same; each look is audited before anything is shown."""
    draft = await desk.draft()
    other = {"order": draft_content(conditions=["04", "06"])}
    path = "order-drafts/1"
    draft = (await desk.send("PUT", path, "cleo", other, if_match=draft["etag"])).json()
    assert draft["approval"] is None
    body = await desk.statement(draft, mutual="YES", **{"mutual-petition-and-findings": "YES"})
    assert (
        await desk.send("POST", f"{path}/approval", "bob", body, if_match=draft["etag"])
    ).status_code == 201
    shown = (await desk.get(path))["approval"]
    (record,) = (await desk.get("orders/O1/history"))["records"]
    assert record["approval"] == shown
    assert (shown["kind"], shown["writers"], shown["approver"]) == ("SECOND_PERSON", ["ann", "cleo"], "bob")
    assert {name: shown[name] for name in TYPED} == TYPED
    sent = {item["question_id"]: (item["answer"], item.get("reason_text", "")) for item in body["answers"]}
    kept = {item["question_id"]: (item["answer"], item["reason_text"]) for item in shown["answers"]}
    assert kept == sent
    assert all(item["text"].endswith((".", "?")) for item in shown["answers"])
    content = {**draft_content("O2"), "version": 1, "recorded_at": "2026-01-05T18:00:00Z"}
    data = json.dumps({"schema": "orders.v1", "orders": [content]}).encode()
    await import_file(desk.pool, desk.seal, data, POLICY, actor="feed", at=START)
    (fed,) = (await desk.get("orders/O2/history"))["records"]
    assert (fed["approval"]["kind"], fed["approval"]["approver"], fed["applied_by"]) == ("FEED", None, "feed")


async def test_a_draft_behind_the_registry_is_not_approved(desk: Desk) -> None:
    """Two drafts of one order: the second must be looked at again, and gets the next number."""
    first, second = await desk.draft(), await desk.draft(case_number="F-2")
    assert (await desk.approve(first, "bob")).status_code == 201
    refused = await desk.approve(second, "bob", case_number="F-2")
    assert (refused.status_code, refused.json()["type"]) == (409, "urn:stayaway:problem:conflict")
    path = f"order-drafts/{second['draft_number']}"
    again = (await desk.send("PUT", path, "ann", {"order": second["order"]}, if_match=second["etag"])).json()
    assert again["version"] == 2
    assert again["etag"] != second["etag"]
    assert (await desk.approve(again, "bob", case_number="F-2")).status_code == 201


async def test_pages_of_orders_and_drafts_join_without_gap_or_repeat(desk: Desk) -> None:
    for number in range(5):
        draft = await desk.draft(order_id=f"O{number}")
        assert (await desk.approve(draft, "bob")).status_code == 201
    for start, name, key in (
        ("orders?limit=2", "orders", "order_id"),
        ("order-drafts?limit=2&state=APPROVED", "drafts", "draft_number"),
    ):
        found, path = [], start
        while path:
            page = await desk.get(path.removeprefix("/api/v1/"))
            found += [item[key] for item in page[name]]
            path = page["next"] or ""
        assert len(found) == len(set(found)) == 5


@pytest.mark.parametrize(
    "order",
    [
        "[" * 100_000,
        '{"order_id": "O1", "extensions": ' + '{"a":' * 600 + "1" + "}" * 601,
        '{"order_id": "O1", "extensions": ' + '{"a":' * 64 + "1" + "}" * 65,
        '{"order_id": "O1", "extensions": ' + '{"a":' * 960 + "1" + "}" * 961,
        '{"order_id": "O1", "zones": NaN}',
        '{"order_id": "O1", "zones": 1e400}',
        '{"order_id": "O1", "case_number": "\\ud800"}',
        '{"order_id": "O1", "extensions": {"n": 9007199254740993}}',
        '{"order_id": "O 1"}',
        '{"order_id": 1}',
        '{"order_id": "O1", "version": 1}',
        '{"order_id": "O1", "recorded_at": "2026-03-06T00:00:00Z"}',
        "null",
        "7",
    ],
    ids=lambda text: text[:40],
)
async def test_what_is_no_content_of_a_draft_is_refused_and_stops_nothing(desk: Desk, order: str) -> None:
    headers = {"stayaway-actor": "ann", "idempotency-key": "k", "content-type": "application/json"}
    for body in (f'{{"order": {order}}}', order):
        answer = await desk.http.post("/api/v1/order-drafts", content=body.encode(), headers=headers)
        assert answer.status_code in (400, 422), answer.text
        assert answer.headers["content-type"] == "application/problem+json"
    assert (await desk.get("order-drafts"))["drafts"] == []


async def test_the_deepest_content_that_is_kept_can_be_looked_at_in_every_way(desk: Desk) -> None:
    deep: Json = {}
    for _ in range(62):
        deep = {"a": deep}
    answer = await desk.send("POST", "order-drafts", "ann", {"order": {"order_id": "O1", "extensions": deep}})
    assert answer.status_code == 201
    assert (await desk.get("order-drafts/1"))["order"]["extensions"] == deep
    assert (await desk.get("order-drafts/1/check"))["has_errors"]


async def test_a_files_version_comes_back_however_deep_its_extensions_are(desk: Desk) -> None:
    deep: Json = {}
    for _ in range(480):
        deep = {"a": deep}
    content = {**draft_content(), "version": 1, "recorded_at": "2026-01-05T18:00:00Z", "extensions": deep}
    data = json.dumps({"schema": "orders.v1", "orders": [content]}).encode()
    assert not (
        await import_file(desk.pool, desk.seal, data, POLICY, actor="feed", at=START)
    ).outcome.has_errors
    assert (await desk.get("orders/O1/versions/1"))["record"] == content


async def test_a_draft_wrong_in_every_way_is_kept_and_explained(desk: Desk) -> None:
    """A clerk's work is not lost for an error in it; the check names each place."""
    content = {
        "order_id": "O1",
        "case_number": "\x00",
        "zones": [{"geometry": {"type": "Point", "coordinates": [500, "x"]}}, 7, None],
        "respondents": {"R1": []},
        "unknown": [[]],
        "status": "DRAFT",
    }
    answer = await desk.send("POST", "order-drafts", "ann", {"order": content})
    assert answer.status_code == 201
    found = await desk.get("order-drafts/1/check")
    places = {item["pointer"] for item in found["findings"]}
    assert places >= {"/case_number", "/zones/1", "/zones/2", "/respondents", "/unknown", "/status"}
    shown = await desk.send("GET", "order-drafts/1/preview", "ann")
    assert shown.status_code == 422
    assert "/order/zones/1" in {item["pointer"] for item in shown.json()["problems"]}


async def test_check_preview_and_approval_warn_of_what_the_registry_has(desk: Desk) -> None:
    """Also of what was recorded after the preview; whom it was compared with is audited with each look."""
    await desk.in_force()
    draft = await desk.draft(order_id="O2")
    number = draft["draft_number"]
    check, preview = [await desk.get(f"order-drafts/{number}/{view}") for view in ("check", "preview")]
    for found in (check, preview):
        assert any("Order O1 of the same respondent" in item["remedy"] for item in found["findings"])
        assert not [item for item in found["findings"] if "O3" in item["remedy"]]
    body = await desk.statement(draft)
    content = draft_content("O3")
    content["respondents"][0]["respondent_id"] = "R9"
    record = {**content, "version": 1, "recorded_at": "2026-03-01T00:00:00Z"}
    data = json.dumps({"schema": "orders.v1", "orders": [record]}).encode()
    await import_file(desk.pool, desk.seal, data, POLICY, actor="clerk", at=START)
    path = f"order-drafts/{number}/approval"
    approved = await desk.send("POST", path, "bob", body, if_match=draft["etag"])
    assert approved.status_code == 201
    said = [item["remedy"] for item in approved.json()["findings"]]
    assert any("Order O3 (in the registry" in item and "to another respondent" in item for item in said)
    async with desk.pool.acquire() as conn:
        looks = await load_entries(conn, "web")
        acts = await load_entries(conn, "orders")
    views = [open_entry(desk.seal, row).details for row in looks if row.entry_type == "ORDER_DRAFT_VIEWED"]
    assert [view["compared_with"] for view in views if view["draft_number"] == number] == [["O1"]] * 3
    (act,) = [row for row in acts if row.entry_type == "ORDER_APPROVED" and row.order_id == "O2"]
    assert open_entry(desk.seal, act).details["compared_with"] == ["O1", "O3"]
