"""The versions of AEGIS and of the libraries that results depend on, and the name of the processor."""

from __future__ import annotations

import importlib.metadata
import platform
from collections.abc import Iterable
from functools import cache
from pathlib import Path

__version__ = "0.1.0"


def versions_with(packages: Iterable[str]) -> dict[str, str]:
    """Looks up the versions of AEGIS, Python and other packages.

    Args:
        packages: names of installed packages.

    Returns:
        The version of each, by name.
    """
    found = {"aegis": __version__, "python": platform.python_version()}
    return found | {name: importlib.metadata.version(name) for name in packages}


@cache
def processor() -> str:
    """Gives the name of the processor."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        lines = []
    named = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(named, platform.processor() or platform.machine())
