"""Reads one NPY array from an untrusted source: never an object, and never more than its file holds."""

from __future__ import annotations

import tokenize
import zipfile
from collections.abc import Callable
from typing import IO, Any

import numpy as np

from aegis.core.errors import DataError
from aegis.data.arrays import MAX_VALUES, Array, too_large


def read_array(opened: Callable[[], IO[bytes]], name: str, stored: int) -> Array:
    """Reads an array whose heading promises no more than there is.

    Args:
        opened: opens the file at its beginning.
        name: of the array, for messages.
        stored: bytes of the file.

    Returns:
        The array.

    Raises:
        BadZipFile: if it is damaged or cut short.
        DataError: if it holds Python objects or more values than ``MAX_VALUES``.
    """
    shape, dtype = _read_header(opened, name)
    # Numpy allocates the size in the header before it reads, so a header of a few bytes could claim all memory.
    promised = int(np.prod(shape, dtype=object)) * dtype.itemsize
    if promised > stored:
        raise zipfile.BadZipFile(f"{name} is cut short")
    if promised > MAX_VALUES * dtype.itemsize:
        raise too_large(name, promised // dtype.itemsize)
    with opened() as file:
        try:
            return np.lib.format.read_array(file, allow_pickle=False)
        except ValueError as error:
            raise zipfile.BadZipFile(str(error)) from error


def _read_header(opened: Callable[[], IO[bytes]], name: str) -> tuple[tuple[int, ...], np.dtype[Any]]:
    try:
        with opened() as file:
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
