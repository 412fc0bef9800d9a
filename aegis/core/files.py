"""Files that are either complete or not there."""

from __future__ import annotations

import contextlib
import glob
import os
import re
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from aegis.core.errors import StoreError
from aegis.core.process import Process, boot, this_process

# Whose a temporary file is: number and start of its process, which older versions left out, and the thread.
_TEMPORARY = re.compile(r"\.(\d+)(?:-(\d+))?-\d+\.partial")


@contextlib.contextmanager
def whole_file(path: Path) -> Iterator[IO[bytes]]:
    """Open a file for writing that takes its name only once all of it is on the disk; folders are made.

    What processes that were killed left of earlier attempts goes.

    Raises:
        OSError: if it cannot be written; nothing is left behind then.
    """
    # The numbers keep two that write the same file apart; the last one wins with a complete file.
    process = this_process()
    temporary = path.with_name(f"{path.name}.{process.pid}-{process.start}-{threading.get_ident()}.partial")
    path.parent.mkdir(parents=True, exist_ok=True)
    for left in left_behind(path.parent, path.name):
        # Another user's may not be ours to remove.
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
    """Temporary files that processes left when they were killed.

    Args:
        folder: where to look; it need not exist.
        name: of the file that was to be written; any, if it is empty.
    """
    found = []
    for path in folder.glob(f"{glob.escape(name) or '*'}.*.partial"):
        whose = _TEMPORARY.fullmatch(path.name[len(name) :]) if name else _TEMPORARY.search(path.name)
        if whose and not Process(int(whose[1]), int(whose[2] or 0), boot()).alive:
            found.append(path)
    return sorted(found)


def write_text(path: Path, text: str) -> None:
    """Write a text file, complete or not at all.

    Raises:
        StoreError: if it cannot be written.
    """
    try:
        with whole_file(path) as file:
            file.write(text.encode())
    except OSError as error:
        raise StoreError(
            f"to write {path}", error.strerror or str(error), "Choose a folder that exists and has room."
        ) from error
