"""The full data sets known by name: under ``AEGIS_DATA``, in the cache, or downloaded through torchvision."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

from aegis.data.arrays import Arrays
from aegis.data.cache import remember
from aegis.data.catalogue import DATASETS
from aegis.data.npz import read_npz
from aegis.data.pictures import read_pictures
from aegis.errors import DataError

VARIABLE = "AEGIS_DATA"
ENDINGS = (".npz", "", ".zip", ".tar.xz", "_jpeg.tar.xz")


def read_named(name: str) -> Arrays:
    """Read a full data set by its name.

    Raises:
        DataError: if it is not under ``AEGIS_DATA``, or is another one there.
    """
    path = find_named(name)
    if path is None:
        raise DataError(
            f"{name} in the folder named by {VARIABLE}",
            os.environ.get(VARIABLE) or "no such variable",
            f"Set {VARIABLE} to a folder that holds {name}.npz.",
        )
    return _checked(name, read_file(path))


def find_named(name: str) -> Path | None:
    """Where a full data set lies under ``AEGIS_DATA``, or None."""
    folder = os.environ.get(VARIABLE)
    if not folder:
        return None
    return next((path for ending in ENDINGS if (path := Path(folder, name + ending)).exists()), None)


def read_file(path: Path) -> Arrays:
    """Read an NPZ file, or an archive of pictures whose decoded form is kept in the cache."""
    if path.suffix == ".npz":
        return read_npz(path)
    if path.is_dir():
        return read_pictures(path)
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    return remember(f"pictures-{digest[:32]}", lambda: read_pictures(path))


def _checked(name: str, arrays: Arrays) -> Arrays:
    names = DATASETS[name].class_names
    if arrays.class_names not in (None, names):
        raise DataError(
            f"the classes of {name} ({', '.join(names)})", ", ".join(arrays.class_names or ()), "Name it otherwise."
        )
    return Arrays(arrays.x_train, arrays.y_train, arrays.x_test, arrays.y_test, names)
