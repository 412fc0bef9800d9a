"""Reads images: data sets by name, files of arrays, folders of pictures and bundled samples.

>>> from aegis import load_dataset
>>> data = load_dataset("samples:mnist")
>>> data.shape, len(data.class_names), len(data.train)
((1, 28, 28), 10, 5000)
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from aegis.core.errors import DataError
from aegis.core.types import Dataset
from aegis.data.arrays import to_dataset
from aegis.data.catalogue import DATASETS, DEFAULT_SOURCE, SAMPLES, SOURCES, default_source
from aegis.data.conversion import check_size, converted
from aegis.data.derived import DERIVED, read_derived
from aegis.data.files import read_file
from aegis.data.named import read_named
from aegis.data.others import OTHERS, read_other
from aegis.data.samples import read_sample

__all__ = ["DATASETS", "DEFAULT_SOURCE", "OTHERS", "SOURCES", "default_source", "load_dataset"]


def load_dataset(
    source: str | Path | None = None,
    *,
    size: int | None = None,
    channels: int | None = None,
    tell: Callable[[str], None] = lambda said: None,
) -> Dataset:
    """Reads a data set by name, from a file or from a folder.

    A name takes precedence over a file of the same name; ``./mnist`` means the file. Of ``OTHERS``, a file or folder
    of that name does.

    Args:
        source: one of ``SOURCES``, ``OTHERS`` or ``derived.DERIVED``; a file or folder of arrays; a folder of
            pictures, or a zip or tar file of one; None for ``DEFAULT_SOURCE``.
        size: side in pixels to which images are scaled and cropped, or None to require one common size.
        channels: 1 to make colour images grey, 3 to give grey ones three equal channels, or None to keep them.
        tell: told in a sentence each what was left out, held out or read in another way than it was written.

    Returns:
        Training and test images, float32 in [0, 1], of shape (n, c, h, w).

    Raises:
        DataError: if the source does not exist or cannot be used.
    """
    check_size(size)
    source = DEFAULT_SOURCE if source is None else source
    return converted(_read(source, size, tell), size, channels)


def _read(source: str | Path, size: int | None, tell: Callable[[str], None]) -> Dataset:
    name = source if isinstance(source, str) else ""
    if name in DATASETS:
        return read_named(name)
    if name in DERIVED:
        return read_derived(name)
    if name in SOURCES:
        return read_sample(name.removeprefix(SAMPLES))
    # These names are younger than many a folder that is called so.
    if name in OTHERS and not Path(name).exists():
        return to_dataset(read_other(name, size), name, tell)
    return to_dataset(read_file(_there(source), size), str(source), tell)


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
        f"a data set ({', '.join((*SOURCES, *OTHERS))}), an NPZ file or a folder of pictures",
        f"{str(source)!r}, {reason}",
        "Check the spelling and the path.",
    )
