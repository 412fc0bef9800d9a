"""Reads and writes NPZ files with the arrays ``x_train y_train x_test y_test`` and, optionally, ``class_names``.

Other usual names are read as well (MedMNIST's ``train_images``), and files without images for testing.
"""

from __future__ import annotations

import zipfile
from pathlib import Path
from typing import Any

import numpy as np

from aegis.core.archives import DAMAGE, is_damage, opened_zip
from aegis.core.errors import DataError
from aegis.core.files import whole_file
from aegis.data.arrays import Array, Arrays
from aegis.data.choice import USUAL, assemble, choose
from aegis.data.npy import read_array

NAMES, NOTES = "class_names", "notes"
MAX_CLASSES = 100_000


def read_npz(path: Path, *, kept: bool = False) -> Arrays:
    """Reads the arrays of an untrusted NPZ file.

    Args:
        path: the file.
        kept: whether it is one of the cache's own, whose notes are read too.

    Returns:
        Both splits, unchecked.

    Raises:
        DataError: if the file is missing, empty, damaged, no NPZ, lacks an array, or holds Python objects or more
            values than ``MAX_VALUES``.
    """
    try:
        if path.stat().st_size == 0:
            raise DataError(f"an NPZ file at {path}", "an empty file", "Write or copy it again.")
        with opened_zip(path) as archive:
            return _read(path, archive, kept)
    except DAMAGE as error:
        raise _damaged(path, error) from error
    except OSError as error:
        if is_damage(error):
            raise _damaged(path, error) from error
        raise DataError(
            f"an NPZ file at {path}", error.strerror or str(error), "Check the path and its permissions."
        ) from error


def _read(path: Path, archive: zipfile.ZipFile, kept: bool) -> Arrays:
    found = {name.removesuffix(".npy") for name in archive.namelist() if name.endswith(".npy")}
    choice = choose(found)
    if choice is None:
        missing = [name for name in USUAL[:2] if name not in found]
        raise DataError(
            f"the arrays {', '.join(USUAL)} in {path.name}",
            f"no {', '.join(missing)} (it holds {', '.join(sorted(found)[:8]) or 'nothing'})",
            "Save it with numpy.savez_compressed(file, x_train=..., y_train=..., x_test=..., y_test=...).",
        )

    def read(name: str) -> Array:
        entry = f"{name}.npy"
        return read_array(lambda: archive.open(entry), name, archive.getinfo(entry).file_size)

    names = _names(read(NAMES)) if NAMES in found else None
    notes = read(NOTES).astype(str).tolist() if kept and NOTES in found else ()
    return assemble(choice, read, names, notes)


def _damaged(path: Path, error: Exception) -> DataError:
    return DataError(
        f"an NPZ file at {path}",
        f"something that does not read as one ({error})",
        "Save it with numpy.savez_compressed; if it was downloaded or copied, do so again.",
    )


def write_npz(path: Path, arrays: Arrays, *, compress: bool) -> None:
    """Writes an NPZ file, completely or not at all.

    Args:
        path: the file.
        arrays: both splits.
        compress: whether to compress, which is smaller but slower to write and read.

    Raises:
        OSError: if it cannot be written.
    """
    columns: dict[str, Any] = {name: getattr(arrays, name) for name in USUAL}
    if arrays.class_names is not None:
        columns[NAMES] = np.array(arrays.class_names)
    if arrays.notes:
        columns[NOTES] = np.array(arrays.notes)
    with whole_file(path) as file:
        (np.savez_compressed if compress else np.savez)(file, **columns)


def _names(raw: Array) -> tuple[str, ...]:
    if raw.dtype.kind != "U" or raw.ndim != 1 or raw.size > MAX_CLASSES:
        raise DataError(
            f"class_names as a one-dimensional array of text with at most {MAX_CLASSES:,} names",
            f"type {raw.dtype} of shape {raw.shape}",
            "Save numpy.array([...], dtype=str).",
        )
    return tuple(str(name) for name in raw)
