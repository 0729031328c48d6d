"""Named queries in .sql files: each has a name, a description and SQL."""

import pytest

from stayaway.platform.postgres import QueryError, load_queries
from stayaway.platform.queries import parse_queries

TEXT = """-- What this file is for.

-- name: first
-- description: The first.
SELECT 1; -- a comment inside stays

-- name: second_2
-- description: The second.
SELECT
  2;
"""


def test_queries_are_found_by_name() -> None:
    queries = parse_queries("x.sql", TEXT)
    assert queries.names() == ("first", "second_2")
    assert queries.first == queries["first"] == "SELECT 1; -- a comment inside stays"
    assert queries.second_2 == "SELECT\n  2;"
    assert queries.descriptions == {"first": "The first.", "second_2": "The second."}


def test_an_unknown_name_is_an_error() -> None:
    queries = parse_queries("x.sql", TEXT)
    with pytest.raises(QueryError, match=r"x\.sql has no query 'third'"):
        _ = queries.third
    assert not hasattr(queries, "__wrapped__")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("SELECT 1;", "SQL before the first"),
        ("-- name: a\nSELECT 1;", "lacks its SQL or its"),
        ("-- name: a\n-- description: x\n", "lacks its SQL or its"),
        (TEXT + TEXT, "'first' is repeated"),
        ("-- name: Bad Name\nSELECT 1;", "SQL before the first"),
    ],
)
def test_a_file_out_of_form_is_refused(text: str, message: str) -> None:
    with pytest.raises(QueryError, match=message):
        parse_queries("x.sql", text)


def test_a_package_file_is_read() -> None:
    assert "FOR" not in load_queries("stayaway.audit", "audit.sql").load_stream
