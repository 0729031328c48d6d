"""An orders file as a whole: what is none, what is wrong around its records, and what its check prints."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stayaway.orders.cli_support import check_lines
from stayaway.orders.findings import UnreadableFileError
from stayaway.orders.parse import parse_orders_file
from support.rich_orders import parse, pointers, rich

NOW = datetime(2026, 3, 6, 20, 15, tzinfo=UTC)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"{",
        b"\xff\xfe",
        b"\xef\xbb\xbf{}",
        b"[]",
        b"null",
        b'{"schema":"orders.v2","orders":[]}',
        b'{"orders":[]}',
        b'{"schema":["orders.v1"],"orders":[]}',
        b'{"schema":"orders.v1","orders":[NaN]}',
        b'{"schema":"orders.v1","orders":["\\ud800"]}',
        b'{"schema":"orders.v1","orders":' + b"[" * 600 + b"]" * 600 + b"}",
        b'{"schema":"orders.v1","orders":[' + b"[" * 511 + b"]" * 511 + b"]}",
        b'{"schema":"orders.v1","orders":[],"extensions":' + b"[" * 600 + b"]" * 600 + b"}",
        b'{"schema":"orders.v1","orders":[{"order_id":"\xff"}]}',
        b'{"schema":"orders.v1","orders":[{"order_id":"O1",}]}',
    ],
)
def test_what_is_no_orders_file_is_unreadable(data: bytes) -> None:
    """Exit code 2, with one line that says what it is."""
    with pytest.raises(UnreadableFileError):
        parse_orders_file(data)
    lines, code = check_lines(data, now=NOW)
    assert code == 2
    assert [json.loads(line)["severity"] for line in lines] == ["ERROR"]


def test_a_record_as_deep_as_a_file_may_be_is_only_refused_itself() -> None:
    """The limit is the file's: two less for a record in it."""
    parsed = parse_orders_file(b'{"schema":"orders.v1","orders":[' + b"[" * 510 + b"]" * 510 + b"]}")
    assert pointers(parsed, "ERROR") == ["/orders/0"]


def test_the_root_is_checked_too() -> None:
    """A misspelt list, a list that is none, a missing one: errors that stop all versions."""
    body: dict[str, Any] = rich() | {"recals": [], "suspensions": {}, "extensions": {"a": 1}}
    parsed = parse(body)
    assert pointers(parsed, "ERROR") == ["/suspensions", "/recals"]
    assert parsed.blocks_orders
    assert pointers(parse({"schema": "orders.v1"}), "ERROR") == ["/orders"]
    assert pointers(parse({"schema": "orders.v1", "orders": [], "extensions": 1}), "ERROR") == ["/extensions"]


def test_check_prints_a_line_a_finding_and_an_exit_code() -> None:
    """WIRE.md: {severity, order_id, pointer, value, remedy}; 0, 1 with errors."""
    assert check_lines(json.dumps(rich()).encode(), now=NOW) == ([], 0)
    body = rich()
    body["orders"][0]["kind"] = "Q" * 1000
    lines, code = check_lines(json.dumps(body).encode(), now=NOW)
    assert code == 1
    line = json.loads(lines[0])
    assert list(line) == ["severity", "order_id", "pointer", "value", "remedy"]
    assert (line["severity"], line["order_id"], line["pointer"]) == ("ERROR", "O1", "/orders/0/kind")
    assert line["value"].startswith('"QQQ')
    assert len(line["value"]) < 200


def _paths(value: Any, at: tuple[str | int, ...] = ()) -> list[tuple[str | int, ...]]:
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [at, *(path for key, item in items for path in _paths(item, (*at, key)))]


PATHS = [path for path in _paths(rich()) if path and path != ("schema",) and "extensions" not in path]
JUNK = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=9),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=6,
)


@settings(max_examples=300, deadline=None)
@given(path=st.sampled_from(PATHS), junk=JUNK, drop=st.booleans())
def test_no_junk_anywhere_raises_or_passes_silently(
    path: tuple[str | int, ...], junk: Any, *, drop: bool
) -> None:
    """Whatever stands in whatever place: findings with pointers, never a traceback."""
    body = rich()
    holder: Any = body
    for step in path[:-1]:
        holder = holder[step]
    if drop and isinstance(holder, dict):
        del holder[path[-1]]
    else:
        holder[path[-1]] = junk
    lines, code = check_lines(json.dumps(body).encode(), now=NOW)
    assert code in (0, 1)
    for line in lines:
        finding = json.loads(line)
        assert finding["remedy"]
        assert finding["pointer"] == "" or finding["pointer"].startswith("/")
