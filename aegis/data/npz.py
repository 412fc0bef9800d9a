"""Reads and writes NPZ files with the arrays ``x_train y_train x_test y_test`` and, optionally, ``class_names``."""

from __future__ import annotations

import tokenize
import zipfile
from pathlib import Path
from typing import Any

import numpy as np

from aegis.core.archives import DAMAGE, is_damage, opened_zip
from aegis.core.errors import DataError
from aegis.core.files import whole_file
from aegis.data.arrays import MAX_VALUES, Array, Arrays, too_large

REQUIRED = ("x_train", "y_train", "x_test", "y_test")
OPTIONAL = ("class_names",)
MAX_CLASSES = 100_000


def read_npz(path: Path) -> Arrays:
    """Reads the arrays of an untrusted NPZ file.

    Args:
        path: the file.

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
            found = {name.removesuffix(".npy") for name in archive.namelist() if name.endswith(".npy")}
            missing = [name for name in REQUIRED if name not in found]
            if missing:
                raise DataError(
                    f"the arrays {', '.join(REQUIRED)} in {path.name}",
                    f"no {', '.join(missing)} (it holds {', '.join(sorted(found)[:8]) or 'nothing'})",
                    "Save it with numpy.savez_compressed(file, x_train=..., y_train=..., x_test=..., y_test=...).",
                )
            read = {name: _read_array(archive, name) for name in (*REQUIRED, *OPTIONAL) if name in found}
    except DAMAGE as error:
        raise _damaged(path, error) from error
    except OSError as error:
        if is_damage(error):
            raise _damaged(path, error) from error
        raise DataError(
            f"an NPZ file at {path}", error.strerror or str(error), "Check the path and its permissions."
        ) from error
    names = read.pop("class_names", None)
    return Arrays(**read, class_names=None if names is None else _names(names))


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
    columns: dict[str, Any] = {name: getattr(arrays, name) for name in REQUIRED}
    if arrays.class_names is not None:
        columns["class_names"] = np.array(arrays.class_names)
    with whole_file(path) as file:
        (np.savez_compressed if compress else np.savez)(file, **columns)


def _read_array(archive: zipfile.ZipFile, name: str) -> Array:
    entry = f"{name}.npy"
    shape, dtype = _read_header(archive, name)
    # Numpy allocates the size in the header before it reads, so a header of a few bytes could claim all memory.
    promised = int(np.prod(shape, dtype=object)) * dtype.itemsize
    if promised > archive.getinfo(entry).file_size:
        raise zipfile.BadZipFile(f"{name} is cut short")
    if promised > MAX_VALUES * dtype.itemsize:
        raise too_large(name, promised // dtype.itemsize)
    with archive.open(entry) as file:
        try:
            return np.lib.format.read_array(file, allow_pickle=False)
        except ValueError as error:
            raise zipfile.BadZipFile(str(error)) from error


def _read_header(archive: zipfile.ZipFile, name: str) -> tuple[tuple[int, ...], np.dtype[Any]]:
    try:
        with archive.open(f"{name}.npy") as file:
            version = np.lib.format.read_magic(file)
            read = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
            shape, _, dtype = read(file)
    # Python's parser raises RecursionError or an empty MemoryError for brackets or signs that are nested too deep.
    except (ValueError, tokenize.TokenError, RecursionError, MemoryError) as error:
        raise zipfile.BadZipFile(f"{name} is no numpy array: {str(error) or type(error).__name__}") from error
    if dtype.itemsize == 0:
        raise zipfile.BadZipFile(f"{name} is an array of nothing")
    if dtype.hasobject:
        raise DataError(
            f"{name} as plain numbers or text",
            "Python objects, which are never unpickled",
            f"Save {name} as an array with a numeric type, or dtype=str for names; all images must have one size.",
        )
    return shape, dtype


def _names(raw: Array) -> tuple[str, ...]:
    if raw.dtype.kind != "U" or raw.ndim != 1 or raw.size > MAX_CLASSES:
        raise DataError(
            f"class_names as a one-dimensional array of text with at most {MAX_CLASSES:,} names",
            f"type {raw.dtype} of shape {raw.shape}",
            "Save numpy.array([...], dtype=str).",
        )
    return tuple(str(name) for name in raw)
