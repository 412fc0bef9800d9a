import numpy as np
import pytest

from aegis.core.errors import DataError
from aegis.data import OTHERS, SOURCES, load_dataset
from aegis.data.arrays import Arrays
from aegis.data.others import read_other

from .conftest import columns
from .test_array_files import svhn as svhn


@pytest.fixture
def room(tmp_path, monkeypatch):
    """A folder named by AEGIS_DATA."""
    monkeypatch.setenv("AEGIS_DATA", str(tmp_path))
    return tmp_path


def test_svhn_lies_in_the_folder_itself_or_in_one_of_its_name(svhn, room):
    data = load_dataset("svhn")
    assert (data.name, len(data.train), len(data.test)) == ("svhn", 18, 3)
    (room / "svhn").mkdir()
    for split in ("train", "test"):
        (room / f"{split}_32x32.mat").rename(room / "svhn" / f"{split}_32x32.mat")
    assert load_dataset("svhn").digest == data.digest


def test_gtsrb_is_scaled_and_its_test_pictures_are_labelled_by_the_table(room, draw):
    for name in ("00000", "00001"):
        for i, size in enumerate(((30, 34), (50, 47))):
            root = draw(f"GTSRB/Training/{name}/0000{i}.ppm", (10 * i, 0, 0), size=size)
    for i in range(2):
        draw(f"GTSRB/Final_Test/Images/0000{i}.ppm", (100 + i, 0, 0), size=(20 + i, 20))
    (root / "GTSRB" / "Training" / "00000" / "GT-00000.csv").write_text("Filename;ClassId\n00000.ppm;0\n")
    (root / "GT-final_test.csv").write_text("Filename;Width;ClassId\n00000.ppm;20;1\n00001.ppm;21;0\n")
    root.rename(room / "gtsrb")
    told = []
    data = load_dataset("gtsrb", tell=told.append)
    assert (data.shape, data.class_names) == ((3, 32, 32), ("00000", "00001"))
    assert data.test.labels.tolist() == [1, 0]
    np.testing.assert_allclose(data.test.pixels[:, 0, 0, 0] * 255, [100, 101], atol=0.01)
    assert told[0] == "Classes of test are read from GT-final_test.csv."
    assert "Training/00000/GT-00000.csv" in told[1]
    assert load_dataset("gtsrb", size=48).shape == (3, 48, 48)


def test_stl10_and_cifar100_lie_where_torchvision_keeps_them(room, monkeypatch):
    for place in ("stl10_binary", "cifar-100-python"):
        (room / place).mkdir()
    asked = []

    def read_file(path, size):
        asked.append((path.name, size))
        return Arrays(**columns())

    monkeypatch.setattr("aegis.data.others.read_file", read_file)
    for name in ("stl10", "cifar100"):
        read_other(name)
    assert asked == [("stl10_binary", None), ("cifar-100-python", None)]


@pytest.mark.parametrize("name", OTHERS)
def test_without_its_files_the_message_says_where_they_belong(room, monkeypatch, name):
    with pytest.raises(DataError, match=rf"under AEGIS_DATA, in {name} or .*no such folder or file.*published files"):
        load_dataset(name)
    monkeypatch.delenv("AEGIS_DATA")
    with pytest.raises(DataError, match="AEGIS_DATA is not set"):
        load_dataset(name)
    assert name not in SOURCES


def test_a_folder_called_so_comes_before_the_name(folder, monkeypatch, tmp_path):
    folder.rename(tmp_path / "gtsrb")
    monkeypatch.chdir(tmp_path)
    assert load_dataset("gtsrb").class_names == ("ant", "cat")


def test_an_npz_of_the_name_is_read(room):
    np.savez(room / "stl10.npz", **columns())
    assert load_dataset("stl10").shape == (1, 6, 6)
