"""Whoever checks, previews or approves is told what plate readers do not cover, or that nobody looked."""

import json
from typing import Any

import pytest

from stayaway.audit.entries import open_entry
from stayaway.audit.store import load_entries
from stayaway.orders.known_places import NO_PLACES, KnownPlaces
from stayaway.orders.readers import Reader
from stayaway.platform.seal import FileSeal
from support.commands import run_stayaway
from support.databases import SERVERS
from support.desk import Desk, opened_desk
from support.lives import draft_content
from support.shell import ANSWERS, TYPED, Shell

Json = dict[str, Any]
UNCOVERED, NOT_CHECKED = "No reader covers this zone", "No list of plate readers is given"


async def answers(desk: Desk) -> list[Json]:
    """The draft's check, its preview and the approval's answer."""
    draft = await desk.draft()
    views = [await desk.get(f"order-drafts/{draft['draft_number']}/{view}") for view in ("check", "preview")]
    approved = await desk.approve(draft, "bob")
    assert approved.status_code == 201, approved.text
    return [*views, approved.json()]


def said(answer: Json) -> tuple[list[str], list[str]]:
    """Which zones no reader covers, and what was not checked."""
    pointers = [item["pointer"] for item in answer["findings"] if item["remedy"].startswith(UNCOVERED)]
    return pointers, answer["not_checked"]


@pytest.mark.parametrize("databases", SERVERS, indirect=True)
async def test_check_preview_and_approval_name_zones_without_a_reader(database: str, seal: FileSeal) -> None:
    """The approval keeps which list that was said by."""
    lon, lat = draft_content()["zones"][0]["geometry"]["coordinates"]
    far = KnownPlaces(readers=(Reader("r1", lon + 1, lat, 30.0),), file_sha256={"readers": "ab" * 32})
    async with opened_desk(database, seal, far) as desk:
        for answer in await answers(desk):
            assert said(answer) == (["/zones/0/zone_id"], [])
        async with desk.pool.acquire() as conn:
            acts = await load_entries(conn, "orders")
    (act,) = [row for row in acts if row.entry_type == "ORDER_APPROVED"]
    assert open_entry(seal, act).details["known_places_sha256"] == {"readers": "ab" * 32}


@pytest.mark.parametrize("databases", SERVERS, indirect=True)
@pytest.mark.parametrize("is_known", [True, False])
async def test_a_covered_zone_and_one_that_nobody_looked_at_differ(
    database: str, seal: FileSeal, is_known: bool
) -> None:
    lon, lat = draft_content()["zones"][0]["geometry"]["coordinates"]
    places = KnownPlaces(readers=(Reader("r1", lon, lat, 30.0),)) if is_known else NO_PLACES
    async with opened_desk(database, seal, places) as desk:
        for answer in await answers(desk):
            uncovered, not_checked = said(answer)
            assert uncovered == []
            assert [NOT_CHECKED in words for words in not_checked] == ([] if is_known else [True])


def test_commands_say_it_by_option_and_by_setting(shell: Shell) -> None:
    """The same of check, preview, approve, of a file's check and its import."""
    file, orders = shell.folder / "readers.json", shell.folder / "orders.json"
    file.write_text(json.dumps({"schema": "readers.v1", "readers": []}))
    record = {**draft_content("O2"), "version": 1, "recorded_at": "2026-01-05T18:00:00Z"}
    orders.write_text(json.dumps({"schema": "orders.v1", "orders": [record]}))
    shell.orders("draft", "create", shell.write(draft_content()), "--as", "ann")
    tag = json.loads(shell.orders("draft", "show", "1"))["etag"]
    given = [part for answer in ANSWERS for part in ("--answer", answer)]
    looks = (("draft", "check", "1"), ("draft", "preview", "1"), ("check", str(orders)))
    for look in looks:
        unlooked, looked = shell.orders(*look), shell.orders(*look, "--readers", str(file))
        assert (NOT_CHECKED in unlooked, UNCOVERED in unlooked) == (True, False), look
        assert (NOT_CHECKED in looked, UNCOVERED in looked) == (False, True), look
    shell.env["STAYAWAY_READERS_FILE"] = str(file)
    approve = ("approve", "1", "--etag", tag, *TYPED, *given, "--as", "bob")
    for look in (*looks, approve, ("import", str(orders))):
        looked = shell.orders(*look)
        assert (NOT_CHECKED in looked, UNCOVERED in looked) == (False, True), look


def test_commands_name_zones_outside_the_county(shell: Shell) -> None:
    """By option and by setting."""
    ring = [[-120.0, 40.0], [-119.0, 40.0], [-119.0, 41.0], [-120.0, 40.0]]
    area = {
        "type": "Feature",
        "properties": {"name": "Far County", "oris": [draft_content()["court"]["ori"]]},
        "geometry": {"type": "Polygon", "coordinates": [ring]},
    }
    file = shell.folder / "areas.json"
    file.write_text(json.dumps({"schema": "court_areas.v1", "type": "FeatureCollection", "features": [area]}))
    shell.orders("draft", "create", shell.write(draft_content()), "--as", "ann")
    for view in ("check", "preview"):
        assert "Far County" not in shell.orders("draft", view, "1")
        assert "The zone's centre lies outside Far County" in shell.orders(
            "draft", view, "1", "--areas", str(file)
        )
    shell.env["STAYAWAY_COURT_AREAS_FILE"] = str(file)
    assert "The zone's centre lies outside Far County" in shell.orders("draft", "preview", "1")
    file.write_text("{}")
    assert "The court areas file" in shell.orders("draft", "preview", "1", code=2)


@pytest.mark.parametrize("content", [None, "{}"])
def test_a_list_of_readers_that_cannot_be_used_stops_every_check(shell: Shell, content: str | None) -> None:
    """Missing or bad: no check goes on without it, and the page does not start."""
    file = shell.folder / "readers.json"
    if content is not None:
        file.write_text(content)
    shell.orders("draft", "create", shell.write(draft_content()), "--as", "ann")
    tag = json.loads(shell.orders("draft", "show", "1"))["etag"]
    orders = shell.folder / "orders.json"
    orders.write_text('{"schema": "orders.v1"}')
    shell.env["STAYAWAY_READERS_FILE"] = str(file)
    for look in (
        ("draft", "check", "1"),
        ("draft", "preview", "1"),
        ("check", str(orders)),
        ("import", str(orders)),
        ("approve", "1", "--etag", tag, *TYPED, "--as", "bob"),
    ):
        assert "The readers file" in shell.orders(*look, code=2), look
    page = run_stayaway("web", "--port", "0", env=shell.env)
    assert (page.returncode, b"The readers file" in page.stderr) == (2, True)
