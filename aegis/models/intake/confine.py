"""Confines the process that reads an untrusted file: memory, time, other files, the network and other processes.

The reader runs no code from the file; confinement limits the damage if a library has a hole. Resource limits hold on
every Unix; on Linux the kernel also forbids writes and system calls, as far as it can (Landlock since 5.13, seccomp on
x86-64 and ARM).
"""

from __future__ import annotations

import ctypes
import os
import platform
import struct
from collections.abc import Iterator
from pathlib import Path

FILES_LIMIT = 256

_NO_NEW_PRIVILEGES, _SET_SECCOMP, _FILTER = 38, 22, 2
_LANDLOCK_CREATE, _LANDLOCK_ADD, _LANDLOCK_RESTRICT = 444, 445, 446
# Landlock's rights that change files or folders: those of its first version, and truncation, which the third added.
_WRITES = 0b1_1111_1111_0010
_TRUNCATES = 1 << 14

_ALLOW, _REFUSE, _UNKNOWN = 0x7FFF0000, 0x00050000 | 1, 0x00050000 | 38
_LOAD, _EQUAL, _ANY_BIT, _RETURN = 0x20, 0x15, 0x45, 0x06
_THREAD = 0x00010000
# Forbidden system calls: new programs, the network, memory and signals of other processes, rights and owners of
# files, links, and calls that achieve the same (on x86-64, the first are fork, vfork, execve, execveat, socket).
_CALLS = {
    "x86_64": "57 58 59 322 41 53 42 101 311 62 200 129 297 424 434 165 272 308 321 425 250 323 90 91 268 452 92 93 94 "
    "260 188 189 190 86 265",
    "aarch64": "221 281 198 199 203 117 271 129 130 138 240 424 434 40 97 268 280 425 219 282 52 53 452 54 55 5 6 7 37",
}
# Number of the architecture, of clone and of tgkill.
_MACHINES = {"x86_64": (0xC000003E, 56, 234), "aarch64": (0xC00000B7, 220, 131)}
_CLONE3 = 435


def limit_resources(memory: int, seconds: int, written: int) -> None:
    """Sets limits on this process that it cannot raise again.

    Args:
        memory: bytes of private memory; 0 for no limit.
        seconds: seconds of processor time.
        written: bytes of the largest file that it may write.
    """
    try:
        import resource
    except ImportError:  # Windows has no such limits; the time limit still holds
        return
    limits = {
        resource.RLIMIT_CORE: 0,
        resource.RLIMIT_CPU: seconds + 1,
        resource.RLIMIT_FSIZE: written,
        resource.RLIMIT_NOFILE: FILES_LIMIT,
    }
    if memory:
        # RLIMIT_AS would be too strict: torch built for CUDA reserves gigabytes of addresses that it never touches.
        limits[resource.RLIMIT_DATA] = memory
    for name, limit in limits.items():
        hard = resource.getrlimit(name)[1]
        allowed = limit if hard == resource.RLIM_INFINITY else min(limit, hard)
        # The soft limit of time sends SIGXCPU, by which the parent knows why the process ended.
        resource.setrlimit(name, (allowed - (name == resource.RLIMIT_CPU), allowed))


def confine(scratch: Path) -> tuple[str, ...]:
    """Forbids this process to write outside a folder, start programs or use the network, as far as the system supports
    it.

    Args:
        scratch: the only folder that the process may still write to.

    Returns:
        The restrictions in force: "files", "calls", both or none.
    """
    if platform.system() != "Linux":
        return ()
    libc = ctypes.CDLL(None, use_errno=True)
    libc.syscall.restype = ctypes.c_long
    if libc.prctl(_NO_NEW_PRIVILEGES, 1, 0, 0, 0):
        return ()
    held = (("files", _confine_files(libc, scratch)), ("calls", _confine_calls(libc)))
    return tuple(name for name, done in held if done)


def _confine_files(libc: ctypes.CDLL, scratch: Path) -> bool:
    version = libc.syscall(_LANDLOCK_CREATE, None, ctypes.c_size_t(0), 1)
    if version < 1:
        return False
    handled = _WRITES | (_TRUNCATES if version >= 3 else 0)
    rules = ctypes.create_string_buffer(struct.pack("<Q", handled), 8)
    ruleset = libc.syscall(_LANDLOCK_CREATE, rules, ctypes.c_size_t(8), 0)
    if ruleset < 0:
        return False
    folder = os.open(scratch, os.O_RDONLY | os.O_DIRECTORY)
    try:
        # Files may be created and removed, but no links, folders or pipes, which could mislead the parent.
        allowed = handled & (0b1_0010_0010 | _TRUNCATES)
        rule = ctypes.create_string_buffer(struct.pack("<Qi", allowed, folder), 12)
        added = libc.syscall(_LANDLOCK_ADD, ruleset, 1, rule, 0)
        return bool(added == 0 and libc.syscall(_LANDLOCK_RESTRICT, ruleset, 0) == 0)
    finally:
        os.close(folder)
        os.close(ruleset)


def _confine_calls(libc: ctypes.CDLL) -> bool:
    machine = platform.machine()
    if machine not in _CALLS or struct.calcsize("P") != 8:
        return False
    program = b"".join(struct.pack("<HBBI", *step) for step in _steps(machine))
    steps = ctypes.create_string_buffer(program, len(program))
    header = struct.pack("<HxxxxxxQ", len(program) // 8, ctypes.addressof(steps))
    return bool(libc.prctl(_SET_SECCOMP, _FILTER, ctypes.create_string_buffer(header, len(header)), 0, 0) == 0)


def _steps(machine: str) -> Iterator[tuple[int, int, int, int]]:
    """Gives the seccomp filter as BPF instructions: opcode, jump if true, jump if false, operand."""
    architecture, clone, signal = _MACHINES[machine]
    yield _LOAD, 0, 0, 4
    yield _EQUAL, 1, 0, architecture
    yield _RETURN, 0, 0, _REFUSE
    yield _LOAD, 0, 0, 0
    if machine == "x86_64":  # the x32 ABI, whose call numbers have this bit set
        yield _ANY_BIT, 0, 1, 0x40000000
        yield _RETURN, 0, 0, _REFUSE
    for call in map(int, _CALLS[machine].split()):
        yield _EQUAL, 0, 1, call
        yield _RETURN, 0, 0, _REFUSE
    # The filter cannot see the arguments of clone3; if it seems not to exist, libraries fall back to clone.
    yield _EQUAL, 0, 1, _CLONE3
    yield _RETURN, 0, 0, _UNKNOWN
    # clone is allowed for threads, and tgkill for signals to this very process, which abort() sends.
    for call, test, wanted in ((clone, _ANY_BIT, _THREAD), (signal, _EQUAL, os.getpid())):
        yield _EQUAL, 0, 4, call
        yield _LOAD, 0, 0, 16
        yield test, 0, 1, wanted
        yield _RETURN, 0, 0, _ALLOW
        yield _RETURN, 0, 0, _REFUSE
    yield _RETURN, 0, 0, _ALLOW
