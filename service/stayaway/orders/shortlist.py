"""Findings in a length that can be read: of each kind the first few, and how many there are."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from stayaway.orders.findings import Finding

MAX_WHOLE = 200
"""So many findings are shown as they are."""
SHOWN_EACH = 3

_INDEX = re.compile(r"/[0-9]+(?=/|$)")


@dataclass(slots=True)
class Kind:
    """What is found at the same place of different records: how often, and the first of them."""

    count: int = 0
    first: list[Finding] = field(default_factory=list)


class Shortlist:
    """Findings of which no more is kept than will be shown, however many are added.

    `count`: of all; `first`: at most MAX_WHOLE of them; `kinds`: by severity and place.
    """

    def __init__(self, findings: Iterable[Finding] = ()) -> None:
        self.count = 0
        self.first: list[Finding] = []
        self.kinds: dict[tuple[str, str], Kind] = {}
        self.add(findings)

    def add(self, findings: Iterable[Finding]) -> None:
        """Take in more findings, which come after those before."""
        for finding in findings:
            kind = self._kind((finding.severity, _INDEX.sub("/*", finding.pointer)))
            self.count += 1
            kind.count += 1
            if len(kind.first) < SHOWN_EACH:
                kind.first.append(finding)
            if len(self.first) < MAX_WHOLE:
                self.first.append(finding)

    def join(self, later: "Shortlist") -> None:
        """Take in what another has, as if its findings had been added here."""
        self.count += later.count
        self.first += later.first[: MAX_WHOLE - len(self.first)]
        for name, theirs in later.kinds.items():
            kind = self._kind(name)
            kind.count += theirs.count
            kind.first += theirs.first[: SHOWN_EACH - len(kind.first)]

    def lines(self) -> Iterator[str]:
        """A line of JSON for each finding; of more than `MAX_WHOLE` for the first of each kind only, each
        kind closed by a line in words that counts it. Errors come first.
        """
        if self.count <= MAX_WHOLE:
            yield from (finding.as_line() for finding in self.first)
            return
        for (severity, at), kind in sorted(self.kinds.items()):
            yield from (finding.as_line() for finding in kind.first)
            yield f"{severity} at {at or 'the file'}: {kind.count:,} in all, {len(kind.first)} shown"

    def _kind(self, name: tuple[str, str]) -> Kind:
        return self.kinds.setdefault(name, Kind())
