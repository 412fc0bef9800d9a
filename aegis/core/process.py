"""Identifies the process that owns a file or a task, so that a later process with the same number is not mistaken for
it.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from functools import cache
from pathlib import Path

PROC = Path("/proc")
# States of a process that has ended but keeps its number until its parent waits for it.
ENDED = ("Z", "X")


@dataclass(frozen=True)
class Process:
    """Identifies one process of this machine.

    Args:
        pid: the process id.
        start: when it started, in clock ticks since the machine did; 0 where the system does not say.
        boot: the machine's boot id; empty where the system does not say.
    """

    pid: int
    start: int = 0
    boot: str = ""

    @property
    def alive(self) -> bool:
        """Whether the process still runs."""
        if self.boot != boot():
            return False
        if (found := _state(self.pid)) is not None:
            state, start = found
            return state not in ENDED and self.start in (0, start)
        return not PROC.is_dir() and _answers(self.pid)


def this_process() -> Process:
    """Gives the identity of the running process."""
    found = _state(os.getpid())
    return Process(os.getpid(), found[1] if found else 0, boot())


@cache
def boot() -> str:
    """Gives the boot id of the machine, which changes with every start; empty where the system does not say."""
    try:
        return (PROC / "sys/kernel/random/boot_id").read_text().strip()
    except OSError:
        return ""


def _state(pid: int) -> tuple[str, int] | None:
    try:
        text = (PROC / str(pid) / "stat").read_text()
    except OSError:
        return None
    # The name of the program stands in brackets before the fields and may hold any character.
    fields = text.rpartition(")")[2].split()
    return fields[0], int(fields[19])


def _answers(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass
    return True
