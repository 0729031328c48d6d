"""Files that a person names on the command line."""

import os
import secrets
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO, TextIO

from stayaway.kernel.errors import SettingsError


def read_file(path: Path, what: str) -> bytes:
    """The file's bytes; SettingsError that names the file and what it was to be."""
    try:
        return path.read_bytes()
    except OSError as error:
        raise SettingsError(
            f"The {what} {path} cannot be read: {error.strerror}.", "Check the path."
        ) from error


@contextmanager
def new_private_file(path: Path, what: str) -> Iterator[TextIO]:
    """A text file that was not there before, for this account alone; SettingsError where that cannot be.

    It is gone again where what was to fill it fails: else a second try would find it there.
    """
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise SettingsError(
            f"The {what} {path} cannot be made: {error.strerror}.", "Name a new file in a folder that exists."
        ) from error
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            yield file
    except BaseException:
        with suppress(OSError):
            path.unlink()
        raise


@contextmanager
def whole_file(path: Path) -> Iterator[BinaryIO]:
    """What is written appears at `path` when it is whole, or not at all. SettingsError where that cannot be.

    A link is followed: the file that it names is replaced, and the link stays. A file that was there keeps
    its mode, a new one has the mode of any new file. A FIFO or a character device takes what is written as it
    comes. All else that is no file, and a link that leads nowhere, is refused and stays what it is.
    """
    try:
        found = _mode(path)
        if found is not None and (stat.S_ISFIFO(found) or stat.S_ISCHR(found)):
            with os.fdopen(os.open(path, os.O_WRONLY | os.O_CLOEXEC | os.O_NOCTTY), "wb") as file:
                yield file
            return
        if found is not None and not stat.S_ISREG(found):
            raise SettingsError(f"{path} is no file, so it cannot be written.", "Name a file.")
        with _replacing(Path(os.path.realpath(path)), 0o666 & ~_umask() if found is None else found) as file:
            yield file
    except OSError as error:
        raise SettingsError(f"{path} cannot be written: {error.strerror}.", "Check the folder.") from error


def _mode(path: Path) -> int | None:
    """Kind and permissions of what the path names, through links; None where nothing is there."""
    try:
        return path.stat().st_mode
    except FileNotFoundError:
        if path.is_symlink():
            raise
        return None


def _umask() -> int:
    """Which permissions new files of this process do not get; it can only be asked by setting it."""
    masked = os.umask(0o077)
    os.umask(masked)
    return masked


@contextmanager
def _replacing(path: Path, mode: int) -> Iterator[BinaryIO]:
    """A file beside it that nobody else can open or foretell, which takes its place and mode at the end."""
    part = path.with_name(f".{secrets.token_hex(8)}.part")
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
    try:
        with os.fdopen(os.open(part, flags, 0o600), "wb") as file:
            yield file
            file.flush()
            os.fchmod(file.fileno(), stat.S_IMODE(mode))
            os.fsync(file.fileno())
        part.replace(path)
    except BaseException:
        part.unlink(missing_ok=True)
        raise
