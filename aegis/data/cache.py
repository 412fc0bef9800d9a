"""Decoded data sets kept in the user's cache folder, so that what is slow to decode is decoded once."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from pathlib import Path

from aegis.core.errors import DataError
from aegis.core.folders import default_folder
from aegis.data.arrays import Arrays
from aegis.data.npz import read_npz, write_npz

# Ten times the three named data sets; beyond it, what was used longest ago goes first.
MAX_BYTES = 4 * 2**30


def cache_folder() -> Path:
    """The folder of decoded data sets, beside the results.

    Raises:
        StoreError: as ``default_folder``.
    """
    return default_folder() / "data"


def remember(key: str, make: Callable[[], Arrays]) -> Arrays:
    """Read arrays from the cache, or make them and write them to it.

    Args:
        key: name of the file, without its ending.
        make: decodes the data set.

    Returns:
        The arrays, even where the cache cannot be written.
    """
    path = cache_folder() / f"{key}.npz"
    with contextlib.suppress(DataError):
        arrays = read_npz(path)
        # What cannot be marked as used can still be read.
        with contextlib.suppress(OSError):
            path.touch()
        return arrays
    arrays = make()
    # A full or read-only disk costs the next start some seconds; it must not cost this one the data.
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
