"""Reads the binary versions of CIFAR-10, CIFAR-100 and STL-10: plain bytes without headings."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from aegis.core.errors import DataError
from aegis.data.arrays import MAX_VALUES, Array, Arrays, too_large

CIFAR10 = ("data_batch_1.bin", "test_batch.bin")
CIFAR100 = ("train.bin", "test.bin")
STL10 = ("train_X.bin", "train_y.bin", "test_X.bin", "test_y.bin")
_CIFAR, _STL = (3, 32, 32), (3, 96, 96)
# Files with the names of the classes, a line each, in label order.
_NAMES = ("batches.meta.txt", "fine_label_names.txt", "class_names.txt")
_MAX_NAMES = 2**16


def read_binaries(files: Mapping[str, Path]) -> Arrays | None:
    """Reads one of the three, whichever the names of the files are of.

    Args:
        files: files of a folder by name.

    Returns:
        Both splits, unchecked; None if the files are of another kind.

    Raises:
        DataError: if a file is cut short or cannot be read.
    """
    try:
        return _read(files)
    except OSError as error:
        raise DataError(
            "images in binary files", error.strerror or str(error), "Check their path and permissions."
        ) from error


def _read(files: Mapping[str, Path]) -> Arrays | None:
    if set(STL10) <= files.keys():
        x_train, y_train, x_test, y_test = (_bytes(files[name]) for name in STL10)
        # Stored column by column.
        x_train, x_test = (_rows(x, _STL, files["train_X.bin"]).swapaxes(2, 3) for x in (x_train, x_test))
        return Arrays(x_train, y_train, x_test, y_test, _class_names(files))
    if set(CIFAR10) <= files.keys():
        train = [files[name] for name in sorted(files) if name.startswith("data_batch_") and name.endswith(".bin")]
        return _cifar(train, files["test_batch.bin"], 1, files)
    if set(CIFAR100) <= files.keys():
        # A coarse label comes before the fine one.
        return _cifar([files["train.bin"]], files["test.bin"], 2, files)
    return None


def _cifar(train: Sequence[Path], test: Path, labels: int, files: Mapping[str, Path]) -> Arrays:
    splits: list[Array] = []
    for paths in (train, [test]):
        rows = np.concatenate([_rows(_bytes(path), (labels + int(np.prod(_CIFAR)),), path) for path in paths])
        splits += [rows[:, labels:].reshape(-1, *_CIFAR), rows[:, labels - 1]]
    x_train, y_train, x_test, y_test = splits
    return Arrays(x_train, y_train, x_test, y_test, _class_names(files))


def _bytes(path: Path) -> Array:
    if path.stat().st_size > MAX_VALUES:
        raise too_large(path.name, path.stat().st_size)
    return np.fromfile(path, np.uint8)


def _rows(content: Array, shape: tuple[int, ...], path: Path) -> Array:
    size = int(np.prod(shape))
    if len(content) == 0 or len(content) % size:
        raise DataError(f"images of {size:,} bytes each at {path}", f"{len(content):,} bytes", "Download it again.")
    return content.reshape(-1, *shape)


def _class_names(files: Mapping[str, Path]) -> tuple[str, ...] | None:
    for name in _NAMES:
        if name in files:
            with files[name].open("rb") as file:
                lines = file.read(_MAX_NAMES).decode("utf-8", "replace").splitlines()
            return tuple(line.strip() for line in lines if line.strip())
    return None
