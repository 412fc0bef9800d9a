import numpy as np
import pytest

from aegis.core.errors import DataError
from aegis.data import DATASETS
from aegis.data.arrays import Arrays, to_pixels
from aegis.data.named import find_named, read_named

from .conftest import columns_like


@pytest.fixture
def room(tmp_path, monkeypatch):
    """A folder named by AEGIS_DATA, and no way to the network."""
    folder = tmp_path / "room"
    folder.mkdir()
    monkeypatch.setenv("AEGIS_DATA", str(folder))
    monkeypatch.setattr("aegis.data.named.download", lambda name: pytest.fail(f"would download {name}"))
    return folder


@pytest.mark.parametrize("name", DATASETS)
def test_an_npz_is_read_with_the_known_class_names(room, name):
    raw = columns_like(name)
    np.savez(room / f"{name}.npz", **raw)
    data = read_named(name)
    assert (data.name, data.shape, data.class_names) == (name, DATASETS[name].shape, DATASETS[name].class_names)
    np.testing.assert_array_equal(data.test.pixels, to_pixels(raw["x_test"]))


def test_a_folder_of_pictures_is_read(room, draw):
    for name in DATASETS["cifar10"].class_names:
        for split in ("train", "test"):
            pictures = draw(f"{split}/{name}/1.png", size=(32, 32))
    pictures.rename(room / "cifar10")
    assert read_named("cifar10").train.labels.tolist() == list(range(10))


def test_an_npz_comes_before_a_folder_and_an_archive(room):
    for name in ("mnist", "mnist.zip", "mnist_jpeg.tar.xz", "mnist.npz"):
        (room / name).touch()
    assert find_named("mnist") == room / "mnist.npz"
    assert find_named("cifar10") is None


def test_another_data_set_under_the_name_is_refused(room):
    raw = columns_like("mnist")
    np.savez(room / "cifar10.npz", **raw)
    with pytest.raises(DataError, match=r"shape \(3, 32, 32\) for cifar10.*got shape \(1, 28, 28\)"):
        read_named("cifar10")
    np.savez(room / "mnist.npz", **raw, class_names=np.array(DATASETS["cifar10"].class_names))
    with pytest.raises(DataError, match=r"classes 0, 1, .*got airplane, "):
        read_named("mnist")


def test_what_torchvision_keeps_there_is_read_through_it_and_refused_where_it_is_damaged(room, monkeypatch):
    asked = []

    def read_torchvision(name, root):
        asked.append((name, root))
        if name == "mnist":
            raise AssertionError
        return Arrays(**columns_like(name), class_names=DATASETS[name].class_names)

    monkeypatch.setattr("aegis.data.named.read_torchvision", read_torchvision)
    for name in ("cifar10", "mnist"):
        (room / DATASETS[name].folder).mkdir()
    assert read_named("cifar10").shape == (3, 32, 32)
    assert asked == [("cifar10", room)]
    with pytest.raises(DataError, match=r"torchvision's files for mnist under AEGIS_DATA.*AssertionError"):
        read_named("mnist")


def test_what_was_downloaded_once_is_kept(monkeypatch):
    asked = []

    def download(name):
        asked.append(name)
        return Arrays(**columns_like(name))

    monkeypatch.setattr("aegis.data.named.download", download)
    assert read_named("mnist").digest == read_named("mnist").digest
    assert asked == ["mnist"]
