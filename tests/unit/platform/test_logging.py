"""Log lines: nothing that could name a person, a car or a place reaches them."""

import io
import json
import logging
import sys
import warnings
from collections.abc import Iterator
from typing import Any

import pytest
import structlog

from stayaway.kernel.errors import StayawayError
from stayaway.platform.logging import (
    UNNAMED_EVENT,
    WITHHELD,
    configure_logging,
    describe_error,
    get_logger,
)

PLATE = "8AK471"


@pytest.fixture
def stream() -> Iterator[io.StringIO]:
    root, hook = logging.getLogger(), sys.excepthook
    before, level = root.handlers[:], root.level
    written = io.StringIO()
    configure_logging(stream=written)
    yield written
    root.handlers[:], sys.excepthook = before, hook
    root.setLevel(level)
    logging.captureWarnings(capture=False)
    structlog.reset_defaults()


def lines(stream: io.StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def test_a_listed_key_is_printed(stream: io.StringIO) -> None:
    get_logger().info("partition held", topic="stayaway.plate-reads.v1", partition=3, reason="GAP")
    (line,) = lines(stream)
    assert line.pop("at").endswith("Z")
    assert line == {
        "event": "partition held",
        "level": "info",
        "topic": "stayaway.plate-reads.v1",
        "partition": 3,
        "reason": "GAP",
    }


@pytest.mark.parametrize(
    "fields",
    [
        {"plate": PLATE},
        {"name": PLATE},
        {"detail": {"plate": PLATE}},
        {"reason": f"plate {PLATE}"},
        {"partition": PLATE},
        {"topic": f"a plate {PLATE}"},
        {"field": f"/candidates/{PLATE}"},
        {"error": f"plate {PLATE}"},
        {"level": PLATE},
        {"library": PLATE},
        {"library": {"fields": PLATE}},
    ],
)
def test_anything_else_is_not(stream: io.StringIO, fields: dict[str, Any]) -> None:
    get_logger().info("read refused", **fields)
    assert PLATE not in stream.getvalue()


def test_a_value_of_the_wrong_kind_is_withheld(stream: io.StringIO) -> None:
    get_logger().info("read refused", reason=PLATE.lower())
    assert lines(stream)[0]["reason"] == WITHHELD


def test_an_event_with_a_value_in_its_name_loses_it(stream: io.StringIO) -> None:
    get_logger().info(f"read {PLATE} refused")
    assert lines(stream)[0]["event"] == UNNAMED_EVENT
    assert PLATE not in stream.getvalue()


def test_an_exception_is_its_type_and_our_places(stream: io.StringIO) -> None:
    try:
        _raise_with_cause()
    except ValueError:
        get_logger().exception("batch failed")
    error = lines(stream)[0]["error"]
    assert error["type"] == "builtins.ValueError"
    assert error["causes"] == ["builtins.KeyError"]
    assert "message" not in error
    assert PLATE not in stream.getvalue()


def _raise_with_cause() -> None:
    try:
        dict[str, str]()[PLATE]
    except KeyError as error:
        raise ValueError(f"no vehicle {PLATE}") from error


def test_the_places_are_those_of_our_code() -> None:
    error = StayawayError("no such order", "look again")
    described = describe_error(error)
    assert described["message"] == "no such order"
    from stayaway.platform.settings import read_settings

    try:
        read_settings({"STAYAWAY_WAIT_S": PLATE})
    except StayawayError as raised:
        places = describe_error(raised)["places"]
    assert [place.split(":")[0] for place in places] == ["stayaway.platform.settings"]


def test_what_libraries_log_loses_its_text(stream: io.StringIO) -> None:
    logging.getLogger("asyncio").error("Task exception was never retrieved: %s", PLATE)
    text = f"row {PLATE}"
    logging.getLogger("some.library").warning(text)
    logging.getLogger("aiokafka.conn").warning("Unable connect to %s", PLATE)
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        logging.captureWarnings(capture=False)  # pytest has put its own catcher in between
        logging.captureWarnings(capture=True)
        warnings.warn(f"about {PLATE}", UserWarning, stacklevel=1)
        logging.captureWarnings(capture=False)
    assert PLATE not in stream.getvalue()
    printed = [line["library"] for line in lines(stream)]
    assert [entry["logger"] for entry in printed] == [
        "asyncio",
        "some.library",
        "aiokafka.conn",
        "py.warnings",
    ]
    assert [entry.get("template") for entry in printed] == [None, None, "Unable connect to %s", None]


def test_a_library_level_of_its_own_is_logged(stream: io.StringIO) -> None:
    logging.getLogger("odd").log(45, "x")
    assert lines(stream)[0]["level"] == "error"


def test_an_uncaught_exception_is_logged_without_its_text(stream: io.StringIO) -> None:
    error = RuntimeError(f"about {PLATE}")
    sys.excepthook(RuntimeError, error, None)
    assert lines(stream)[0]["event"] == "uncaught exception"
    assert PLATE not in stream.getvalue()


def test_unconfigured_it_keeps_the_same_rules(capsys: pytest.CaptureFixture[str]) -> None:
    """Warnings and errors only, on standard error: a command's output is its own."""
    structlog.reset_defaults()
    try:
        get_logger().info("read refused", reason="NOT_JSON")
        get_logger().warning("read refused", plate=PLATE, reason=f"plate {PLATE}")
    finally:
        structlog.reset_defaults()
    printed = capsys.readouterr()
    assert printed.out == ""
    assert [json.loads(line)["reason"] for line in printed.err.splitlines()] == [WITHHELD]
