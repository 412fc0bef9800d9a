"""Reads the files of a folder, a zip or a tar archive in turn, without unpacking anything to disk."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import os
import tarfile
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, Any

from aegis.core.archives import DAMAGE, is_damage, opened_zip
from aegis.core.errors import DataError

ARCHIVES = (".zip", ".tar", ".tar.gz", ".tgz", ".tar.xz", ".tar.bz2")
MAX_FILES = 200_000
MAX_FILE_BYTES = 64 * 2**20
MAX_TOTAL_BYTES = 4 * 2**30
# Limit in bytes for the names and notes before the content of a tar member, which tarfile reads into memory whole.
MAX_HEADING = 2**20

# Files that desktops leave beside pictures; names that begin with a dot are left out too.
LITTER = ("__MACOSX", "Thumbs.db", "desktop.ini")

# Names of the folders and of the file: tuples, because thousands of ``Path`` objects are slow to make and to sort.
Parts = tuple[str, ...]
File = tuple[Parts, bytes]
# Name, size in bytes and open file; None instead of the file for entries that are no files, which only count.
_Opened = tuple[str, int, IO[bytes] | None]

_UNPACKERS: dict[bytes, Callable[..., Any]] = {
    b"\x1f\x8b": gzip.open,
    b"BZh": bz2.open,
    b"\xfd7zXZ": lzma.open,
}


def is_archive(path: Path) -> bool:
    """Tells whether a file's name ends like that of a readable archive.

    Args:
        path: the file; it need not exist.
    """
    return path.name.lower().endswith(ARCHIVES)


def _whole(parts: Parts) -> int:
    return MAX_FILE_BYTES


def walk(source: Path, reads: Callable[[Parts], int] = _whole) -> Iterator[File]:
    """Reads every file below a folder or in an archive, except hidden files and files that desktops leave.

    Args:
        source: a folder, a zip file or a tar archive.
        reads: bytes that are wanted of a file at most, by its path; by default all.

    Returns:
        Pairs of path and content, one after the other.

    Raises:
        DataError: if the source is missing or damaged, a path or link leads out of it, or it holds too much.
    """
    try:
        if source.is_dir():
            yield from _limited(source, _folder(source), reads)
        elif source.stat().st_size == 0:
            raise DataError(f"an archive of images at {source}", "an empty file", "Write or copy it again.")
        elif source.name.lower().endswith(".zip"):
            with opened_zip(source) as archive:
                yield from _limited(source, _zip(archive), reads)
        else:
            with _unpacked(source) as file:
                yield from _limited(source, _tar(file), reads)
    except (*DAMAGE, tarfile.TarError) as error:
        raise _damaged(source, error) from error
    except OSError as error:
        if is_damage(error):
            raise _damaged(source, error) from error
        raise DataError(
            f"images in {source}", error.strerror or str(error), "Check the path and its permissions."
        ) from error


def _damaged(source: Path, error: Exception) -> DataError:
    return DataError(
        f"an archive of images at {source}", f"something that does not read as one ({error})", "Pack it again."
    )


def _limited(source: Path, files: Iterator[_Opened], reads: Callable[[Parts], int]) -> Iterator[File]:
    count = total = 0
    for name, size, file in files:
        parts = tuple(part for part in name.replace("\\", "/").split("/") if part != ".")
        # Nothing is unpacked to disk, so such a path could do no harm; but no legitimate archive has one.
        if ".." in parts or "" in parts:
            raise DataError(f"paths that stay inside {source.name}", repr(name), "Pack the images again.")
        if size < 0:
            raise tarfile.ReadError(f"{name} has {size} bytes")
        count, total = count + 1, total + size
        # The announced sizes are checked before anything is unpacked, and reading stops at the announced size.
        if count > MAX_FILES or size > MAX_FILE_BYTES or total > MAX_TOTAL_BYTES:
            raise DataError(
                f"at most {MAX_FILES:,} files, {MAX_FILE_BYTES >> 20} MiB each and {MAX_TOTAL_BYTES >> 30} GiB "
                f"together in {source.name}",
                f"more, at {name}",
                "Give fewer or smaller images; a few hundred per class are enough for a scan.",
            )
        if file is not None and not any(part.startswith(".") or part in LITTER for part in parts):
            yield parts, file.read(min(size, reads(parts)))


def _folder(root: Path) -> Iterator[_Opened]:
    real = root.resolve()
    for folder, folders, files in os.walk(root, onerror=_raise):
        folders.sort()
        for name in sorted((*folders, *files)):
            path = Path(folder, name)
            if path.is_symlink() and not path.resolve().is_relative_to(real):
                raise DataError(
                    f"images inside {root}", f"a link that leaves it at {path}", "Replace the link by a copy."
                )
        for name in sorted(files):
            path = Path(folder, name)
            if not path.is_file():  # reading a pipe would block
                raise DataError(f"files in {root}", f"a device or pipe at {path}", "Remove it.")
            with path.open("rb") as file:
                yield path.relative_to(root).as_posix(), os.fstat(file.fileno()).st_size, file


def _raise(error: OSError) -> None:
    raise error


def _zip(archive: zipfile.ZipFile) -> Iterator[_Opened]:
    for info in archive.infolist():
        if not info.is_dir():
            with archive.open(info) as file:
                yield info.filename, info.file_size, file


class _Metered:
    """Limits the bytes read from a tar archive, because headings may be of any length and may hide compressed data."""

    def __init__(self, file: io.BufferedIOBase) -> None:
        self.file = file
        self.left = MAX_HEADING

    def read(self, size: int) -> bytes:
        """Reads from the file within the allowance.

        Args:
            size: number of bytes.

        Returns:
            The bytes, fewer at the end of the file.

        Raises:
            ReadError: beyond the allowance.
        """
        part = self.file.read(size)
        self.left -= len(part)
        if self.left < 0:
            raise tarfile.ReadError(f"a heading of more than {MAX_HEADING} bytes")
        return part


def _unpacked(source: Path) -> io.BufferedIOBase:
    with source.open("rb") as file:
        head = file.read(6)
    opener = next((opener for magic, opener in _UNPACKERS.items() if head.startswith(magic)), open)
    unpacked: io.BufferedIOBase = opener(source, "rb")
    return unpacked


def _tar(unpacked: io.BufferedIOBase) -> Iterator[_Opened]:
    metered = _Metered(unpacked)
    with tarfile.open(fileobj=metered, mode="r|") as tar:  # type: ignore[call-overload]
        for member in tar:
            metered.left = member.size + MAX_HEADING
            yield member.name, member.size, tar.extractfile(member) if member.isreg() else None
