"""The files on disk that say what an installation knows of places."""

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from stayaway.orders.court_areas import parse_court_areas
from stayaway.orders.known_places import KnownPlaces
from stayaway.orders.readers import parse_readers_file
from stayaway.platform.files import read_file
from stayaway.platform.settings import Settings

_T = TypeVar("_T")


def load_known_places(settings: Settings) -> KnownPlaces:
    """What the files named by the settings say. SettingsError where one is missing or cannot be used."""
    digests: dict[str, str] = {}

    def load(path: Path | None, what: str, parse: Callable[[bytes], _T]) -> _T | None:
        if path is None:
            return None
        data = read_file(path, f"{what} file")
        digests[what.replace(" ", "_")] = hashlib.sha256(data).hexdigest()
        return parse(data)

    return KnownPlaces(
        readers=load(settings.readers_file, "readers", parse_readers_file),
        court_areas=load(settings.court_areas_file, "court areas", parse_court_areas),
        file_sha256=digests,
    )
