"""Numbers without a finite double are found however deep they lie."""

import math
from typing import Any

import pytest

from stayaway.kernel.forms import has_endless_number


def nested(leaf: Any, depth: int) -> Any:
    """`leaf` in lists and objects by turns."""
    for level in range(depth):
        leaf = {"a": leaf} if level % 2 else [0, leaf]
    return leaf


@pytest.mark.parametrize("depth", [0, 1, 2, 500, 20_000])
def test_depth_neither_hides_one_nor_overruns_the_stack(depth: int) -> None:
    assert has_endless_number(nested(math.inf, depth))
    assert not has_endless_number(nested(1e308, depth))
    assert not has_endless_number(nested("Infinity", depth))
