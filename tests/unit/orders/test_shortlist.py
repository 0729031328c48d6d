"""What a clerk is shown of many findings."""

import json
from collections import Counter
from itertools import chain

from hypothesis import given
from hypothesis import strategies as st

from stayaway.orders.findings import Finding, Severity
from stayaway.orders.shortlist import MAX_WHOLE, SHOWN_EACH, Shortlist

PLACES = ["/orders/{}/zones/{}", "/orders/{}/zones/{}/geometry", "/notices/{}/kind", ""]


def finding(severity: Severity, place: str, number: int) -> Finding:
    return Finding(severity, f"O{number}", place.format(number, number % 3), f"value {number}", "Look.")


@given(st.integers(0, MAX_WHOLE))
def test_few_are_shown_as_they_are(count: int) -> None:
    findings = [finding("WARNING", PLACES[number % 4], number) for number in range(count)]
    assert list(Shortlist(findings).lines()) == [item.as_line() for item in findings]


kinds_of_findings = st.tuples(st.sampled_from(["ERROR", "WARNING"]), st.sampled_from(PLACES))


@given(st.lists(kinds_of_findings, min_size=4, max_size=8))
def test_of_many_the_first_of_each_kind_and_its_count(kinds: list[tuple[Severity, str]]) -> None:
    """Every kind is there, none is counted short, errors stand before warnings."""
    many = MAX_WHOLE // 3
    findings = [finding(*kind, number) for number in range(many) for kind in kinds]
    lines = list(Shortlist(findings).lines())
    shown = [json.loads(line) for line in lines if line.startswith("{")]
    counts = [line for line in lines if not line.startswith("{")]
    wanted = Counter(
        (severity, place.replace("{}", "*") or "the file") for severity, place in kinds for _ in range(many)
    )
    assert sorted(counts) == sorted(
        f"{severity} at {place}: {count:,} in all, {SHOWN_EACH} shown"
        for (severity, place), count in wanted.items()
    )
    assert len(shown) == SHOWN_EACH * len(wanted)
    severities = [line.split()[0] for line in counts]
    assert severities == sorted(severities)
    assert {json.dumps(item) for item in shown} <= {item.as_line() for item in findings}


@given(st.lists(st.lists(kinds_of_findings, max_size=2 * MAX_WHOLE), max_size=3))
def test_joined_lists_show_what_one_of_all_shows(parts: list[list[tuple[Severity, str]]]) -> None:
    found = [[finding(*kind, number) for number, kind in enumerate(kinds)] for kinds in parts]
    joined = Shortlist()
    for part in found:
        joined.join(Shortlist(part))
    assert list(joined.lines()) == list(Shortlist(chain(*found)).lines())
