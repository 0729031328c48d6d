"""Files that a person names on the command line."""

from pathlib import Path

from stayaway.kernel.errors import SettingsError


def read_file(path: Path, what: str) -> bytes:
    """The file's bytes; SettingsError that names the file and what it was to be."""
    try:
        return path.read_bytes()
    except OSError as error:
        raise SettingsError(
            f"The {what} {path} cannot be read: {error.strerror}.", "Check the path."
        ) from error
