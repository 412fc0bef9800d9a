"""The version of AEGIS, of what numbers depend on, and the processor."""

from __future__ import annotations

import importlib.metadata
import platform
from collections.abc import Iterable
from functools import cache
from pathlib import Path

__version__ = "0.1.0"


def versions_with(packages: Iterable[str]) -> dict[str, str]:
    """Versions of AEGIS, Python and the packages named."""
    found = {"aegis": __version__, "python": platform.python_version()}
    return found | {name: importlib.metadata.version(name) for name in packages}


@cache
def processor() -> str:
    """The processor's name."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        lines = []
    named = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(named, platform.processor() or platform.machine())
