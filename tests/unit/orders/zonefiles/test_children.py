"""A child process: fed, bounded, and gone with all that it started."""

from pathlib import Path

import pytest

from stayaway.orders.zonefiles.children import ChildFailedError, python_command, run_child
from support.waiting import eventually


def _script(folder: Path, code: str) -> list[str]:
    path = folder / "child.py"
    path.write_text(code, encoding="utf-8")
    return python_command(path)


def _run(folder: Path, code: str, *, wall_s: float = 30.0, output_bytes: int = 1000) -> bytes:
    return run_child(
        _script(folder, code), b"question", folder=folder, wall_s=wall_s, output_bytes=output_bytes
    )


def test_a_child_answers(tmp_path: Path) -> None:
    """In an environment that holds nothing of ours."""
    code = "import os, sys; sys.stdout.write(sys.stdin.read() + ','.join(sorted(os.environ)))"
    answer = _run(tmp_path, code).decode()
    assert answer.startswith("question")
    assert "STAYAWAY" not in answer
    assert "PATH" not in answer.split(",")


@pytest.mark.parametrize(
    ("code", "cause"),
    [
        ("import sys; sys.exit(1)", "DIED"),
        ("import os, signal; os.kill(os.getpid(), signal.SIGSEGV)", "DIED"),
        ("import os, signal; os.kill(os.getpid(), signal.SIGXCPU)", "TIME"),
        ("import sys; sys.exit(78)", "NOT_CONFINED"),
        ("import sys\nwhile True: sys.stdout.write('x' * 1000)", "OUTPUT"),
    ],
)
def test_a_child_that_fails_is_told_by_its_cause(tmp_path: Path, code: str, cause: str) -> None:
    """One word for each way to end."""
    with pytest.raises(ChildFailedError) as caught:
        _run(tmp_path, code)
    assert caught.value.cause == cause


STARTS_ANOTHER = (
    "import os, signal, subprocess, sys\n"
    "quiet = dict.fromkeys(('stdin', 'stdout', 'stderr'), subprocess.DEVNULL)\n"
    "child = subprocess.Popen([sys.executable, '-c', 'import signal; signal.pause()'], **quiet)\n"
    "open('pids', 'w').write(f'{os.getpid()} {child.pid}')\n"
)


async def test_a_child_that_never_ends_is_killed_with_its_own_children(tmp_path: Path) -> None:
    with pytest.raises(ChildFailedError) as caught:
        _run(tmp_path, STARTS_ANOTHER + "signal.pause()", wall_s=3.0)
    assert caught.value.cause == "TIME"
    await _all_are_gone(tmp_path)


async def test_nor_does_anything_outlive_a_child_that_ends_by_itself(tmp_path: Path) -> None:
    assert _run(tmp_path, STARTS_ANOTHER + "print('answer')") == b"answer\n"
    await _all_are_gone(tmp_path)


async def _all_are_gone(folder: Path) -> None:
    """When the system gets to it: what was killed need not be gone at once."""
    pids = [int(pid) for pid in (folder / "pids").read_text().split()]
    assert len(pids) == 2
    await eventually(lambda: not any(map(_is_running, pids)))


def _is_running(pid: int) -> bool:
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8")
    except (FileNotFoundError, ProcessLookupError):
        return False
    return stat.rpartition(")")[2].split()[0] not in "ZX"
