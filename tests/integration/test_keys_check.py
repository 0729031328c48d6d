"""Other keys than the ones that a database is sealed with are refused before anything is sealed with them."""

import asyncio
from pathlib import Path

import asyncpg
import pytest

from stayaway.access.person import Person
from stayaway.orders.draft_store import create_draft
from stayaway.orders.keys_check import OtherKeysError, check_keys, ensure_keys
from stayaway.orders.load import BEGINNING, load_changed
from stayaway.platform.embedded.broker import EmbeddedBroker
from stayaway.platform.postgres import Connection
from stayaway.platform.seal import FileSeal, SealError
from support.keys import made_keys
from support.lives import draft_content
from support.recording import RECORDED, orders, record
from support.worker_rig import Rig

ANN = Person.of("ann", "cli", "ORDER_REGISTRY")


@pytest.fixture
async def recorded(conn: Connection, seal: FileSeal) -> Connection:
    """A database sealed with the keys of `seal`."""
    await record(conn, seal, orders("O1"))
    return conn


@pytest.fixture(params=["there", "not there"])
def others(request: pytest.FixtureRequest, tmp_path: Path) -> FileSeal:
    """Another keys file: of another database, or of a mistyped path."""
    path = tmp_path / "others.jsonl"
    return made_keys(path) if request.param == "there" else FileSeal(path)


async def test_nothing_is_recorded_with_other_keys(
    recorded: Connection, seal: FileSeal, others: FileSeal, tmp_path: Path
) -> None:
    was_there = (tmp_path / "others.jsonl").exists()
    before = await load_changed(recorded, BEGINNING)
    new = orders("NEW")
    with pytest.raises(SealError):
        await record(recorded, others, new)
    with pytest.raises(SealError):
        await create_draft(recorded, others, draft_content("NEW"), ANN, now=RECORDED, idempotency_key=None)
    assert await load_changed(recorded, BEGINNING) == before
    assert (tmp_path / "others.jsonl").exists() == was_there
    await record(recorded, seal, new)


async def test_a_matcher_with_other_keys_does_not_start(
    recorded: Connection, database: str, embedded_broker: EmbeddedBroker, others: FileSeal
) -> None:
    rig = Rig(database, embedded_broker.bootstrap, others)
    await rig.make_topics()
    with pytest.raises(SealError, match=r"not the one that this database|no keys file"):
        await rig.worker("m1").run(asyncio.Event())


async def test_a_database_sealed_before_it_knew_its_keys(
    recorded: Connection, seal: FileSeal, tmp_path: Path
) -> None:
    await recorded.execute("ALTER TABLE keys_check DISABLE TRIGGER USER; TRUNCATE keys_check")
    others = made_keys(tmp_path / "others.jsonl")
    with pytest.raises(OtherKeysError):
        await ensure_keys(recorded, others, ["NEW"])
    await ensure_keys(recorded, seal, ["NEW"])
    assert await recorded.fetchval("SELECT count(*) FROM keys_check") == 1
    await check_keys(recorded, seal)


async def test_of_two_at_once_one_makes_the_keys(database: str, tmp_path: Path) -> None:
    seals = [FileSeal(tmp_path / f"{number}.jsonl") for number in range(6)]
    conns = [await asyncpg.connect(database) for _ in seals]
    ended = await asyncio.gather(
        *(ensure_keys(conn, seal, ["O1"]) for conn, seal in zip(conns, seals, strict=True)),
        return_exceptions=True,
    )
    assert ended.count(None) == 1
    assert [type(end) for end in ended if end is not None] == [OtherKeysError] * 5
    winner = seals[ended.index(None)]
    await check_keys(conns[0], winner)
    assert winner.unseal("O1", "p", winner.seal("O1", "p", b"x")) == b"x"
    for conn in conns:
        await conn.close()


async def test_what_is_taken_back_binds_no_keys(conn: Connection, seal: FileSeal, tmp_path: Path) -> None:
    change = conn.transaction()
    await change.start()
    await ensure_keys(conn, made_keys(tmp_path / "others.jsonl"), ["O1"])
    await change.rollback()
    await ensure_keys(conn, seal)
    await check_keys(conn, seal)


async def test_an_order_whose_key_is_gone_gets_no_other(
    recorded: Connection, seal: FileSeal, tmp_path: Path
) -> None:
    """As with a copy of the keys from before its import: what it is sealed with would be two keys."""
    await record(recorded, seal, orders("O2"))
    older = tmp_path / "older.jsonl"
    lines = (tmp_path / "keys.jsonl").read_bytes().splitlines(keepends=True)
    older.write_bytes(b"".join(lines[:-1]))
    older.chmod(0o600)
    changed = orders("O2", case_number="F-2026-00999", version=2)
    for body in (orders("O2"), changed):
        with pytest.raises(SealError):
            await record(recorded, FileSeal(older), body)
    with pytest.raises(SealError):
        await create_draft(
            recorded, FileSeal(older), draft_content("O2"), ANN, now=RECORDED, idempotency_key=None
        )
    assert older.read_bytes() == b"".join(lines[:-1])
    await record(recorded, seal, changed)
