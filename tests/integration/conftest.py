"""What most integration tests begin with; a module may have a `rig` of its own."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from stayaway.platform.embedded.broker import EmbeddedBroker
from stayaway.platform.seal import FileSeal
from support.shell import Shell
from support.worker_rig import Rig


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
