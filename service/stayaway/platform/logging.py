"""Structured log lines that cannot carry a plate, a name or an address.

Only the keys listed in LOG_KEYS reach a line, each only with a value of its kind; an event's
name is lower-case words. What other libraries log is reduced to its origin (their texts and
`str(exc)` repeat values: Postgres' DETAIL, reprs of tasks), and an exception to its type and to
the places in our code that it passed.
"""

import logging
import re
import sys
import traceback
from collections.abc import Callable, Mapping, MutableMapping
from types import TracebackType
from typing import Any, TextIO

import structlog

from stayaway.kernel.errors import StayawayError
from stayaway.kernel.instants import format_instant
from stayaway.platform.clock import now

WITHHELD = "[withheld]"
UNNAMED_EVENT = "unnamed_event"

_EVENT = re.compile(r"[a-z][a-z0-9]*(?:[ _][a-z0-9]+)*", re.ASCII)
# Their messages are fixed texts about brokers and sockets, filled in with %-arguments that are
# not printed.
_TEMPLATES_SHOWN = ("aiokafka", "uvicorn.error")
_OUR_PACKAGE = "stayaway"
_MAX_FRAMES = 12
_LEVELS = (logging.DEBUG, logging.INFO, logging.WARNING, logging.ERROR, logging.CRITICAL)


def _kind(pattern: str) -> Callable[[Any], bool]:
    compiled = re.compile(pattern, re.ASCII)
    return lambda value: isinstance(value, str) and compiled.fullmatch(value) is not None


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float)


_NAME = _kind(r"[A-Za-z0-9._-]{1,249}")  # a topic's, group's, client's or file's name
_CODE = _kind(r"[A-Z][A-Z0-9_]{0,63}")  # a closed code: reason, entry type, state
_WORDS = _kind(r"[a-z][a-z0-9_]{0,63}")
_HEX = _kind(r"[0-9a-f]{8,64}")
_ADDRESS = _kind(r"[A-Za-z0-9_./:,\[\]-]{1,300}")  # of a server; never of a person
_POINTER = _kind(r"(?:/[a-z0-9_]{1,40}){0,8}")

# Every key that a line may have, and what its value must be. Add one here, with its kind, or it
# does not appear. None of them can say who, which car or where.
LOG_KEYS: Mapping[str, Callable[[Any], bool]] = {
    "topic": _NAME,
    "group": _NAME,
    "client_id": _NAME,
    "first_position": _WORDS,
    "partition": _is_number,
    "record_offset": _is_number,
    "next_offset": _is_number,
    "expected_offset": _is_number,
    "epoch": _is_number,
    "records": _is_number,
    "batches": _is_number,
    "partitions": _is_number,
    "orders": _is_number,
    "none": _is_number,
    "suppressed": _is_number,
    "alerting": _is_number,
    "refused": _is_number,
    "alerts": _is_number,
    "decisions": _is_number,
    "lag": _is_number,
    "count": _is_number,
    "attempt": _is_number,
    "pid": _is_number,
    "port": _is_number,
    "elapsed_ms": _is_number,
    "wait_s": _is_number,
    "registry_sequence": _is_number,
    "outbox_sequence": _is_number,
    "stream_sequence": _is_number,
    "reason": _CODE,
    "entry_type": _CODE,
    "state": _CODE,
    "field": _POINTER,
    "failpoint": _WORDS,
    "migration": _NAME,
    "sqlstate": _kind(r"[0-9A-Z]{5}"),
    "server": _ADDRESS,
    "policy_sha256": _HEX,
    "engine": _NAME,
    "version": _NAME,
    "tzdata": _NAME,
    "geos": _NAME,
    "numpy": _NAME,
    "python": _NAME,
    "signal": _CODE,
    "error_type": _kind(r"[A-Za-z_.]{0,100}[A-Z][A-Za-z]{0,60}[a-z]"),
    "place": _kind(r"[A-Za-z0-9_.]{1,127}:[0-9]{1,6}(?: in [A-Za-z_][A-Za-z0-9_]{0,63})?"),
}


def configure_logging(*, stream: TextIO | None = None, level: int = logging.INFO) -> None:
    """Send all log lines, ours and other libraries', as JSON to `stream` (stderr).

    Also takes over uncaught exceptions, whose usual traceback prints their text.
    """
    _configure_ours(stream, level)
    handler = _LibraryHandler()
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(max(level, logging.WARNING))
    for name in ("uvicorn", "uvicorn.error", "uvicorn.access"):
        logging.getLogger(name).handlers.clear()
        logging.getLogger(name).propagate = name != "uvicorn.access"  # it prints query strings
    logging.captureWarnings(capture=True)
    sys.excepthook = _log_uncaught


def get_logger() -> structlog.typing.FilteringBoundLogger:
    """A logger: `log.info("partition held", topic=..., reason=...)`; see LOG_KEYS for the keys.

    Before `configure_logging` it prints warnings and errors only, under the same rules.
    """
    if not structlog.is_configured():
        _configure_ours(None, logging.WARNING)
    logger: structlog.typing.FilteringBoundLogger = structlog.get_logger()
    return logger


def _configure_ours(stream: TextIO | None, level: int) -> None:
    structlog.configure(
        processors=[
            structlog.stdlib.add_log_level,
            _add_instant,
            _reduce_exception,
            _keep_listed,
            structlog.processors.JSONRenderer(sort_keys=True),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        # Looked up for each line: a program may put another stream in stderr's place.
        logger_factory=lambda *_: structlog.WriteLogger(stream or sys.stderr),
        cache_logger_on_first_use=False,
    )


def _add_instant(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    event["at"] = format_instant(now())
    return event


def _reduce_exception(
    _logger: Any, _method: str, event: MutableMapping[str, Any]
) -> MutableMapping[str, Any]:
    given = event.pop("exc_info", None)
    error = sys.exc_info()[1] if given is True else given
    if isinstance(error, tuple):
        error = error[1]
    if isinstance(error, BaseException):
        event["error"] = _Reduced(describe_error(error))
    else:
        event.pop("error", None)
    return event


def describe_error(error: BaseException) -> dict[str, Any]:
    """Type, causes and places in our code; the text only of our own errors, which keep to rules."""
    described: dict[str, Any] = {"type": _type_name(error), "places": _our_places(error)}
    if isinstance(error, StayawayError):
        described["message"] = error.message
    sqlstate = getattr(error, "sqlstate", None)
    if LOG_KEYS["sqlstate"](sqlstate):
        described["sqlstate"] = sqlstate
    causes: list[str] = []
    cause = error.__cause__ or error.__context__
    while cause is not None and len(causes) < _MAX_FRAMES:
        causes.append(_type_name(cause))
        cause = cause.__cause__ or cause.__context__
    if causes:
        described["causes"] = causes
    return described


def _type_name(error: BaseException) -> str:
    return f"{type(error).__module__}.{type(error).__qualname__}"


def _our_places(error: BaseException) -> list[str]:
    """`module:line in function` of our frames, the innermost last."""
    places = []
    for frame, line in traceback.walk_tb(error.__traceback__):
        module = str(frame.f_globals.get("__name__", ""))
        if module.split(".", maxsplit=1)[0] == _OUR_PACKAGE:
            places.append(f"{module}:{line} in {frame.f_code.co_name}")
    return places[-_MAX_FRAMES:]


def _keep_listed(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Drop what is not listed, withhold what is not of its kind."""
    kept: dict[str, Any] = {}
    for key, value in event.items():
        if key in ("at", "level") or isinstance(value, _Reduced):
            kept[key] = value
        elif key in LOG_KEYS:
            kept[key] = value if value is None or LOG_KEYS[key](value) else WITHHELD
    name = event.get("event")
    named = isinstance(name, str) and _EVENT.fullmatch(name) is not None
    kept["event"] = name if named else UNNAMED_EVENT
    return kept


class _Reduced(dict[str, Any]):
    """Fields that this module made from an exception or another library's record."""


def _reduce_record(record: logging.LogRecord) -> _Reduced:
    reduced = _Reduced(logger=record.name, place=f"{record.module}:{record.lineno}")
    if record.name.startswith(_TEMPLATES_SHOWN) and isinstance(record.msg, str):
        reduced["template"] = record.msg
    return reduced


class _LibraryHandler(logging.Handler):
    """Other libraries' records, without their texts."""

    def emit(self, record: logging.LogRecord) -> None:
        """One line for `record`."""
        error = record.exc_info[1] if record.exc_info else None
        level = max((known for known in _LEVELS if known <= record.levelno), default=logging.DEBUG)
        get_logger().log(level, "library log", library=_reduce_record(record), exc_info=error)


def _log_uncaught(
    _kind_of: type[BaseException], error: BaseException, _traceback: TracebackType | None
) -> None:
    if isinstance(error, KeyboardInterrupt):
        return
    get_logger().critical("uncaught exception", exc_info=error)
