"""Which process something belongs to, so that one that took over an old number is not taken for it."""

from __future__ import annotations

import os
from dataclasses import dataclass
from functools import cache
from pathlib import Path

PROC = Path("/proc")
# A process that has ended and was not waited for still has a number.
ENDED = ("Z", "X")


@dataclass(frozen=True)
class Process:
    """A process of this machine.

    Args:
        pid: its number.
        start: when it began, in clock ticks since the machine did; 0 where the system does not say.
        boot: which start of the machine; empty where the system does not say.
    """

    pid: int
    start: int = 0
    boot: str = ""

    @property
    def alive(self) -> bool:
        """Whether it still runs."""
        if self.boot != boot():
            return False
        if (found := _state(self.pid)) is not None:
            state, start = found
            return state not in ENDED and self.start in (0, start)
        return not PROC.is_dir() and _answers(self.pid)


def this_process() -> Process:
    """The one that asks."""
    found = _state(os.getpid())
    return Process(os.getpid(), found[1] if found else 0, boot())


@cache
def boot() -> str:
    """What tells this start of the machine from others."""
    try:
        return (PROC / "sys/kernel/random/boot_id").read_text().strip()
    except OSError:
        return ""


def _state(pid: int) -> tuple[str, int] | None:
    try:
        text = (PROC / str(pid) / "stat").read_text()
    except OSError:
        return None
    # The name before it, in brackets, may hold anything.
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
