"""What the database itself refuses, with each rule of the program taken out."""

import asyncio
import json
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any
from urllib.parse import quote

import asyncpg
import pytest

from stayaway.alerts import order_approval
from stayaway.orders import draft_store
from stayaway.orders.codec import StoredOrderError
from stayaway.orders.emergency import Road
from stayaway.platform.seal import FileSeal
from support.databases import SERVERS
from support.desk import START, TYPED, Desk, opened_desk
from support.lives import draft_content
from support.tampering import tamper

pytestmark = pytest.mark.parametrize("databases", SERVERS, indirect=True)

APPROVAL = """INSERT INTO order_approval (draft_number, row_version, order_id, version, content_digest,
    author_ref, approval_kind, approver_ref, approved_at, until_at, answers_sealed)
SELECT draft_number, row_version, order_id, version, content_digest, author_ref, $2, $3, $4, $5, ''
  FROM order_draft_edit WHERE draft_number = 1 AND row_version = $1"""
CONFIRMATION = """INSERT INTO order_confirmation (draft_number, approval_kind, approver_ref, author_ref,
    until_at, confirmer_ref, confirmed_at)
SELECT draft_number, approval_kind, approver_ref, author_ref, until_at, $1, $2 FROM order_approval"""
EMERGENCY = ("EMERGENCY", START, START + timedelta(hours=1))


@pytest.fixture
async def desk(database: str, seal: FileSeal) -> AsyncIterator[Desk]:
    async with opened_desk(database, seal) as opened:
        yield opened


def nothing(*_arguments: Any) -> None:
    """In the place of a rule."""


async def edited_twice(desk: Desk) -> dict[str, Any]:
    """A draft of ann's that cleo edited."""
    draft = await desk.draft()
    other = {"order": draft_content()}
    answer = await desk.send("PUT", "order-drafts/1", "cleo", other, if_match=draft["etag"])
    found: dict[str, Any] = answer.json()
    return found


def ref(desk: Desk, name: str) -> bytes:
    return desk.seal.reference("O1", name)


async def refused(desk: Desk, sql: str, *arguments: Any) -> str | None:
    """The name of the constraint that refuses the statement."""
    async with desk.pool.acquire() as conn:
        with pytest.raises(asyncpg.IntegrityConstraintViolationError) as caught:
            await conn.execute(sql, *arguments)
    name: str | None = caught.value.constraint_name
    return name


@pytest.mark.parametrize("writer", ["ann", "cleo"])
async def test_no_writer_approves_even_without_the_rule(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, writer: str
) -> None:
    """By the rule; and by the database where the rule is gone: the last writer and an earlier one."""
    draft = await edited_twice(desk)
    by_rule = await desk.approve(draft, writer)
    assert (by_rule.status_code, "cannot be its second person" in by_rule.text) == (403, True)
    monkeypatch.setattr(order_approval, "require_another", nothing)
    by_database = await desk.approve(draft, writer)
    assert (by_database.status_code, "order_approval_by_another" in by_database.text) == (403, True)
    assert (await desk.get("orders"))["orders"] == []
    assert (await desk.approve(draft, "bob")).status_code == 201


@pytest.mark.parametrize("name", ["ANN", "\uff41nn", "Ann "])
async def test_the_same_name_written_another_way_is_no_second_person(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    """By the rule, and by the database where the rule is gone."""
    draft = await desk.draft()
    assert (await desk.approve(draft, quote(name))).status_code == 403
    monkeypatch.setattr(order_approval, "require_another", nothing)
    by_database = await desk.approve(draft, quote(name))
    assert (by_database.status_code, "order_approval_by_another" in by_database.text) == (403, True)


async def test_a_name_with_what_nobody_sees_is_refused(desk: Desk) -> None:
    draft = await desk.draft()
    answer = await desk.approve(draft, quote("ann\u200b"))
    assert (answer.status_code, answer.json()["problems"][0]["pointer"]) == (422, "/Stayaway-Actor")


async def test_the_check_alone_refuses_the_author(desk: Desk) -> None:
    """Without the trigger too."""
    await desk.draft()
    async with desk.pool.acquire() as conn:
        await conn.execute("ALTER TABLE order_approval DISABLE TRIGGER USER")
    arguments = (1, "SECOND_PERSON", ref(desk, "ann"), START, None)
    assert await refused(desk, APPROVAL, *arguments) == "order_approval_by_another"


async def test_an_approval_fits_the_last_edit_only(desk: Desk) -> None:
    await edited_twice(desk)
    bob = ref(desk, "bob")
    assert (
        await refused(desk, APPROVAL, 1, "SECOND_PERSON", bob, START, None)
        == "order_approval_binds_the_last_edit"
    )
    forged = APPROVAL.replace("content_digest, author_ref, $2", "'\\x00', author_ref, $2")
    assert (
        await refused(desk, forged, 2, "SECOND_PERSON", bob, START, None)
        == "order_approval_binds_the_last_edit"
    )
    as_another = APPROVAL.replace("content_digest, author_ref, $2", "content_digest, '\\x00', $2")
    assert (
        await refused(desk, as_another, 2, "SECOND_PERSON", ref(desk, "dora"), START, None)
        == "order_approval_binds_the_last_edit"
    )


async def test_an_approved_draft_cannot_be_edited_or_approved_again(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    draft = await desk.draft()
    assert (await desk.approve(draft, "bob")).status_code == 201
    move = "UPDATE order_draft SET content_digest = '\\x00' WHERE draft_number = 1"
    assert await refused(desk, move) == "order_draft_closes_once"
    again = (1, "SECOND_PERSON", ref(desk, "dora"), START, None)
    assert await refused(desk, APPROVAL, *again) == "order_approval_of_an_open_draft"
    async with desk.pool.acquire() as conn:
        await conn.execute("ALTER TABLE order_approval DISABLE TRIGGER USER")
        await conn.execute("ALTER TABLE order_draft DISABLE TRIGGER USER")
    assert await refused(desk, move) == "order_approval_binds_the_last_edit"
    assert await refused(desk, APPROVAL, *again) == "order_approval_pkey"


async def test_of_two_approvers_the_database_takes_one_even_without_the_lock(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    draft = await desk.draft()
    queries = draft_store._SQL
    unlocked = dict(queries._texts) | {
        "lock_draft": queries["lock_draft"].removesuffix("FOR UPDATE;"),
        "lock_registry": queries["lock_registry"].removesuffix("FOR UPDATE;"),
    }
    monkeypatch.setattr(queries, "_texts", unlocked)
    answers = await asyncio.gather(*(desk.approve(draft, f"p{number}") for number in range(6)))
    assert [answer.status_code for answer in answers].count(201) == 1
    async with desk.pool.acquire() as conn:
        assert await conn.fetchval("SELECT count(*) FROM order_record WHERE record_kind = 'VERSION'") == 1


async def test_an_emergency_has_an_end_and_only_an_emergency(desk: Desk) -> None:
    await desk.draft()
    ann = ref(desk, "ann")
    until = START + timedelta(hours=1)
    for kind, end in (("EMERGENCY", None), ("SECOND_PERSON", until), ("EMERGENCY", START)):
        approver = ann if kind == "EMERGENCY" else ref(desk, "bob")
        assert await refused(desk, APPROVAL, 1, kind, approver, START, end) == "order_approval_until"


async def test_the_database_takes_no_later_version_from_one_person_alone(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With the program's rule gone, also for a draft that was renumbered."""
    assert (await desk.approve(await desk.draft(kind="EMERGENCY"), "bob")).status_code == 201
    later = await desk.draft(kind="EMERGENCY")
    road = Road("EMERGENCY", START + timedelta(days=1))
    monkeypatch.setattr(order_approval, "emergency_road", lambda *_: road)
    answer = await desk.approve(later, "ann", emergency_reason_text="night")
    assert (answer.status_code, "order_approval_emergency_first" in answer.text) == (403, True)


async def test_only_another_person_confirms_an_emergency_and_only_in_time(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither the writer, nor an earlier writer, nor who put it in force; by rule and by database."""
    draft = await desk.draft(kind="EMERGENCY")
    content = {"order": draft_content(kind="EMERGENCY")}
    draft = (await desk.send("PUT", "order-drafts/1", "cleo", content, if_match=draft["etag"])).json()
    assert (await desk.approve(draft, "dora", emergency_reason_text="night")).status_code == 201
    path = "orders/O1/versions/1/confirmation"
    for name in ("ann", "cleo", "dora"):
        assert (await desk.send("POST", path, name, TYPED)).status_code == 403
    monkeypatch.setattr(order_approval, "require_another", nothing)
    for name in ("ann", "cleo", "dora"):
        answer = await desk.send("POST", path, name, TYPED)
        assert (answer.status_code, "order_confirmation_by_another" in answer.text) == (403, True)
    late = START + timedelta(days=2)
    assert await refused(desk, CONFIRMATION, ref(desk, "bob"), late) == "order_confirmation_in_time"
    assert (await desk.send("POST", path, "bob", TYPED)).status_code == 201
    assert await refused(desk, CONFIRMATION, ref(desk, "eve"), START) == "order_confirmation_pkey"


async def test_what_two_people_approved_has_no_confirmation(desk: Desk) -> None:
    assert (await desk.approve(await desk.draft(), "bob")).status_code == 201
    sql = CONFIRMATION.replace("until_at, $1", "now() + interval '1 day', $1")
    name = await refused(desk, sql, ref(desk, "eve"), START)
    assert name == "order_confirmation_approval_kind_check"


async def test_a_draft_changed_behind_the_program_is_not_read(desk: Desk) -> None:
    """A row that another content was put into opens no more, and nothing of it is approved."""
    draft = await desk.draft()
    content = json.dumps({"author": "ann", "order": draft_content(case_number="F-0")}).encode()
    sealed = desk.seal.seal("O1", draft_store.SEAL_PURPOSE, content)
    async with desk.pool.acquire() as conn:
        body = await desk.statement(draft)
        await tamper(conn, "UPDATE order_draft_edit SET content_sealed = $1", sealed)
        with pytest.raises(StoredOrderError, match="not the one that was written"):
            await draft_store.load_draft(conn, desk.seal, 1)
    answer = await desk.send("POST", "order-drafts/1/approval", "bob", body, if_match=draft["etag"])
    assert answer.status_code == 500
    assert (await desk.get("orders"))["orders"] == []


@pytest.mark.parametrize("table", ["order_draft_edit", "order_draft"])
async def test_no_table_of_a_sessions_own_hides_what_the_guards_look_at(desk: Desk, table: str) -> None:
    """Neither who wrote an earlier edit, nor that the draft is closed."""
    draft = await edited_twice(desk)
    who, constraint = "ann", "order_approval_by_another"
    if table == "order_draft":
        who, constraint = "bob", "order_approval_of_an_open_draft"
        path = f"order-drafts/{draft['draft_number']}/withdrawal"
        assert (await desk.send("POST", path, "ann", {}, if_match=draft["etag"])).status_code == 200
    made = f"CREATE TEMPORARY TABLE {table} (draft_number bigint, author_ref bytea, state text)"
    sql = APPROVAL.replace("INTO order", "INTO public.order").replace("FROM order", "FROM public.order")
    async with desk.pool.acquire() as conn:
        await conn.execute(made)
        await conn.execute(f"INSERT INTO pg_temp.{table} VALUES (1, '', 'OPEN')")
        with pytest.raises(asyncpg.CheckViolationError) as caught:
            await conn.execute(sql, 2, "SECOND_PERSON", ref(desk, who), START, None)
        assert caught.value.constraint_name == constraint


async def test_no_table_of_a_sessions_own_lets_a_writer_confirm(desk: Desk) -> None:
    await edited_twice(desk)
    async with desk.pool.acquire() as conn:
        await conn.execute(APPROVAL, 2, *emergency_by(desk, "dora"))
        await conn.execute("CREATE TEMPORARY TABLE order_draft_edit (draft_number bigint, author_ref bytea)")
        with pytest.raises(asyncpg.CheckViolationError) as caught:
            await conn.execute(CONFIRMATION, ref(desk, "ann"), START + timedelta(minutes=1))
        assert caught.value.constraint_name == "order_confirmation_by_another"


def emergency_by(desk: Desk, name: str) -> tuple[Any, ...]:
    kind, at, until_at = EMERGENCY
    return kind, ref(desk, name), at, until_at
