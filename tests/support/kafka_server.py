"""Apache Kafka for the tests: deploy/kafka/run.py, driven from here."""

import json
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from typing import Self

from support.leftovers import left_folders, own_folder

_START_S = 300  # the first start downloads 43 MB through Maven


def find_reason_to_skip() -> str:
    """Why real Kafka cannot run on this machine; empty if it can."""
    missing = [tool for tool in ("java", "mvn") if shutil.which(tool) is None]
    return f"real Kafka needs {' and '.join(missing)} on this machine" if missing else ""


class KafkaServer:
    """One broker of its own: own data folder, free ports, gone when this process is done."""

    def __init__(self, repo: Path) -> None:
        self._run = repo / "deploy" / "kafka" / "run.py"
        self._tests = repo / ".state" / "kafka-tests"
        self._state = own_folder(self._tests)
        self.bootstrap = ""
        self.pid = 0

    def start(self) -> None:
        """Bring the broker up, after ending what killed test runs left; data and ports are kept."""
        for left in left_folders(self._tests):
            self._call("down", left, "--remove")
        answer = json.loads(self._call("up", self._state, "--heap", "512m", "--json"))
        self.bootstrap, self.pid = answer["bootstrap"], answer["pid"]

    def stop(self) -> None:
        """Stop it; `start` brings it back with its data."""
        self._call("down", self._state)

    def kill(self) -> None:
        """End it as a crash would (SIGKILL)."""
        os.kill(self.pid, signal.SIGKILL)
        self._call("down", self._state)

    def __enter__(self) -> Self:
        """Started, for a `with` block."""
        self.start()
        return self

    def __exit__(self, *exc_info: object) -> None:
        """Stopped, whatever happened inside."""
        self._call("down", self._state, "--remove")

    def _call(self, verb: str, state: Path, *options: str) -> str:
        command = [sys.executable, str(self._run), verb, "--state", str(state), *options]
        done = subprocess.run(command, capture_output=True, text=True, timeout=_START_S, check=False)
        if done.returncode != 0:
            raise RuntimeError(f"deploy/kafka/run.py {verb} failed: {done.stderr.strip()}")
        return done.stdout
