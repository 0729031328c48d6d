"""Named places where tests make the matcher die, stop, wait or fail; nothing in operation.

`STAYAWAY_FAILPOINTS=before_commit=kill@3,after_fetch=delay:0.5` acts at the third passing of
`before_commit` and at each passing of `after_fetch`. Kinds: `kill` (SIGKILL), `stop` (SIGSTOP, to be
woken with SIGCONT: a zombie), `raise`, `cancel`, `delay:SECONDS`. A place that acted says so in a line
of the file that `STAYAWAY_FAILPOINTS_LOG` names, so that a test can assert that it fired.
"""

import asyncio
import os
import re
import signal
from collections import Counter
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from stayaway.kernel.errors import SettingsError

FAILPOINTS = (
    "after_fetch",
    "after_decide",
    "before_dead_letters",
    "after_dead_letters",
    "in_transaction",
    "before_commit",
    "after_commit",
    "on_assign",
    "on_revoke",
)
_RULE = re.compile(r"([a-z_]+)=(kill|stop|raise|cancel|delay:([0-9.]+))(?:@([0-9]+))?", re.ASCII)


class FailpointError(RuntimeError):
    """Raised on purpose, by `raise`."""


@dataclass(frozen=True, slots=True)
class _Rule:
    kind: str
    delay_s: float
    nth: int | None


_passed: Counter[str] = Counter()


@cache
def _rules() -> dict[str, _Rule]:
    """What the environment asks for, read once. Raises SettingsError for anything unknown."""
    rules = {}
    for text in filter(None, os.environ.get("STAYAWAY_FAILPOINTS", "").split(",")):
        found = _RULE.fullmatch(text)
        if found is None or found[1] not in FAILPOINTS:
            raise SettingsError(f"STAYAWAY_FAILPOINTS has {text!r}.", "It is for tests: unset it.")
        rules[found[1]] = _Rule(
            found[2].partition(":")[0], float(found[3] or 0), int(found[4]) if found[4] else None
        )
    return rules


async def failpoint(name: str) -> None:
    """Do here what the environment asks for; usually nothing."""
    rule = _rules().get(name)
    if rule is None:
        return
    _passed[name] += 1
    if rule.nth is None or _passed[name] == rule.nth:
        await _act(name, rule)


async def _act(name: str, rule: _Rule) -> None:
    log = os.environ.get("STAYAWAY_FAILPOINTS_LOG")
    if log:
        with Path(log).open("a", encoding="utf-8") as file:  # noqa: ASYNC230 - a test's, and it may be killed next
            file.write(f"{name} {rule.kind} {_passed[name]}\n")
    if rule.kind == "kill":
        os.kill(os.getpid(), signal.SIGKILL)
    elif rule.kind == "stop":
        os.kill(os.getpid(), signal.SIGSTOP)
    elif rule.kind == "delay":
        await asyncio.sleep(rule.delay_s)
    elif rule.kind == "cancel":
        raise asyncio.CancelledError
    else:
        raise FailpointError(name)
