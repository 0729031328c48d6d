"""How a command ends that met what nobody foresaw: in words, with no value in them, and no answer's code."""

import json
import sys

import pytest

from support.commands import json_lines, plain_environment, run_stayaway


def test_what_a_library_logs_under_a_command_shows_neither_its_text_nor_a_traceback() -> None:
    """A pool whose database has gone says so with a traceback; Postgres' own words repeat values."""
    code = """
import logging
from stayaway.cli.options import end_with
def run():
    try:
        raise ConnectionRefusedError("Key (plate)=(ZZZ0000)")
    except OSError:
        logging.getLogger("asyncpg.pool").exception("lost ZZZ0000")
end_with(run)
"""
    done = run_stayaway("-c", code, command=(sys.executable,))
    assert (done.returncode, done.stdout) == (0, b"")
    (line,) = json_lines(done.stderr)
    assert (line["event"], line["library"]["logger"]) == ("library log", "asyncpg.pool")
    assert b"ZZZ0000" not in done.stderr


@pytest.mark.parametrize(
    ("raised", "named"),
    [
        ("KeyError('ZZZ0000')", "builtins.KeyError"),
        ("BrokenProcessPool('ZZZ0000')", "concurrent.futures.process.BrokenProcessPool"),
        ("asyncpg.UniqueViolationError('ZZZ0000')", "asyncpg.exceptions.UniqueViolationError"),
        ("OSError(111, 'ZZZ0000')", "builtins.ConnectionRefusedError"),
        (
            "ExceptionGroup('ZZZ0000', [StayawayError('ours'), KeyError('ZZZ0000')])",
            "builtins.ExceptionGroup",
        ),
    ],
)
def test_what_nobody_foresaw_is_no_answer_and_shows_no_value(raised: str, named: str) -> None:
    """Where 1 is an answer the code is 2. Its type and place are logged, and a sentence says what to do."""
    code = f"""
import asyncpg
from concurrent.futures.process import BrokenProcessPool
from stayaway.cli.options import EXIT_NO_ANSWER, end_with
from stayaway.kernel.errors import StayawayError
def run():
    raise {raised}
end_with(run, failed=EXIT_NO_ANSWER)
"""
    done = run_stayaway("-c", code, command=(sys.executable,))
    assert (done.returncode, done.stdout) == (2, b"")
    logged, said = done.stderr.decode().splitlines()
    line = json.loads(logged)
    assert (line["event"], line["error"]["type"]) == ("unforeseen error", named)
    assert line["error"].get("sqlstate") == ("23505" if "Unique" in raised else None)
    assert said.startswith("The command ended by an error that nobody foresaw (")
    assert named.endswith(said.partition("(")[2].partition(")")[0])
    assert b"ZZZ0000" not in done.stderr


def test_a_letter_that_the_terminal_does_not_have_ends_nothing() -> None:
    """As a name in the answer of an act that has been recorded."""
    code = "from stayaway.cli.options import end_with, tell; end_with(lambda: tell('Małgorzata Müller'))"
    env = plain_environment(PYTHONIOENCODING="latin-1")
    done = run_stayaway("-c", code, command=(sys.executable,), env=env)
    assert (done.returncode, done.stdout, done.stderr) == (0, b"Ma\\u0142gorzata M\xfcller\n", b"")
