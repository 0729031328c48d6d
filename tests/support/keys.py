"""Keys files as tests begin with them."""

from pathlib import Path

from stayaway.platform.seal import FileSeal


def made_keys(path: Path) -> FileSeal:
    """The seal of `path`, whose file is there."""
    seal = FileSeal(path)
    seal.ensure(())
    return seal
