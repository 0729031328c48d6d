"""What is wrong in an orders file: where, which value, and what to do about it."""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Literal

from stayaway.kernel.errors import StayawayError
from stayaway.kernel.jsontext import json_pointer

Severity = Literal["ERROR", "WARNING"]
Path = tuple[str | int, ...]

MAX_VALUE_LENGTH = 120


class UnreadableFileError(StayawayError):
    """The bytes are no orders file at all: no JSON, no object, another schema, too large."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing wrong. `pointer` is a JSON Pointer from the file's root; `value` a short text of it.

    An ERROR makes its record unusable; a WARNING is for the clerk to look at.
    """

    severity: Severity
    order_id: str | None
    pointer: str
    value: str
    remedy: str

    def as_line(self) -> str:
        """The finding as one line of JSON, as `orders check --json` prints it."""
        return json.dumps(
            {
                "severity": self.severity,
                "order_id": self.order_id,
                "pointer": self.pointer,
                "value": self.value,
                "remedy": self.remedy,
            },
            ensure_ascii=False,
        )


class FindingList:
    """Collects the findings of one record, which lies at `base` in the file; paths are from there."""

    def __init__(self, order_id: str | None, base: Path = ()) -> None:
        self.order_id = order_id
        self.base = base
        self.findings: list[Finding] = []

    def error(self, path: Path, value: Any, remedy: str) -> None:
        """Note what makes the record unusable."""
        self._add("ERROR", path, value, remedy)

    def warning(self, path: Path, value: Any, remedy: str) -> None:
        """Note what the clerk should look at."""
        self._add("WARNING", path, value, remedy)

    def _add(self, severity: Severity, path: Path, value: Any, remedy: str) -> None:
        pointer = json_pointer(*self.base, *path)
        self.findings.append(Finding(severity, self.order_id, pointer, short_value(value), remedy))

    @property
    def has_errors(self) -> bool:
        """Whether the record is unusable."""
        return has_errors(self.findings)


def has_errors(findings: Iterable[Finding]) -> bool:
    """Whether any of `findings` is an ERROR."""
    return any(finding.severity == "ERROR" for finding in findings)


def short_value(value: Any) -> str:
    """`value` as JSON, cut to a length that fits a line; "" for a value that is not there."""
    if value is None:
        return "null"
    if value is MISSING:
        return ""
    if isinstance(value, str) and len(value) > MAX_VALUE_LENGTH:
        value = value[:MAX_VALUE_LENGTH]
    if isinstance(value, list | dict):
        return _short_container(value)
    return _cut(json.dumps(value, ensure_ascii=True))


def _short_container(value: list[Any] | dict[str, Any]) -> str:
    # Never prints a whole polygon to show its beginning.
    if isinstance(value, dict):
        return _cut("{" + ", ".join(json.dumps(name) for name in list(value)[:8]) + "}")
    if len(value) <= 4 and not any(isinstance(item, list | dict) for item in value):
        return _cut(json.dumps(value, ensure_ascii=True))
    return f"[{len(value)} items]"


def _cut(text: str) -> str:
    return text if len(text) <= MAX_VALUE_LENGTH else text[: MAX_VALUE_LENGTH - 3] + "..."


class _Missing:
    """Marks a field that is not there."""


MISSING = _Missing()
