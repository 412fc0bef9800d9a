"""Reads one file or folder of images, whatever its format, as arrays."""

from __future__ import annotations

import hashlib
from pathlib import Path

from aegis.core.errors import DataError
from aegis.core.types import Dataset
from aegis.data import array_files
from aegis.data.array_files import read_array_file, read_array_folder
from aegis.data.arrays import Arrays, to_dataset
from aegis.data.cache import remember
from aegis.data.conversion import check_size
from aegis.data.npz import read_npz
from aegis.data.pictures import read_pictures
from aegis.data.tree import ARCHIVES, is_archive

# Version of the reader in the cache's keys: increase it when the same archive would give other arrays or notes.
READER = 2


def read_file(path: Path, size: int | None = None) -> Arrays:
    """Reads a file or folder of arrays, or a folder or archive of pictures; decoded archives are kept in the cache.

    Args:
        path: the file or folder.
        size: side in pixels, to which picture files are scaled and cropped, or None to keep
            theirs; arrays are left as they are.

    Returns:
        Both splits, unchecked.

    Raises:
        DataError: if the path does not exist or cannot be used.
    """
    check_size(size)
    if path.is_dir():
        arrays = read_array_folder(path)
        return read_pictures(path, size) if arrays is None else arrays
    if is_archive(path):
        return remember(_key(path, size), lambda: read_pictures(path, size))
    ending = path.suffix.lower()
    if ending in array_files.ENDINGS and path.is_file():
        return read_array_file(path)
    if ending != ".npz":
        raise DataError(
            f"an .npz or .mat file, a folder of pictures or arrays, or pictures packed ({', '.join(ARCHIVES)})",
            f"{path}, which {'ends otherwise' if path.exists() else 'does not exist'}",
            "Check the path, or convert the images to an NPZ file with numpy.savez_compressed(file, x_train=..., "
            "y_train=..., x_test=..., y_test=...).",
        )
    return read_npz(path)


def load_unkept(source: str) -> Dataset:
    """Reads somebody's NPZ file or archive of pictures without keeping decoded pixels on disk.

    Args:
        source: its path.

    Returns:
        Training and test images, named as the file.

    Raises:
        DataError: if it cannot be used.
    """
    path = Path(source)
    return to_dataset(read_unkept(path), path.name)


def read_unkept(path: Path) -> Arrays:
    """Reads the same as arrays.

    Args:
        path: an NPZ file or an archive of pictures.

    Raises:
        DataError: if it cannot be used.
    """
    return read_npz(path) if path.suffix == ".npz" else read_pictures(path)


def _key(path: Path, size: int | None) -> str:
    try:
        with path.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise DataError(
            f"images in {path}", error.strerror or str(error), "Check the path and its permissions."
        ) from error
    return f"pictures{READER}-{digest[:32]}-{size or 'own'}"
