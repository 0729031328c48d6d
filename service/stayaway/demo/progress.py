"""What the demo shows while it runs, and what it says at the end."""

import sys
import time
from typing import Any, Self

from rich.console import Console
from rich.live import Live
from rich.table import Table

from stayaway.demo.publisher import Publisher
from stayaway.kernel.instants import format_instant
from stayaway.worker.counters import Counters

_LINE_EVERY_S = 5.0


class Progress:
    """A live table on a terminal, a line now and then elsewhere; all on standard error."""

    def __init__(self, publisher: Publisher, counters: Counters) -> None:
        self._publisher = publisher
        self._counters = counters
        self._console = Console(stderr=True)
        self._live = Live(console=self._console, auto_refresh=False, transient=True)
        self._started_s = time.monotonic()
        self._line_at_s = self._started_s

    def __enter__(self) -> Self:
        """Start drawing."""
        if self._console.is_terminal:
            self._live.start()
        return self

    def __exit__(self, *exc_info: object) -> None:
        """Leave the terminal as it was."""
        self._live.stop()

    def show(self) -> None:
        """Draw the state of this moment."""
        if self._console.is_terminal:
            self._live.update(self._table(), refresh=True)
        elif time.monotonic() - self._line_at_s > _LINE_EVERY_S:
            self._line_at_s = time.monotonic()
            c = self._counters
            print(f"{c.read:,} read, {c.alerts_raised} alerts", file=sys.stderr, flush=True)  # noqa: T201

    def _table(self) -> Table:
        c = self._counters
        reached = self._publisher.reached_at
        table = Table(title="stayaway demo", show_header=False)
        rows = [
            ("the day's clock", format_instant(reached) if reached else "-"),
            ("published", f"{self._publisher.published:,}"),
            ("read", f"{c.read:,}"),
            ("refused, in the dead letters", f"{c.refused:,}"),
            ("matched nothing, left no trace", f"{c.none:,}"),
            ("suppressed", f"{c.suppressed:,}"),
            ("alerting", f"{c.alert:,}"),
            ("alerts raised", f"{c.alerts_raised:,}"),
        ]
        for name, value in rows:
            table.add_row(name, value)
        return table


def report(summary: dict[str, Any], counters: Counters) -> str:
    """What happened, in words."""
    rate = summary["read"] / summary["elapsed_s"] if summary["elapsed_s"] else 0.0
    lines = [
        f"{summary['read']:,} events read in {summary['elapsed_s']:.1f} s ({rate:,.0f} a second)",
        f"{summary['refused']:,} refused{_by_reason(counters.refused_by_reason)}",
        f"{summary['none']:,} matched nothing and left nothing behind but this number",
        f"{summary['suppressed']:,} suppressed{_by_reason(counters.suppressed_by_reason)}",
        f"{summary['alert']:,} alerting events made {summary['alerts']:,} alerts; each waits for a human",
    ]
    return "\n".join(lines)


def _by_reason(counts: dict[str, int]) -> str:
    parts = [f"{reason} {count}" for reason, count in sorted(counts.items(), key=lambda item: -item[1])]
    return f": {', '.join(parts)}" if parts else ""
