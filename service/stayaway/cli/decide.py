"""`stayaway decide`: files in, lines out, no server."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import IO

from stayaway.access.policy_file import load_policy
from stayaway.alerts.replay import Line, replay, snapshot_known_at
from stayaway.kernel.errors import SettingsError
from stayaway.kernel.instants import parse_instant
from stayaway.kernel.jsontext import compact_json
from stayaway.orders.cli_support import unreadable_finding
from stayaway.orders.findings import UnreadableFileError
from stayaway.orders.model import CourtOrder
from stayaway.orders.parse import parse_orders_file, to_orders
from stayaway.orders.registry import RegistrySnapshot
from stayaway.platform.files import read_file, whole_file

EXIT_ALL_READ, EXIT_SOME_REFUSED, EXIT_NOTHING_DECIDED = 0, 1, 2


def run_decide(*, orders: Path, policy: Path, events: str, known_at: str | None, out: Path | None) -> int:
    """Exit 0: every line read; 1: some refused; 2: a file is bad, nothing decided, findings on stderr.

    OSError where standard output cannot be written.
    """
    try:
        rules = load_policy(policy)
        snapshot = _load_snapshot(orders, known_at)
        with _open_events(events) as lines, _open_out(out) as sink:
            summary = _write(replay(snapshot, rules, lines), sink)
    except SettingsError as error:
        print(error, file=sys.stderr)  # noqa: T201 - the command's own output
        return EXIT_NOTHING_DECIDED
    return EXIT_SOME_REFUSED if summary["refused"] else EXIT_ALL_READ


def _load_snapshot(path: Path, known_at: str | None) -> RegistrySnapshot | None:
    asked_at = _parse_known_at(known_at)
    try:
        parsed = parse_orders_file(read_file(path, "orders file"))
    except UnreadableFileError as error:
        raise SettingsError(unreadable_finding(error).as_line(), "Nothing was decided.") from error
    for finding in (*parsed.findings, *parsed.unresolved):
        print(finding.as_line(), file=sys.stderr)  # noqa: T201 - the command's own output
    if parsed.has_errors:
        raise SettingsError(
            "The orders file has errors; nothing was decided.", "Correct what is listed above."
        )
    return _registry_of(to_orders(parsed), asked_at or parsed.known_at)


def _registry_of(orders: dict[str, CourtOrder], known_at: datetime | None) -> RegistrySnapshot | None:
    """The file's orders as known at `known_at`; None where nothing was ever recorded."""
    return None if known_at is None else snapshot_known_at(orders, known_at)


def _parse_known_at(text: str | None) -> datetime | None:
    if text is None:
        return None
    try:
        return parse_instant(text)
    except ValueError as error:
        raise SettingsError(f"--known-at is {error}.", "Write UTC with Z.") from error


@contextmanager
def _open_events(name: str) -> Iterator[IO[bytes]]:
    if name == "-":
        if sys.stdin is None:
            raise SettingsError("Standard input is closed.", "Name the events' file, or send them in.")
        yield sys.stdin.buffer
        return
    try:
        file = Path(name).open("rb")  # noqa: SIM115 - opened apart, so that only opening is blamed on the path
    except OSError as error:
        raise SettingsError(
            f"The events file {name} cannot be read: {error.strerror}.", "Check the path."
        ) from error
    with file:
        yield file


@contextmanager
def _open_out(path: Path | None) -> Iterator[IO[bytes]]:
    """Standard output, or a file that only appears whole."""
    if path is None:
        if sys.stdout is None:
            raise SettingsError("Standard output is closed.", "Open it, or write to a file with --out.")
        yield sys.stdout.buffer
        sys.stdout.buffer.flush()
        return
    with whole_file(path) as file:
        yield file


def _write(lines: Iterator[Line], sink: IO[bytes]) -> Line:
    """Every line to `sink`; the last one, which is the summary."""
    line: Line = {}
    for line in lines:
        sink.write(compact_json(line) + b"\n")
    return line
