"""Keeps decoded data sets in the user's cache folder, so that slow formats are decoded once."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from pathlib import Path

from aegis.core.errors import DataError
from aegis.core.folders import default_folder
from aegis.data.arrays import Arrays
from aegis.data.npz import read_npz, write_npz

# Ten times the three named data sets; beyond it, the least recently used files are removed.
MAX_BYTES = 4 * 2**30


def cache_folder() -> Path:
    """Gives the folder of decoded data sets, beside the results.

    Raises:
        StoreError: as ``default_folder``.
    """
    return default_folder() / "data"


def remember(key: str, make: Callable[[], Arrays]) -> Arrays:
    """Reads arrays from the cache, or makes them and writes them to it.

    Args:
        key: name of the cached file, without its ending.
        make: decodes the data set; called only where the cache has no such file.

    Returns:
        The arrays, even where the cache cannot be written.
    """
    path = cache_folder() / f"{key}.npz"
    with contextlib.suppress(DataError):
        arrays = read_npz(path, kept=True)
        # A cache on a read-only disk can still be read.
        with contextlib.suppress(OSError):
            path.touch()
        return arrays
    arrays = make()
    # If the cache cannot be written, the next start decodes again; this one must still get its data.
    with contextlib.suppress(OSError):
        write_npz(path, arrays, compress=False)
        _prune(path)
    return arrays


def _prune(newest: Path) -> None:
    entries = sorted(newest.parent.glob("*.npz"), key=lambda path: path.stat().st_mtime, reverse=True)
    total = 0
    for path in entries:
        total += path.stat().st_size
        if total > MAX_BYTES and path != newest:
            path.unlink()
