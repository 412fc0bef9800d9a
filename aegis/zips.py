"""Zip archives from strangers: their list of entries is read only if it is no larger than honest archives have."""

from __future__ import annotations

import contextlib
import io
import zipfile
from collections.abc import Iterator
from pathlib import Path

# Two hundred thousand pictures with long names; each entry takes ten times its bytes in memory.
DIRECTORY_LIMIT = 32 * 2**20


class _Bounded(io.BufferedReader):
    """A file of which nobody reads more at a time than a directory may take; ``ZipFile`` reads it in one go."""

    def read(self, size: int | None = -1, /) -> bytes:
        if size is None or size < 0:
            here = self.tell()
            size = self.seek(0, io.SEEK_END) - here
            self.seek(here)
        if size > DIRECTORY_LIMIT:
            raise zipfile.BadZipFile(f"its list of entries claims {size} bytes")
        return super().read(size)


@contextlib.contextmanager
def opened_zip(path: Path) -> Iterator[zipfile.ZipFile]:
    """A zip archive to read from.

    Raises:
        BadZipFile: if it is none, or its list of entries is too long to be read.
        OSError, NotImplementedError, RuntimeError, ValueError: as ``ZipFile``, for damaged ones.
    """
    with _Bounded(io.FileIO(path)) as file, zipfile.ZipFile(file) as archive:
        yield archive
