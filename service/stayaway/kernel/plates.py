"""Number plates in normal form, and the published confusion classes of plate readers."""

import re
import unicodedata

MAX_RAW_LENGTH = 32
MAX_LENGTH = 10

_DROPPED_MARKS = frozenset(". ' / & + ·".replace(" ", ""))
_NORMAL = re.compile(r"[A-Za-z0-9]{1,10}", re.ASCII)

CONFUSION_CLASSES: tuple[str, ...] = ("0ODQ", "1IL", "2Z", "5S", "6G", "8B")
"""Characters that readers take for one another (WIRE.md step 3; the classes are those that
OCR-equivalence features of plate readers publish)."""

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
