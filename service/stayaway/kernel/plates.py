"""Number plates in normal form, and the published confusion classes of plate readers."""

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

MAX_RAW_LENGTH = 32
MAX_LENGTH = 10

_DROPPED_MARKS = frozenset(". ' / & + ·".replace(" ", ""))
_NORMAL = re.compile(r"[A-Za-z0-9]{1,10}", re.ASCII)

CONFUSION_CLASSES: tuple[str, ...] = ("0ODQ", "1IL", "2Z", "5S", "6G", "8B")
"""Characters that readers take for one another: WIRE.md step 3's classes, fixed there.

They are the Latin "OCR equivalent characters" that Genetec publishes for AutoVu (Security Center
Administrator Guide 5.12, "ALPR matcher technique: OCR equivalence": 0 O D Q, 1 I, 2 Z, 5 S, 6 G,
8 B), with L, which plate fonts draw like 1 and I, added to 1 I."""

_FOLD = str.maketrans({letter: group[0] for group in CONFUSION_CLASSES for letter in group})


class InvalidPlateError(ValueError):
    """The text is no plate: empty, too long, or with a character that no plate has."""


def normalise_plate(text: str) -> str:
    """The plate's normal form: 1-10 of A-Z and 0-9 (WIRE.md, "Common").

    NFKC; spaces (Zs), dashes (Pd) and `. ' / & + ·` are dropped; everything else, an unread
    character's mark above all, is refused, because dropping it would name another car.
    Raises InvalidPlateError.
    """
    if not 1 <= len(text) <= MAX_RAW_LENGTH:
        raise InvalidPlateError("a plate has 1 to 32 characters")
    if not (text.isascii() and text.isalnum()):
        text = "".join(c for c in unicodedata.normalize("NFKC", text) if not _is_dropped(c))
    if _NORMAL.fullmatch(text) is None:
        raise InvalidPlateError("a plate has 1 to 10 letters A-Z and digits")
    return text.upper()


def _is_dropped(character: str) -> bool:
    return character in _DROPPED_MARKS or unicodedata.category(character) in ("Zs", "Pd")


def fold_plate(plate: str) -> str:
    """A normal-form plate with every confusion class folded to its first character."""
    return plate.translate(_FOLD)


def differing_positions(one: str, other: str) -> tuple[int, ...]:
    """Positions (from 0) at which two plates of one length differ."""
    return tuple(i for i, (a, b) in enumerate(zip(one, other, strict=True)) if a != b)


@dataclass(frozen=True, slots=True)
class Character:
    """One place of two plates compared. `position` from 1, spaces and dashes not counted."""

    position: int
    camera: str
    order: str

    @property
    def differs(self) -> bool:
        """Whether the two readings differ here; both stay as they are, never merged."""
        return self.camera != self.order


def compare_plates(camera: str, order: str) -> tuple[Character, ...]:
    """Two plates in normal form side by side; a missing character is an empty text."""
    length = max(len(camera), len(order))
    return tuple(
        Character(index + 1, camera[index : index + 1], order[index : index + 1]) for index in range(length)
    )


def difference_words(characters: Sequence[Character]) -> tuple[str, ...]:
    """`position 4: camera 8, order B` for each character that differs."""
    return tuple(
        f"position {item.position}: camera {item.camera or 'nothing'}, order {item.order or 'nothing'}"
        for item in characters
        if item.differs
    )
