"""Fixtures for every test: servers of our own, one of each a session, and fresh things a test."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from stayaway.platform.embedded.broker import EmbeddedBroker
from stayaway.platform.seal import FileSeal
from support.databases import TestDatabases
from support.kafka_server import KafkaServer, find_reason_to_skip

# Shared suites are imported by tests, so pytest has to be told to explain their asserts.
pytest.register_assert_rewrite("contract.kafka_contract")

REPO = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="session")
def _databases() -> Iterator[TestDatabases]:
    with TestDatabases(REPO) as databases:
        yield databases


@pytest.fixture(scope="session")
def postgres_dsn(_databases: TestDatabases) -> str:
    """The session's server, its database `postgres`: for tests that make their own databases."""
    return _databases.dsn


@pytest.fixture
def database(_databases: TestDatabases) -> Iterator[str]:
    """The address of a fresh, migrated database, gone after the test."""
    with _databases.fresh() as dsn:
        yield dsn


@pytest.fixture
def empty_database(_databases: TestDatabases) -> Iterator[str]:
    """The address of a fresh database without any table."""
    with _databases.fresh(template="template0") as dsn:
        yield dsn


@pytest.fixture
def seal(tmp_path: Path) -> FileSeal:
    """A seal with a keys file of its own."""
    return FileSeal(tmp_path / "keys.jsonl")


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
