"""Reads named data sets through torchvision, from its folder or from the network."""

from __future__ import annotations

import contextlib
import socket
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np

from aegis.core.errors import DataError
from aegis.data.arrays import Arrays
from aegis.data.cache import cache_folder
from aegis.data.catalogue import DATASETS, SAMPLES

TIMEOUT = 30.0


def read_torchvision(name: str, root: Path, *, download: bool = False) -> Arrays:
    """Reads a data set from a folder of torchvision, which verifies the checksums of pickled files first.

    Args:
        name: one of ``DATASETS``.
        root: torchvision's folder.
        download: whether to download missing files.

    Returns:
        Both splits, unchecked.

    Raises:
        Exception: any exception of torchvision for files that are missing, damaged or cannot be downloaded.
    """
    info = DATASETS[name]
    return replace(read_class(info.torchvision, root, download=download), class_names=info.class_names)


def read_class(kind: str, root: Path, *, download: bool = False) -> Arrays:
    """Reads a data set by the name of torchvision's class.

    Args:
        kind: the class, such as *CIFAR100*.
        root: torchvision's folder.
        download: whether to download missing files.

    Returns:
        Both splits, unchecked, with torchvision's class names.

    Raises:
        Exception: as ``read_torchvision``.
    """
    # torchvision is slow to import, and the rest of this module works without it.
    import torchvision.datasets

    known = getattr(torchvision.datasets, kind)
    train, test = (known(str(root), train=train, download=download) for train in (True, False))
    return Arrays(
        x_train=np.asarray(train.data),
        y_train=np.asarray(train.targets),
        x_test=np.asarray(test.data),
        y_test=np.asarray(test.targets),
        class_names=tuple(getattr(train, "classes", ())) or None,
    )


def download(name: str) -> Arrays:
    """Downloads a data set through torchvision and removes the files once they are read.

    Args:
        name: one of ``DATASETS``.

    Returns:
        Both splits, unchecked.

    Raises:
        DataError: if there is no network, or not enough disk space.
    """
    try:
        cache_folder().mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=cache_folder(), suffix=".partial") as folder, _timeout(TIMEOUT):
            return read_torchvision(name, Path(folder), download=True)
    # A broken connection may raise anything, from an OSError to a failed assertion in a reader.
    except Exception as error:
        raise DataError(
            f"to download {DATASETS[name].title} through torchvision",
            f"no success ({brief(error)})",
            f"Connect to the network, or set AEGIS_DATA to a folder that holds {name}.npz or torchvision's "
            f"{DATASETS[name].folder}, or use the bundled sample {SAMPLES}{name}.",
        ) from error


def brief(error: Exception) -> str:
    """Takes the last line of another library's error, which states the cause.

    Args:
        error: any exception.

    Returns:
        The line, or the name of the exception's type if it has no text.
    """
    lines = [line for line in str(error).splitlines() if line.strip()]
    return lines[-1].strip() if lines else type(error).__name__


@contextlib.contextmanager
def _timeout(seconds: float) -> Iterator[None]:
    # torchvision sets no timeout, so a dead connection would wait for ever.
    before = socket.getdefaulttimeout()
    socket.setdefaulttimeout(seconds)
    try:
        yield
    finally:
        socket.setdefaulttimeout(before)
