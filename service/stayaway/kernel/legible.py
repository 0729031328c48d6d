"""Text from outside as a person may trust to see it."""

import unicodedata

_HIDDEN = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})
# Letters of some scripts are joined or parted by these.
_JOINERS = "\u200c\u200d"


def legible(text: str) -> str:
    r"""`text` with whatever nobody sees, or what turns the direction of the rest, written as `\uXXXX`.

    A plate that a camera considered may hold U+202E, after which a terminal shows the line turned round:
    another plate (Unicode Technical Report 36, "Bidirectional text spoofing"). Line feeds stay.
    """
    if text.isprintable():  # never true of the categories above
        return text
    return "".join(_shown(character) for character in text)


def _shown(character: str) -> str:
    if character == "\n" or character in _JOINERS or unicodedata.category(character) not in _HIDDEN:
        return character
    return f"\\u{ord(character):04x}"
