"""Zip archives from strangers: their list of entries is read only if it is no larger than honest archives have."""

from __future__ import annotations

import contextlib
import io
import lzma
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path

# Two hundred thousand pictures with long names; each entry takes ten times its bytes in memory.
DIRECTORY_LIMIT = 32 * 2**20
# What readers of archives raise for damage, for encryption and for methods that they do not know.
DAMAGE = (zipfile.BadZipFile, zlib.error, lzma.LZMAError, EOFError, NotImplementedError, RuntimeError, ValueError)


class _Bounded(io.BufferedReader):
    """A file whose list of entries, which ``ZipFile`` reads in one go, is read only if it is not too long."""

    lists = True

    def read(self, size: int | None = -1, /) -> bytes:
        if size is None or size < 0:
            here = self.tell()
            size = self.seek(0, io.SEEK_END) - here
            self.seek(here)
        if self.lists and size > DIRECTORY_LIMIT:
            raise zipfile.BadZipFile(f"its list of entries claims {size} bytes")
        return super().read(size)


def is_damage(error: OSError) -> bool:
    """Whether an error is gzip's or bzip2's word for damage, and not the system's for a file that cannot be read."""
    return error.errno is None


@contextlib.contextmanager
def opened_zip(path: Path) -> Iterator[zipfile.ZipFile]:
    """A zip archive to read from.

    Raises:
        BadZipFile: if it is none, or its list of entries is too long to be read.
        OSError, and any of ``DAMAGE``: as ``ZipFile``, for damaged ones, also by what is read from it later.
    """
    with _Bounded(io.FileIO(path)) as file, zipfile.ZipFile(file) as archive:
        # How much of an entry is read is for those to say who read it.
        file.lists = False
        yield archive
