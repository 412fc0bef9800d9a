"""Reads the full data sets known by name: under ``AEGIS_DATA``, from the cache, or through torchvision."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

from aegis.core.errors import DataError
from aegis.core.types import Dataset
from aegis.data.arrays import Arrays, to_dataset
from aegis.data.cache import remember
from aegis.data.catalogue import DATASETS
from aegis.data.download import brief, download, read_torchvision
from aegis.data.files import read_file

VARIABLE = "AEGIS_DATA"
ENDINGS = (".npz", "", ".zip", ".tar.xz", "_jpeg.tar.xz")


def read_named(name: str) -> Dataset:
    """Reads a full data set from ``AEGIS_DATA``, from the cache or by downloading it.

    Args:
        name: one of ``DATASETS``.

    Returns:
        The checked data set.

    Raises:
        DataError: if it cannot be found or downloaded, or has other classes or another shape than expected.
    """
    info = DATASETS[name]
    path = find_named(name)
    arrays = read_file(path) if path is not None else _through_torchvision(name)
    if arrays.class_names not in (None, info.class_names):
        raise _another(name, f"the classes {', '.join(info.class_names)}", ", ".join(arrays.class_names or ()))
    data = to_dataset(replace(arrays, class_names=info.class_names), name)
    if data.shape != info.shape:
        raise _another(name, f"images of shape {info.shape}", f"shape {data.shape}")
    return data


def find_named(name: str) -> Path | None:
    """Finds a full data set under ``AEGIS_DATA``.

    Args:
        name: one of ``DATASETS``.

    Returns:
        A file or a folder of pictures, or None.
    """
    folder = os.environ.get(VARIABLE)
    if not folder:
        return None
    return next((path for ending in ENDINGS if (path := Path(folder, name + ending)).exists()), None)


def _through_torchvision(name: str) -> Arrays:
    root = os.environ.get(VARIABLE)
    if root and Path(root, DATASETS[name].folder).is_dir():
        try:
            return read_torchvision(name, Path(root))
        # torchvision's readers may raise anything on a damaged file, failed assertions included.
        except Exception as error:
            raise _another(name, "torchvision's files", f"something else ({brief(error)})") from error
    return remember(f"torchvision-{name}", lambda: download(name))


def _another(name: str, expected: str, got: str) -> DataError:
    return DataError(
        f"{expected} for {name} under {VARIABLE}", got, "Name it otherwise and give its path, or replace it."
    )
