"""Files of a folder, a zip or a tar archive, one after the other, without unpacking anything to disk."""

from __future__ import annotations

import os
import tarfile
import zipfile
import zlib
from collections.abc import Iterator
from lzma import LZMAError
from pathlib import Path
from typing import IO

from aegis.errors import DataError

ARCHIVES = (".zip", ".tar", ".tar.gz", ".tgz", ".tar.xz", ".tar.bz2")
MAX_FILES = 200_000
MAX_FILE_BYTES = 64 * 2**20
MAX_TOTAL_BYTES = 4 * 2**30
# What the readers of archives raise for damage, for encryption and for methods they do not know.
DAMAGE = (zipfile.BadZipFile, tarfile.TarError, zlib.error, LZMAError, EOFError, NotImplementedError, RuntimeError)

# What desktops leave beside pictures; names that begin with a dot are left out too.
LITTER = ("__MACOSX", "Thumbs.db", "desktop.ini")

# The names of the folders and of the file: tuples, because thousands of paths are slow to make, split and sort.
Parts = tuple[str, ...]
File = tuple[Parts, bytes]
_Opened = tuple[str, int, IO[bytes]]


def is_archive(path: Path) -> bool:
    """Whether the name is one of an archive that can be read."""
    return path.name.lower().endswith(ARCHIVES)


def walk(source: Path) -> Iterator[File]:
    """Path and content of every file below a folder or in an archive; hidden ones and litter are left out.

    Raises:
        DataError: if the source is missing or damaged, a path or link leaves it, or it holds too much.
    """
    try:
        if source.is_dir():
            yield from _limited(source, _folder(source))
        elif source.stat().st_size == 0:
            raise DataError(f"an archive of images at {source}", "an empty file", "Write or copy it again.")
        elif source.name.lower().endswith(".zip"):
            with zipfile.ZipFile(source) as archive:
                yield from _limited(source, _zip(archive))
        else:
            with tarfile.open(source, mode="r|*") as tar:
                yield from _limited(source, _tar(tar))
    except DAMAGE as error:
        raise DataError(
            f"an archive of images at {source}", f"something that does not read as one ({error})", "Pack it again."
        ) from error
    except OSError as error:
        raise DataError(
            f"images in {source}", error.strerror or str(error), "Check the path and its permissions."
        ) from error


def _limited(source: Path, files: Iterator[_Opened]) -> Iterator[File]:
    count = total = 0
    for name, size, file in files:
        parts = tuple(part for part in name.replace("\\", "/").split("/") if part != ".")
        # Nothing is unpacked to disk, so such a path could do no harm; but no honest archive has one.
        if ".." in parts or "" in parts:
            raise DataError(f"paths that stay inside {source.name}", repr(name), "Pack the images again.")
        count, total = count + 1, total + size
        # Sizes are those announced, checked before anything is unpacked; reading stops at the announced size.
        if count > MAX_FILES or size > MAX_FILE_BYTES or total > MAX_TOTAL_BYTES:
            raise DataError(
                f"at most {MAX_FILES:,} files, {MAX_FILE_BYTES >> 20} MiB each and {MAX_TOTAL_BYTES >> 30} GiB "
                f"together in {source.name}",
                f"more, at {name}",
                "Give fewer or smaller images; a few hundred per class are enough for a scan.",
            )
        if not any(part.startswith(".") or part in LITTER for part in parts):
            yield parts, file.read(size)


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
            with path.open("rb") as file:
                yield path.relative_to(root).as_posix(), path.stat().st_size, file


def _raise(error: OSError) -> None:
    raise error


def _zip(archive: zipfile.ZipFile) -> Iterator[_Opened]:
    for info in archive.infolist():
        if not info.is_dir():
            with archive.open(info) as file:
                yield info.filename, info.file_size, file


def _tar(tar: tarfile.TarFile) -> Iterator[_Opened]:
    for member in tar:
        file = tar.extractfile(member) if member.isreg() else None
        if file is not None:
            with file:
                yield member.name, member.size, file
