"""Who looks at orders or acts on them, through which channel and what for."""

import re
import unicodedata
from dataclasses import dataclass
from typing import Literal, Self

from stayaway.kernel.errors import RefusedError

Channel = Literal["web", "cli"]
_NAME = re.compile(r"[^\x00-\x1f\x7f]{1,64}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """A person as they say themselves. `verified`: signed in; never yet.

    `name` is tidied, so that white space does not make two persons of one.
    """

    name: str
    channel: Channel
    purpose: str
    verified: bool = False

    @classmethod
    def of(cls, name: str, channel: Channel, purpose: str = "ORDER_REGISTRY") -> Self:
        """The person of this name, NFC and with single spaces. RefusedError where it is no name."""
        tidied = tidy_name(name)
        if _NAME.fullmatch(tidied) is None:
            raise RefusedError([(("actor",), "Say who acts: 1 to 64 characters, none of them control.")])
        return cls(name=tidied, channel=channel, purpose=purpose)


def tidy_name(name: str) -> str:
    """The name in NFC with single spaces between its words."""
    return " ".join(unicodedata.normalize("NFC", name).split())


def is_same_person(one: str, other: str) -> bool:
    """Whether two names as given are one person's; stricter than the database, which compares keyed
    references of the tidied names and so cannot see that only the case differs.
    """
    return tidy_name(one).casefold() == tidy_name(other).casefold()
