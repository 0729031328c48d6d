"""Commands end in words and with the exit codes that WIRE.md gives, whatever they are given."""

import json
import shlex
from pathlib import Path

import pytest

from stayaway.platform.embedded.broker import EmbeddedBroker
from support.commands import STAYAWAY, json_lines, plain_environment, run_stayaway, says_no_traceback
from support.days import write_example
from support.wire_examples import ORDERS, POLICY

COMMANDS = [
    [],
    ["decide"],
    ["demo"],
    ["matcher"],
    ["web"],
    ["migrate"],
    *(["orders", name] for name in ("check", "import", "show", "history", "list", "due", "draft", "latency")),
    *(
        ["orders", name]
        for name in ("approve", "confirm", "notice", "suspend", "recall", "validate", "expire")
    ),
    *(["orders", "draft", name] for name in ("create", "preview")),
    *(["alerts", name] for name in ("list", "show", "claim", "confirm", "dismiss", "acknowledge")),
    *(["deadletters", name] for name in ("list", "show", "redrive")),
    *(["partitions", name] for name in ("list", "gap")),
    ["zones", "read"],
]


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_every_command_explains_itself(command: list[str]) -> None:
    done = run_stayaway(*command, "--help")
    assert done.returncode == 0
    assert b"Usage" in done.stdout


def test_decide_reads_every_line(tmp_path: Path) -> None:
    done = run_stayaway("decide", *write_example(tmp_path).options())
    assert (done.returncode, done.stderr) == (0, b"")
    assert [line["schema"] for line in json_lines(done.stdout)] == [
        "decision.v1",
        "decision.v1",
        "alert.v1",
        "summary.v1",
    ]


def test_decide_from_standard_input_into_a_file(tmp_path: Path) -> None:
    files = write_example(tmp_path, b"nonsense")
    out = tmp_path / "out.jsonl"
    done = run_stayaway(
        "decide", "--orders", files.orders, "--policy", files.policy, "--events", "-", "--out", out,
        stdin=files.events.read_bytes(),
    )  # fmt: skip
    assert (done.returncode, done.stdout) == (1, b"")
    assert json_lines(out.read_bytes())[2] == {
        "schema": "decision.v1",
        "line": 3,
        "outcome": "REFUSED",
        "reasons": ["NOT_JSON"],
        "field": None,
    }
    assert list(tmp_path.glob("*.part")) == []


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"min_region_confidence": 2}, b"/min_region_confidence"),
        ({"extra": 1}, b"/extra"),
        ({"match_kinds": ["X"]}, b"/match_kinds/0"),
    ],
)
def test_a_bad_policy_is_named_and_nothing_is_decided(
    tmp_path: Path, changes: dict[str, object], words: bytes
) -> None:
    files = write_example(tmp_path)
    files.policy.write_text(json.dumps({**POLICY, **changes}))
    done = run_stayaway("decide", *files.options())
    assert (done.returncode, done.stdout) == (2, b"")
    assert words in done.stderr
    assert says_no_traceback(done)


@pytest.mark.parametrize("name", sorted(POLICY))
def test_no_policy_field_has_a_default(tmp_path: Path, name: str) -> None:
    files = write_example(tmp_path)
    files.policy.write_text(json.dumps({key: value for key, value in POLICY.items() if key != name}))
    done = run_stayaway("decide", *files.options())
    assert done.returncode == 2
    assert f"/{name}".encode() in done.stderr


def test_all_findings_of_bad_orders_and_nothing_decided(tmp_path: Path) -> None:
    files = write_example(tmp_path)
    order = {**ORDERS["orders"][0], "kind": "POLITE", "case_number": 5}
    files.orders.write_text(json.dumps({**ORDERS, "orders": [order]}))
    done = run_stayaway("decide", *files.options())
    assert (done.returncode, done.stdout) == (2, b"")
    findings = [json.loads(line) for line in done.stderr.splitlines() if line.startswith(b"{")]
    assert {"/orders/0/kind", "/orders/0/case_number"} <= {finding["pointer"] for finding in findings}
    checked = run_stayaway("orders", "check", files.orders, "--json")
    assert checked.returncode == 1
    assert json_lines(checked.stdout) == findings
    for finding in findings:
        assert finding.keys() >= {"severity", "order_id", "pointer", "value", "remedy"}


def test_orders_check_of_a_good_and_an_unreadable_file(tmp_path: Path) -> None:
    files = write_example(tmp_path)
    assert run_stayaway("orders", "check", files.orders, "--json").returncode == 0
    files.orders.write_bytes(b"\x00")
    done = run_stayaway("orders", "check", files.orders, "--json")
    assert done.returncode == 2
    assert json_lines(done.stdout)[0]["severity"] == "ERROR"
    assert run_stayaway("orders", "check", tmp_path / "missing", "--json").returncode == 2


@pytest.mark.parametrize("missing", ["orders", "policy", "events"])
def test_a_missing_file_is_said(tmp_path: Path, missing: str) -> None:
    files = write_example(tmp_path)
    getattr(files, missing).unlink()
    done = run_stayaway("decide", *files.options())
    assert done.returncode == 2
    assert str(getattr(files, missing)).encode() in done.stderr
    assert says_no_traceback(done)


def test_an_output_that_cannot_be_made_is_said(tmp_path: Path) -> None:
    files = write_example(tmp_path)
    done = run_stayaway("decide", *files.options(), "--out", tmp_path / "missing" / "out.jsonl")
    assert done.returncode == 2
    assert b"out.jsonl cannot be written" in done.stderr
    assert says_no_traceback(done)


@pytest.mark.parametrize(
    ("redirected", "words"),
    [
        ("--events {events} > /dev/full", b"The output cannot be written: No space left on device."),
        ("--events {events} >&-", b"Standard output is closed."),
        ("--events - <&-", b"Standard input is closed."),
        ("--events {many} | head -c 1000; exit ${{PIPESTATUS[0]}}", b""),
    ],
)
def test_a_result_that_is_not_whole_is_not_taken_for_one_with_refusals(
    tmp_path: Path, redirected: str, words: bytes
) -> None:
    files, many = write_example(tmp_path), tmp_path / "many.jsonl"
    many.write_bytes(files.events.read_bytes() * 10_000)
    options = f"--orders {files.orders} --policy {files.policy}"
    line = redirected.format(events=files.events, many=many)
    done = run_stayaway("-c", f"{shlex.join(STAYAWAY)} decide {options} {line}", command=("bash",))
    assert done.returncode == 2
    assert words in done.stderr
    assert says_no_traceback(done)


def test_a_link_that_is_named_as_output_stays_one(tmp_path: Path) -> None:
    files, out, link = write_example(tmp_path), tmp_path / "out.jsonl", tmp_path / "link"
    out.write_bytes(b"before")
    link.symlink_to(out)
    assert run_stayaway("decide", *files.options(), "--out", link).returncode == 0
    assert link.is_symlink()
    assert json_lines(out.read_bytes())[-1]["schema"] == "summary.v1"
    assert list(tmp_path.glob(".*")) == []


def test_an_output_is_only_replaced_by_a_whole_one(tmp_path: Path) -> None:
    files, out = write_example(tmp_path), tmp_path / "out.jsonl"
    out.write_bytes(b"before")
    files.policy.write_bytes(b"{}")
    assert run_stayaway("decide", *files.options(), "--out", out).returncode == 2
    assert out.read_bytes() == b"before"
    assert sorted(path.name for path in tmp_path.glob("out*")) == ["out.jsonl"]


def test_an_instant_before_any_record_makes_no_match(tmp_path: Path) -> None:
    done = run_stayaway("decide", *write_example(tmp_path).options(), "--known-at", "2026-01-05T17:59:59Z")
    assert done.returncode == 0
    assert [line.get("outcome") for line in json_lines(done.stdout)] == ["NONE", "NONE", None]


def test_a_bad_instant_to_know_by(tmp_path: Path) -> None:
    done = run_stayaway("decide", *write_example(tmp_path).options(), "--known-at", "yesterday")
    assert done.returncode == 2
    assert b"--known-at" in done.stderr


@pytest.mark.parametrize(
    "command", [["migrate"], ["matcher"], ["web"], ["alerts", "list"], ["partitions", "list"]]
)
def test_a_missing_setting_is_named(command: list[str]) -> None:
    done = run_stayaway(*command)
    assert done.returncode == 2
    assert b"STAYAWAY_" in done.stderr
    assert says_no_traceback(done)


def test_a_database_that_is_not_there(tmp_path: Path) -> None:
    """One line while waiting, one at the end, and a code that is not 0."""
    env = plain_environment(STAYAWAY_WAIT_S="0.5", STAYAWAY_DATABASE="postgresql://u:secret@127.0.0.1:9/x")
    done = run_stayaway("migrate", env=env)
    assert done.returncode == 1
    assert b"127.0.0.1" in done.stderr
    assert b"secret" not in done.stderr
    assert says_no_traceback(done)


def test_a_broker_that_is_not_there(tmp_path: Path, database: str) -> None:
    files = write_example(tmp_path)
    env = plain_environment(
        STAYAWAY_WAIT_S="0.5",
        STAYAWAY_DATABASE=database,
        STAYAWAY_BOOTSTRAP="127.0.0.1:9",
        STAYAWAY_KEYS_FILE=str(tmp_path / "keys"),
        STAYAWAY_POLICY_FILE=str(files.policy),
        STAYAWAY_FIRST_POSITION="earliest",
    )
    done = run_stayaway("matcher", env=env)
    assert done.returncode == 1
    assert b"Kafka at 127.0.0.1:9 did not answer" in done.stderr
    assert says_no_traceback(done)


def test_topics_that_are_not_there_are_named(
    tmp_path: Path, database: str, embedded_broker: EmbeddedBroker
) -> None:
    files = write_example(tmp_path)
    env = plain_environment(
        STAYAWAY_WAIT_S="1",
        STAYAWAY_DATABASE=database,
        STAYAWAY_BOOTSTRAP=embedded_broker.bootstrap,
        STAYAWAY_KEYS_FILE=str(tmp_path / "keys"),
        STAYAWAY_POLICY_FILE=str(files.policy),
        STAYAWAY_FIRST_POSITION="earliest",
    )
    done = run_stayaway("matcher", env=env)
    assert done.returncode != 0
    assert b"has no topic stayaway." in done.stderr
    assert says_no_traceback(done)


@pytest.mark.parametrize("place", ["somewhere", "topic/0", "topic/x/1", "topic/0/-1"])
def test_a_place_that_is_none_is_said(tmp_path: Path, database: str, place: str) -> None:
    env = plain_environment(
        STAYAWAY_WAIT_S="1",
        STAYAWAY_DATABASE=database,
        STAYAWAY_BOOTSTRAP="127.0.0.1:9",
        STAYAWAY_KEYS_FILE=str(tmp_path / "keys"),
    )
    done = run_stayaway("deadletters", "show", place, "--purpose", "test", env=env)
    assert done.returncode != 0
    assert done.stderr
    assert says_no_traceback(done)


ETAG = ("--etag", "x")
TYPED = ("--case-number", "F-1", "--expiry", "none")
READING = [
    ["explain", "1"],
    ["alerts", "list"],
    ["alerts", "show", "1"],
    ["deadletters", "show", "topic/0/1", "--purpose", "test"],
    ["partitions", "gap", "topic", "0", "--to", "1", "--reason", "test"],
    *(["orders", name, "O1"] for name in ("show", "history")),
    *(["orders", name] for name in ("list", "due")),
    ["orders", "approve", "1", *ETAG, *TYPED, "--as", "ann"],
    ["orders", "recall", "O1", "--reason", "test", "--recalled-at", "2026-03-01T00:00:00Z"],
    *(["orders", "draft", name, "1"] for name in ("show", "check", "preview")),
]


@pytest.mark.parametrize("command", READING, ids=lambda command: " ".join(command[:3]))
def test_what_only_works_on_what_is_there_makes_no_keys(tmp_path: Path, command: list[str]) -> None:
    """A mistyped path is said in one line; keys made for it would open nothing, and hide the mistake."""
    env = plain_environment(
        STAYAWAY_WAIT_S="0",
        STAYAWAY_DATABASE="postgresql://u@127.0.0.1:9/x",
        STAYAWAY_BOOTSTRAP="127.0.0.1:9",
        STAYAWAY_KEYS_FILE=str(tmp_path / "keys"),
    )
    done = run_stayaway(*command, env=env)
    has_answers = command[0] == "explain" or "check" in command  # 1 is one of them
    assert done.returncode == (2 if has_answers else 1)
    (line,) = done.stderr.splitlines()
    assert b"there is no keys file" in line
    assert list(tmp_path.iterdir()) == []


def test_a_check_makes_no_keys_and_says_what_it_looked_at(tmp_path: Path) -> None:
    files, keys = write_example(tmp_path), tmp_path / "keys"
    env = plain_environment(
        STAYAWAY_WAIT_S="0",
        STAYAWAY_DATABASE="postgresql://u@127.0.0.1:9/x",
        STAYAWAY_KEYS_FILE=str(keys),
    )
    done = run_stayaway("orders", "check", files.orders, env=env)
    assert (done.returncode, keys.exists()) == (2, False)
    assert b"there is no keys file" in done.stderr
    for alone in (
        run_stayaway("orders", "check", files.orders, "--file-only", env=env),
        run_stayaway("orders", "check", files.orders),
    ):
        assert alone.returncode == 0
        compared, not_checked = alone.stderr.decode().splitlines()
        assert compared == "Compared with this file only, not with the registry."
        assert not_checked.startswith("NOT CHECKED: No list of plate readers is given")


def test_the_demo_refuses_bad_orders_before_it_starts_anything(tmp_path: Path) -> None:
    files = write_example(tmp_path)
    files.orders.write_text(json.dumps({**ORDERS, "orders": [{}]}))
    env = plain_environment(XDG_STATE_HOME=str(tmp_path / "state"))
    done = run_stayaway("demo", *files.options(), "--exit-when-done", env=env)
    assert done.returncode == 2
    assert not (tmp_path / "state").exists()
