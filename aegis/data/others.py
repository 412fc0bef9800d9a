"""Reads further data sets by name, without a bundled sample: their published files under ``AEGIS_DATA``."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from aegis.core.errors import DataError
from aegis.data.array_files import read_array_files
from aegis.data.arrays import Arrays
from aegis.data.files import read_file
from aegis.data.named import VARIABLE, find_named


@dataclass(frozen=True, kw_only=True)
class OtherData:
    """Says where the published files of a data set are looked for.

    Args:
        title: its name in the literature.
        folders: folders under ``AEGIS_DATA`` that hold it, as torchvision and its authors call them.
        files: files that lie in ``AEGIS_DATA`` itself.
        size: side in pixels to which its pictures are scaled, where they have many; else None.
    """

    title: str
    folders: tuple[str, ...] = ()
    files: tuple[str, ...] = ()
    size: int | None = None


OTHERS: dict[str, OtherData] = {
    "svhn": OtherData(title="SVHN", folders=("SVHN",), files=("train_32x32.mat", "test_32x32.mat")),
    "cifar100": OtherData(title="CIFAR-100", folders=("cifar-100-binary", "cifar-100-python")),
    "gtsrb": OtherData(title="GTSRB", folders=("GTSRB",), size=32),
    "stl10": OtherData(title="STL-10", folders=("stl10_binary",)),
}


def read_other(name: str, size: int | None = None) -> Arrays:
    """Reads one of them from ``AEGIS_DATA``; nothing is downloaded.

    Args:
        name: one of ``OTHERS``.
        size: side in pixels to which pictures are scaled and cropped; None for the usual one.

    Returns:
        Both splits, unchecked.

    Raises:
        DataError: if it is not there or damaged.
    """
    info, folder = OTHERS[name], os.environ.get(VARIABLE)
    path = find_named(name)
    if folder and path is None:
        files = {file: Path(folder, file) for file in info.files if Path(folder, file).is_file()}
        if info.files and len(files) == len(info.files) and (arrays := read_array_files(files)):
            return arrays
        path = next((path for place in info.folders if (path := Path(folder, place)).is_dir()), None)
    if path is None:
        raise DataError(
            f"{info.title} under {VARIABLE}, in {' or '.join((name, *info.folders, *info.files[:1]))}",
            "no such folder or file" if folder else f"no folder, since {VARIABLE} is not set",
            "Put its published files there, or give their path.",
        )
    return read_file(path, size or info.size)
