"""A database that goes back, or gives way to another, under a running matcher.

After a restore, or a failover to a server that had not got everything: what is recorded there since is never
passed over in silence.
"""

import asyncio
import re
from collections.abc import AsyncIterator, Iterator
from urllib.parse import urlsplit

import asyncpg
import pytest

from integration.test_registry_live import another, change
from stayaway.orders.load import OtherHistoryError
from stayaway.orders.parse import parse_orders_file
from stayaway.orders.store import record_orders
from stayaway.platform.clock import now
from stayaway.worker.coverage import Shown
from stayaway.worker.follow import RegistryFollower
from stayaway.worker.packs import PackError, in_blocks, load_pack, write_pack, writing
from support.databases import TestDatabases
from support.packing import follower_of
from support.tampering import tamper
from support.waiting import eventually
from support.worker_rig import Rig

WENT_BACK = "at sequence {now}, is of another history than what is in use here, of sequence {held}: .* Start"


@pytest.fixture
def standby(rig: Rig, databases: TestDatabases) -> Iterator[Rig]:
    """Has the example's order, sequence 1, and nothing that is recorded in `rig` from now on."""
    with databases.fresh(template=urlsplit(rig.dsn).path[1:]) as dsn:
        yield Rig(dsn, rig.bootstrap, rig.seal)


@pytest.fixture
async def other(standby: Rig) -> AsyncIterator[asyncpg.Connection]:
    opened = await asyncpg.connect(standby.dsn)
    yield opened
    await opened.close()


async def followed(rig: Rig, changes: int) -> RegistryFollower:
    """A follower at the sequence after so many more changes."""
    for number in range(changes):
        await change(rig, another(f"O{2 + number}", "ZZZ 9999"))
    follower = follower_of(rig)
    await follower.reload()
    return follower


@pytest.mark.parametrize("since", [0, 1, 2, 3])
async def test_changes_that_were_lost_are_noticed(
    rig: Rig, standby: Rig, other: asyncpg.Connection, since: int
) -> None:
    """Two were. Whether fewer, as many or more came since: nothing is taken over, nothing counts as being in
    touch, and the error says what to do.
    """
    follower = await followed(rig, 2)
    before, age_s = follower.current, follower.age_s()
    for number in range(since):
        await change(standby, another(f"P{number}", "QQQ 1111"))
    await asyncio.sleep(0.05)
    with pytest.raises(OtherHistoryError, match=WENT_BACK.format(now=1 + since, held=3)):
        await follower.catch_up(other)
    assert follower.current is before
    assert follower.age_s() >= age_s + 0.05


async def test_so_is_a_sequence_that_no_change_had(rig: Rig, standby: Rig, other: asyncpg.Connection) -> None:
    """Orders that end by themselves raised it: another such look, or a change, is to come by that number."""
    await rig.execute("UPDATE registry SET registry_sequence = 2")
    follower = await followed(rig, 0)
    with pytest.raises(OtherHistoryError, match=WENT_BACK.format(now=1, held=2)):
        await follower.catch_up(other)


async def test_a_server_that_has_everything_is_followed(rig: Rig, databases: TestDatabases) -> None:
    """A failover that lost nothing is none of a matcher's business; nor is a sequence that no change has."""
    await change(rig, another("O2", "ZZZ 9999"))
    with databases.fresh(template=urlsplit(rig.dsn).path[1:]) as dsn:
        follower, conn = follower_of(rig), await asyncpg.connect(dsn)
        await follower.reload()
        await follower.catch_up(conn)
        await conn.execute("UPDATE registry SET registry_sequence = 3")
        await follower.catch_up(conn)
        await follower.catch_up(conn)
        assert follower.current.knowledge.registry_sequence == 3
        await change(Rig(dsn, rig.bootstrap, rig.seal), another("O3", "QQQ 1111"))
        await follower.catch_up(conn)
        assert set(follower.current.engine.snapshot.head_changes) == {"O1", "O2", "O3"}
        await conn.close()


async def test_it_is_noticed_from_the_beginning_on(rig: Rig, standby: Rig, other: asyncpg.Connection) -> None:
    """A follower knows the change that it began with, not only those that it saw come."""
    await tamper(other, "UPDATE registry_change SET applied_at = applied_at + interval '1 microsecond'")
    follower = await followed(rig, 0)
    with pytest.raises(OtherHistoryError):
        await follower.catch_up(other)


async def test_a_lower_sequence_is_no_touch_and_a_hint(rig: Rig) -> None:
    """As a commit shows it: the registry is not in touch by that, and whoever follows is told to ask."""
    follower = await followed(rig, 1)
    loop = asyncio.get_running_loop()
    for sequence, hinted in ((1, True), (2, False), (3, True)):
        follower._in_touch_at = loop.time() - 10
        follower.hint.clear()
        follower.seen(Shown(sequence, loop.time()))
        assert follower.hint.is_set() == hinted
        assert (follower.age_s() >= 10) == hinted


async def test_a_pack_of_what_was_read_before_is_not_one_of_what_is_there_now(
    rig: Rig, standby: Rig, other: asyncpg.Connection
) -> None:
    """It names the history that it was read from: no start believes it where it was written."""
    follower = await followed(rig, 1)
    await change(standby, another("P1", "QQQ 1111"))
    first = follower.take_first()
    async with writing(other):
        await write_pack(other, rig.seal, first.point, in_blocks(first.columns))
    with pytest.raises(PackError, match="another history"):
        await load_pack(other, rig.seal)


async def test_a_matcher_ends_and_says_so(rig: Rig) -> None:
    """While it runs the registry goes back by a change, and comes to the same sequence by another one."""
    await change(rig, another("O2", "ZZZ 9999"))
    worker = rig.worker()
    task = asyncio.create_task(worker.run(asyncio.Event()))
    await eventually(lambda: worker.began)
    conn = await asyncpg.connect(rig.dsn)
    async with conn.transaction():
        await tamper(conn, "UPDATE registry SET registry_sequence = 1")
        unpublished = "registry_sequence = NULL, applied_at = NULL"
        await tamper(conn, f"UPDATE registry_change SET {unpublished} WHERE registry_sequence = 2")
        parsed = parse_orders_file(another("O3", "QQQ 1111"))
        await record_orders(conn, rig.seal, parsed, actor="clerk", recorded_now=now())
    await conn.close()
    with pytest.raises(OtherHistoryError) as caught:
        await asyncio.wait_for(task, 10)
    assert re.search(WENT_BACK.format(now=2, held=2), str(caught.value))
