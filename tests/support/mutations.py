"""A function with one piece of its text replaced, put in its place wherever it was imported."""

import inspect
import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest


@dataclass(frozen=True)
class Rewrite:
    """In `function`, `old` (which stands there exactly once) becomes `new`."""

    function: Callable[..., Any]
    old: str
    new: str

    def __str__(self) -> str:
        """What is changed, for the test's name."""
        return f"{self.function.__qualname__}: {self.old} -> {self.new or 'nothing'}"

    def apply(self, patch: pytest.MonkeyPatch) -> None:
        """Until `patch` is undone, every room of stayaway calls the changed function."""
        source = inspect.getsource(self.function)
        assert source.count(self.old) == 1, f"{self}: the text stands there {source.count(self.old)} times"
        module = sys.modules[self.function.__module__]
        owner, _, name = self.function.__qualname__.rpartition(".")
        names: dict[str, Any] = {}
        text = inspect.cleandoc("\n" + source.replace(self.old, self.new))
        exec(compile(text, f"<{self}>", "exec"), vars(module), names)  # noqa: S102 - our own text
        if owner:
            patch.setattr(getattr(module, owner), name, names[name])
            return
        for room in [room for key, room in sys.modules.items() if key.startswith("stayaway.")]:
            if vars(room).get(name) is self.function:
                patch.setattr(room, name, names[name])
