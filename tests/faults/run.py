"""`make faults FAULTS=N SEED=S`: inject N faults in rounds, check each round, print the tally."""

import argparse
import asyncio
import logging
import os
import random
import secrets
import sys
import tempfile
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from faults.matchers import Stable
from faults.round import Report, run_round
from faults.schedule import Fault, draw_faults
from faults.servers import Servers
from support.kafka_server import KafkaServer, find_reason_to_skip

REPO = Path(__file__).resolve().parents[2]
PER_ROUND = 40
KINDS = ("lost", "doubled", "gaps", "broken")


@dataclass
class Total:
    """All rounds together."""

    seed: str
    injected: Counter[str] = field(default_factory=Counter)
    tally: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)
    kinds: Counter[str] = field(default_factory=Counter)
    rounds: int = 0
    seconds: float = 0.0
    slowest_stop_s: float = 0.0

    def add(self, report: Report) -> None:
        findings = report.findings
        self.rounds += 1
        self.injected += report.injected
        self.tally += report.tally + findings.counts
        self.wrong += [f"{report.name}: {text}" for text in findings.all]
        for kind in KINDS:
            self.kinds[kind] += len(getattr(findings, kind))
        self.slowest_stop_s = max(self.slowest_stop_s, report.slowest_stop_s)

    def lines(self) -> list[str]:
        """The tally, for people."""
        by_name = sorted(self.injected.items())
        counts = ", ".join(f"{count:,} {name}" for name, count in sorted(self.tally.items()))
        return [
            *(f"  {count:4}  {name}" for name, count in by_name),
            f"{self.injected.total()} faults in {self.rounds} rounds, {self.seconds:.0f} s, SEED={self.seed}",
            f"looked at: {counts}",
            f"slowest stop in order {self.slowest_stop_s:.1f} s",
            ", ".join(f"{kind} {self.kinds[kind]}" for kind in KINDS),
            *(f"WRONG {text}" for text in self.wrong[:20]),
        ]


@asynccontextmanager
async def open_servers(kafka: KafkaServer) -> AsyncIterator[tuple[Servers, Stable]]:
    """Postgres, proxy and stable around a running broker."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        async with Servers(folder, kafka) as servers, Stable(folder) as stable:
            yield servers, stable


async def run_faults(
    kafka: KafkaServer, seed: str, count: int, *, limit_s: float = float("inf"), say: Callable[[str], None]
) -> Total:
    """`count` faults, or as many whole rounds as begin within `limit_s`."""
    faults = draw_faults(random.Random(seed), count)
    total, began = Total(seed), time.monotonic()
    async with open_servers(kafka) as (servers, stable):
        for number, start in enumerate(range(0, len(faults), PER_ROUND)):
            if time.monotonic() - began > limit_s:
                say(f"stopped after {limit_s:.0f} s")
                break
            report = await _run_one(servers, stable, number, seed, faults[start : start + PER_ROUND])
            total.add(report)
            say(f"{report.name}: {report.seconds:.0f} s, {len(report.findings.all)} wrong")
    total.seconds = time.monotonic() - began
    return total


async def _run_one(servers: Servers, stable: Stable, number: int, seed: str, faults: list[Fault]) -> Report:
    name, own = f"round{number}", f"{seed}/{number}"
    return await run_round(servers, stable, name, own, faults, with_changes=number % 2 == 1)


def main() -> int:
    """The command; 0 if every promise held."""
    parser = argparse.ArgumentParser(description="faults against real matchers on real servers")
    parser.add_argument("--faults", type=int, default=150)
    parser.add_argument("--seed", default=os.environ.get("SEED") or str(secrets.randbelow(1 << 32)))
    wanted = parser.parse_args()
    reason = find_reason_to_skip()
    if reason:
        print(reason, file=sys.stderr)
        return 2
    print(f"SEED={wanted.seed} FAULTS={wanted.faults}", flush=True)
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)  # brokers die here on purpose
    with KafkaServer(REPO) as kafka:
        say = lambda text: print(text, flush=True)  # noqa: E731
        total = asyncio.run(run_faults(kafka, wanted.seed, wanted.faults, say=say))
    print("\n".join(total.lines()))
    return 1 if total.wrong else 0


if __name__ == "__main__":
    sys.exit(main())
