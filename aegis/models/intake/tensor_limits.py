"""Defines plain tensors, the only data that passes from the reader of untrusted files to AEGIS."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from aegis.core.errors import CheckpointError
from aegis.core.text import printable
from aegis.models.intake.file_kinds import SAVE_PLAINLY
from aegis.models.intake.formats import FILE_LIMIT

# By the name in a safetensors header: torch's name, and bytes per value.
DTYPES = {
    "F64": ("float64", 8),
    "F32": ("float32", 4),
    "F16": ("float16", 2),
    "BF16": ("bfloat16", 2),
    "I64": ("int64", 8),
    "I32": ("int32", 4),
    "I16": ("int16", 2),
    "I8": ("int8", 1),
    "U8": ("uint8", 1),
    "BOOL": ("bool", 1),
}
# Limits far above the needs of networks, and far below sizes that would keep a reader busy.
TENSOR_LIMIT = 100_000
NAME_LIMIT = 1000
AXES_LIMIT = 16
SIDE_LIMIT = 2**31


def room_for(size: int) -> int:
    """Gives the most bytes that a file's tensors may take once unpacked, since tensors may share memory in the file.

    Args:
        size: bytes of the file.

    Returns:
        The limit in bytes, at most ``FILE_LIMIT``.
    """
    return min(8 * size + 2**20, FILE_LIMIT)


def check_plain(tensors: Mapping[str, tuple[str, list[int]]], room: int) -> None:
    """Refuses tensors that no network has, before memory is allocated for them.

    Args:
        tensors: type, as in a safetensors header, and shape of each tensor by name.
        room: bytes that they may take together.

    Raises:
        CheckpointError: if there are none, too many, too large ones or ones of another type.
    """
    if not 0 < len(tensors) <= TENSOR_LIMIT:
        raise CheckpointError(f"1 to {TENSOR_LIMIT:,} tensors", f"{len(tensors):,}", SAVE_PLAINLY)
    total = 0
    for name, (dtype, shape) in tensors.items():
        if len(name) > NAME_LIMIT:
            raise CheckpointError(
                f"names of at most {NAME_LIMIT} characters", f"one of {len(name)}: {printable(name)}", SAVE_PLAINLY
            )
        if dtype not in DTYPES:
            raise CheckpointError(
                f"tensors of type {', '.join(DTYPES)}",
                f"{printable(str(dtype))} in {printable(name)}",
                "Convert it to F32.",
            )
        if len(shape) > AXES_LIMIT or not all(0 <= side < SIDE_LIMIT for side in shape):
            raise CheckpointError(
                f"tensors of at most {AXES_LIMIT} axes with less than {SIDE_LIMIT:,} places each",
                f"{printable(name)} of shape {printable(str(tuple(shape[: AXES_LIMIT + 1])))}",
                SAVE_PLAINLY,
            )
        total += math.prod(shape) * DTYPES[dtype][1]
    if total > room:
        raise CheckpointError(
            f"tensors that take at most {room:,} bytes, as a file of this size may hold", f"{total:,}", SAVE_PLAINLY
        )


def plain_header(header: Mapping[str, Any]) -> dict[str, tuple[str, list[int]]]:
    """Reads type and shape of each tensor from a safetensors header.

    Args:
        header: the header as JSON.

    Returns:
        Type and shape by name.

    Raises:
        CheckpointError: if an entry has another form.
    """
    found = {}
    for name, entry in header.items():
        if name == "__metadata__":
            continue
        shape = entry.get("shape") if isinstance(entry, dict) else None
        if not isinstance(shape, list) or not all(type(side) is int for side in shape):
            raise CheckpointError(
                "a safetensors file whose header is whole", f"an odd entry for {printable(name)}", SAVE_PLAINLY
            )
        found[name] = (str(entry.get("dtype")), shape)
    return found
