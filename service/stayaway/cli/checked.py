"""Commands that refuse, before they begin, what nothing behind them can take."""

import math
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import typer
from typer.core import TyperCommand
from typer.models import CommandFunctionType

if TYPE_CHECKING:
    from collections.abc import Iterable

_LAST = (1 << 63) - 1
"""The last whole number that the database and the stream have."""


def refuse_no_text(text: str) -> None:
    """BadParameter for what came as bytes that are no UTF-8: it can be neither recorded nor compared."""
    if any("\ud800" <= character <= "\udfff" for character in text):
        raise typer.BadParameter(
            "It holds bytes that are no UTF-8. Type it in a terminal that sends UTF-8 (LANG=C.UTF-8)."
        )


def refuse_unusable(value: object) -> None:
    """BadParameter for a text, number or list of them that cannot be stored. Paths may be any bytes."""
    if isinstance(value, str):
        refuse_no_text(value)
    elif isinstance(value, int) and not -_LAST <= value <= _LAST:
        raise typer.BadParameter(f"It lies beyond 64 bits. Give a number up to {_LAST}.")
    elif isinstance(value, float) and not math.isfinite(value):
        raise typer.BadParameter("It is no finite number. Give one in digits.")
    elif isinstance(value, Sequence):
        for item in value:
            refuse_unusable(item)


class CheckedCommand(TyperCommand):
    """A command whose every option and argument is looked at so; whatever is refused is named."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """The values as typer reads them. Raises BadParameter."""
        rest = super().parse_args(ctx, args)
        given: Iterable[Any] = self.params
        for param in given:
            try:
                refuse_unusable(ctx.params.get(param.name))
            except typer.BadParameter as error:
                raise typer.BadParameter(error.message, ctx=ctx, param=param) from None
        return rest


class Commands(typer.Typer):
    """A group of such commands."""

    def command(
        self, name: str | None = None, **more: Any
    ) -> Callable[[CommandFunctionType], CommandFunctionType]:
        """The same as typer's, for a checked command."""
        return super().command(name, cls=CheckedCommand, **more)
