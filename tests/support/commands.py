"""The `stayaway` command as a process of its own, in an environment without anyone's settings."""

import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

STAYAWAY = (sys.executable, "-m", "stayaway")
_LIMIT_S = 120.0


def plain_environment(**more: str) -> dict[str, str]:
    """This process's environment without STAYAWAY_ settings, wide and without colours, and `more`."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("STAYAWAY_")}
    return {**kept, "COLUMNS": "200", "NO_COLOR": "1", "TERM": "dumb", **more}


def run_stayaway(
    *arguments: str | Path,
    stdin: bytes = b"",
    env: Mapping[str, str] | None = None,
    cwd: Path | None = None,
    command: Sequence[str] = STAYAWAY,
    within_s: float = _LIMIT_S,
) -> subprocess.CompletedProcess[bytes]:
    """The finished command with its exit code and both outputs."""
    return subprocess.run(
        [*command, *map(str, arguments)],
        input=stdin,
        capture_output=True,
        check=False,
        timeout=within_s,
        env=dict(env or plain_environment()),
        cwd=cwd,
    )


def json_lines(data: bytes) -> list[dict[str, Any]]:
    """The objects of a command's output."""
    return [json.loads(line) for line in data.splitlines()]


def says_no_traceback(done: subprocess.CompletedProcess[bytes]) -> bool:
    """Whether the command ended in words."""
    return b"Traceback" not in done.stderr and b"Traceback" not in done.stdout
