"""Numbers as texts that decide as the numbers do: never rounded over a limit, never with an exponent."""

from collections.abc import Sequence
from decimal import Decimal
from typing import TypeVar

_N = TypeVar("_N", float, Decimal)
_MICROSECONDS = 1_000_000
_MOST_DECIMALS = 17
"""Of metres: where so many do not tell two numbers apart, all digits are printed."""


def exact(number: float) -> str:
    """The shortest decimal that reads as the same double, written out: `0.79999999`, `500`, `0.00001`.

    Two doubles that differ give texts that differ the same way.
    """
    text = repr(float(number) + 0.0)  # the sum turns a zero below nothing into zero
    return (format(Decimal(text), "f") if "e" in text else text).removesuffix(".0")


def seconds(us: int) -> str:
    """Whole microseconds, not below zero, as seconds with as many decimals as there are."""
    whole, rest = divmod(us, _MICROSECONDS)
    return f"{whole}.{rest:06d}".rstrip("0") if rest else f"{whole}"


def told_apart(computed: Sequence[float], given: Sequence[float]) -> tuple[str, ...]:
    """The computed numbers with as few decimals, one at least, as keep their order.

    As printed they compare among themselves, and with those of `given` printed by `exact`, as the numbers
    themselves do. All are finite.
    """
    ranks = _ranks([*computed, *given])  # as their exact decimals have
    limits = [Decimal(exact(number)) for number in given]
    for decimals in range(1, _MOST_DECIMALS + 1):
        texts = [f"{number:.{decimals}f}" for number in computed]
        if _ranks([*map(Decimal, texts), *limits]) == ranks:
            return tuple(texts)
    return tuple(exact(number) for number in computed)


def _ranks(numbers: Sequence[_N]) -> list[int]:
    ordered = sorted(set(numbers))
    return [ordered.index(number) for number in numbers]
