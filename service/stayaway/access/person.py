"""Who looks at orders or acts on them, through which channel and what for."""

import unicodedata
from dataclasses import dataclass
from typing import Literal, Self

from stayaway.kernel.errors import RefusedError

Channel = Literal["web", "cli"]
MAX_NAME_LENGTH = 64
_UNSEEN = frozenset({"Cc", "Cf", "Cn", "Co", "Cs", "Zl", "Zp"})
"""Unicode's general categories of what nobody sees, or what no font has to show."""
_BLANK = frozenset(
    chr(code)
    for first, last in (
        (0x034F, 0x034F),
        (0x115F, 0x1160),
        (0x17B4, 0x17B5),
        (0x180B, 0x180F),
        (0x2800, 0x2800),
        (0x3164, 0x3164),
        (0xFE00, 0xFE0F),
        (0xFFA0, 0xFFA0),
        (0xFFFD, 0xFFFD),
        (0xE0100, 0xE01EF),
    )
    for code in range(first, last + 1)
)
"""Letters and marks that show nothing: Default_Ignorable_Code_Point (Unicode 15, DerivedCoreProperties)
outside `_UNSEEN`, the blank Braille pattern; and U+FFFD, which stands for bytes that were no text.
"""


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
        tidied = " ".join(unicodedata.normalize("NFC", name).split())
        if not 1 <= len(tidied) <= MAX_NAME_LENGTH or any(map(_is_unseen, name)):
            raise RefusedError(
                [
                    (
                        ("actor",),
                        "Say who acts: 1 to 64 characters, none of them a control or one that is not seen.",
                    )
                ]
            )
        return cls(name=tidied, channel=channel, purpose=purpose)

    @property
    def key(self) -> str:
        """What persons are compared by, as text: see `person_key`."""
        return person_key(self.name)


def person_key(name: str) -> str:
    """The same for all names that read alike but for letter case, width, form and spaces: NFKC, case folded.

    What nobody sees is left out: names were recorded before those were refused. Letters of different scripts
    that look alike stay different.
    """
    seen = "".join(character for character in name if character.isspace() or not _is_unseen(character))
    folded = unicodedata.normalize("NFKC", seen).casefold()
    return " ".join(unicodedata.normalize("NFKC", folded).split())


def is_same_person(one: str, other: str) -> bool:
    """Whether two names as given are one person's; the database compares references of the same keys."""
    return person_key(one) == person_key(other)


def _is_unseen(character: str) -> bool:
    return character in _BLANK or unicodedata.category(character) in _UNSEEN
