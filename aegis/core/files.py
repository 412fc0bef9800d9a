"""Writes files that are either complete or absent, and reads them again."""

from __future__ import annotations

import contextlib
import errno
import glob
import gzip
import os
import re
import threading
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from aegis.core.errors import StoreError
from aegis.core.process import Process, boot, this_process

# The name of a temporary file tells its owner: process id, start of the process (absent in older versions), thread.
_TEMPORARY = re.compile(r"\.(\d+)(?:-(\d+))?-\d+\.partial")

# Texts whose names end so are compressed; one may unpack to so many bytes.
PACKED, MAX_TEXT = ".gz", 64 * 2**20


@contextlib.contextmanager
def whole_file(path: Path) -> Iterator[IO[bytes]]:
    """Opens a file for writing that takes its name only once all its bytes are on the disk.

    Missing folders are created. Temporary files that killed processes left of earlier attempts are removed.

    Args:
        path: the file to write; an existing one is replaced.

    Returns:
        A context manager that gives the open temporary file.

    Raises:
        OSError: if the file cannot be written; the temporary file is removed.
    """
    # These numbers keep two writers of the same file apart; the last one wins with a complete file.
    process = this_process()
    temporary = path.with_name(f"{path.name}.{process.pid}-{process.start}-{threading.get_ident()}.partial")
    path.parent.mkdir(parents=True, exist_ok=True)
    for left in left_behind(path.parent, path.name):
        # A temporary file of another user may be impossible to remove.
        with contextlib.suppress(OSError):
            left.unlink()
    try:
        with temporary.open("wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def left_behind(folder: Path, name: str = "") -> list[Path]:
    """Finds temporary files whose process was killed before it finished them.

    Args:
        folder: the folder to search; it need not exist.
        name: the name of the file that was to be written; empty for any name.

    Returns:
        The paths, sorted.
    """
    found = []
    for path in folder.glob(f"{glob.escape(name) or '*'}.*.partial"):
        whose = _TEMPORARY.fullmatch(path.name[len(name) :]) if name else _TEMPORARY.search(path.name)
        if whose and not Process(int(whose[1]), int(whose[2] or 0), boot()).alive:
            found.append(path)
    return sorted(found)


def write_text(path: Path, text: str) -> None:
    """Writes a text file in UTF-8, completely or not at all.

    Args:
        path: the file to write; an existing one is replaced. It is compressed if its name ends with ``.gz``.
        text: its whole content.

    Raises:
        StoreError: if the file cannot be written.
    """
    try:
        with whole_file(path) as file:
            file.write(gzip.compress(text.encode(), mtime=0) if path.suffix == PACKED else text.encode())
    except OSError as error:
        raise StoreError(
            f"to write {path}", error.strerror or str(error), "Choose a folder that exists and has room."
        ) from error


def read_text_bytes(path: Path) -> bytes:
    """Reads a file that ``write_text`` wrote.

    Args:
        path: the file.

    Returns:
        The text in UTF-8.

    Raises:
        OSError: if it cannot be read, is damaged or holds more than ``MAX_TEXT`` bytes.
    """
    if path.suffix != PACKED:
        return path.read_bytes()
    try:
        with gzip.open(path) as file:
            text = file.read(MAX_TEXT + 1)
    except (EOFError, zlib.error) as error:
        raise OSError(errno.EINVAL, f"a damaged file ({error})") from error
    if len(text) > MAX_TEXT:
        raise OSError(errno.EFBIG, f"more than {MAX_TEXT >> 20} MiB")
    return text
