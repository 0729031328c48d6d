"""What a child process does to itself before it touches a stranger's bytes. Linux; standard library only.

Limits (`setrlimit`), death with its parent, no new privileges, a network namespace of its own, and a
seccomp filter that refuses sockets and other programs. Containers often forbid the namespace but allow the
filter, so either is enough; with neither the child gives up (fail closed).
"""

import ctypes
import os
import platform
import resource
import signal
import struct
from typing import Final

_PR_SET_PDEATHSIG: Final = 1
_PR_SET_SECCOMP: Final = 22
_PR_SET_NO_NEW_PRIVS: Final = 38
_SECCOMP_MODE_FILTER: Final = 2
_CLONE_NEWUSER: Final = 0x10000000
_CLONE_NEWNET: Final = 0x40000000

# Classic BPF (linux/filter.h) and its answers (linux/seccomp.h).
_LOAD_WORD: Final = 0x20
_JUMP_IF_EQUAL: Final = 0x15
_JUMP_IF_AT_LEAST: Final = 0x35
_RETURN: Final = 0x06
_ALLOW: Final = 0x7FFF0000
_KILL: Final = 0x80000000
_REFUSE_EACCES: Final = 0x00050000 | 13
_X32_CALLS: Final = 0x40000000

_SYSTEMS: Final[dict[str, tuple[int, tuple[int, ...]]]] = {
    # machine: (AUDIT_ARCH, numbers of socket, connect, execve, execveat, ptrace, io_uring_setup)
    "x86_64": (0xC000003E, (41, 42, 59, 322, 101, 425)),
    "aarch64": (0xC00000B7, (198, 203, 221, 281, 117, 425)),
}

EXIT_NOT_CONFINED: Final = 78


class _Program(ctypes.Structure):
    _fields_ = (("length", ctypes.c_ushort), ("filter", ctypes.c_void_p))


def limit_resources(*, memory_bytes: int, cpu_s: int, file_bytes: int | None, processes: int | None) -> None:
    """Set the limits for good, and die with the parent. None: as it is."""
    _limit(resource.RLIMIT_AS, memory_bytes)
    _limit(resource.RLIMIT_CPU, cpu_s)
    _limit(resource.RLIMIT_CORE, 0)
    _limit(resource.RLIMIT_NOFILE, 64)
    if file_bytes is not None:
        _limit(resource.RLIMIT_FSIZE, file_bytes)
    if processes is not None:
        _limit(resource.RLIMIT_NPROC, processes)
    _libc().prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)


def cut_off() -> bool:
    """No network and no other program from here on; whether that was reached.

    To be called while there is one thread only.
    """
    libc = _libc()
    flags = _CLONE_NEWNET if os.geteuid() == 0 else _CLONE_NEWUSER | _CLONE_NEWNET
    has_namespace: bool = libc.unshare(flags) == 0
    if libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0:
        return has_namespace
    program = seccomp_program(platform.machine())
    if program is None:
        return has_namespace
    buffer = ctypes.create_string_buffer(program, len(program))
    wanted = _Program(len(program) // 8, ctypes.addressof(buffer))
    has_filter: bool = libc.prctl(_PR_SET_SECCOMP, _SECCOMP_MODE_FILTER, ctypes.byref(wanted), 0, 0) == 0
    return has_namespace or has_filter


def seccomp_program(machine: str) -> bytes | None:
    """The filter for a machine; None where its system calls' numbers are not known here."""
    if machine not in _SYSTEMS:
        return None
    architecture, refused = _SYSTEMS[machine]
    steps = [
        (_LOAD_WORD, 0, 0, 4),  # seccomp_data.arch
        (_JUMP_IF_EQUAL, 1, 0, architecture),
        (_RETURN, 0, 0, _KILL),
        (_LOAD_WORD, 0, 0, 0),  # seccomp_data.nr
        (_JUMP_IF_AT_LEAST, len(refused) + 1, 0, _X32_CALLS),
        *((_JUMP_IF_EQUAL, len(refused) - index, 0, number) for index, number in enumerate(refused)),
        (_RETURN, 0, 0, _ALLOW),
        (_RETURN, 0, 0, _REFUSE_EACCES),
    ]
    return b"".join(struct.pack("=HBBI", *step) for step in steps)


def _limit(which: int, value: int) -> None:
    _, hard = resource.getrlimit(which)
    bounded = value if hard == resource.RLIM_INFINITY else min(value, hard)
    resource.setrlimit(which, (bounded, bounded))


def _libc() -> ctypes.CDLL:
    return ctypes.CDLL(None, use_errno=True)
