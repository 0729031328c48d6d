"""Fixtures for every test: servers of our own, one of each a session, and fresh things a test."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from stayaway.platform.embedded.broker import EmbeddedBroker
from stayaway.platform.seal import FileSeal
from support.databases import TestDatabases, find_debian_binaries
from support.kafka_server import KafkaServer, find_reason_to_skip
from support.keys import made_keys

# Shared suites are imported by tests, so pytest has to be told to explain their asserts.
pytest.register_assert_rewrite("contract.kafka_contract")

REPO = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="session")
def _embedded() -> Iterator[TestDatabases]:
    with TestDatabases(REPO) as databases:
        yield databases


@pytest.fixture(scope="session")
def _debian() -> Iterator[TestDatabases]:
    binaries = find_debian_binaries()
    if binaries is None and os.environ.get("CI") == "true":
        pytest.fail("CI needs Debian's package postgresql")
    if binaries is None:
        pytest.skip("Debian's package postgresql is not on this machine")
    with TestDatabases(REPO, binaries=binaries) as databases:
        yield databases


@pytest.fixture
def databases(request: pytest.FixtureRequest) -> TestDatabases:
    """The server that fresh databases come from: the embedded one, unless the test is parametrized."""
    found: TestDatabases = request.getfixturevalue(f"_{getattr(request, 'param', 'embedded')}")
    return found


@pytest.fixture(scope="session")
def postgres_dsn(_embedded: TestDatabases) -> str:
    """The session's server, its database `postgres`: for tests that make their own databases."""
    return _embedded.dsn


@pytest.fixture
def database(databases: TestDatabases) -> Iterator[str]:
    """The address of a fresh, migrated database, gone after the test."""
    with databases.fresh() as dsn:
        yield dsn


@pytest.fixture
def empty_database(databases: TestDatabases) -> Iterator[str]:
    """The address of a fresh database without any table."""
    with databases.fresh(template="template0") as dsn:
        yield dsn


@pytest.fixture
def seal(tmp_path: Path) -> FileSeal:
    """A seal with a keys file of its own."""
    return made_keys(tmp_path / "keys.jsonl")


@pytest.fixture
def embedded_broker() -> Iterator[EmbeddedBroker]:
    """A broker in this process with no topics (1 ms to start, so each test has its own)."""
    with EmbeddedBroker() as broker:
        yield broker


@pytest.fixture(scope="session")
def real_kafka() -> Iterator[KafkaServer]:
    """Apache Kafka, one for the session: use topic names of your own. Required in CI."""
    reason = find_reason_to_skip()
    if reason and os.environ.get("CI") == "true":
        pytest.fail(f"CI needs real Kafka: {reason}")
    if reason:
        pytest.skip(reason)
    with KafkaServer(REPO) as server:
        yield server


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder with the project's shared data; skips where it is not beside the repository."""
    folder = Path(os.environ.get("STAYAWAY_SHARED", REPO.parent / "shared")) / "data"
    if not folder.is_dir():
        pytest.skip("no shared data beside the repository (STAYAWAY_SHARED names another place)")
    return folder
