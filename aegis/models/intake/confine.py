"""What a process that reads a hostile file gives up first: memory, time, other files, the network, other processes.

The reader runs nothing that is in a file. This is for the day on which a library has a hole: limits everywhere, and
on Linux the kernel's own doors as well, as far as it has them (Landlock since 5.13, seccomp on x86-64 and ARM).
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
# Everything that changes a file or a folder in the first version of Landlock, and truncation in the third.
_WRITES = 0b1_1111_1111_0010
_TRUNCATES = 1 << 14

_ALLOW, _REFUSE, _UNKNOWN = 0x7FFF0000, 0x00050000 | 1, 0x00050000 | 38
_LOAD, _EQUAL, _ANY_BIT, _RETURN = 0x20, 0x15, 0x45, 0x06
_THREAD = 0x00010000
# New programs, the network, other processes' memory and signals, other rights and owners of files, links, and
# whatever else would be a way around these. x86-64 begins: fork, vfork, execve, execveat, socket, socketpair, connect.
_CALLS = {
    "x86_64": "57 58 59 322 41 53 42 101 311 62 200 129 297 424 434 165 272 308 321 425 250 323 90 91 268 452 92 93 94 "
    "260 188 189 190 86 265",
    "aarch64": "221 281 198 199 203 117 271 129 130 138 240 424 434 40 97 268 280 425 219 282 52 53 452 54 55 5 6 7 37",
}
# Its own number, clone, and tgkill.
_MACHINES = {"x86_64": (0xC000003E, 56, 234), "aarch64": (0xC00000B7, 220, 131)}
_CLONE3 = 435


def limit_resources(memory: int, seconds: int, written: int) -> None:
    """Hold this process to limits that it cannot take back.

    Args:
        memory: bytes of private memory; 0 for no limit.
        seconds: of processor time.
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
        # Not RLIMIT_AS: torch built for CUDA reserves gigabytes of addresses that it never touches.
        limits[resource.RLIMIT_DATA] = memory
    for name, limit in limits.items():
        hard = resource.getrlimit(name)[1]
        allowed = limit if hard == resource.RLIM_INFINITY else min(limit, hard)
        # At the lower of two limits of time a process is told why it ends.
        resource.setrlimit(name, (allowed - (name == resource.RLIMIT_CPU), allowed))


def confine(scratch: Path) -> tuple[str, ...]:
    """Give up writing outside a folder, starting programs and the network, as far as the system can hold us to it.

    Returns:
        what is held: "files", "calls".
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
        # Files come and go, but neither links nor folders nor pipes for us to fall over.
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
    """The filter in the kernel's small language: what is asked, how far to jump if so and if not, with what."""
    architecture, clone, signal = _MACHINES[machine]
    yield _LOAD, 0, 0, 4
    yield _EQUAL, 1, 0, architecture
    yield _RETURN, 0, 0, _REFUSE
    yield _LOAD, 0, 0, 0
    if machine == "x86_64":  # its second set of numbers, for 32-bit pointers
        yield _ANY_BIT, 0, 1, 0x40000000
        yield _RETURN, 0, 0, _REFUSE
    for call in map(int, _CALLS[machine].split()):
        yield _EQUAL, 0, 1, call
        yield _RETURN, 0, 0, _REFUSE
    # What it asks for cannot be seen; told that there is no such call, libraries take the older one.
    yield _EQUAL, 0, 1, _CLONE3
    yield _RETURN, 0, 0, _UNKNOWN
    # Threads are no new processes, and a process that gives up signals itself.
    for call, test, wanted in ((clone, _ANY_BIT, _THREAD), (signal, _EQUAL, os.getpid())):
        yield _EQUAL, 0, 4, call
        yield _LOAD, 0, 0, 16
        yield test, 0, 1, wanted
        yield _RETURN, 0, 0, _ALLOW
        yield _RETURN, 0, 0, _REFUSE
    yield _RETURN, 0, 0, _ALLOW
