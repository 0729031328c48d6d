"""Options that several commands share, and how a command ends."""

import asyncio
import errno
import logging
import os
import sys
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import replace
from io import TextIOWrapper
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from stayaway.access.person import Person
from stayaway.cli.checked import refuse_no_text
from stayaway.kernel.errors import RefusedError, SettingsError, StayawayError
from stayaway.kernel.jsontext import json_pointer
from stayaway.kernel.legible import legible
from stayaway.platform.settings import Settings, read_settings

if TYPE_CHECKING:
    from stayaway.alerts.review_model import Reviewer

EXIT_FAILED, EXIT_BAD_SETTINGS = 1, 2
EXIT_NO_ANSWER = 2
_UNWRITABLE = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO, errno.EBADF}

Database = Annotated[str | None, typer.Option(help="postgresql://… [STAYAWAY_DATABASE]", show_default=False)]
Bootstrap = Annotated[
    str | None, typer.Option(help="Kafka's HOST:PORT [STAYAWAY_BOOTSTRAP]", show_default=False)
]
Keys = Annotated[
    Path | None, typer.Option(help="The sealing keys' file [STAYAWAY_KEYS_FILE]", show_default=False)
]
PolicyFile = Annotated[
    Path | None, typer.Option(help="policy.v1 file [STAYAWAY_POLICY_FILE]", show_default=False)
]
RegistryPolicyFile = Annotated[
    Path | None,
    typer.Option(
        "--registry-policy",
        help="registry_policy.v1 file [STAYAWAY_REGISTRY_POLICY_FILE]",
        show_default=False,
    ),
]
ReadersFile = Annotated[
    Path | None,
    typer.Option(
        "--readers",
        help="Where plate readers stand (readers.v1): zones without one are named [STAYAWAY_READERS_FILE]",
        show_default=False,
    ),
]
CourtAreasFile = Annotated[
    Path | None,
    typer.Option(
        "--areas",
        help="The areas of courts (court_areas.v1): zones outside are named [STAYAWAY_COURT_AREAS_FILE]",
        show_default=False,
    ),
]


def _name(text: str) -> str:
    """The name as a person's is recorded. BadParameter where it is none."""
    refuse_no_text(text)
    try:
        return Person.of(text, "cli").name
    except RefusedError as error:
        raise typer.BadParameter(error.message) from None


Actor = Annotated[
    str,
    typer.Option("--as", help="Who acts; recorded, not verified until there is sign-in.", callback=_name),
]
"""Without a default where two persons must act: one name that everybody has by default is one person's."""
Purpose = Annotated[str, typer.Option(help="What for; recorded with the look.")]


def settings_with(**given: Any) -> Settings:
    """The environment's settings with the options given in their place."""
    return replace(
        read_settings(os.environ), **{name: value for name, value in given.items() if value is not None}
    )


def say(text: str) -> None:
    """A line for people, on standard error."""
    typer.echo(legible(text), err=True)


def tell(text: str) -> None:
    """An answer's lines for people, on standard output."""
    typer.echo(legible(text))


def say_not_checked(not_checked: Sequence[str], out: Callable[[str], None] = say) -> None:
    """What could not be checked, a line each: silence about it would read as "all is well"."""
    for words in not_checked:
        out(f"NOT CHECKED: {words}")


def end_with(run: Callable[[], int | None], *, failed: int = EXIT_FAILED) -> None:
    """Exit with what `run` returns; whatever ended it is said in words, without a traceback.

    Exit 2: a setting or a file is wrong; `failed`: something else stopped it. Where 1 is an answer
    ("some refused", "something differs"), whoever asks must not read it into a failure: EXIT_NO_ANSWER then.
    What libraries log meanwhile is reduced to where it comes from: their texts repeat values.
    """
    from stayaway.platform.logging import configure_logging

    configure_logging(level=logging.WARNING)  # servers say more, and configure it again
    if isinstance(sys.stdout, TextIOWrapper):
        # A letter that the terminal does not have is escaped: what was recorded must not end in an error.
        sys.stdout.reconfigure(errors="backslashreplace")
    try:
        code = run() or 0
        if sys.stdout is not None:
            sys.stdout.flush()  # what cannot be written shall be known before the exit code is
    except Exception as error:  # noqa: BLE001 - the last stop: without it the exit code would be an answer's
        code = _say_why(error, failed)
    sys.exit(code)


def _say_why(error: Exception, failed: int) -> int:
    """What ended the command, in words; its exit code."""
    if isinstance(error, StayawayError):
        return _say_error(error, failed)
    if isinstance(error, ExceptionGroup):
        ours, others = error.split(StayawayError)
        if ours is not None and others is None:
            return max(_say_error(single, failed) for single in _leaves(ours))
    elif isinstance(error, BrokenPipeError):  # whoever read our output has gone; what was left has no reader
        _drop_output()
        return failed
    elif isinstance(error, OSError) and is_of_output(error):
        _drop_output()
        say(f"The output cannot be written: {error.strerror}. What was written is not whole.")
        return failed
    return _say_unforeseen(error, failed)


def _say_unforeseen(error: Exception, failed: int) -> int:
    """By type and place, never by its text, which may repeat values."""
    from stayaway.platform.logging import get_logger

    get_logger().critical("unforeseen error", exc_info=error)
    say(
        f"The command ended by an error that nobody foresaw ({type(error).__name__}); the line above says"
        " where. If it was to record something, look whether it did before you send it again."
    )
    return failed


def is_of_output(error: OSError) -> bool:
    """Whether it says that what was written to an open stream can go no further."""
    unwritable = error.errno in _UNWRITABLE and error.filename is None
    return unwritable or isinstance(error, BrokenPipeError)


def _drop_output() -> None:
    """Nothing more is written to standard output, also not at exit, where it would fail again."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def end_with_async(run: Callable[[], Awaitable[int | None]], *, failed: int = EXIT_FAILED) -> None:
    """The same for a coroutine function."""

    async def main() -> int | None:
        return await run()

    end_with(lambda: asyncio.run(main()), failed=failed)


def reviewer_of(actor: str, purpose: str) -> "Reviewer":
    """Who looks or acts through the command line; `actor` as `Actor` gives it."""
    from stayaway.alerts.review_model import Reviewer

    return Reviewer(name=actor, channel="cli", purpose=purpose)


def _say_error(error: StayawayError, failed: int) -> int:
    if isinstance(error, RefusedError):
        for path, text in error.problems:
            say(f"{json_pointer(*path)}: {text}")
        say(error.remedy)
    else:
        say(str(error))
    return EXIT_BAD_SETTINGS if isinstance(error, SettingsError) else failed


def _leaves(group: BaseExceptionGroup[StayawayError]) -> Iterator[StayawayError]:
    for error in group.exceptions:
        if isinstance(error, BaseExceptionGroup):
            yield from _leaves(error)
        else:
            yield error
