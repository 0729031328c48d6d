"""Starting a child process, feeding it, and ending it: bounded in time and in what it may answer."""

import os
import selectors
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import IO, Final, Literal

Cause = Literal["TIME", "OUTPUT", "NOT_CONFINED", "DIED"]

_PIPE_BYTES: Final = 65_536
_EXIT_NOT_CONFINED: Final = 78
_ENVIRONMENT: Final = {"OPENBLAS_NUM_THREADS": "1", "LANG": "C.UTF-8", "PROJ_NETWORK": "OFF"}
"""All of a child's environment: no proxy, no GDAL option and no path of ours gets in."""


class ChildFailedError(Exception):
    """The child gave no answer. `cause`: out of time, too much to say, not confined, or it died."""

    def __init__(self, cause: Cause) -> None:
        super().__init__(cause)
        self.cause: Cause = cause


def python_command(script: Path) -> list[str]:
    """Runs one of our scripts: isolated from the environment and from the user's site-packages."""
    return [sys.executable, "-I", "-B", str(script)]


def run_child(command: list[str], data: bytes, *, folder: Path, wall_s: float, output_bytes: int) -> bytes:
    """What the child answers on standard output to `data` on its standard input.

    Raises ChildFailedError. When this returns the child has ended, and what was left of its process group was
    killed.
    """
    process = subprocess.Popen(  # noqa: S603 - our own script, arguments of ours
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        cwd=folder,
        env=_ENVIRONMENT,
        start_new_session=True,
    )
    deadline = time.monotonic() + wall_s
    try:
        answer = _exchange(process, data, deadline, output_bytes)
        _await_end(process, deadline)
    finally:
        code = _end(process)
    if code == 0:
        return answer
    if code == _EXIT_NOT_CONFINED:
        raise ChildFailedError("NOT_CONFINED")
    raise ChildFailedError("TIME" if code == -signal.SIGXCPU else "DIED")


def _exchange(process: subprocess.Popen[bytes], data: bytes, deadline: float, output_bytes: int) -> bytes:
    """Write and read at the same time, or both sides could wait for each other."""
    assert process.stdin is not None
    assert process.stdout is not None
    answer = bytearray()
    rest = memoryview(data)
    with selectors.DefaultSelector() as selector:
        selector.register(process.stdout, selectors.EVENT_READ)
        if rest:
            os.set_blocking(process.stdin.fileno(), False)
            selector.register(process.stdin, selectors.EVENT_WRITE)
        else:
            process.stdin.close()
        while process.stdout in {key.fileobj for key in selector.get_map().values()}:
            left_s = deadline - time.monotonic()
            if left_s <= 0:
                raise ChildFailedError("TIME")
            for key, _ in selector.select(left_s):
                if key.fileobj is process.stdin:
                    rest = _write(process.stdin, rest, selector)
                elif chunk := os.read(process.stdout.fileno(), _PIPE_BYTES):
                    answer += chunk
                    if len(answer) > output_bytes:
                        raise ChildFailedError("OUTPUT")
                else:
                    selector.unregister(process.stdout)
    return bytes(answer)


def _write(pipe: IO[bytes], rest: memoryview, selector: selectors.BaseSelector) -> memoryview:
    try:
        rest = rest[os.write(pipe.fileno(), rest[:_PIPE_BYTES]) :]
    except BrokenPipeError:
        # The child has ended or wants no more; its exit code says which.
        rest = rest[:0]
    if not rest:
        selector.unregister(pipe)
        pipe.close()
    return rest


def _await_end(process: subprocess.Popen[bytes], deadline: float) -> None:
    """Without taking its exit code. Raises ChildFailedError if it runs on."""
    handle = os.pidfd_open(process.pid)
    try:
        with selectors.DefaultSelector() as selector:
            selector.register(handle, selectors.EVENT_READ)
            if not selector.select(max(0.0, deadline - time.monotonic())):
                raise ChildFailedError("TIME")
    finally:
        os.close(handle)


def _end(process: subprocess.Popen[bytes]) -> int:
    """Kill what is left of the child's group, itself too where it still runs. Its exit code."""
    # First: once the exit code is taken, the group's number may be another's.
    os.killpg(process.pid, signal.SIGKILL)
    for pipe in (process.stdin, process.stdout):
        if pipe is not None:
            pipe.close()
    return process.wait()
