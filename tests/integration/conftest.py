"""What most integration tests begin with; a module may have a `rig` of its own."""

from collections.abc import AsyncIterator
from pathlib import Path

import asyncpg
import httpx
import pytest

from stayaway.platform.embedded.broker import EmbeddedBroker
from stayaway.platform.postgres import connect
from stayaway.platform.seal import FileSeal
from support.alert_seed import import_orders, order
from support.handed_batches import Matcher
from support.shell import Shell
from support.site import Site, opened_site
from support.worker_rig import Rig


@pytest.fixture
async def conn(database: str) -> AsyncIterator[asyncpg.Connection]:
    """A connection to a fresh database, as the program opens it."""
    opened = await connect(database, wait_s=5, on_wait=print)
    yield opened
    await opened.close()


@pytest.fixture
def shell(database: str, tmp_path: Path) -> Shell:
    """Commands on a fresh database."""
    return Shell(database, tmp_path)


@pytest.fixture
async def rig(database: str, embedded_broker: EmbeddedBroker, seal: FileSeal) -> AsyncIterator[Rig]:
    """A fresh database with the example's orders; the session's broker, with the topics."""
    rig = Rig(database, embedded_broker.bootstrap, seal)
    await rig.make_topics()
    await rig.import_orders()
    yield rig
    for opened in rig.databases:
        await opened.close()


@pytest.fixture
async def matcher(rig: Rig) -> Matcher:
    """One that is handed its batches."""
    return Matcher(rig)


@pytest.fixture
async def site(database: str, seal: FileSeal, conn: asyncpg.Connection) -> AsyncIterator[Site]:
    """The review page on a fresh database with the example's order, whose address is withheld."""
    secret = order(confidentiality=["ADDRESS_WITHHELD"], not_monitored=["No firearms"])
    await import_orders(conn, seal, [secret])
    async with opened_site(database, seal) as opened:
        yield opened


@pytest.fixture
async def client(site: Site) -> AsyncIterator[httpx.AsyncClient]:
    """A browser's requests to it."""
    async with httpx.AsyncClient(base_url=site.base, timeout=30) as opened:
        yield opened
