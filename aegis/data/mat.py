"""Reads numeric arrays of MATLAB files of version 5, the format of SVHN.

The library function for these files reads structures, objects and functions as well and trusts every size in them;
here only plain arrays are read, and nothing is unpacked beyond what a heading promises within the limits.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Collection
from pathlib import Path

import numpy as np

from aegis.core.errors import DataError
from aegis.data.arrays import MAX_VALUES, Array, too_large
from aegis.data.tree import MAX_TOTAL_BYTES

_MATRIX, _PACKED = 14, 15
_TYPES = {1: "i1", 2: "u1", 3: "i2", 4: "u2", 5: "i4", 6: "u4", 7: "f4", 9: "f8", 12: "i8", 13: "u8"}
# Classes of arrays that hold numbers: from double (6) to uint64 (15).
_NUMERIC = range(6, 16)
_HEADING = 128
# Flags, axes and name of an array.
_ABOUT = 4096


def read_mat(path: Path, wanted: Collection[str]) -> dict[str, Array]:
    """Reads some arrays by their names.

    Args:
        path: the file.
        wanted: names of the arrays; others are passed over.

    Returns:
        The arrays that there are.

    Raises:
        DataError: if it is no such file, damaged, or holds more values than ``MAX_VALUES``.
    """
    try:
        if path.stat().st_size > MAX_TOTAL_BYTES:
            raise too_large(path.name, path.stat().st_size)
        content = path.read_bytes()
        if content[:10] == b"MATLAB 7.3" or content[:4] == b"\x89HDF":
            raise DataError(
                f"a MATLAB file of version 5 at {path}",
                "one of version 7.3 (HDF5)",
                "Save it in MATLAB with save(file, '-v7'), or as an NPZ file.",
            )
        if content[:6] != b"MATLAB" or content[126:128] not in (b"IM", b"MI"):
            raise ValueError("no heading of a MATLAB file")
        return _arrays(content, "<" if content[126:128] == b"IM" else ">", wanted)
    except (struct.error, ValueError, IndexError, zlib.error, OSError) as error:
        raise DataError(
            f"a MATLAB file at {path}", f"something that does not read as one ({error})", "Download or save it again."
        ) from error


def _arrays(content: bytes, order: str, wanted: Collection[str]) -> dict[str, Array]:
    found: dict[str, Array] = {}
    at = _HEADING
    while at + 8 <= len(content):
        kind, size = struct.unpack_from(f"{order}2I", content, at)
        body = memoryview(content)[at + 8 : at + 8 + size]
        if len(body) < size:
            raise ValueError("cut short")
        # Packed elements are not padded to eight bytes, unlike all others.
        at += 8 + size + (0 if kind == _PACKED else -size % 8)
        if kind == _PACKED:
            name, array = _packed(body, order, wanted)
        elif kind == _MATRIX:
            name, array = _matrix(bytes(body), order, wanted)
        else:
            continue
        if array is not None:
            found[name] = array
    return found


def _packed(body: memoryview, order: str, wanted: Collection[str]) -> tuple[str, Array | None]:
    """Unpacks an element as far as its own heading says, once that is within the limits."""
    unpacker = zlib.decompressobj()
    start = unpacker.decompress(body, _ABOUT)
    kind, size = struct.unpack_from(f"{order}2I", start)
    if kind != _MATRIX:
        return "", None
    name, _, shape, _ = _about(start[8:], order)
    if name not in wanted:
        return name, None
    _check(name, shape)
    # No type takes more than eight bytes a value.
    most = min(size, 8 * int(np.prod(shape, dtype=object)) + _ABOUT)
    rest = unpacker.decompress(unpacker.unconsumed_tail, max(1, most + 8 - len(start)))
    return _matrix((start + rest)[8:], order, wanted)


def _matrix(body: bytes, order: str, wanted: Collection[str]) -> tuple[str, Array | None]:
    name, kind, shape, at = _about(body, order)
    if name not in wanted or kind not in _NUMERIC:
        return name, None
    _check(name, shape)
    stored, values, _ = _element(body, at, order)
    if stored not in _TYPES:
        return name, None
    flat = np.frombuffer(values, np.dtype(order + _TYPES[stored]))
    # MATLAB stores columns first, and pixels as bytes even where they count as doubles.
    array = flat.reshape(shape, order="F")
    return name, array.astype(array.dtype.newbyteorder("="))


def _about(body: bytes, order: str) -> tuple[str, int, tuple[int, ...], int]:
    """Name, class, shape and the place where the values begin."""
    _, flags, at = _element(body, 0, order)
    _, axes, at = _element(body, at, order)
    _, name, at = _element(body, at, order)
    shape = struct.unpack(f"{order}{len(axes) // 4}i", axes)
    if not 1 <= len(shape) <= 4 or min(shape) < 0:
        raise ValueError(f"an array of shape {shape[:8]}")
    return name.decode("ascii", "replace"), struct.unpack_from(f"{order}I", flags)[0] & 0xFF, shape, at


def _element(body: bytes, at: int, order: str) -> tuple[int, bytes, int]:
    """Type and content of the element at a place, and the place of the next."""
    kind, size = struct.unpack_from(f"{order}2I", body, at)
    # Up to four bytes are stored in the heading itself, with the size in the upper half of the type.
    if kind >> 16:
        small = kind >> 16
        if small > 4:
            raise ValueError("a small element of more than four bytes")
        return kind & 0xFFFF, body[at + 4 : at + 4 + small], at + 8
    content = body[at + 8 : at + 8 + size]
    if len(content) < size:
        raise ValueError("cut short")
    return kind, content, at + 8 + size + -size % 8


def _check(name: str, shape: tuple[int, ...]) -> None:
    values = int(np.prod(shape, dtype=object))
    if values > MAX_VALUES:
        raise too_large(name, values)
