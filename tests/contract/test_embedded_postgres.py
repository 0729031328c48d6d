"""The embedded Postgres: comes up, goes away, and leaves nothing behind, whatever happens."""

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import asyncpg
import psutil
import pytest

import stayaway
from stayaway.kernel.errors import SettingsError
from stayaway.platform.embedded import accounts
from stayaway.platform.embedded.postgres import EmbeddedPostgres, reap
from support.databases import run_apart

# Runs a server over argv[1], says its process id, and lives until it is killed.
_OWNER = """
import sys, pathlib
from stayaway.platform.embedded.postgres import EmbeddedPostgres
server = EmbeddedPostgres(pathlib.Path(sys.argv[1]))
server.start()
print(server.pid, flush=True)
sys.stdin.read()
"""


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Path]:
    """A folder for a server, which is destroyed with it after the test."""
    folder = tmp_path / "postgres"
    yield folder
    reap(folder)
    EmbeddedPostgres(folder).destroy()


@pytest.fixture
def server(home: Path) -> Iterator[EmbeddedPostgres]:
    with EmbeddedPostgres(home) as server:
        yield server
    server.destroy()


def ask(dsn: str, query: str) -> object:
    async def fetch() -> object:
        connection = await asyncpg.connect(dsn)
        try:
            return await connection.fetchval(query)
        finally:
            await connection.close()

    return run_apart(fetch())


def start_owner(home: Path) -> tuple["subprocess.Popen[str]", int]:
    environment = {**os.environ, "PYTHONPATH": str(Path(stayaway.__file__).parent.parent)}
    owner = subprocess.Popen(
        [sys.executable, "-c", _OWNER, str(home)],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment,
    )  # fmt: skip
    assert owner.stdout is not None
    return owner, int(owner.stdout.readline())


def kill_owner(home: Path) -> int:
    """A server whose owner got SIGKILL; its process id."""
    owner, pid = start_owner(home)
    owner.kill()
    owner.communicate()
    assert psutil.pid_exists(pid)
    return pid


def test_it_keeps_what_is_written_through_a_stop_and_a_crash(server: EmbeddedPostgres) -> None:
    ask(server.dsn, "CREATE TABLE kept (x integer)")
    server.stop()
    server.start()
    ask(server.dsn, "INSERT INTO kept VALUES (1)")
    server.kill()
    server.start()
    assert ask(server.dsn, "SELECT x FROM kept") == 1


def test_it_is_durable_and_listens_on_no_network(server: EmbeddedPostgres) -> None:
    assert ask(server.dsn, "SHOW fsync") == "on"
    assert ask(server.dsn, "SHOW synchronous_commit") == "on"
    assert ask(server.dsn, "SHOW listen_addresses") == ""
    folder = Path(str(ask(server.dsn, "SHOW unix_socket_directories")))
    assert folder.stat().st_mode & 0o077 == 0


def test_it_does_not_run_as_root_nor_in_our_session(server: EmbeddedPostgres) -> None:
    """Ctrl-C in the terminal reaches us, who stop it when we are done with it."""
    assert server.pid is not None
    assert psutil.Process(server.pid).uids().real != 0
    assert os.getsid(server.pid) == server.pid


def test_a_stopped_server_is_gone(server: EmbeddedPostgres) -> None:
    pid = server.pid
    assert pid is not None
    server.start()
    assert server.pid == pid
    server.stop()
    server.stop()
    assert not psutil.pid_exists(pid)
    assert server.pid is None


def test_a_server_that_ended_by_itself_can_be_stopped_and_started(server: EmbeddedPostgres) -> None:
    assert server.pid is not None
    process = psutil.Process(server.pid)
    process.send_signal(signal.SIGINT)
    process.wait(20)
    server.stop()
    server.start()
    assert ask(server.dsn, "SELECT 1") == 1


def test_what_a_killed_owner_left_is_reaped(home: Path) -> None:
    pid = kill_owner(home)
    assert reap(home)
    assert not psutil.pid_exists(pid)
    assert not reap(home)


def test_a_start_reaps_by_itself_and_keeps_the_data(home: Path) -> None:
    pid = kill_owner(home)
    with EmbeddedPostgres(home) as server:
        assert not psutil.pid_exists(pid)
        assert server.pid != pid
        assert ask(server.dsn, "SELECT 1") == 1


def test_an_owner_killed_before_it_wrote_its_record_is_reaped_too(home: Path) -> None:
    """postmaster.pid names the server as well."""
    if os.geteuid() == 0:
        home.parent.chmod(0o755)
    pid = kill_owner(home)
    (home / "server.json").write_text('{"pid": ')
    data = _data_of(pid)
    if data == home / "data":
        assert reap(home)
        assert not psutil.pid_exists(pid)
    else:
        (home / "server.json").write_text(json.dumps({"data": str(data)}))
        assert reap(home)


def _data_of(pid: int) -> Path:
    command = psutil.Process(pid).cmdline()
    return Path(command[command.index("-D") + 1])


def test_a_living_owners_server_is_left_alone(home: Path) -> None:
    owner, pid = start_owner(home)
    for attempt in (lambda: reap(home), EmbeddedPostgres(home).start):
        with pytest.raises(SettingsError, match="another process runs"):
            attempt()
    assert psutil.pid_exists(pid)
    owner.kill()
    owner.communicate()


@pytest.mark.parametrize("name", ["sleep", "postgres"])
def test_a_process_that_is_not_our_server_is_never_killed(tmp_path: Path, name: str) -> None:
    """Process ids are used again, so the record alone is no reason to kill: neither another
    program, nor another postgres, which runs over another folder.
    """
    program = tmp_path / name
    program.symlink_to(shutil.which("sleep") or "sleep")
    record = {"data": str(tmp_path / "data")}
    with subprocess.Popen([name, "60"], executable=program) as other:
        (tmp_path / "server.json").write_text(json.dumps({**record, "pid": other.pid}))
        assert not reap(tmp_path)
        assert other.poll() is None
        other.kill()


def test_nothing_to_reap_is_nothing(tmp_path: Path) -> None:
    assert not reap(tmp_path / "nowhere")


def test_destroying_what_never_was_is_nothing(tmp_path: Path) -> None:
    EmbeddedPostgres(tmp_path / "nowhere").destroy()
    assert list(tmp_path.iterdir()) == []


def test_a_folder_with_a_long_name_works(tmp_path: Path) -> None:
    """A unix socket's path has at most 108 bytes; the socket goes elsewhere then."""
    home = tmp_path / ("long" * 25)
    with EmbeddedPostgres(home) as server:
        assert ask(server.dsn, "SELECT 1") == 1
        sockets = Path(str(ask(server.dsn, "SHOW unix_socket_directories")))
    server.destroy()
    assert not sockets.exists()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root has to run it as another account")
@pytest.mark.parametrize("mode", [0o700, 0o755])
def test_as_root_no_folders_permissions_are_opened(mode: int) -> None:
    """Whether the server's account can reach the folder or not."""
    folder = Path(tempfile.mkdtemp())
    folder.chmod(mode)
    with EmbeddedPostgres(folder / "home") as server:
        assert ask(server.dsn, "SELECT 1") == 1
        assert folder.stat().st_mode & 0o777 == mode
        inside = folder in Path(server.dsn.split("host=")[1]).parents
        assert inside == (mode == 0o755)
    server.destroy()
    shutil.rmtree(folder)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root has to run it as another account")
def test_as_root_binaries_out_of_reach_are_copied(
    tmp_path: Path, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As with a virtual environment under a home folder of mode 0700."""
    hidden = tmp_path / "hidden"
    hidden.mkdir(mode=0o700)
    accounts._copy_wheel(accounts._installed(), hidden / "site-packages")
    monkeypatch.setattr(accounts, "_installed", lambda: hidden / "site-packages")
    with EmbeddedPostgres(home) as server:
        assert ask(server.dsn, "SELECT 1") == 1
        assert server.pid is not None
        running = Path(psutil.Process(server.pid).exe())
    assert hidden not in running.parents
    server.destroy()
    shutil.rmtree(running.parents[4])
