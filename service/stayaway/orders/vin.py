"""The vehicle identification number's form and check digit (49 CFR 565.13 and 565.15)."""

import re

LENGTH = 17
"""Fixed since model year 1981 (49 CFR 565.13(b)); older vehicles have shorter ones."""
MAX_OLD_LENGTH = 16
MIN_OLD_LENGTH = 5
CHECK_POSITION = 8
"""The ninth character, counted from 0."""

_VALUES = {
    **{str(digit): digit for digit in range(10)},
    **dict(zip("ABCDEFGH", range(1, 9), strict=True)),
    **dict(zip("JKLMN", range(1, 6), strict=True)),
    "P": 7,
    "R": 9,
    **dict(zip("STUVWXYZ", range(2, 10), strict=True)),
}
"""Table III of 49 CFR 565.15(c): I, O and Q have no value, because no VIN has them."""
_WEIGHTS = (8, 7, 6, 5, 4, 3, 2, 10, 0, 9, 8, 7, 6, 5, 4, 3, 2)
"""Table IV."""
_SEPARATORS = re.compile(r"[\s-]+")


def check_digit(vin: str) -> str:
    """The ninth character that the other sixteen ask for: 0-9 or X. KeyError for no VIN character."""
    remainder = sum(_VALUES[c] * weight for c, weight in zip(vin, _WEIGHTS, strict=True) if weight) % 11
    return "X" if remainder == 10 else str(remainder)


def vin_remedy(text: str) -> str | None:
    """What is wrong with a VIN as entered, in words; None where nothing is."""
    vin = _SEPARATORS.sub("", text).upper()
    if len(vin) != LENGTH:
        if MIN_OLD_LENGTH <= len(vin) <= MAX_OLD_LENGTH:
            return (
                f"A VIN has 17 characters since model year 1981; this has {len(vin)}: right only for an older"
                " vehicle."
            )
        return f"A VIN has 17 characters; this has {len(vin)}: copy it from the registration again."
    strange = sorted({c for i, c in enumerate(vin) if c not in _VALUES and i != CHECK_POSITION})
    if strange:
        return f"A VIN has no {' or '.join(strange)}: I, O and Q are never used; read 1 and 0 instead."
    expected = check_digit(vin)
    if vin[CHECK_POSITION] != expected:
        return (
            f"The check digit (ninth character) is {vin[CHECK_POSITION]} and should be {expected}: some"
            " character is wrong, or the vehicle was not made for North America (49 CFR 565.15)."
        )
    return None
