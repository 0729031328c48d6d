"""A registry of ten orders, each of a change of its own; small packs."""

from collections.abc import AsyncIterator

import asyncpg
import pytest

from integration.test_registry_live import another
from stayaway.platform.embedded.broker import EmbeddedBroker
from stayaway.platform.seal import FileSeal
from stayaway.worker import follow, keeper, packs
from support.worker_rig import Rig


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """A few orders are worth a pack of several blocks."""
    monkeypatch.setattr(packs, "BLOCK_ORDERS", 3)
    for module in (follow, keeper):
        monkeypatch.setattr(module, "PACKED_FROM", 1)
    monkeypatch.setattr(keeper, "_LOOK_S", 0.05)
    monkeypatch.setattr(keeper, "_PAUSE_S", 0.0)
    monkeypatch.setattr(keeper, "_AT_ONCE", 2)


@pytest.fixture
async def rig(database: str, embedded_broker: EmbeddedBroker, seal: FileSeal) -> AsyncIterator[Rig]:
    """A registry of ten orders, one import each."""
    rig = Rig(database, embedded_broker.bootstrap, seal)
    for number in range(10):
        await rig.import_orders(another(f"O{number:02d}", f"ZZZ {number:04d}"))
    yield rig
    for opened in rig.databases:
        await opened.close()


@pytest.fixture
async def conn(rig: Rig) -> AsyncIterator[asyncpg.Connection]:
    opened = await asyncpg.connect(rig.dsn)
    yield opened
    await opened.close()
