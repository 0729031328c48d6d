"""Options that several commands share, and how a command ends."""

import asyncio
import errno
import logging
import os
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import typer

from stayaway.kernel.errors import RefusedError, SettingsError, StayawayError, UnreachableError
from stayaway.kernel.jsontext import json_pointer
from stayaway.kernel.legible import legible
from stayaway.platform.settings import Settings, read_settings

if TYPE_CHECKING:
    from stayaway.alerts.review_model import Reviewer

_T = TypeVar("_T")
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
Actor = Annotated[str, typer.Option("--as", help="Who acts; recorded, not verified until there is sign-in.")]
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
    """Exit with what `run` returns; an error of ours is said in words, without a traceback.

    Exit 2: a setting or a file is wrong; `failed`: something else stopped it. Where 1 is an answer
    ("some refused", "something differs"), whoever asks must not read it into a failure: EXIT_NO_ANSWER then.
    What libraries log meanwhile is reduced to where it comes from: their texts repeat values.
    """
    from stayaway.platform.logging import configure_logging

    configure_logging(level=logging.WARNING)  # servers say more, and configure it again
    try:
        code = run() or 0
        if sys.stdout is not None:
            sys.stdout.flush()  # what cannot be written shall be known before the exit code is
    except StayawayError as error:
        code = _say_error(error, failed)
    except BaseExceptionGroup as group:
        ours, others = group.split(StayawayError)
        if ours is None or others is not None:
            raise
        code = max(_say_error(error, failed) for error in _leaves(ours))
    except BrokenPipeError:  # whoever read our output has gone; what was left to say has no reader
        _drop_output()
        code = failed
    except OSError as error:
        if not is_of_output(error):
            raise
        _drop_output()
        say(f"The output cannot be written: {error.strerror}. What was written is not whole.")
        code = failed
    sys.exit(code)


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


async def with_database(
    database: str | None, keys: Path | None, act: Callable[[Any, Any], Awaitable[_T]]
) -> _T:
    """What `act(conn, seal)` returns, with the database and keys named or set.

    For acts on what is there already: a keys file that is not there is refused, never made.
    """
    from stayaway.platform.postgres import connect
    from stayaway.platform.seal import FileSeal

    settings = settings_with(database=database, keys_file=keys)
    seal = FileSeal(settings.need_keys_file(), must_exist=True)
    conn = await connect(settings.need_database(), wait_s=settings.wait_s, on_wait=say)
    try:
        async with loss_in_words(conn):
            return await act(conn, seal)
    finally:
        await conn.close()


@asynccontextmanager
async def loss_in_words(conn: Any) -> AsyncIterator[None]:
    """UnreachableError where the connection breaks meanwhile: nobody here knows what was still recorded."""
    import asyncpg

    from stayaway.platform.postgres import UNREACHABLE

    try:
        yield
    except UNREACHABLE as error:
        # On a connection that stands it is something else: standard output's reader has gone or its disk
        # is full (`end_with` says so), or a call of ours was wrong.
        is_ours = isinstance(error, asyncpg.InterfaceError)
        if not conn.is_closed() and (is_ours or (isinstance(error, OSError) and is_of_output(error))):
            raise
        raise UnreachableError(
            f"Postgres went away meanwhile ({type(error).__name__}).",
            "Look whether the act was recorded before you send it again.",
        ) from error


def reviewer_of(actor: str, purpose: str) -> "Reviewer":
    """Who looks or acts through the command line."""
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
