"""Reads images that are kept as files of arrays: IDX, NPY, MATLAB, and the binary versions of CIFAR and STL-10."""

from __future__ import annotations

import re
import zipfile
from collections.abc import Callable, Mapping
from functools import cache, partial
from pathlib import Path

import numpy as np

from aegis.core.archives import is_damage
from aegis.core.errors import DataError
from aegis.data.arrays import Array, Arrays
from aegis.data.binaries import read_binaries
from aegis.data.choice import assemble, choose
from aegis.data.idx import read_idx
from aegis.data.mat import read_mat
from aegis.data.npy import read_array
from aegis.data.pickled import read_pickled
from aegis.data.splits import split_of

ENDINGS = (".npy", ".mat")
_IDX = re.compile(r"(?:.*[-_.])?(train|test|t10k)[-_.](images|labels)[-_.]?(?:idx\d-ubyte)?(?:\.gz)?", re.IGNORECASE)
# How SVHN names its files, in which 10 stands for the digit 0.
_SVHN = "_32x32.mat"

Reader = Callable[[], Array]


def read_array_folder(folder: Path) -> Arrays | None:
    """Reads a folder of files of arrays.

    Args:
        folder: with the files, or with a folder ``raw`` of them, as torchvision keeps MNIST.

    Returns:
        Both splits, unchecked; None if its files are of another kind, or lie in folders, as pictures do.

    Raises:
        DataError: if the files are damaged, pickles of unknown content, or a link leads out of the folder.
    """
    try:
        files = _files(folder, folder.resolve())
    except OSError as error:
        raise DataError(
            f"images in {folder}", error.strerror or str(error), "Check the path and its permissions."
        ) from error
    return read_array_files(files) or read_pickled(folder, files)


def read_array_files(files: Mapping[str, Path]) -> Arrays | None:
    """Reads those of some files that are arrays of known names.

    Args:
        files: by name.

    Returns:
        Both splits, unchecked; without one for testing, every fifth image is held out. None if there are no such
        files.

    Raises:
        DataError: if they are damaged.
    """
    for find in (_idx, _npy, _mat):
        arrays = find(files)
        if choice := choose(arrays):
            return assemble(choice, lambda name, arrays=arrays: arrays[name]())  # type: ignore[misc]
    return read_binaries(files)


def read_array_file(path: Path) -> Arrays:
    """Reads one file of images and labels.

    Args:
        path: a MATLAB file; an NPY file holds one of the two alone.

    Raises:
        DataError: if it is damaged or lacks images or labels.
    """
    arrays = read_array_files({path.name: path})
    if arrays is None:
        raise DataError(
            "images and labels together",
            f"{path}, which holds one of them",
            "Put x_train.npy and y_train.npy into one folder and give its path.",
        )
    return arrays


def _files(folder: Path, real: Path) -> dict[str, Path]:
    """Files of a folder by name; none if it has sub-folders, which hold pictures."""
    entries = sorted(path for path in folder.iterdir() if not path.name.startswith("."))
    folders = {path.name for path in entries if path.is_dir()}
    # Beside them older versions of torchvision kept "processed".
    if "raw" in folders and folders <= {"raw", "processed"} and len(folders) == len(entries):
        return _files(folder / "raw", real)
    if folders:
        return {}
    for path in entries:
        if path.is_symlink() and not path.resolve().is_relative_to(real):
            raise DataError(
                f"images inside {folder}", f"a link that leaves it at {path}", "Replace the link by a copy."
            )
    return {path.name: path for path in entries if path.is_file()}


def _idx(files: Mapping[str, Path]) -> dict[str, Reader]:
    found: dict[str, Reader] = {}
    # A plain file comes after its packed copy, and replaces it.
    for name in sorted(files, reverse=True):
        if match := _IDX.fullmatch(name):
            split = "train" if match[1].lower() == "train" else "test"
            found[f"{split}_{match[2].lower()}"] = partial(read_idx, files[name])
    return found


def _npy(files: Mapping[str, Path]) -> dict[str, Reader]:
    return {path.stem: partial(_read_npy, path) for name, path in files.items() if name.lower().endswith(".npy")}


def _read_npy(path: Path) -> Array:
    try:
        return read_array(lambda: path.open("rb"), path.stem, path.stat().st_size)
    except (zipfile.BadZipFile, OSError) as error:
        why = error.strerror if isinstance(error, OSError) and not is_damage(error) else error
        raise DataError(
            f"an NPY file at {path}", f"something that does not read as one ({why})", "Save it again."
        ) from error


def _mat(files: Mapping[str, Path]) -> dict[str, Reader]:
    """Images ``X`` and labels ``y`` of each file, whose name says the split."""
    found: dict[str, Reader] = {}
    for name, path in files.items():
        split = split_of(name.partition("_")[0].removesuffix(".mat"))
        if not name.lower().endswith(".mat") or (split is None and len(files) > 1):
            continue
        # Read once for both arrays.
        both = cache(partial(read_mat, path, ("X", "y")))
        found[f"x_{split or 'train'}"] = partial(_mat_images, path, both)
        found[f"y_{split or 'train'}"] = partial(_mat_labels, path, both)
    return found


def _mat_images(path: Path, read: Callable[[], Mapping[str, Array]]) -> Array:
    # The images lie along the last axis.
    return np.moveaxis(_from_mat(path, read(), "X"), -1, 0)


def _mat_labels(path: Path, read: Callable[[], Mapping[str, Array]]) -> Array:
    labels = _from_mat(path, read(), "y").ravel()
    return np.where(labels == 10, 0, labels) if path.name.endswith(_SVHN) else labels


def _from_mat(path: Path, arrays: Mapping[str, Array], name: str) -> Array:
    if name not in arrays:
        raise DataError(
            f"images X and labels y in {path}", f"no {name}", "Save both, or use numpy.savez_compressed instead."
        )
    return arrays[name]
