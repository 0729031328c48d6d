"""What says it was recorded in the future is refused where it is told when now is."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from stayaway.kernel.instants import format_instant, parse_instant
from stayaway.orders.ahead import MAX_AHEAD, refuse_ahead
from stayaway.orders.cli_support import check_lines
from support.rich_orders import parse, rich

NOW = datetime(2026, 3, 6, 20, 15, tzinfo=UTC)
LISTS = ("orders", "notices", "recalls", "suspensions")
TOO_FAR = NOW + MAX_AHEAD + timedelta(microseconds=1)
instants = st.one_of(
    st.none(),
    st.sampled_from([NOW + MAX_AHEAD, TOO_FAR, datetime(2099, 1, 1, tzinfo=UTC)]),
    st.timedeltas(-2 * MAX_AHEAD, 2 * MAX_AHEAD).map(lambda by: NOW + by),
)


def recorded(**changes: datetime | None) -> dict[str, Any]:
    """A record in each list, recorded when `changes` say."""
    body = rich()
    for name, at in changes.items():
        body[name][0] |= {} if at is None else {"recorded_at": format_instant(at)}
    return body


@given(st.fixed_dictionaries(dict.fromkeys(LISTS, instants)))
def test_exactly_what_lies_too_far_ahead_is_refused(changes: dict[str, datetime | None]) -> None:
    """Each at its `recorded_at`; the others stay as they are, and so does K of what is left."""
    body = recorded(**changes)
    before, after = parse(body), refuse_ahead(parse(body), NOW)
    late = [name for name in LISTS if parse_instant(body[name][0]["recorded_at"]) > NOW + timedelta(days=1)]
    found = [item for item in after.findings if item.severity == "ERROR"]
    assert [item.pointer for item in found] == [f"/{name}/0/recorded_at" for name in late]
    assert [item.value for item in found] == [json.dumps(body[name][0]["recorded_at"]) for name in late]
    kept = [record for record in before.records if record.path[0] not in late]
    assert [record for record in after.records if record.value is not None] == kept
    assert after.blocks_orders == ("orders" in late)
    assert after.known_at == max((r.value.recorded_at for r in kept if r.value is not None), default=None)
    assert refuse_ahead(after, NOW) == after


def test_a_file_of_today_stays_as_it_is() -> None:
    parsed = parse(rich())
    assert refuse_ahead(parsed, NOW) is parsed


def test_what_cannot_be_used_anyway_says_both() -> None:
    body = recorded(notices=TOO_FAR)
    body["notices"][0]["kind"] = "BY_PIGEON"
    pointers = [item.pointer for item in refuse_ahead(parse(body), NOW).findings if item.severity == "ERROR"]
    assert pointers == ["/notices/0/kind", "/notices/0/recorded_at"]


def test_a_repeated_record_is_refused_once() -> None:
    """The first one says it; the second counts for nothing anyway."""
    body = recorded(recalls=TOO_FAR)
    body["recalls"] *= 2
    after = refuse_ahead(parse(body), NOW)
    errors = [item.pointer for item in after.findings if item.severity == "ERROR"]
    assert (errors, after.blocks_orders) == (["/recalls/0/recorded_at"], False)


def test_check_says_it_with_the_remedy() -> None:
    """So that a clerk learns of it before the import refuses it."""
    lines, code = check_lines(json.dumps(recorded(recalls=TOO_FAR)).encode(), now=NOW)
    (finding,) = (json.loads(line) for line in lines)
    assert (code, finding["severity"], finding["pointer"]) == (1, "ERROR", "/recalls/0/recorded_at")
    assert "in the future (now it is 2026-03-06T20:15:00Z)" in finding["remedy"]
