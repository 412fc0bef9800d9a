import gzip
import pickle

import numpy as np
import pytest
from scipy.io import savemat

from aegis.core.errors import DataError
from aegis.data.array_files import read_array_file, read_array_folder
from aegis.data.arrays import to_dataset
from aegis.data.splits import SAID

from .conftest import columns
from .test_idx import idx

RAW = columns(per_class=6)


def test_mnists_files_are_read_in_their_folder_and_in_that_of_torchvision(tmp_path):
    raw = tmp_path / "MNIST" / "raw"
    raw.mkdir(parents=True)
    for name, key in (("train-images-idx3-ubyte", "x_train"), ("t10k-images-idx3-ubyte", "x_test")):
        (raw / name).write_bytes(idx(RAW[key]))
        # The packed file that the plain one was made from may be there still.
        (raw / f"{name}.gz").write_bytes(b"never read")
    for name, key in (("train-labels-idx1-ubyte.gz", "y_train"), ("t10k-labels-idx1-ubyte.gz", "y_test")):
        (raw / name).write_bytes(gzip.compress(idx(RAW[key].astype(np.uint8))))
    for folder in (raw, raw.parent):
        arrays = read_array_folder(folder)
        for key, expected in RAW.items():
            np.testing.assert_array_equal(getattr(arrays, key), expected)
    (raw.parent / "processed").mkdir()
    assert read_array_folder(raw.parent) is not None


def test_npy_files_of_a_folder_are_images_and_labels_by_their_names(tmp_path):
    for key, array in RAW.items():
        np.save(tmp_path / f"{key}.npy", array)
    np.testing.assert_array_equal(read_array_folder(tmp_path).x_test, RAW["x_test"])
    for name in ("x_test", "y_test"):
        (tmp_path / f"{name}.npy").unlink()
    assert read_array_folder(tmp_path).notes == (SAID,)


@pytest.mark.parametrize(
    ("content", "got"),
    [(b"hello", "no numpy array"), (b"", "does not read as one"), (pickle.dumps(1), "no numpy array")],
)
def test_damaged_npy_files_are_refused(tmp_path, content, got):
    np.save(tmp_path / "x.npy", RAW["x_train"])
    (tmp_path / "y.npy").write_bytes(content)
    with pytest.raises(DataError, match=got):
        read_array_folder(tmp_path)


def test_objects_in_npy_files_are_never_unpickled_and_nothing_is_read_beyond_a_file(tmp_path):
    np.save(tmp_path / "y.npy", RAW["y_train"])
    np.save(tmp_path / "x.npy", np.array([{}, {}], dtype=object))
    with pytest.raises(DataError, match="never unpickled"):
        read_array_folder(tmp_path)
    np.save(tmp_path / "x.npy", RAW["x_train"])
    content = (tmp_path / "x.npy").read_bytes()
    (tmp_path / "x.npy").write_bytes(content[:-1])
    with pytest.raises(DataError, match="does not read as one"):
        read_array_folder(tmp_path)


@pytest.fixture
def svhn(tmp_path):
    """Two files of SVHN's kind, with 1 to 3 for the digits and 10 for 0."""
    for split in ("train", "test"):
        labels = np.where(RAW[f"y_{split}"] == 0, 10, RAW[f"y_{split}"]).astype(np.uint8)
        colour = np.stack([RAW[f"x_{split}"]] * 3, axis=-1)
        savemat(tmp_path / f"{split}_32x32.mat", {"X": np.moveaxis(colour, 0, -1), "y": labels[:, None]})
    return tmp_path


def test_svhns_files_have_images_along_the_last_axis_and_ten_for_zero(svhn):
    arrays = read_array_folder(svhn)
    np.testing.assert_array_equal(arrays.x_test[..., 1], RAW["x_test"])
    np.testing.assert_array_equal(arrays.y_train, RAW["y_train"])
    # One of them alone is divided.
    alone = read_array_file(svhn / "train_32x32.mat")
    assert (len(alone.x_train), len(alone.x_test), alone.notes) == (12, 6, (SAID,))


def test_a_matlab_file_without_images_is_refused(tmp_path):
    savemat(tmp_path / "a.mat", {"X": RAW["x_train"]})
    with pytest.raises(DataError, match=r"images X and labels y in .*a\.mat; got no y"):
        read_array_file(tmp_path / "a.mat")


def test_an_npy_file_alone_is_refused_with_what_to_do(tmp_path):
    np.save(tmp_path / "x_train.npy", RAW["x_train"])
    with pytest.raises(DataError, match=r"which holds one of them.*into one folder"):
        read_array_file(tmp_path / "x_train.npy")


def test_a_folder_of_pictures_stays_one_whatever_lies_beside_them(folder):
    for key, array in RAW.items():
        np.save(folder / f"{key}.npy", array)
    assert read_array_folder(folder) is None


def test_a_link_that_leaves_the_folder_is_refused(tmp_path):
    inside = tmp_path / "inside"
    inside.mkdir()
    for key, array in RAW.items():
        np.save(tmp_path / f"{key}.npy", array)
        (inside / f"{key}.npy").symlink_to(tmp_path / f"{key}.npy")
    with pytest.raises(DataError, match="a link that leaves it"):
        read_array_folder(inside)


def test_stl10_is_read_as_a_data_set_with_labels_from_0(tmp_path):
    for split in ("train", "test"):
        (tmp_path / f"{split}_X.bin").write_bytes(bytes(2 * 3 * 96 * 96))
        (tmp_path / f"{split}_y.bin").write_bytes(bytes([1, 2]))
    (tmp_path / "class_names.txt").write_text("airplane\nbird\n")
    data = to_dataset(read_array_folder(tmp_path), "stl10")
    assert (data.shape, data.class_names, data.train.labels.tolist()) == ((3, 96, 96), ("airplane", "bird"), [0, 1])
