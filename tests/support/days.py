"""The packaged day, WIRE.md's example as files, and days built from a seed."""

import gzip
import json
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import build
import compare
from support.wire_examples import CHECK_IN, ORDERS, PLATE_READ, POLICY

Json = dict[str, Any]
REPO = Path(__file__).resolve().parents[2]
PACKAGED_DAY = REPO / "fixtures" / "day"


@dataclass(frozen=True)
class DayFolder:
    """The files of one day and what must come of them."""

    folder: Path

    @property
    def orders(self) -> Path:
        return self.folder / "orders.json"

    @property
    def policy(self) -> Path:
        return self.folder / "policy.json"

    @property
    def packed_events(self) -> Path:
        return self.folder / "events.jsonl.gz"

    def event_lines(self) -> list[bytes]:
        """Every line with its end, blank ones too."""
        return gzip.decompress(self.packed_events.read_bytes()).splitlines(keepends=True)

    def unpacked_events(self, into: Path) -> Path:
        """The events as a plain file in `into`."""
        path = into / "events.jsonl"
        path.write_bytes(gzip.decompress(self.packed_events.read_bytes()))
        return path

    def expected(self) -> list[Json]:
        """All output lines but those of no match."""
        return compare.read_lines(str(self.folder / "expected" / "decisions.jsonl.gz"))

    def expected_alerts(self) -> list[Json]:
        return compare.read_lines(str(self.folder / "expected" / "alerts.jsonl"))

    def expected_summary(self) -> Json:
        summary: Json = json.loads((self.folder / "expected" / "summary.json").read_bytes())
        return summary


def build_day(seed: int, into: Path, reads: int = 1_000) -> DayFolder:
    """A small day of that seed, every planted case in it, as the oracle expects it."""
    build.write(build.make_day(seed, reads), into)
    return DayFolder(into)


@dataclass(frozen=True)
class ExampleFiles:
    """WIRE.md's example as three files."""

    orders: Path
    policy: Path
    events: Path

    def options(self) -> list[str | Path]:
        return ["--orders", self.orders, "--policy", self.policy, "--events", self.events]


def write_example(folder: Path, *more_lines: bytes) -> ExampleFiles:
    """The two events of the example, then `more_lines`."""
    folder.mkdir(parents=True, exist_ok=True)
    files = ExampleFiles(folder / "orders.json", folder / "policy.json", folder / "events.jsonl")
    files.orders.write_text(json.dumps(ORDERS))
    files.policy.write_text(json.dumps(POLICY))
    lines = [json.dumps(PLATE_READ).encode(), json.dumps(CHECK_IN).encode(), *more_lines]
    files.events.write_bytes(b"".join(line + b"\n" for line in lines))
    return files


def without(value: Json, *names: str) -> str:
    """A value's text without some of its fields, to compare and sort by."""
    return json.dumps({name: inner for name, inner in value.items() if name not in names}, sort_keys=True)


def counted_without(values: list[Json], *names: str) -> Counter[str]:
    """How often each value occurs, some fields not looked at."""
    return Counter(without(value, *names) for value in values)
