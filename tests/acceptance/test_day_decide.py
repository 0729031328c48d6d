"""A whole day through `stayaway decide` equals what the oracle, which shares no code with it, expects."""

import json
import random
import subprocess
from pathlib import Path

import pytest

import compare
from stayaway import ENGINE_VERSION
from support.commands import json_lines, run_stayaway
from support.days import PACKAGED_DAY, DayFolder, build_day, counted_without, without

DAY = DayFolder(PACKAGED_DAY)


def decide(day: DayFolder, events: Path) -> subprocess.CompletedProcess[bytes]:
    return run_stayaway("decide", "--orders", day.orders, "--policy", day.policy, "--events", events)


def telling(output: bytes) -> list[compare.Json]:
    """All lines but those of no match, which most are."""
    lines = output.splitlines()
    return [json.loads(line) for line in lines if not line.endswith(b'"outcome":"NONE"}')]


@pytest.fixture(scope="module")
def unpacked(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return DAY.unpacked_events(tmp_path_factory.mktemp("day"))


@pytest.fixture(scope="module")
def printed(unpacked: Path) -> bytes:
    """What one run over the packaged day prints; 1, as some of its lines are malformed."""
    done = decide(DAY, unpacked)
    assert done.returncode == 1, done.stderr[-2000:]
    assert done.stderr == b""
    return done.stdout


def test_the_packaged_day_comes_out_as_expected(printed: bytes) -> None:
    """Every decision, match, reason, caution, alert and count, field by field."""
    assert compare.differences(DAY.expected(), telling(printed)) == []


def test_there_is_a_decision_for_each_line_that_is_not_blank(printed: bytes) -> None:
    decided = [line["line"] for line in json_lines(printed) if line["schema"] == "decision.v1"]
    assert decided == [number for number, line in enumerate(DAY.event_lines(), start=1) if line.strip()]


def test_a_line_of_no_match_says_nothing_of_its_event(printed: bytes) -> None:
    none = [line for line in json_lines(printed) if line.get("outcome") == "NONE"]
    assert len(none) == DAY.expected_summary()["none"]
    assert all(line.keys() == {"schema", "line", "outcome"} for line in none)


def test_the_summary_names_the_versions_that_the_result_depends_on(printed: bytes) -> None:
    versions = json_lines(printed)[-1]["versions"]
    assert versions["engine"] == ENGINE_VERSION
    assert versions["policy_id"] == "example-day-1"
    assert len(versions["policy_sha256"]) == 64
    assert versions["tzdata"]
    assert versions["geos"]


def test_a_second_run_prints_the_same_bytes(printed: bytes, unpacked: Path) -> None:
    assert decide(DAY, unpacked).stdout == printed


def test_shuffled_events_make_the_same_alerts(printed: bytes, tmp_path: Path) -> None:
    """Each event is judged as before and the alerts are the same, but for the lines they stand in."""
    seed = random.SystemRandom().randrange(1 << 32)
    print(f"seed {seed}")  # noqa: T201 - shown when the test fails
    lines = DAY.event_lines()
    random.Random(seed).shuffle(lines)
    shuffled = tmp_path / "events.jsonl"
    shuffled.write_bytes(b"".join(lines))
    before, after = telling(printed), telling(decide(DAY, shuffled).stdout)

    def alerts(output: list[compare.Json]) -> list[str]:
        return [without(line, "lines") for line in output if line["schema"] == "alert.v1"]

    assert alerts(after) == alerts(before)
    assert counted_without(after, "line", "lines") == counted_without(before, "line", "lines")


@pytest.mark.parametrize("draw", range(3))
def test_a_day_of_a_fresh_seed_comes_out_as_expected(draw: int, tmp_path: Path) -> None:
    seed = random.SystemRandom().randrange(1 << 32)
    print(f"draw {draw}: fixtures/build.py --seed {seed} --scale 1000")  # noqa: T201 - the way to repeat it
    day = build_day(seed, tmp_path / "day")
    done = decide(day, day.unpacked_events(tmp_path))
    assert done.returncode == 1, done.stderr[-2000:]
    found = compare.differences(day.expected(), telling(done.stdout))
    assert found == [], f"seed {seed}"


def test_what_was_recorded_later_does_not_count(tmp_path: Path) -> None:
    """--known-at before any recording: nothing matches, though every line is read as before."""
    day = build_day(5, tmp_path / "day")
    events = day.unpacked_events(tmp_path)
    done = run_stayaway(
        "decide", "--orders", day.orders, "--policy", day.policy, "--events", events,
        "--known-at", "2000-01-01T00:00:00Z",
    )  # fmt: skip
    summary, expected = json_lines(done.stdout)[-1], day.expected_summary()
    assert (summary["read"], summary["refused"]) == (expected["read"], expected["refused"])
    assert (summary["alert"], summary["suppressed"], summary["alerts"]) == (0, 0, 0)
    assert summary["known_at"] == "2000-01-01T00:00:00Z"
