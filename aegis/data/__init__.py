"""Images in: data sets by name, NPZ files, folders of pictures, bundled samples."""

from __future__ import annotations

from pathlib import Path

from aegis.data.arrays import to_dataset
from aegis.data.catalogue import DATASETS, DEFAULT_SOURCE, SOURCES, DatasetInfo, default_source
from aegis.data.named import read_file, read_named
from aegis.types import Dataset

__all__ = ["DATASETS", "DEFAULT_SOURCE", "SOURCES", "DatasetInfo", "default_source", "load_dataset"]


def load_dataset(source: str | Path | None = None) -> Dataset:
    """Read a data set: float32 pixels in [0, 1], shape (n, c, h, w), in two splits.

    Args:
        source: one of ``SOURCES``, an NPZ file or a folder.

    Raises:
        DataError: if there is no such thing, or it cannot be used.
    """
    source = DEFAULT_SOURCE if source is None else source
    if isinstance(source, str) and source in DATASETS:
        return to_dataset(read_named(source), source)
    return to_dataset(read_file(Path(source)), str(source))
