"""Data sets derived from tiny stand-ins of the named ones."""

from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from aegis.data import DATASETS, SOURCES, load_dataset
from aegis.data.derived import DERIVED, colour_32, twice

from .conftest import columns_like


@pytest.fixture
def full(tmp_path, monkeypatch):
    """The three named data sets, six training images and one test image a class."""
    monkeypatch.setenv("AEGIS_DATA", str(tmp_path))
    for name in DATASETS:
        np.savez(tmp_path / f"{name}.npz", **columns_like(name, per_class=6))


SHAPES = {
    "cifar10_64": ((3, 64, 64), 10),
    "cifar10_64_many": ((3, 64, 64), 10),
    "thirty_classes": ((3, 32, 32), 30),
    "mnist_two_classes": ((1, 28, 28), 2),
    "fashion_mnist_five_classes": ((1, 28, 28), 5),
    "cifar10_five_classes": ((3, 32, 32), 5),
}


def test_every_derived_data_set_loads_by_a_name_of_its_own(full):
    assert DERIVED.keys() == SHAPES.keys()
    assert not set(DERIVED) & set(SOURCES)
    for name, (shape, classes) in SHAPES.items():
        data = load_dataset(name)
        assert (data.name, data.shape, len(data.class_names)) == (name, shape, classes)
        assert np.bincount(data.train.labels).tolist() == [6] * classes
        assert np.bincount(data.test.labels).tolist() == [1] * classes


def test_classes_keep_their_images_and_names(full):
    origin, data = load_dataset("mnist"), load_dataset("mnist_two_classes")
    assert data.class_names == ("3", "8")
    kept = np.isin(origin.train.labels, (3, 8))
    np.testing.assert_array_equal(data.train.pixels, origin.train.pixels[kept])
    np.testing.assert_array_equal(np.where(data.train.labels == 0, 3, 8), origin.train.labels[kept])


def test_thirty_classes_are_those_of_the_three_one_after_the_other(full):
    data = load_dataset("thirty_classes")
    assert data.class_names == tuple(name for info in DATASETS.values() for name in info.class_names)
    assert (np.diff(data.train.labels.reshape(3, 60).min(axis=1)) == 10).all()
    grey, colour = data.train.pixels[0], data.train.pixels[-1]
    np.testing.assert_array_equal(grey[0, 2:-2, 2:-2], load_dataset("mnist").train.pixels[0, 0])
    np.testing.assert_array_equal(colour, load_dataset("cifar10").train.pixels[-1])


def test_only_the_first_images_of_each_class_are_taken(full, monkeypatch):
    monkeypatch.setitem(DERIVED, "mnist_two_classes", replace(DERIVED["mnist_two_classes"], train=2))
    origin, data = load_dataset("mnist"), load_dataset("mnist_two_classes")
    first = origin.train.pixels[np.flatnonzero(origin.train.labels == 3)[:2]]
    np.testing.assert_array_equal(data.train.pixels[data.train.labels == 0], first)


def test_twice_the_side_is_what_pillow_makes_of_it():
    raw = np.random.default_rng(0).integers(0, 256, (1, 1, 8, 8), dtype=np.uint8)
    enlarged = np.asarray(Image.fromarray(raw[0, 0]).resize((16, 16), Image.Resampling.BILINEAR))
    assert np.abs(twice(raw.astype(np.float32) / 255)[0, 0] * 255 - enlarged).max() <= 1.01


def test_a_frame_around_and_three_channels():
    framed = colour_32(np.ones((2, 1, 28, 28), np.float32))
    assert framed.shape == (2, 3, 32, 32)
    assert framed.sum() == 2 * 3 * 28 * 28
    assert framed[:, :, 2:-2, 2:-2].all()
