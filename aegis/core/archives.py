"""Opens zip archives from untrusted sources without reading an oversized list of entries into memory."""

from __future__ import annotations

import contextlib
import io
import lzma
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path

# Room for two hundred thousand pictures with long names. Python needs ten times the bytes of an entry to hold it.
DIRECTORY_LIMIT = 32 * 2**20
# The exceptions that readers of archives raise for damage, for encryption and for unknown compression methods.
DAMAGE = (zipfile.BadZipFile, zlib.error, lzma.LZMAError, EOFError, NotImplementedError, RuntimeError, ValueError)


class _Bounded(io.BufferedReader):
    """A file that refuses to read the zip directory, which ``ZipFile`` reads in one call, beyond ``DIRECTORY_LIMIT``
    bytes.
    """

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
    """Tells whether gzip or bzip2 raised an error because of damaged data, not the system because of an unreadable
    file.

    Args:
        error: the exception; errors of the operating system carry an ``errno``.
    """
    return error.errno is None


@contextlib.contextmanager
def opened_zip(path: Path) -> Iterator[zipfile.ZipFile]:
    """Opens a zip archive for reading.

    Args:
        path: the archive.

    Returns:
        A context manager that gives the open archive and closes it at the end.

    Raises:
        BadZipFile: if the file is no zip archive, or its list of entries is longer than ``DIRECTORY_LIMIT``.
        OSError, and any of ``DAMAGE``: as ``ZipFile`` raises them for damaged archives, also later, while entries are
            read.
    """
    with _Bounded(io.FileIO(path)) as file, zipfile.ZipFile(file) as archive:
        # From here on entries are read, and those who read them set their own limits.
        file.lists = False
        yield archive
