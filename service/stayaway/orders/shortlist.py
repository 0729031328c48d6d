"""Findings in a length that can be read: of each kind the first few, and how many there are."""

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence

from stayaway.orders.findings import Finding

MAX_WHOLE = 200
"""So many findings are shown as they are."""
SHOWN_EACH = 3

_INDEX = re.compile(r"/[0-9]+(?=/|$)")


def shortlist(findings: Sequence[Finding]) -> Iterator[str]:
    """A line of JSON for each finding; of more than `MAX_WHOLE` for the first of each kind only, each
    kind closed by a line in words that counts it. Errors come first.

    A kind is what is found at the same place of different records.
    """
    if len(findings) <= MAX_WHOLE:
        yield from (finding.as_line() for finding in findings)
        return
    for (severity, at), kind in _by_kind(findings):
        yield from (finding.as_line() for finding in kind[:SHOWN_EACH])
        shown = min(len(kind), SHOWN_EACH)
        yield f"{severity} at {at or 'the file'}: {len(kind):,} in all, {shown} shown"


def _by_kind(findings: Iterable[Finding]) -> list[tuple[tuple[str, str], list[Finding]]]:
    kinds: dict[tuple[str, str], list[Finding]] = defaultdict(list)
    for finding in findings:
        kinds[finding.severity, _INDEX.sub("/*", finding.pointer)].append(finding)
    return sorted(kinds.items())
