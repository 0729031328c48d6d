"""The life of an order by commands alone: each ends in words, and says what it did."""

import json
import os
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
from shapely.geometry import LineString, shape

from support.commands import STAYAWAY, plain_environment, run_stayaway
from support.lives import REGISTRY_POLICY, draft_content
from support.shell import ANSWERS, TYPED, Shell
from support.wire_examples import ORDERS
from support.zone_files import kml, kml_line


def test_a_zone_of_a_draft_comes_from_a_file(shell: Shell) -> None:
    """A point with its distance from a CSV, a polygon of two in a GeoJSON, the distance around a street of
    a KML; what is wrong changes nothing.
    """
    shell.orders("draft", "create", shell.write(draft_content()), "--as", "ann")
    points, polygons = shell.folder / "zones.csv", shell.folder / "zones.geojson"
    points.write_text("lon,lat,distance_value,distance_unit,name\n-112.07,33.45,200,YD,School\n")
    ring = [[-112.07, 33.45], [-112.06, 33.45], [-112.06, 33.46], [-112.07, 33.46], [-112.07, 33.45]]
    bow = [ring[0], ring[2], ring[1], ring[3], ring[0]]
    features = [
        {"type": "Feature", "properties": {}, "geometry": {"type": "Polygon", "coordinates": [outline]}}
        for outline in (ring, bow)
    ]
    polygons.write_text(json.dumps({"type": "FeatureCollection", "features": features}))

    def give(file: Path, *options: str, zone: str = "Z1", code: int = 0) -> str:
        tag = json.loads(shell.orders("draft", "show", "1"))["etag"]
        given = ("draft", "zone", "1", zone, str(file), "--etag", tag, "--as", "ann", *options)
        return shell.orders(*given, code=code)

    def zones() -> Any:
        return json.loads(shell.orders("draft", "show", "1"))["order"]["zones"]

    before = zones()
    assert "School: usable, Point, 1 vertices, 200 YD" in give(points)
    point = {"geometry": {"type": "Point", "coordinates": [-112.07, 33.45]}}
    assert zones() == [{**before[0], **point, "distance_value": 200.0, "distance_unit": "YD"}, *before[1:]]
    assert "The file has 2 candidates. Name one with --candidate." in give(polygons, code=2)
    assert "The file has no candidate 3. It has 1, 2." in give(polygons, "--candidate", "3", code=2)
    assert "--distance and --unit belong together." in give(points, "--distance", "100", code=2)
    assert "Write one zone with the zone_id Z9" in give(points, zone="Z9", code=1)
    invalid = give(polygons, "--candidate", "2", code=1)
    assert "accept the repair of candidate 2" in invalid
    assert "Nothing was changed." in invalid
    assert zones()[0]["geometry"] == point["geometry"]
    give(polygons, "--candidate", "2", "--accept-repair")
    assert zones()[0]["geometry"]["type"] == "MultiPolygon"
    give(polygons, "--candidate", "1")
    assert zones()[0]["geometry"]["coordinates"] == [ring]
    street = shell.folder / "street.kml"
    street.write_bytes(kml(kml_line([[-112.07, 33.45], [-112.06, 33.455]])))
    assert "A line is no zone by itself" in give(street, code=1)
    give(street, "--distance", "100", "--unit", "YD")
    drawn = zones()[0]
    assert (drawn["geometry"]["type"], drawn["distance_value"], drawn["distance_unit"]) == (
        "Polygon",
        100.0,
        "YD",
    )
    assert shape(drawn["geometry"]).contains(LineString([[-112.07, 33.45], [-112.06, 33.455]]))


def test_from_draft_to_recall(shell: Shell) -> None:
    content = draft_content()
    wrong = {**content, "status": "DRAFT"}
    shell.orders("draft", "create", shell.write(wrong), "--as", "ann")
    assert "ERROR: /status" in shell.orders("draft", "check", "1", code=1)
    tag = json.loads(shell.orders("draft", "show", "1"))["etag"]
    made = shell.orders("draft", "replace", "1", shell.write(content), "--etag", tag, "--as", "ann")
    new_tag = re.search(r'etag ("[^"]+")', made)
    assert new_tag is not None
    preview = shell.orders("draft", "preview", "1")
    assert "TO ANSWER through-road/Z1" in preview
    assert "ADDED zone Z1" in preview
    entered = content["respondents"][0]["vehicles"][0]["plate"]
    for said in (
        f"plate_as_entered: {entered}",
        "distance_value: 100",
        "expiry: 2028-01-05",
        "not_monitored: ",
    ):
        assert f"\n  {said}" in preview
    approve = ("approve", "1", "--etag", new_tag[1], *TYPED)
    given = [part for answer in ANSWERS for part in ("--answer", answer)]
    lacking = shell.orders(*approve, "--as", "bob", "--answer", "mutual=NO", code=1)
    assert "/answers/through-road~1Z1: Not answered" in lacking
    assert "cannot be its second person" in shell.orders(*approve, *given, "--as", "ann", code=1)
    assert "recorded: VERSION of O1" in shell.orders(*approve, *given, "--as", "bob")
    assert "not in force: NOT_NOTICED" in shell.orders("show", "O1")
    assert "NOT_SERVED O1 version 1 respondent R1" in shell.orders("due")
    told = (
        "--version",
        "1",
        "--respondent",
        "R1",
        "--kind",
        "PERSONAL",
        "--noticed-at",
        "2026-02-01T00:00:00Z",
    )
    shell.orders("notice", "O1", *told, "--as", "ann")
    assert "in force for R1" in shell.orders("list")
    wrong_year = ("recall", "O1", "--reason", "dismissed", "--recalled-at", "2027-03-01T00:00:00Z")
    refused = shell.orders(*wrong_year, code=1)
    assert "/recalled_at: It lies ahead" in refused
    assert "--accept-unusual" in refused
    recalled = shell.orders("recall", "O1", "--reason", "dismissed", "--recalled-at", "2026-03-01T00:00:00Z")
    assert "alerts withdrawn 0" in recalled
    shown = json.loads(shell.orders("show", "O1", "--json", "--at", "2026-02-15T00:00:00Z"))
    assert shown["respondents"][0]["in_force"]
    records = shell.orders("history", "O1").splitlines()
    history = [line for line in records if not line.startswith("  ")]
    assert [line.split()[1] for line in history] == ["VERSION", "NOTICE", "RECALL"]
    behind = "\n".join(line for line in records if line.startswith("  "))
    assert "  SECOND_PERSON: draft 1, written by ann, approved by bob at " in behind
    assert "  typed case_number F-2026-00117, expiry 2028-01-05" in behind
    assert "  YES (the order lists it) to own-place/Z1: Does zone Z1 cover" in behind
    approval = json.loads(shell.orders("draft", "show", "1"))["approval"]
    assert approval["answers"][0]["text"].startswith("Is this one of two orders")
    assert "kind=PERSONAL" in history[1]
    assert "void=no" in history[2]
    again = shell.orders(*wrong_year, "--accept-unusual")
    assert "recorded: RECALL of O1" in again
    assert history[0].endswith("by bob")


def test_alone_in_an_emergency_and_then_confirmed(shell: Shell) -> None:
    shell.orders("draft", "create", shell.write(draft_content(kind="EMERGENCY")), "--as", "ann")
    tag = json.loads(shell.orders("draft", "show", "1"))["etag"]
    given = [part for answer in ANSWERS for part in ("--answer", answer)]
    alone = shell.orders("approve", "1", "--etag", tag, *TYPED, *given, "--as", "ann", "--emergency", "night")
    assert "NOT SECOND-CHECKED: another person must confirm it before" in alone
    assert "EMERGENCY_UNCONFIRMED O1" in shell.orders("due")
    assert "cannot be its second person" in shell.orders(
        "confirm", "O1", "--version", "1", *TYPED, "--as", "ann", code=1
    )
    behind = shell.orders("history", "O1")
    assert "  EMERGENCY: draft 1, written by ann, approved by ann at " in behind
    assert ": night\n" in behind
    assert "confirmed at" not in behind
    assert "recorded: CONFIRMATION" in shell.orders("confirm", "O1", "--version", "1", *TYPED, "--as", "bob")
    assert ": night, confirmed at " in shell.orders("history", "O1")
    assert "EMERGENCY" not in shell.orders("due")


def test_a_reader_that_has_gone_is_not_taken_for_the_database(shell: Shell) -> None:
    """As with `| head`: the answer has no reader any more, and nothing is wrong with Postgres."""
    shell.orders("draft", "create", shell.write(draft_content()), "--as", "ann")
    for command in (("draft", "show", "1"), ("draft", "list"), ("list", "--json")):
        reader, writer = os.pipe()
        os.close(reader)
        done = subprocess.run(
            [*STAYAWAY, "orders", *command], stdout=writer, stderr=subprocess.PIPE, check=False, env=shell.env
        )
        os.close(writer)
        assert (done.returncode, done.stderr) == (1, b"")


def test_a_tag_may_lack_the_quotes_that_a_shell_took_off(shell: Shell) -> None:
    file = shell.write(draft_content())
    shell.orders("draft", "create", file, "--as", "ann")
    tag = json.loads(shell.orders("draft", "show", "1"))["etag"]
    shell.orders("draft", "replace", "1", file, "--etag", tag.strip('"'), "--as", "ann")
    for stale in (tag, tag.strip('"')):
        said = shell.orders("draft", "withdraw", "1", "--etag", stale, "--as", "ann", code=1)
        assert "edited since you looked at it" in said


def test_what_is_not_there_or_not_in_form_is_said_in_words(shell: Shell) -> None:
    assert "no such order" in shell.orders("show", "O9", code=1)
    assert "no such draft" in shell.orders("draft", "show", "9", code=1)
    assert "--at is not an instant" in shell.orders("show", "O9", "--at", "yesterday", code=2)
    assert "/order/order_id" in shell.orders(
        "draft", "create", shell.write({"kind": "FINAL"}), "--as", "ann", code=1
    )
    file = Path(shell.write(draft_content()))
    file.write_text(file.read_text().replace('"case_number":', '"case_number": "F-9", "case_number":'))
    said = shell.orders("draft", "create", str(file), "--as", "ann", code=1)
    assert "/order/case_number: The name stands here 2 times" in said
    assert shell.orders("draft", "list") == ""


@pytest.mark.parametrize(
    "act",
    [
        ("draft", "create", "draft.json"),
        ("draft", "replace", "1", "draft.json", "--etag", "x"),
        ("draft", "withdraw", "1", "--etag", "x"),
        ("draft", "zone", "1", "Z1", "zones.csv", "--etag", "x"),
        ("approve", "1", "--etag", "x", *TYPED),
        ("confirm", "O1", "--version", "1", *TYPED),
    ],
)
def test_an_act_that_two_persons_must_do_needs_a_name(act: tuple[str, ...]) -> None:
    done = run_stayaway("orders", *act, env=plain_environment(COLUMNS="100"))
    assert (done.returncode, "Missing option '--as'" in done.stderr.decode()) == (2, True)


def test_all_advice_on_an_import_goes_to_a_file_that_nobody_else_reads(shell: Shell) -> None:
    """What was found is shown too; a file that is there already is not touched."""
    record = ORDERS["orders"][0] | {"status": "VACATED"}
    file, advice = shell.write({"schema": "orders.v1", "orders": [record]}), shell.folder / "advice.jsonl"
    printed = shell.orders("import", file, "--advice", str(advice))
    lines = advice.read_text().splitlines()
    assert "/orders/0/status" in {json.loads(line)["pointer"] for line in lines}
    assert set(lines) <= set(printed.splitlines())
    assert advice.stat().st_mode & 0o777 == 0o600
    assert "cannot be made" in shell.orders("import", file, "--advice", str(advice), code=2)
    assert advice.read_text().splitlines() == lines


def test_check_and_import_say_what_reaches_nobody_and_what_was_held_back(shell: Shell) -> None:
    """Once the registry was looked at nothing is left open; a file that is none exits with 2 in both."""
    notices = ORDERS["notices"]
    shell.orders("import", shell.write({**ORDERS, "notices": []}))
    later = {"schema": "orders.v1", "orders": [], "notices": notices}
    for command in ("check", "import"):
        astray = shell.write({**later, "notices": [notices[0] | {"respondent_id": "R9"}]})
        assert "it names R1." in shell.orders(command, astray)
        assert "brings none that" in shell.orders(
            command, shell.write({**later, "notices": [notices[0] | {"order_id": "O9"}]}), code=1
        )
        assert "it applies if the registry has it" not in shell.orders(command, shell.write(later))
    assert "it applies if the registry has it" in shell.orders("check", shell.write(later), "--file-only")
    good = ORDERS["orders"][0] | {"order_id": "O2"}
    held = shell.write({**later, "orders": [good, good | {"order_id": "O3", "zones": []}]})
    assert "held back: 1 versions" in shell.orders("import", held, code=1)
    assert "no such order" in shell.orders("show", "O2", code=1)
    (shell.folder / "none.json").write_text("{")
    for command in ("check", "import"):
        assert "The file is not" in shell.orders(command, str(shell.folder / "none.json"), code=2)


def test_check_import_and_draft_say_what_the_registry_has(shell: Shell) -> None:
    """The same zone of the same respondent, entered a second time under another number."""
    first = {"schema": "orders.v1", "orders": ORDERS["orders"], "notices": ORDERS["notices"]}
    again = {"schema": "orders.v1", "orders": [{**ORDERS["orders"][0], "order_id": "O2"}]}
    named = "Order O1 of the same respondent has this place already (in the registry, version 1"
    assert named not in shell.orders("import", shell.write(first))
    assert "  FEED: it came with an orders file" in shell.orders("history", "O1")
    checked = shell.orders("check", shell.write(again))
    assert named in checked
    assert "Compared with the registry (sequence 1): 1 orders there concern this file." in checked
    alone = shell.orders("check", shell.write(again), "--file-only")
    assert named not in alone
    assert "Compared with this file only" in alone
    shell.orders("draft", "create", shell.write(draft_content("O2", **same_place())), "--as", "ann")
    drafted = shell.orders("draft", "check", "1")
    assert named in drafted
    assert "TO ANSWER IN THE DRAFT /order/respondents/0/vehicles/0/used_by" in drafted
    assert "The draft can be used once what is to be answered is answered." in drafted
    assert named in shell.orders("import", shell.write(again))


def test_a_file_over_an_approved_order_is_said_or_refused_by_policy(shell: Shell) -> None:
    """Check and import say the same; history and preview say where each version came from."""
    shell.orders("draft", "create", shell.write(draft_content()), "--as", "ann")
    tag = json.loads(shell.orders("draft", "show", "1"))["etag"]
    answers = [option for answer in ANSWERS for option in ("--answer", answer)]
    shell.orders("approve", "1", "--etag", tag, *TYPED, *answers, "--as", "bob")
    record = {**draft_content(), "version": 2, "recorded_at": "2026-01-06T18:00:00Z"}
    file = {"schema": "orders.v1", "orders": [record]}
    strict = shell.folder / "strict.json"
    strict.write_text(json.dumps({**REGISTRY_POLICY, "feeds_may_change_approved_orders": False}))
    said = "bob approved version 1 of this order here; version 2 comes with a file"
    for command in ("check", "import"):
        refused = shell.orders(command, shell.write(file), "--registry-policy", str(strict), code=1)
        assert f"{said}, and nobody here has approved it. The registry's policy lets no file" in refused
    for command in ("check", "import"):
        assert f"{said}, and nobody here has approved it: compare it" in shell.orders(
            command, shell.write(file)
        )
    history = shell.orders("history", "O1")
    assert "no draft of it was approved here, over version 1, which bob approved" in history
    shell.orders("draft", "create", shell.write(draft_content()), "--as", "ann")
    preview = shell.orders("draft", "preview", "2")
    assert "compared with version 2 (FEED, over version 1, which bob approved)" in preview


def same_place() -> dict[str, Any]:
    return {name: ORDERS["orders"][0][name] for name in ("respondents", "zones")}
