"""A database's address for people never shows who connects, or with what."""

import pytest

from stayaway.platform.postgres import describe_dsn


@pytest.mark.parametrize(
    ("dsn", "described"),
    [
        ("postgresql://ann:hunter2@db.example:5433/stayaway?sslmode=require", "db.example:5433/stayaway"),
        ("postgresql://ann:hunter2@/stayaway?host=/run/pg", "/run/pg/stayaway"),
        ("postgresql:///stayaway", "the default host/stayaway"),
        ("postgresql://ann:hunter2@[bad/x", "the database"),
        ("postgresql://ann:hunter2@h:port/x", "the database"),
        ("postgresql://ann:12/34hunter2@h/x", "the database"),
        ("postgresql://ann:12?34hunter2@h/x", "the database"),
        ("postgresql://ann:12#34hunter2@h/x", "the database"),
        ("host=h user=ann password=hunter2 dbname=x", "the database"),
        ("postgres://ann:hun%2Fter%40@h/x", "h/x"),
    ],
)
def test_only_the_place_is_named(dsn: str, described: str) -> None:
    assert describe_dsn(dsn) == described
