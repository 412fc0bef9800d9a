"""Reads IDX files, the format of MNIST and its successors, plain or packed with gzip."""

from __future__ import annotations

import gzip
import struct
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np

from aegis.core.errors import DataError
from aegis.data.arrays import MAX_VALUES, Array, too_large

_TYPES = {0x08: ">u1", 0x09: ">i1", 0x0B: ">i2", 0x0C: ">i4", 0x0D: ">f4", 0x0E: ">f8"}
PIECE = 2**24


def read_idx(path: Path) -> Array:
    """Reads one array.

    Args:
        path: the file; one whose name ends in ``.gz`` is unpacked.

    Returns:
        The array, in the byte order of this machine.

    Raises:
        DataError: if it is no IDX file, damaged, or of more values than ``MAX_VALUES``.
    """
    try:
        # Unpacked bytes are read up to the size that the heading promises, so that a bomb is never unpacked.
        with gzip.open(path) if path.suffix == ".gz" else path.open("rb") as file:
            zeros, kind, axes = struct.unpack(">HBB", file.read(4))
            if zeros != 0 or kind not in _TYPES or not 1 <= axes <= 4:
                raise ValueError("no heading of an IDX file")
            shape = struct.unpack(f">{axes}I", file.read(4 * axes))
            dtype = np.dtype(_TYPES[kind])
            values = int(np.prod(shape, dtype=object))
            if values > MAX_VALUES:
                raise too_large(path.name, values)
            content = _read(file.read, values * dtype.itemsize)
    except (struct.error, ValueError, EOFError, zlib.error, OSError) as error:
        raise _damaged(path, str(error)) from error
    if len(content) < values * dtype.itemsize:
        raise _damaged(path, f"{len(content):,} bytes for {values:,} values")
    return np.frombuffer(content, dtype).reshape(shape).astype(dtype.newbyteorder("="))


def _read(read: Callable[[int], bytes], size: int) -> bytes:
    # Piece by piece, since the size is a stranger's promise and reading at once would allocate all of it.
    content = bytearray()
    while len(content) < size and (piece := read(min(PIECE, size - len(content)))):
        content += piece
    return bytes(content)


def _damaged(path: Path, why: str) -> DataError:
    return DataError(f"an IDX file at {path}", f"something that does not read as one ({why})", "Download it again.")
