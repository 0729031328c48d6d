"""One matcher as a process of its own, forked from a server that has everything loaded already."""

import multiprocessing
import os
import signal
from dataclasses import dataclass
from multiprocessing.context import ForkServerProcess
from pathlib import Path

from stayaway.access.policy import parse_policy
from stayaway.platform.seal import FileSeal
from stayaway.worker.commands import run_matcher
from stayaway.worker.loop import MatcherSettings

CONTEXT = multiprocessing.get_context("forkserver")
CONTEXT.set_forkserver_preload(["faults.matcher"])


@dataclass(frozen=True)
class Start:
    """Everything a matcher is started with. `failpoints`: as STAYAWAY_FAILPOINTS has it."""

    settings: MatcherSettings
    keys: Path
    policy: bytes
    failpoints: str
    log: Path


def start(what: Start) -> ForkServerProcess:
    """The process, started."""
    process = CONTEXT.Process(target=run, args=(what,), daemon=True)
    process.start()
    return process


def run(what: Start) -> None:
    """The process's body: what `stayaway matcher` runs, its lines kept in a file."""
    os.environ["STAYAWAY_FAILPOINTS"] = what.failpoints
    os.environ["STAYAWAY_FAILPOINTS_LOG"] = str(what.log)
    signal.signal(signal.SIGINT, signal.SIG_IGN)

    def say(text: str) -> None:
        with what.log.with_suffix(".said").open("a", encoding="utf-8") as file:
            file.write(text + "\n")

    code = run_matcher(what.settings, FileSeal(what.keys), parse_policy(what.policy), say=say)
    os._exit(code)
