"""Bring a real Apache Kafka up and down on this machine, without Docker.

    python deploy/kafka/run.py up   [--state DIR] [--heap 1g] [--json]
    python deploy/kafka/run.py down [--state DIR] [--remove]

Needs Java 17 and Maven. The first start resolves Kafka's jars through `pom.xml` (43 MB) into
.state/kafka-lib. Ports are free ones, drawn at the first start and kept with the data, so that a
restarted broker has the address it had. `up` on a running broker prints its address again.
"""

import argparse
import fcntl
import hashlib
import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

import psutil

HERE = Path(__file__).resolve().parent
REPO = HERE.parent.parent
LIBRARIES = REPO / ".state" / "kafka-lib"

_START_S, _STOP_S, _KILL_S = 60.0, 30.0, 10.0
_POLL_S = 0.05
_QUIET = "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn"


class KafkaRunError(Exception):
    """Kafka could not be brought up or down; the text says what to do."""


@dataclass(frozen=True)
class Running:
    """What server.json keeps of a broker: enough to find it again and to be sure it is ours."""

    pid: int
    created: float
    bootstrap: str
    state: str


def up(state: Path, heap: str) -> Running:
    """The broker over `state`, started if it does not run."""
    for tool in ("java", "mvn"):
        if shutil.which(tool) is None:
            raise KafkaRunError(f"{tool} is not on the path: install Java 17 and Maven")
    state.mkdir(parents=True, exist_ok=True)
    with _locked(state / "lock"):
        running = _find_running(state)
        if running is not None:
            return running
        libraries = _resolve_libraries()
        port = _write_properties(state)
        _format(state, libraries)
        return _launch(state, libraries, port, heap)


def down(state: Path, *, remove: bool) -> bool:
    """Stop the broker over `state`; whether one ran. `remove`: its data goes too."""
    if not state.is_dir():
        return False
    with _locked(state / "lock"):
        running = _find_running(state)
        if running is not None:
            _end(psutil.Process(running.pid))
        (state / "server.json").unlink(missing_ok=True)
    if remove:
        shutil.rmtree(state, ignore_errors=True)
    return running is not None


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    with path.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _find_running(state: Path) -> Running | None:
    """What server.json names, if that process lives and is the broker over this folder."""
    try:
        running = Running(**json.loads((state / "server.json").read_text()))
        process = psutil.Process(running.pid)
        ours = str(state / "server.properties") in process.cmdline()
        same = abs(process.create_time() - running.created) < 1
    except (FileNotFoundError, ValueError, TypeError, psutil.Error):
        return None
    return running if ours and same and process.status() != psutil.STATUS_ZOMBIE else None


def _resolve_libraries() -> Path:
    """The folder with Kafka's jars, one for each content of pom.xml; resolved once."""
    pom = HERE / "pom.xml"
    folder = LIBRARIES / hashlib.sha256(pom.read_bytes()).hexdigest()[:16]
    LIBRARIES.mkdir(parents=True, exist_ok=True)
    with _locked(LIBRARIES / "lock"):
        if not folder.is_dir():
            partial = Path(tempfile.mkdtemp(dir=LIBRARIES))
            _run(
                ["mvn", "-q", "-B", "-f", str(pom), "dependency:copy-dependencies",
                 "-DincludeScope=runtime", f"-DoutputDirectory={partial}"],
                "Maven could not resolve Kafka's jars",
            )  # fmt: skip
            partial.rename(folder)
    return folder


def _run(command: list[str], failure: str) -> str:
    done = subprocess.run(command, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL)
    if done.returncode != 0:
        said = (done.stdout + done.stderr).strip().splitlines()[-20:]
        raise KafkaRunError("\n".join([f"{failure}:", *said]))
    return done.stdout.strip()


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port


def _write_properties(state: Path) -> int:
    """server.properties, written at the first start; the broker's port."""
    ports = state / "ports.json"
    if not ports.exists():
        ports.write_text(json.dumps([_free_port(), _free_port()]))
    port, controller_port = json.loads(ports.read_text())
    text = (HERE / "server.properties.template").read_text()
    for name, value in (("port", port), ("controller_port", controller_port), ("data", state / "data")):
        text = text.replace("{" + name + "}", str(value))
    (state / "server.properties").write_text(text)
    return int(port)


def _format(state: Path, libraries: Path) -> None:
    if (state / "data" / "meta.properties").exists():
        return
    tool = ["java", _QUIET, "-cp", f"{libraries}/*", "kafka.tools.StorageTool"]
    cluster = _run([*tool, "random-uuid"], "no cluster id").splitlines()[-1]
    properties = str(state / "server.properties")
    _run([*tool, "format", "-t", cluster, "-c", properties], "Kafka's data folder could not be made")


def _launch(state: Path, libraries: Path, port: int, heap: str) -> Running:
    log_form = "-Dorg.slf4j.simpleLogger.showDateTime=true"
    clock_form = "-Dorg.slf4j.simpleLogger.dateTimeFormat=HH:mm:ss.SSS"
    command = [
        "java", f"-Xmx{heap}", _QUIET, log_form, clock_form, "-cp", f"{libraries}/*",
        "kafka.Kafka", str(state / "server.properties"),
    ]  # fmt: skip
    with (state / "server.log").open("ab") as log:
        process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd=state, start_new_session=True
        )
    created = psutil.Process(process.pid).create_time()
    running = Running(process.pid, created, f"127.0.0.1:{port}", str(state))
    (state / "server.json").write_text(json.dumps(asdict(running)))
    _wait_until_it_listens(process, port, state)
    return running


def _wait_until_it_listens(process: "subprocess.Popen[bytes]", port: int, state: Path) -> None:
    deadline = time.monotonic() + _START_S
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise KafkaRunError(f"Kafka ended while it started: see {state / 'server.log'}")
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            time.sleep(_POLL_S)
        else:
            return
    _end(psutil.Process(process.pid))
    raise KafkaRunError(f"Kafka did not listen within {_START_S:.0f} s: see {state / 'server.log'}")


def _end(process: psutil.Process) -> None:
    for stop, patience_s in ((process.terminate, _STOP_S), (process.kill, _KILL_S)):
        try:
            stop()
            process.wait(patience_s)
        except psutil.NoSuchProcess:
            return
        except psutil.TimeoutExpired:
            if process.status() == psutil.STATUS_ZOMBIE:
                return
            continue
        return


def main() -> int:
    """The command line; 0 if it did what was asked."""
    parser = argparse.ArgumentParser(description="Apache Kafka on this machine, for tests and trials")
    parser.add_argument("verb", choices=("up", "down"))
    parser.add_argument("--state", type=Path, default=REPO / ".state" / "kafka")
    parser.add_argument("--heap", default="1g", help="the most memory that Java may use for its heap")
    parser.add_argument("--json", action="store_true", help="print the address as JSON")
    parser.add_argument("--remove", action="store_true", help="remove the data too")
    wanted = parser.parse_args()
    state = Path(os.path.abspath(wanted.state))  # noqa: PTH100 - resolve() would follow links
    try:
        if wanted.verb == "down":
            print("stopped" if down(state, remove=wanted.remove) else "was not running")
            return 0
        running = up(state, wanted.heap)
    except KafkaRunError as error:
        print(error, file=sys.stderr)
        return 1
    print(json.dumps(asdict(running)) if wanted.json else f"bootstrap: {running.bootstrap}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
