"""Files of a folder, a zip or a tar archive, one after the other, without unpacking anything to disk."""

from __future__ import annotations

import os
import tarfile
import zipfile
import zlib
from collections.abc import Iterator
from lzma import LZMAError
from pathlib import Path, PurePosixPath
from typing import IO

from aegis.errors import DataError

ARCHIVES = (".zip", ".tar", ".tar.gz", ".tgz", ".tar.xz", ".tar.bz2")
MAX_FILES = 200_000
MAX_FILE_BYTES = 64 * 2**20
MAX_TOTAL_BYTES = 4 * 2**30
# What the readers of the archives raise for damage, for encryption and for methods they do not know.
DAMAGE = (zipfile.BadZipFile, tarfile.TarError, zlib.error, LZMAError, EOFError, NotImplementedError, RuntimeError)

File = tuple[PurePosixPath, bytes]


def is_archive(path: Path) -> bool:
    """Whether the name is one of an archive that can be read."""
    return path.name.lower().endswith(ARCHIVES)


def walk(source: Path) -> Iterator[File]:
    """Path and content of every file below a folder or in an archive; hidden ones are left out.

    Raises:
        DataError: if the source is missing or damaged, a path or link leaves it, or it holds too much.
    """
    try:
        if source.is_dir():
            yield from _limited(source, _folder(source))
        elif source.name.lower().endswith(".zip"):
            with zipfile.ZipFile(source) as archive:
                yield from _limited(source, _zip(archive))
        else:
            with tarfile.open(source, mode="r|*") as tar:
                yield from _limited(source, _tar(tar))
    except OSError as error:
        raise DataError(
            f"images in {source}", error.strerror or str(error), "Check the path and its permissions."
        ) from error
    except DAMAGE as error:
        raise DataError(
            f"an archive of images at {source}", f"something that does not read as one ({error})", "Pack it again."
        ) from error


Opened = tuple[PurePosixPath, int, IO[bytes]]


def _limited(source: Path, files: Iterator[Opened]) -> Iterator[File]:
    count = total = 0
    for path, size, file in files:
        if path.is_absolute() or ".." in path.parts:
            raise DataError(f"paths inside {source.name}", repr(str(path)), "Pack the images again.")
        count, total = count + 1, total + size
        # Sizes are those announced, checked before anything is unpacked; the reader stops at the announced size.
        if count > MAX_FILES or size > MAX_FILE_BYTES or total > MAX_TOTAL_BYTES:
            raise DataError(
                f"at most {MAX_FILES:,} files, {MAX_FILE_BYTES >> 20} MiB each and {MAX_TOTAL_BYTES >> 30} GiB "
                f"together in {source.name}",
                f"more, at {path}",
                "Give fewer or smaller images; a few hundred per class are enough for a scan.",
            )
        if not any(part.startswith((".", "__MACOSX")) for part in path.parts):
            yield path, file.read(size)


def _folder(root: Path) -> Iterator[Opened]:
    real = root.resolve()
    for folder, folders, files in os.walk(root):
        folders.sort()
        for name in sorted((*folders, *files)):
            path = Path(folder, name)
            if path.is_symlink() and not path.resolve().is_relative_to(real):
                raise DataError(
                    f"images inside {root}", f"a link that leaves it at {path}", "Replace the link by a copy."
                )
        for name in sorted(files):
            path = Path(folder, name)
            with path.open("rb") as file:
                yield PurePosixPath(path.relative_to(root).as_posix()), path.stat().st_size, file


def _zip(archive: zipfile.ZipFile) -> Iterator[Opened]:
    for info in sorted(archive.infolist(), key=lambda info: info.filename):
        if not info.is_dir():
            with archive.open(info) as file:
                yield PurePosixPath(info.filename), info.file_size, file


def _tar(tar: tarfile.TarFile) -> Iterator[Opened]:
    for member in tar:
        file = tar.extractfile(member) if member.isreg() else None
        if file is not None:
            with file:
                yield PurePosixPath(member.name), member.size, file
