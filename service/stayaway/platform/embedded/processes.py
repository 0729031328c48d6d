"""Finding and ending our own server processes, never anyone else's."""

import signal
from pathlib import Path

import psutil

_KILLED_S = 5.0


def find_postgres(pid: int, data: Path) -> psutil.Process | None:
    """The process `pid`, if it is a postgres that was started over exactly this data folder."""
    try:
        process = psutil.Process(pid)
        command = process.cmdline()
    except (psutil.NoSuchProcess, psutil.AccessDenied):
        return None
    named = Path(command[0]).name == "postgres" if command else False
    return process if named and str(data) in command else None


def end_postgres(process: psutil.Process, patience_s: float) -> None:
    """Fast shutdown (SIGINT), then immediate (SIGQUIT), then SIGKILL; returns when it is gone."""
    for stop in (signal.SIGINT, signal.SIGQUIT):
        if _gone(process, 0):
            return
        process.send_signal(stop)
        if _gone(process, patience_s):
            return
    kill_group(process)


def kill_group(process: psutil.Process) -> None:
    """SIGKILL a server and the processes it started; they share its memory and die with it."""
    try:
        family = [process, *process.children(recursive=True)]
    except psutil.NoSuchProcess:
        return
    for member in family:
        try:
            member.kill()
        except psutil.NoSuchProcess:
            continue
    for member in family:
        _gone(member, _KILLED_S)


def _gone(process: psutil.Process, patience_s: float) -> bool:
    """Whether the process ended within `patience_s`; one that waits for its parent has ended."""
    try:
        if process.status() == psutil.STATUS_ZOMBIE:
            return True
        process.wait(timeout=patience_s)
    except psutil.NoSuchProcess:
        return True
    except psutil.TimeoutExpired:
        return False
    return True
