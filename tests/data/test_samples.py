from pathlib import Path

import numpy as np
import pytest

from aegis.core.errors import DataError
from aegis.data import DATASETS
from aegis.data.catalogue import ASSETS
from aegis.data.samples import PER_CLASS, choose, read_sample, write_samples
from aegis.data.tree import walk

from .conftest import columns


@pytest.mark.parametrize("name", DATASETS)
def test_a_sample_has_as_many_images_of_every_class_none_of_them_in_both_splits(name):
    data, info = read_sample(name), DATASETS[name]
    train, test = data.train, data.test
    assert (data.name, data.shape, data.class_names) == (f"samples:{name}", info.shape, info.class_names)
    assert np.bincount(train.labels).tolist() == [500] * 10
    assert np.bincount(test.labels).tolist() == [100] * 10
    for split in (train, test):
        assert (split.pixels.min(), split.pixels.max()) == (0, 1)
        assert len(np.unique(np.rint(split.pixels * 255).astype(np.uint8))) == 256
    assert not {image.tobytes() for image in train.pixels} & {image.tobytes() for image in test.pixels}
    # Images labelled at random would be nearest to their own class's mean one time in ten.
    means = np.stack([train.pixels[train.labels == label].mean(axis=0).ravel() for label in range(10)])
    nearest = ((test.pixels.reshape(1000, 1, -1) - means) ** 2).sum(axis=2).argmin(axis=1)
    assert (nearest == test.labels).mean() > 0.2


def test_all_samples_together_take_at_most_15_megabytes():
    assert sum(path.stat().st_size for path in ASSETS.iterdir()) <= 15_000_000


@pytest.mark.parametrize("split", PER_CLASS)
def test_the_choice_is_fixed_balanced_and_growing(split):
    classes = np.random.default_rng(1).integers(0, 3, 3000)
    chosen = choose(classes, split)
    assert np.bincount(classes[chosen]).tolist() == [PER_CLASS[split]] * 3
    assert (np.diff(chosen) > 0).all()
    np.testing.assert_array_equal(chosen, choose(classes, split))


@pytest.fixture
def full(tmp_path, monkeypatch, draw):
    """Full data sets of a few images each, one more than a sample takes, where AEGIS_DATA says."""
    monkeypatch.setenv("AEGIS_DATA", str(tmp_path / "full"))
    monkeypatch.setattr("aegis.data.samples.PER_CLASS", {"train": 2, "test": 1})
    for split, count in (("train", 3), ("test", 2)):
        for name in DATASETS["cifar10"].class_names:
            for i in range(count):
                pictures = draw(f"{split}/{name}/{i}.jpg", (i, 0, 0), size=(32, 32))
    (tmp_path / "full").mkdir()
    pictures.rename(tmp_path / "full" / "cifar10")
    for name in ("mnist", "fashion_mnist"):
        np.savez(tmp_path / "full" / f"{name}.npz", **columns(classes=10, per_class=3, shape=(28, 28)))
    return tmp_path / "full"


def test_samples_are_written_the_same_each_time_and_read_back(full, tmp_path):
    write_samples(tmp_path / "a")
    write_samples(tmp_path / "b")
    for name, info in DATASETS.items():
        assert (tmp_path / "a" / info.sample).read_bytes() == (tmp_path / "b" / info.sample).read_bytes()
        data = read_sample(name, tmp_path / "a")
        assert (len(data.train), len(data.test), data.shape) == (20, 10, info.shape)
    kept = dict(walk(tmp_path / "a" / DATASETS["cifar10"].sample))
    assert len(kept) == 30
    for parts, content in kept.items():
        assert content == Path(full, "cifar10", *parts).read_bytes()


def test_without_the_full_data_no_sample_is_written(tmp_path):
    with pytest.raises(DataError, match="the full mnist under AEGIS_DATA"):
        write_samples(tmp_path / "a")
    assert not (tmp_path / "a").exists()
