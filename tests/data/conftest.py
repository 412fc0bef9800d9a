"""Tiny data sets on disk, and no trace of the machine's own."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from aegis.data import DATASETS


@pytest.fixture(autouse=True)
def _own_folders(tmp_path, monkeypatch):
    monkeypatch.setenv("AEGIS_STORE", str(tmp_path / "store"))
    monkeypatch.delenv("AEGIS_DATA", raising=False)


def columns(classes=3, per_class=4, shape=(6, 6)):
    """Random uint8 images and their labels, two splits, as ``numpy.savez`` takes them."""
    rng = np.random.default_rng(0)
    labels = np.tile(np.arange(classes), per_class)
    return {
        "x_train": rng.integers(0, 256, (len(labels), *shape), dtype=np.uint8),
        "y_train": labels,
        "x_test": rng.integers(0, 256, (classes, *shape), dtype=np.uint8),
        "y_test": np.arange(classes),
    }


def columns_like(name, per_class=2):
    """Columns of the shape and with the classes of a named data set."""
    channels, *sides = DATASETS[name].shape
    return columns(10, per_class, (*sides, channels) if channels > 1 else sides)


@pytest.fixture
def save(tmp_path):
    """Write an NPZ file from the usual columns with some changed; None leaves one out."""

    def save_changed(name="data.npz", **changes):
        kept = {key: value for key, value in {**columns(), **changes}.items() if value is not None}
        np.savez(tmp_path / name, **kept)
        return tmp_path / name

    return save_changed


@pytest.fixture
def draw(tmp_path):
    """Write one picture of one colour, by default a PNG, below the folder ``pictures``."""

    def draw_one(path, colour=(10, 20, 30), size=(6, 6), mode="RGB", **options):
        target = tmp_path / "pictures" / path
        target.parent.mkdir(parents=True, exist_ok=True)
        Image.new(mode, size, colour).save(target, **options)
        return tmp_path / "pictures"

    return draw_one


@pytest.fixture
def folder(draw):
    """Two classes of ten greyscale pictures, each as bright as its number."""
    for name in ("cat", "ant"):
        for i in range(10):
            root = draw(f"{name}/{i:02}.png", colour=10 * i, mode="L")
    return root
