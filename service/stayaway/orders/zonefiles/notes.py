"""Collects the findings about one file: everything, not only the first, up to a limit."""

from collections import defaultdict
from typing import Any

from stayaway.kernel.jsontext import json_pointer
from stayaway.orders.findings import Path, short_value
from stayaway.orders.zonefiles.limits import MAX_FINDINGS, MAX_FINDINGS_EACH
from stayaway.orders.zonefiles.model import Severity, ZoneFinding

_LISTED_NUMBERS = 20


class Notes:
    """The findings so far, and which candidates have an ERROR. `candidate` None: the file itself."""

    def __init__(self) -> None:
        self._findings: list[ZoneFinding] = []
        self._failed: set[int | None] = set()
        self._counts: dict[int | None, int] = defaultdict(int)
        self._tallies: dict[str, list[int]] = defaultdict(list)
        self._left_out = 0

    def error(
        self,
        candidate: int | None,
        path: Path,
        value: Any,
        remedy: str,
        lon_lat: tuple[float, float] | None = None,
    ) -> None:
        """Note what makes the candidate unusable."""
        self._failed.add(candidate)
        self._add("ERROR", candidate, path, value, remedy, lon_lat)

    def warning(self, candidate: int | None, path: Path, value: Any, remedy: str) -> None:
        """Note what the clerk should look at."""
        self._add("WARNING", candidate, path, value, remedy, None)

    def info(self, candidate: int | None, path: Path, value: Any, remedy: str) -> None:
        """Note what was done in reading."""
        self._add("INFO", candidate, path, value, remedy, None)

    def tally(self, candidate: int, remedy: str) -> None:
        """Note what was done to a candidate; said once for all candidates that share the words."""
        self._tallies[remedy].append(candidate)

    def has_failed(self, candidate: int | None) -> bool:
        """Whether an ERROR was noted about it."""
        return candidate in self._failed

    def all(self) -> tuple[ZoneFinding, ...]:
        """The findings, those that are said once for many candidates last."""
        findings = list(self._findings)
        for remedy, numbers in self._tallies.items():
            listed = ", ".join(map(str, numbers[:_LISTED_NUMBERS]))
            more = f" and {len(numbers) - _LISTED_NUMBERS} more" if len(numbers) > _LISTED_NUMBERS else ""
            findings.append(ZoneFinding("INFO", None, "", f"candidates {listed}{more}", remedy))
        if self._left_out:
            value = f"{self._left_out} more findings"
            findings.append(
                ZoneFinding("WARNING", None, "", value, "Correct those listed, then read the file again.")
            )
        return tuple(findings)

    def _add(
        self,
        severity: Severity,
        candidate: int | None,
        path: Path,
        value: Any,
        remedy: str,
        lon_lat: tuple[float, float] | None,
    ) -> None:
        self._counts[candidate] += 1
        if self._counts[candidate] > MAX_FINDINGS_EACH or len(self._findings) >= MAX_FINDINGS:
            self._left_out += 1
            return
        self._findings.append(
            ZoneFinding(severity, candidate, json_pointer(*path), short_value(value), remedy, lon_lat)
        )
