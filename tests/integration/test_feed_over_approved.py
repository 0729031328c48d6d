"""A court's file over an order that people here approved: recorded and said, or refused, by policy."""

import json
from collections.abc import AsyncIterator, Sequence
from datetime import timedelta
from typing import Any

import pytest

from stayaway.access.registry_policy import RegistryPolicy
from stayaway.alerts.order_changes import Imported, import_orders
from stayaway.kernel.instants import format_instant
from stayaway.orders.cli_support import check_lines
from stayaway.orders.findings import Finding
from stayaway.orders.known_places import NO_PLACES
from stayaway.orders.meet import load_met
from stayaway.orders.parse import parse_orders_file
from stayaway.orders.shortlist import Shortlist
from stayaway.platform.seal import FileSeal
from support.databases import SERVERS
from support.desk import POLICY, Desk, opened_desk
from support.lives import draft_content, registry_policy
from support.tampering import tamper

pytestmark = pytest.mark.parametrize("databases", SERVERS, indirect=True)
Json = dict[str, Any]
FORBIDS = registry_policy(feeds_may_change_approved_orders=False)
ALLOWS = registry_policy(feeds_may_change_approved_orders=True)


@pytest.fixture
async def desk(database: str, seal: FileSeal) -> AsyncIterator[Desk]:
    async with opened_desk(database, seal) as opened:
        yield opened


def version(desk: Desk, number: int, order_id: str = "O1", **changes: Any) -> Json:
    at = format_instant(desk.clock.now)
    return {**draft_content(order_id, **changes), "version": number, "recorded_at": at}


def as_file(orders: Sequence[Json] = (), **lists: Any) -> bytes:
    return json.dumps({"schema": "orders.v1", "orders": list(orders), **lists}).encode()


async def feed(desk: Desk, data: bytes, rules: RegistryPolicy | None = None) -> Imported:
    return await import_orders(
        desk.pool, desk.seal, data, POLICY, actor="feed", at=desk.clock(), registry_policy=rules
    )


def about_approval(findings: Sequence[Finding]) -> list[Finding]:
    return [finding for finding in findings if "of this order here" in finding.remedy]


async def versions_of(desk: Desk, order_id: str = "O1") -> list[int]:
    records = (await desk.get(f"orders/{order_id}/history"))["records"]
    return [item["record"]["version"] for item in records if item["kind"] == "VERSION"]


@pytest.mark.parametrize("rules", [None, registry_policy(), ALLOWS])
async def test_a_version_is_recorded_and_said_once(desk: Desk, rules: RegistryPolicy | None) -> None:
    """Also where the policy says nothing of it, as before there was the field."""
    await desk.in_force()
    data = as_file([version(desk, 2, case_number="F-2")])
    imported = await feed(desk, data, rules)
    (said,) = about_approval(imported.outcome.findings)
    assert (said.severity, said.order_id, said.pointer, said.value) == (
        "WARNING",
        "O1",
        "/orders/0/version",
        "2",
    )
    assert "bob approved version 1 of this order here; version 2 comes with a file" in said.remedy
    assert await versions_of(desk) == [1, 2]
    assert about_approval((await feed(desk, data, rules)).outcome.findings) == []
    (again,) = about_approval((await feed(desk, as_file([version(desk, 3)]), rules)).outcome.findings)
    assert "bob approved version 1" in again.remedy


async def test_where_the_policy_forbids_it_no_version_of_the_file_is_recorded(desk: Desk) -> None:
    """All or nothing, as with every error in a version; recalls, suspensions and notices apply."""
    await desk.in_force()
    at = format_instant(desk.clock.now)
    recall = {"order_id": "O1", "recorded_at": at, "recalled_at": at, "reason_text": "dismissed"}
    data = as_file([version(desk, 2), version(desk, 1, "O2")], recalls=[recall])
    outcome = (await feed(desk, data, FORBIDS)).outcome
    version_said, recall_said = about_approval(outcome.findings)
    assert (version_said.severity, version_said.pointer) == ("ERROR", "/orders/0/version")
    assert "feeds_may_change_approved_orders" in version_said.remedy
    assert (recall_said.severity, recall_said.pointer) == ("WARNING", "/recalls/0/order_id")
    assert (dict(outcome.applied), outcome.held_back) == ({"RECALL": 1}, 1)
    assert await versions_of(desk) == [1]
    assert [item["order_id"] for item in (await desk.get("orders"))["orders"]] == ["O1"]


async def test_their_own_version_in_a_file_and_orders_of_files_are_no_news(desk: Desk) -> None:
    """What was approved here may come back with another content, which is refused as always."""
    await desk.in_force()
    assert (await feed(desk, as_file([version(desk, 1, "O2")]), FORBIDS)).outcome.has_errors is False
    outcome = (await feed(desk, as_file([version(desk, 2, "O2")]), FORBIDS)).outcome
    assert (dict(outcome.applied), about_approval(outcome.findings)) == ({"VERSION": 1}, [])
    clash = (await feed(desk, as_file([version(desk, 1, case_number="F-9")]), FORBIDS)).outcome
    assert [finding.pointer for finding in clash.findings if finding.severity == "ERROR"] == [
        "/orders/0/version"
    ]
    assert (about_approval(clash.findings), clash.held_back) == ([], 0)


async def test_another_content_of_a_version_that_a_file_brought_counts_once(desk: Desk) -> None:
    await desk.in_force()
    await feed(desk, as_file([version(desk, 2)]))
    outcome = (await feed(desk, as_file([version(desk, 2, case_number="F-9")]), FORBIDS)).outcome
    assert [finding.severity for finding in outcome.findings if finding.severity == "ERROR"] == ["ERROR"] * 2
    assert (dict(outcome.applied), outcome.held_back) == ({}, 0)


async def test_a_notice_of_the_court_is_no_news_and_neither_are_acts_here(desk: Desk) -> None:
    await desk.in_force()
    at = format_instant(desk.clock.now)
    notice = {"order_id": "O1", "recorded_at": at, "order_version": 1, "respondent_id": "R1"}
    served = as_file(notices=[notice | {"kind": "PERSONAL", "noticed_at": at}])
    assert about_approval((await feed(desk, served, FORBIDS)).outcome.findings) == []
    recall = {"recalled_at": at, "reason_text": "dismissed"}
    answer = await desk.send("POST", "orders/O1/recalls", "ann", recall)
    assert (answer.status_code, "of this order here" in answer.text) == (201, False)


async def test_a_recall_is_recorded_though_the_approval_does_not_open(desk: Desk) -> None:
    await desk.in_force()
    at = format_instant(desk.clock.now)
    recall = {"order_id": "O1", "recorded_at": at, "recalled_at": at, "reason_text": "dismissed"}
    async with desk.pool.acquire() as conn:
        await tamper(conn, "UPDATE order_approval SET answers_sealed = 'x'")
    outcome = (await feed(desk, as_file(recalls=[recall]), FORBIDS)).outcome
    (said,) = about_approval(outcome.findings)
    assert "somebody approved version 1" in said.remedy
    assert dict(outcome.applied) == {"RECALL": 1}


@pytest.mark.parametrize("may_change", [True, False])
async def test_a_check_says_what_an_import_would(desk: Desk, may_change: bool) -> None:
    await desk.in_force()
    data = as_file([version(desk, 2)])
    async with desk.pool.acquire() as conn:
        met = await load_met(conn, desk.seal, parse_orders_file(data))
    now = desk.clock()
    lines, code = check_lines(data, NO_PLACES, lambda _: met, now=now, may_change_approved=may_change)
    told = [line for line in lines if "of this order here" in line]
    imported = await feed(desk, data, ALLOWS if may_change else FORBIDS)
    assert told == [finding.as_line() for finding in about_approval(imported.outcome.findings)]
    assert code == (0 if may_change else 1)
    async with desk.pool.acquire() as conn:
        again = await load_met(conn, desk.seal, parse_orders_file(data))
    assert bool(again.over_approved) is not may_change


async def test_many_are_one_group_of_a_long_list(desk: Desk) -> None:
    """Of more findings than can be read the first of this kind, and how many there are."""
    for number in range(4):
        assert (await desk.approve(await desk.draft(order_id=f"O{number}"), "bob")).status_code == 201
    imported = await feed(desk, as_file([version(desk, 2, f"O{number}") for number in range(4)]))
    shown = Shortlist(about_approval(imported.outcome.findings) * 60)
    assert [line for line in shown.lines() if not line.startswith("{")] == [
        "WARNING at /orders/*/version: 240 in all, 3 shown"
    ]


async def test_history_preview_and_alert_say_which_versions_came_with_a_file(desk: Desk) -> None:
    await desk.in_force()
    await feed(desk, as_file([version(desk, 2, relief=True)]))
    records = (await desk.get("orders/O1/history"))["records"]
    kinds = {item["record"]["version"]: item["approval"] for item in records if item["kind"] == "VERSION"}
    assert [kinds[number]["kind"] for number in (1, 2)] == ["SECOND_PERSON", "FEED"]
    assert (kinds[2]["over_version"], kinds[2]["over_approver"]) == (1, "bob")
    assert (kinds[1]["over_version"], kinds[1]["over_approver"]) == (None, None)
    draft = await desk.draft()
    preview = await desk.get(f"order-drafts/{draft['draft_number']}/preview")
    assert (preview["before"], preview["before_approval"]) == (2, kinds[2])
    number = await desk.open_alert(desk.clock.now + timedelta(seconds=1))
    async with desk.pool.acquire() as conn:
        before = await desk.get(f"alerts/{number}")
        await conn.execute("UPDATE alert SET order_versions = '{2}' WHERE alert_number = $1", number)
    after = await desk.get(f"alerts/{number}")
    facts = [
        [fact["text"] for fact in alert["facts"] if fact["code"] == "FEED_OVER_APPROVED"]
        for alert in (before, after)
    ]
    came = "Version 2 of this order came with a court's file and nobody here approved it"
    assert facts == [
        [],
        [f"{came}; version 1 was approved here."],
    ]
