"""Reads CIFAR's pickled batches through torchvision, which knows their checksums; no other pickle is ever read."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from aegis.core.errors import DataError
from aegis.data.arrays import Arrays
from aegis.data.download import brief, read_class

# Files that tell each, the class of torchvision, and the folder in which that class looks for them.
_KNOWN = (
    ("data_batch_1", "CIFAR10", "cifar-10-batches-py"),
    ("meta", "CIFAR100", "cifar-100-python"),
)


def read_pickled(folder: Path, files: Mapping[str, Path]) -> Arrays | None:
    """Reads the batches of CIFAR-10 or CIFAR-100 if they are the original ones, bit by bit.

    Args:
        folder: their folder.
        files: its files by name.

    Returns:
        Both splits, unchecked; None if there are no such files.

    Raises:
        DataError: if they are others, which are not read: a pickle can run any code.
    """
    kind, place = next(((kind, place) for file, kind, place in _KNOWN if file in files), ("", ""))
    if not kind or (kind == "CIFAR100" and not {"train", "test"} <= files.keys()):
        return None
    try:
        if folder.resolve().name != place:
            raise ValueError(f"torchvision looks for them in a folder {place}")
        return read_class(kind, folder.resolve().parent)
    # torchvision's readers may raise anything.
    except Exception as error:
        raise DataError(
            f"the original files of {kind} in {folder}, whose checksums torchvision knows",
            f"others ({brief(error)}); they are pickles, which can run code and are therefore not read",
            f"Download them again into a folder {place}, or save the arrays with numpy.savez_compressed(file, "
            "x_train=..., y_train=..., x_test=..., y_test=...).",
        ) from error
