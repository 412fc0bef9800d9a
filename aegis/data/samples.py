"""Reads and writes the bundled samples: real images of every named data set, enough for a scan without a download.

``AEGIS_DATA=FOLDER python -m aegis.data`` writes them anew from the full data sets. Samples of arrays are NPZ files.
Samples of pictures are archives with one folder per class that hold the original files, because decoded pixels take
several times the space. They are compressed as a whole, since the files begin alike.
"""

from __future__ import annotations

import io
import lzma
import tarfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from aegis.core.errors import DataError
from aegis.core.files import whole_file
from aegis.core.runtime import numpy_generator
from aegis.core.types import Dataset
from aegis.data.arrays import Array, Arrays, to_dataset
from aegis.data.catalogue import ASSETS, DATASETS, SAMPLES
from aegis.data.files import read_file
from aegis.data.named import VARIABLE, find_named
from aegis.data.npz import read_npz, write_npz
from aegis.data.tree import walk

# The paper uses 500 seeds and 500 training images of a class; 100 test images give an attack success rate within 5%.
PER_CLASS = {"train": 500, "test": 100}
SEED = 0


def read_sample(name: str, folder: Path = ASSETS) -> Dataset:
    """Reads the bundled sample of a named data set.

    Args:
        name: one of ``DATASETS``.
        folder: folder of the samples.

    Returns:
        The checked data set.

    Raises:
        DataError: if the sample is missing or damaged.
    """
    arrays = read_file(folder / DATASETS[name].sample)
    return to_dataset(replace(arrays, class_names=DATASETS[name].class_names), SAMPLES + name)


def write_samples(folder: Path = ASSETS, names: Sequence[str] = tuple(DATASETS)) -> None:
    """Writes the sample of each data set from the full one under ``AEGIS_DATA``; the choice of images is fixed.

    Args:
        folder: folder to write to.
        names: some of ``DATASETS``.

    Raises:
        DataError: if a full data set is not there.
    """
    for name in names:
        full = find_named(name)
        if full is None:
            raise DataError(f"the full {name} under {VARIABLE}", "no such file", f"Set {VARIABLE} to its folder.")
        target = folder / DATASETS[name].sample
        if target.suffix == ".npz":
            raw = read_npz(full)
            train, test = choose(raw.y_train, "train"), choose(raw.y_test, "test")
            chosen = Arrays(raw.x_train[train], raw.y_train[train], raw.x_test[test], raw.y_test[test])
            write_npz(target, chosen, compress=True)
        else:
            _write_pictures(full, target)


def _write_pictures(full: Path, target: Path) -> None:
    files = {parts[-3:]: content for parts, content in walk(full)}
    paths = sorted(files)
    with (
        whole_file(target) as file,
        lzma.open(file, "w", preset=9 | lzma.PRESET_EXTREME) as packed,
        tarfile.open(fileobj=packed, mode="w") as archive,
    ):
        for split in PER_CLASS:
            of_split = [parts for parts in paths if parts[0] == split]
            for i in choose(np.array([parts[1] for parts in of_split]), split):
                # Its time and owner stay at 0, so that equal images give equal files.
                entry = tarfile.TarInfo("/".join(of_split[i]))
                entry.size = len(files[of_split[i]])
                archive.addfile(entry, io.BytesIO(files[of_split[i]]))


def choose(classes: Array, split: str) -> Array:
    """Chooses the images of a split that go into the sample.

    Args:
        classes: class of every image, in any type, shape (n,).
        split: a key of ``PER_CLASS``, which gives the number of images of each class.

    Returns:
        Positions of the chosen images, increasing, shape (m,).
    """
    rng = numpy_generator(SEED, list(PER_CLASS).index(split))
    chosen = [rng.permutation(np.flatnonzero(classes == c))[: PER_CLASS[split]] for c in np.unique(classes)]
    return np.sort(np.concatenate(chosen))
