"""The version of AEGIS, and of what numbers depend on."""

from __future__ import annotations

import importlib.metadata
import platform
from collections.abc import Iterable

__version__ = "0.1.0"


def versions_with(packages: Iterable[str]) -> dict[str, str]:
    """Versions of AEGIS, Python and the packages named."""
    found = {"aegis": __version__, "python": platform.python_version()}
    return found | {name: importlib.metadata.version(name) for name in packages}
