"""What no command can take is refused at its option, by name, before anything is read or opened."""

import os

import pytest

from stayaway.cli.registry_tools import LAST_VERSION
from stayaway.orders.wire import MAX_VERSION
from support.commands import plain_environment, run_stayaway, says_no_traceback

NO_UTF8 = os.fsdecode(b"M\xfcller")  # as a terminal with Latin-1 sends it
BEYOND = "99999999999999999999"
ACT_AT = ("--recalled-at", "2026-03-01T00:00:00Z")
TOLD = ("--kind", "PERSONAL", "--noticed-at", "2026-03-01T00:00:00Z")
RETYPED = ("--case-number", "F-1", "--expiry", "P2Y", "--as", "bob")
GAP = ("partitions", "gap")

NO_TEXT = [
    (("orders", "recall", "O1", "--reason", NO_UTF8, *ACT_AT), "--reason"),
    (("orders", "show", "O1", "--purpose", NO_UTF8), "--purpose"),
    (("orders", "notice", "O1", "--version", "1", "--respondent", NO_UTF8, *TOLD), "--respondent"),
    (("orders", "approve", "1", "--etag", "x", *RETYPED, "--answer", NO_UTF8), "--answer"),
    (("orders", "show", NO_UTF8), "order"),
    (("orders", "show", "O1", "--as", NO_UTF8), "--as"),
    (("orders", "import", "file", "--as", NO_UTF8), "--as"),
    (("alerts", "show", NO_UTF8), "alert"),
    (("deadletters", "show", NO_UTF8, "--purpose", "x"), "place"),
    ((*GAP, NO_UTF8, "0", "--to", "1", "--reason", "x"), "topic"),
    ((*GAP, "t", "0", "--to", "1", "--reason", NO_UTF8), "--reason"),
]
NO_NUMBER = [
    (("alerts", "list", "--before", BEYOND), "--before"),
    (("orders", "draft", "show", BEYOND), "draft"),
    (("orders", "draft", "list", "--before", BEYOND), "--before"),
    (("orders", "confirm", "O1", "--version", "99999999999", *RETYPED), "--version"),
    (("orders", "notice", "O1", "--version", BEYOND, "--respondent", "R1", *TOLD), "--version"),
    (("orders", "draft", "from", "O1", "--version", "99999999999"), "--version"),
    ((*GAP, "t", "99999999999", "--to", "1", "--reason", "x"), "partition"),
    ((*GAP, "t", "0", "--to", BEYOND, "--reason", "x"), "--to"),
    (("orders", "latency", "--days", "nan"), "--days"),
    (("orders", "latency", "--days", "1e300"), "--days"),
    (("orders", "expire", "--every", "99999999999999999"), "--every"),
]
NO_NAMES = ["", "  ", "dora\x1b[2J", "dora\u200b", "dora\u202e", "x" * 5_000]
ACTING = [
    ("alerts", "list"),
    ("alerts", "claim", "1"),
    ("alerts", "acknowledge", "1"),
    ("alerts", "confirm", "1"),
    ("alerts", "dismiss", "1", "--reason", "MISREAD"),
    ("explain", "1"),
    ("deadletters", "show", "t/0/1", "--purpose", "x"),
    ("deadletters", "redrive", "t/0/1", "--purpose", "x"),
    (*GAP, "t", "0", "--to", "1", "--reason", "x"),
    ("orders", "import", "file"),
    ("orders", "check", "file"),
    ("orders", "expire"),
]


def refused(arguments: tuple[str, ...]) -> str:
    done = run_stayaway(*arguments, env=plain_environment(COLUMNS="400"))
    assert (done.returncode, done.stdout) == (2, b"")
    assert says_no_traceback(done)
    return done.stderr.decode()


@pytest.mark.parametrize(("arguments", "name"), NO_TEXT, ids=lambda value: ascii(value)[:60])
def test_bytes_that_are_no_text_are_refused_where_they_stand(arguments: tuple[str, ...], name: str) -> None:
    assert f"Invalid value for '{name}': It holds bytes that are no UTF-8." in refused(arguments)


@pytest.mark.parametrize(("arguments", "name"), NO_NUMBER, ids=lambda value: ascii(value)[:60])
def test_a_number_that_nothing_has_is_refused_where_it_stands(arguments: tuple[str, ...], name: str) -> None:
    assert f"Invalid value for '{name}': " in refused(arguments)


@pytest.mark.parametrize("place", ["t/2147483648/1", f"t/1/{BEYOND}", f"t/{'9' * 5_000}/1"])
def test_a_place_that_no_stream_has_is_no_place(place: str) -> None:
    env = plain_environment(STAYAWAY_DATABASE="postgresql://u@127.0.0.1:9/x", STAYAWAY_WAIT_S="0")
    done = run_stayaway("deadletters", "show", place, "--purpose", "x", env=env)
    assert (done.returncode, says_no_traceback(done)) == (2, True)
    assert done.stderr.startswith(b"This is no dead letter's place.")


@pytest.mark.parametrize("name", NO_NAMES, ids=lambda name: ascii(name)[:20])
def test_who_acts_on_an_alert_has_a_name_that_can_be_read(name: str) -> None:
    words = refused(("alerts", "dismiss", "1", "--reason", "MISREAD", "--as", name))
    assert "Invalid value for '--as': Say who acts" in words


@pytest.mark.parametrize("arguments", ACTING, ids=" ".join)
def test_whoever_acts_by_any_command_has_one(arguments: tuple[str, ...]) -> None:
    assert "Invalid value for '--as': Say who acts" in refused((*arguments, "--as", "dora\u200b"))


def test_a_file_may_be_named_by_any_bytes() -> None:
    done = run_stayaway("orders", "check", NO_UTF8, "--file-only")
    assert done.returncode == 2
    assert b"cannot be read: No such file or directory" in done.stderr


def test_the_last_version_is_the_wire_forms() -> None:
    assert LAST_VERSION == MAX_VERSION
