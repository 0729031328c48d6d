"""Where matchers come from quickly: a process that has imported everything and forks on demand.

Each child is `stayaway matcher` with an environment of its own, as if started anew; only the second
that Python needs to import is spared. Orders come as JSON lines on standard input, `pid` and `exit`
lines go back. When standard input ends, so do the children.
"""

import json
import os
import select
import signal
import sys
from typing import Any


def _import_everything() -> None:
    import stayaway.access.policy_file
    import stayaway.cli
    import stayaway.platform.logging
    import stayaway.platform.seal
    import stayaway.worker.commands  # noqa: F401


def _become(wanted: dict[str, Any]) -> None:
    """In the child: the matcher."""
    from stayaway.cli.app import app

    output = os.open(wanted["output"], os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    nothing = os.open(os.devnull, os.O_RDONLY)
    for ours, theirs in ((nothing, 0), (output, 1), (output, 2)):
        os.dup2(ours, theirs)
    for name in [name for name in os.environ if name.startswith("STAYAWAY_")]:
        del os.environ[name]
    os.environ.update(wanted["environment"])
    app(["matcher"])


def _start(line: str) -> int:
    wanted = json.loads(line)
    pid = os.fork()
    if pid == 0:
        code = 70
        try:
            _become(wanted)
        except SystemExit as end:
            code = end.code if isinstance(end.code, int) else 0 if end.code is None else 1
        except BaseException as error:  # noqa: BLE001 - the child must never go back into the loop below
            sys.stderr.write(f"{type(error).__name__}: {error}\n")
        finally:
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(code)
    _tell({"number": wanted["number"], "pid": pid})
    return pid


def _tell(what: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(what) + "\n")
    sys.stdout.flush()


def _report_ends(children: set[int]) -> None:
    while children:
        pid, status = os.waitpid(-1, os.WNOHANG)
        if pid == 0:
            return
        children.discard(pid)
        _tell({"exit": pid, "code": os.waitstatus_to_exitcode(status)})


def main() -> None:
    """Serve until standard input ends."""
    _import_everything()
    children: set[int] = set()
    descriptor, rest = sys.stdin.fileno(), b""
    _tell({"ready": True})
    try:
        while True:
            if select.select([descriptor], [], [], 0.02)[0]:
                data = os.read(descriptor, 1 << 16)
                if not data:
                    return
                *lines, rest = (rest + data).split(b"\n")
                for line in lines:
                    children.add(_start(line.decode()))
            _report_ends(children)
    finally:
        for pid in children:
            os.kill(pid, signal.SIGKILL)


if __name__ == "__main__":
    main()
