"""Files that are either complete or not there."""

from __future__ import annotations

import contextlib
import os
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from aegis.errors import StoreError


@contextlib.contextmanager
def whole_file(path: Path) -> Iterator[IO[bytes]]:
    """Open a file for writing that takes its name only once all of it is on the disk; folders are made.

    Raises:
        OSError: if it cannot be written; nothing is left behind then.
    """
    # The numbers keep two that write the same file apart; the last one wins with a complete file.
    temporary = path.with_name(f"{path.name}.{os.getpid()}-{threading.get_ident()}.partial")
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        with temporary.open("wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


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
