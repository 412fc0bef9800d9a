"""Reads images: data sets by name, NPZ files, folders of pictures and bundled samples.

>>> from aegis import load_dataset
>>> data = load_dataset("samples:mnist")
>>> data.shape, len(data.class_names), len(data.train)
((1, 28, 28), 10, 5000)
"""

from __future__ import annotations

from pathlib import Path

from aegis.core.errors import DataError
from aegis.core.types import Dataset
from aegis.data.arrays import to_dataset
from aegis.data.catalogue import DATASETS, DEFAULT_SOURCE, SAMPLES, SOURCES, default_source
from aegis.data.derived import DERIVED, read_derived
from aegis.data.files import read_file
from aegis.data.named import read_named
from aegis.data.samples import read_sample

__all__ = ["DATASETS", "DEFAULT_SOURCE", "SOURCES", "default_source", "load_dataset"]


def load_dataset(source: str | Path | None = None, *, size: int | None = None) -> Dataset:
    """Reads a data set by name, from a file or from a folder.

    A name takes precedence over a file of the same name; ``./mnist`` means the file.

    Args:
        source: one of ``SOURCES`` or ``derived.DERIVED``; an NPZ file; a folder with one sub-folder of pictures per
            class, or a zip or tar file of one; None for ``DEFAULT_SOURCE``.
        size: side in pixels to which pictures are scaled and cropped, or None to require one common size.

    Returns:
        Training and test images, float32 in [0, 1], of shape (n, c, h, w).

    Raises:
        DataError: if the source does not exist or cannot be used.
    """
    source = DEFAULT_SOURCE if source is None else source
    name = source if isinstance(source, str) else ""
    if size is not None and name in (*SOURCES, *DERIVED):
        raise DataError("a size only for your own pictures", f"size {size} for {name}", "Leave the size out.")
    if name in DATASETS:
        return read_named(name)
    if name in DERIVED:
        return read_derived(name)
    if name in SOURCES:
        return read_sample(name.removeprefix(SAMPLES))
    return to_dataset(read_file(_there(source), size), str(source))


def _there(source: str | Path) -> Path:
    """Returns the path of a file or folder that exists."""
    reason = "which is neither a known name nor there"
    try:
        path = Path(source).expanduser()
        if source != "" and not (isinstance(source, str) and source.startswith(SAMPLES)) and path.exists():
            return path
    # The home of an unknown user raises RuntimeError; names that are too long and closed folders raise OSError.
    except (OSError, RuntimeError) as error:
        reason = str(getattr(error, "strerror", None) or error)
    raise DataError(
        f"a data set ({', '.join(SOURCES)}), an NPZ file or a folder of pictures",
        f"{str(source)!r}, {reason}",
        "Check the spelling and the path.",
    )
