"""Dead letters on embedded servers: listed without content, shown with a purpose, sent again once."""

import asyncio
import os
from collections.abc import AsyncIterator
from functools import partial
from pathlib import Path

import asyncpg
import pytest

from stayaway.kernel.errors import NotFoundError, SettingsError
from stayaway.platform.embedded.broker import EmbeddedBroker
from stayaway.platform.kafka import make_producer, read_record
from stayaway.platform.postgres import Pool
from stayaway.platform.seal import FileSeal
from stayaway.sightings.dead_letters import (
    Origin,
    count_dead_letters,
    list_dead_letters,
    redrive_dead_letter,
    show_dead_letter,
)
from support.commands import STAYAWAY, plain_environment, run_stayaway
from support.worker_rig import NOW, READS, Rig, read

BAD = read(event_id="bad", owner="Jane Roe")


@pytest.fixture
async def rig(database: str, embedded_broker: EmbeddedBroker, seal: FileSeal) -> Rig:
    rig = Rig(database, embedded_broker.bootstrap, seal)
    await rig.make_topics()
    await rig.import_orders()
    rig.publish(READS, [b"{", BAD, None])
    await rig.run_until(3)
    return rig


@pytest.fixture
async def pool(rig: Rig) -> AsyncIterator[Pool]:
    async with asyncpg.create_pool(rig.dsn, min_size=1, max_size=2) as pool:
        yield pool


async def test_listed_page_by_page(rig: Rig, pool: Pool) -> None:
    async with pool.acquire() as conn:
        first = await list_dead_letters(conn, limit=2)
        rest = await list_dead_letters(conn, limit=2, before=first[-1])
        assert [item.letter.record_offset for item in (*first, *rest)] == [2, 1, 0]
        assert await count_dead_letters(conn) == {"NOT_JSON": 2, "UNKNOWN_FIELD": 1}


async def test_shown_with_a_purpose_and_audited(rig: Rig, pool: Pool) -> None:
    look_up = partial(read_record, rig.bootstrap)
    origin = Origin.parse(f"{READS}/0/1")
    listed, value = await show_dead_letter(
        pool, rig.seal, look_up, origin, actor="op", purpose="complaint 7", at=NOW
    )
    assert (listed.letter.reason, value) == ("UNKNOWN_FIELD", BAD)
    shown = await rig.payloads("DEAD_LETTER_SHOWN")
    assert [(entry["origin"], entry["purpose"]) for entry in shown] == [(f"{READS}/0/1", "complaint 7")]
    await rig.streams_verify()


async def test_a_strangers_bytes_are_no_commands_to_a_terminal(rig: Rig, tmp_path: Path) -> None:
    """On a terminal control characters are shown; a pipe or file gets the bytes as they are."""
    strange = b'{"plate":"\x1b[2J\xff"'
    rig.publish(READS, [strange])
    await rig.run_until(4)
    env = plain_environment(
        STAYAWAY_DATABASE=rig.dsn,
        STAYAWAY_BOOTSTRAP=rig.bootstrap,
        STAYAWAY_KEYS_FILE=str(tmp_path / "keys.jsonl"),
    )
    command = ("deadletters", "show", f"{READS}/0/3", "--purpose", "complaint 7")
    piped = await asyncio.to_thread(run_stayaway, *command, env=env)
    assert (piped.returncode, piped.stdout) == (0, strange + b"\n"), piped.stderr
    ours, theirs = os.openpty()
    shown = await asyncio.create_subprocess_exec(*STAYAWAY, *command, env=env, stdout=theirs)
    os.close(theirs)
    assert await shown.wait() == 0
    assert os.read(ours, 1_000) == b'{"plate":"\\u001b[2J\\xff"\r\n'
    os.close(ours)


async def test_not_shown_without_a_purpose_or_where_none_lies(rig: Rig, pool: Pool) -> None:
    look_up = partial(read_record, rig.bootstrap)
    with pytest.raises(SettingsError, match="purpose"):
        await show_dead_letter(
            pool, rig.seal, look_up, Origin.parse(f"{READS}/0/1"), actor="op", purpose=" ", at=NOW
        )
    for place in ("9", "2"):  # no letter there; a null value has no bytes
        with pytest.raises(NotFoundError):
            await show_dead_letter(
                pool, rig.seal, look_up, Origin.parse(f"{READS}/0/{place}"), actor="op", purpose="p", at=NOW
            )
    with pytest.raises(SettingsError):
        Origin.parse("nonsense")


async def test_sent_again_once(rig: Rig, pool: Pool) -> None:
    """The bytes come again at the end of the same topic; a second try does nothing."""
    look_up = partial(read_record, rig.bootstrap)
    origin = Origin.parse(f"{READS}/0/1")
    async with make_producer(rig.bootstrap) as producer:
        done = [
            await redrive_dead_letter(
                pool, rig.seal, look_up, producer, origin, actor="op", purpose="new release", at=NOW
            )
            for _ in range(2)
        ]
    assert done == [True, False]
    rows = await rig.rows("SELECT redriven_at FROM dead_letter WHERE record_offset = 1")
    assert rows == [{"redriven_at": NOW}]
    assert len(await rig.payloads("DEAD_LETTER_REDRIVEN")) == 1
    await rig.run_until(4)
    letters = await rig.rows("SELECT reason FROM dead_letter WHERE reason = 'UNKNOWN_FIELD'")
    assert len(letters) == 2
    assert "Jane Roe" not in await rig.dump()
