import pickle

import numpy as np
import pytest

from aegis.core.errors import DataError
from aegis.data.arrays import Arrays
from aegis.data.pickled import read_pickled

from .conftest import columns


class Sings:
    """Leaves a file where it is unpickled."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return (open, (str(self.path), "w"))


FILES = {"cifar-10-batches-py": ("data_batch_1", "test_batch"), "cifar-100-python": ("meta", "train", "test")}


@pytest.fixture
def batches(tmp_path):
    """A folder of pickles under a data set's own names; gives it with its files."""

    def make(place, names):
        folder = tmp_path / place
        folder.mkdir()
        for name in names:
            (folder / name).write_bytes(pickle.dumps(Sings(tmp_path / "sung")))
        return folder, {name: folder / name for name in names}

    return make


@pytest.mark.parametrize("place", FILES)
def test_other_pickles_than_the_original_ones_are_never_read(batches, place, tmp_path):
    folder, files = batches(place, FILES[place])
    with pytest.raises(DataError, match=f"original files.*pickles, which can run code.*into a folder {place}"):
        read_pickled(folder, files)
    assert not (tmp_path / "sung").exists()


@pytest.mark.parametrize(("place", "kind"), [("cifar-10-batches-py", "CIFAR10"), ("cifar-100-python", "CIFAR100")])
def test_the_original_ones_are_read_by_torchvision_from_the_folder_above(batches, place, kind, monkeypatch, tmp_path):
    folder, files = batches(place, FILES[place])
    asked = []

    def read_class(*arguments):
        asked.append(arguments)
        return Arrays(**columns())

    monkeypatch.setattr("aegis.data.pickled.read_class", read_class)
    np.testing.assert_array_equal(read_pickled(folder, files).y_test, columns()["y_test"])
    assert asked == [(kind, tmp_path)]


def test_under_another_name_torchvision_would_not_look_there(batches, tmp_path):
    folder, files = batches("mine", FILES["cifar-10-batches-py"])
    with pytest.raises(DataError, match="torchvision looks for them in a folder cifar-10-batches-py"):
        read_pickled(folder, files)


def test_other_files_are_none_of_them(tmp_path):
    np.save(tmp_path / "train.npy", np.zeros(3))
    assert read_pickled(tmp_path, {"train.npy": tmp_path / "train.npy"}) is None
    assert read_pickled(tmp_path, {"meta": tmp_path / "meta"}) is None
