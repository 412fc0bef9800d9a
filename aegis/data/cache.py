"""Decoded data sets kept in the user's cache folder, so that what is slow to decode is decoded once."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable
from pathlib import Path

from aegis.data.arrays import Arrays
from aegis.data.npz import read_npz, write_npz
from aegis.errors import DataError


def cache_folder() -> Path:
    """Where decoded data sets are kept: under ``AEGIS_STORE``, else under the user's cache folder."""
    store = os.environ.get("AEGIS_STORE")
    if store:
        return Path(store) / "data"
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "aegis" / "data"


def recall(key: str) -> Arrays | None:
    """The arrays kept under a key, or None where there are none that read."""
    with contextlib.suppress(DataError):
        return read_npz(cache_folder() / f"{key}.npz")
    return None


def remember(key: str, make: Callable[[], Arrays]) -> Arrays:
    """The arrays kept under a key; made and kept where there are none."""
    arrays = recall(key)
    if arrays is None:
        arrays = make()
        # A full or read-only disk costs the next start some seconds; it must not cost this one the data.
        with contextlib.suppress(OSError):
            write_npz(cache_folder() / f"{key}.npz", arrays, compress=False)
    return arrays
