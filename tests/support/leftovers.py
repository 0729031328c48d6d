"""Folders named after the test process that uses them, so that a later run can clear up."""

import os
from collections.abc import Iterator
from pathlib import Path


def own_folder(parent: Path) -> Path:
    """This process's folder in `parent`."""
    return parent / str(os.getpid())


def left_folders(parent: Path) -> Iterator[Path]:
    """The folders in `parent` whose process is gone."""
    for folder in parent.glob("*"):
        if folder.name.isdigit() and not _lives(int(folder.name)):
            yield folder


def _lives(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
