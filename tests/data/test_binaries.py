import numpy as np
import pytest

from aegis.core.errors import DataError
from aegis.data.binaries import read_binaries

rng = np.random.default_rng(0)


@pytest.fixture
def write(tmp_path):
    """Write files of bytes; gives them by name."""

    def write_files(**contents):
        files = {name.replace("__", "."): content for name, content in contents.items()}
        for name, content in files.items():
            (tmp_path / name).write_bytes(content)
        return {name: tmp_path / name for name in files}

    return write_files


def test_cifar_has_a_label_before_each_image_and_cifar100_a_coarse_one_before_it(write):
    images = rng.integers(0, 256, (4, 3, 32, 32), dtype=np.uint8)
    labels = np.array([0, 1, 1, 0], np.uint8)
    rows = np.concatenate([labels[:, None], images.reshape(4, -1)], axis=1)
    names = b"ant\nbee\n\n"
    found = read_binaries(
        write(
            data_batch_1__bin=rows[:2].tobytes(),
            data_batch_2__bin=rows[2:].tobytes(),
            test_batch__bin=rows[1:].tobytes(),
            batches__meta__txt=names,
        )
    )
    np.testing.assert_array_equal(found.x_train, images)
    np.testing.assert_array_equal(found.y_train, labels)
    np.testing.assert_array_equal(found.x_test, images[1:])
    assert found.class_names == ("ant", "bee")
    rows = np.concatenate([labels[:, None] + 7, rows], axis=1)
    found = read_binaries(write(train__bin=rows.tobytes(), test__bin=rows.tobytes(), fine_label_names__txt=names))
    np.testing.assert_array_equal(found.x_test, images)
    np.testing.assert_array_equal(found.y_test, labels)


def test_stl10_is_stored_column_by_column(write):
    images = rng.integers(0, 256, (2, 3, 96, 96), dtype=np.uint8)
    stored, labels = images.swapaxes(2, 3).tobytes(), bytes([1, 2])
    found = read_binaries(write(train_X__bin=stored, train_y__bin=labels, test_X__bin=stored, test_y__bin=labels))
    np.testing.assert_array_equal(found.x_train, images)
    assert found.y_test.tolist() == [1, 2]
    assert found.class_names is None


@pytest.mark.parametrize("content", [b"", bytes(3072), bytes(3073 + 1)])
def test_files_that_are_cut_short_are_refused(write, content):
    with pytest.raises(DataError, match=r"images of 3,073 bytes each.*data_batch_1"):
        read_binaries(write(data_batch_1__bin=content, test_batch__bin=bytes(3073)))


def test_other_files_are_none_of_them(write):
    assert read_binaries(write(train__bin=b"", other__bin=b"")) is None
