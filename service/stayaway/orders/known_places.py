"""What an installation knows of the world around its orders; each order is checked against it (pure)."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from stayaway.orders.court_areas import CourtAreas
from stayaway.orders.readers import Reader

_NO_READERS = (
    "No list of plate readers is given (STAYAWAY_READERS_FILE): whether any of them covers the zones was not"
    " checked."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownPlaces:
    """`readers`: where plate readers stand; None where nobody said, and then nothing is claimed of them.

    `court_areas`: of which courts and agencies which area is; None: only the states' boxes are known.
    `file_sha256`: of each file that this was read from, in hex, by what it is called.
    """

    readers: tuple[Reader, ...] | None = None
    court_areas: CourtAreas | None = None
    file_sha256: Mapping[str, str] = field(default_factory=dict)

    @property
    def not_checked(self) -> tuple[str, ...]:
        """What could not be checked without a list of readers, in words for whoever checks or approves."""
        return (_NO_READERS,) if self.readers is None else ()


NO_PLACES: Final = KnownPlaces()
"""Nobody said anything."""
