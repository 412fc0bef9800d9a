"""Recognises checkpoint formats by content, never by name, and reads safetensors headers; standard library only."""

from __future__ import annotations

import hashlib
import io
import json
import os
import stat
from pathlib import Path
from typing import Any, Literal

from aegis.core.errors import CheckpointError
from aegis.models.intake.archive import COPY_AGAIN, WHAT_IS_READ, check_archive_kind
from aegis.models.intake.file_kinds import SAVE_PLAINLY, as_text, describe

Format = Literal["safetensors", "torch zip", "torch pickle"]

IDENTITY_KEY, TRUTH_KEY = "aegis.identity", "aegis.truth"
# The worker tells under this key which network of the file it read.
ENTRY_KEY = "aegis.entry"
# Name of the file's own dictionary among the networks of a file.
TOP = "."
# Stands for each of them in turn; read as the first one.
ALL = "all"
FILE_LIMIT = 4 * 2**30
# A header names tensors and holds the card; a larger one is an attempt to fill the memory.
HEADER_LIMIT = 16 * 2**20

SAVE_LESS = "Save the weights alone, without the optimiser."


def recognise(path: Path) -> Format:
    """Recognises the format of a checkpoint.

    Args:
        path: the file.

    Returns:
        The format.

    Raises:
        CheckpointError: if it is not a regular file, too large, or in no supported format.
    """
    try:
        with opened(path) as file:
            size, head = os.fstat(file.fileno()).st_size, file.read(512)
    except OSError as error:
        raise _unreadable(path, error) from error
    if head[8:9] == b"{" and as_text(head, size) is None:
        _check_header_size(int.from_bytes(head[:8], "little"), size)
        return "safetensors"
    if head.startswith(b"PK\x03\x04"):
        check_archive_kind(path)
        return "torch zip"
    if head[:1] == b"\x80" and head[1:2] in (b"\x02", b"\x03", b"\x04", b"\x05"):
        return "torch pickle"
    kind = describe(head, size)
    raise CheckpointError(WHAT_IS_READ, kind.what, kind.advice)


def opened(path: Path) -> io.BufferedReader:
    """Opens a checkpoint file and checks the open file too, because the path may point elsewhere by then.

    Args:
        path: the file.

    Returns:
        The open file, to be closed by the caller.

    Raises:
        CheckpointError: if it is no regular file, is too large or cannot be read.
    """
    try:
        _check_regular(path.stat(), path)  # opening a device may have side effects
        # Opening without blocking: a pipe may have taken the file's place.
        handle = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
    except (OSError, ValueError) as error:
        raise _unreadable(path, error) from error
    file = os.fdopen(handle, "rb")
    try:
        _check_regular(os.fstat(handle), path)
    except CheckpointError:
        file.close()
        raise
    return file


def file_digest(path: Path) -> str:
    """Computes the SHA-256 of a checkpoint file.

    Args:
        path: the file.

    Returns:
        64 hexadecimal digits.

    Raises:
        CheckpointError: if it is no regular file, is too large or cannot be read.
    """
    try:
        with opened(path) as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise _unreadable(path, error) from error


def read_header(path: Path) -> dict[str, Any] | None:
    """Reads the header of a safetensors file.

    Args:
        path: the file.

    Returns:
        The header as JSON, or None for a file of another format.

    Raises:
        CheckpointError: if the file cannot be read or the header is damaged.
    """
    try:
        with opened(path) as file:
            size = int.from_bytes(file.read(8), "little")
            start = file.read(1)
            if start != b"{":
                return None
            _check_header_size(size, os.fstat(file.fileno()).st_size)
            # A size of 0 would give read(-1), which reads the whole file.
            text = start + file.read(max(size - 1, 0))
    except OSError as error:
        raise _unreadable(path, error) from error
    try:
        header = json.loads(text, object_pairs_hook=_without_duplicates)
    except (ValueError, RecursionError) as error:
        raise CheckpointError(
            "a safetensors file whose header is whole", f"a header that cannot be read ({error})", COPY_AGAIN
        ) from error
    return header if isinstance(header, dict) else None


def _check_regular(found: os.stat_result, path: Path) -> None:
    if not stat.S_ISREG(found.st_mode):
        kind = "a folder" if stat.S_ISDIR(found.st_mode) else "a device or pipe"
        raise CheckpointError("a checkpoint file", f"{kind}: {str(path)!r}", "Name the file itself.")
    if found.st_size > FILE_LIMIT:
        raise CheckpointError(
            f"a checkpoint of at most {FILE_LIMIT >> 30} GiB", f"{found.st_size / 2**30:.1f} GiB", SAVE_LESS
        )


def _check_header_size(claimed: int, size: int) -> None:
    if 8 + claimed > size:
        raise CheckpointError(
            "a whole safetensors file", f"a header that claims {claimed} bytes in a file of {size}", COPY_AGAIN
        )
    if claimed > HEADER_LIMIT:
        raise CheckpointError(
            f"a header of at most {HEADER_LIMIT >> 20} MiB", f"one that claims {claimed} bytes", SAVE_PLAINLY
        )


def _unreadable(path: Path, error: Exception) -> CheckpointError:
    reason = getattr(error, "strerror", None) or str(error)
    return CheckpointError(
        "a checkpoint file that may be read", f"{str(path)!r}: {reason}", "Check the path and its permissions."
    )


def _without_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    # Of a repeated entry, two readers may take different ones.
    if len(result := dict(pairs)) != len(pairs):
        raise ValueError("an entry stands in it twice")
    return result
