"""The demo's own Postgres and broker, in a folder of their own that the next run cleans up."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from stayaway.kernel.errors import SettingsError
from stayaway.platform.embedded.broker import EmbeddedBroker
from stayaway.platform.embedded.postgres import EmbeddedPostgres, reap

_PREFIX = "run-"
# Pages that a crash may lose are lost with the whole demo.
_SETTINGS = {"fsync": "on", "synchronous_commit": "on"}


def state_folder() -> Path:
    """Where this user's demos keep what runs: XDG_STATE_HOME, else ~/.local/state."""
    base = os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state"
    return Path(base) / "stayaway" / "demo"


def reap_dead_runs(folder: Path) -> int:
    """End and remove what killed runs left; how many there were. Runs that live are left alone."""
    reaped = 0
    for home in sorted(folder.glob(_PREFIX + "*")) if folder.is_dir() else ():
        with suppress(SettingsError):  # another demo is using it
            reap(home)
            EmbeddedPostgres(home).destroy()
            shutil.rmtree(home)
            reaped += 1
    return reaped


@contextmanager
def run_folder(folder: Path) -> Iterator[Path]:
    """A fresh folder for this run, removed at its end."""
    home = folder / f"{_PREFIX}{os.getpid()}"
    home.mkdir(mode=0o700, parents=True)
    try:
        yield home
    finally:
        shutil.rmtree(home, ignore_errors=True)


@contextmanager
def postgres_at(dsn: str | None, home: Path) -> Iterator[str]:
    """The address of the database given, or of an embedded one over `home`."""
    if dsn is not None:
        yield dsn
        return
    server = EmbeddedPostgres(home, settings=_SETTINGS)
    server.start()
    try:
        yield server.dsn
    finally:
        server.destroy()


@contextmanager
def kafka_at(bootstrap: str | None) -> Iterator[str]:
    """The address of the brokers given, or of one inside this process."""
    if bootstrap is not None:
        yield bootstrap
        return
    with EmbeddedBroker() as broker:
        yield broker.bootstrap
