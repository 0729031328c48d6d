"""Files that a person names on the command line."""

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TextIO

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
