import shutil

import numpy as np
import pytest

from aegis.core.errors import DataError
from aegis.data.cache import cache_folder
from aegis.data.files import read_file
from aegis.data.splits import SAID


@pytest.fixture
def packed(folder, tmp_path):
    return tmp_path / shutil.make_archive(str(tmp_path / "packed"), "zip", folder)


def test_npz_folder_and_archive_are_told_apart(save, folder, packed):
    upper = save().rename(folder.parent / "UPPER.NPZ")
    assert read_file(upper).x_train.shape == (12, 6, 6)
    np.testing.assert_array_equal(read_file(folder).x_train, read_file(packed).x_train)


def test_an_archive_is_decoded_once_for_its_content_and_size_whatever_its_name(packed, tmp_path, monkeypatch):
    first = read_file(packed)
    smaller = read_file(packed, size=4)
    monkeypatch.setattr("aegis.data.files.read_pictures", lambda *_: pytest.fail("decoded again"))
    packed.rename(tmp_path / "renamed.zip")
    np.testing.assert_array_equal(read_file(tmp_path / "renamed.zip").x_train, first.x_train)
    np.testing.assert_array_equal(read_file(tmp_path / "renamed.zip", size=4).x_train, smaller.x_train)
    assert smaller.x_train.shape == (16, 4, 4)


def test_a_changed_archive_is_read_anew_and_a_refused_one_leaves_nothing_in_the_cache(folder, packed, draw):
    whole = packed.read_bytes()
    packed.write_bytes(whole[:500])
    with pytest.raises(DataError):
        read_file(packed)
    assert not cache_folder().exists()
    packed.write_bytes(whole)
    read_file(packed)
    draw("cat/01.png", 99, mode="L")
    shutil.make_archive(str(packed.with_suffix("")), "zip", folder)
    assert read_file(packed).x_train[8, 0, 0] == 99


@pytest.mark.parametrize("name", ["images.csv", "data"])
def test_files_of_another_kind_and_missing_ones_are_refused(tmp_path, name):
    with pytest.raises(DataError, match="does not exist"):
        read_file(tmp_path / name)
    (tmp_path / name).write_text("hello")
    with pytest.raises(
        DataError, match=rf"\.npz or \.mat file, a folder.*{name}, which ends otherwise.*savez_compressed"
    ):
        read_file(tmp_path / name)
    with pytest.raises(DataError, match=r"gone\.zip.*No such file"):
        read_file(tmp_path / "gone.zip")


def test_a_size_is_within_its_range_and_leaves_arrays_to_the_conversion(folder, save):
    for size in (0, -3, 1025):
        with pytest.raises(DataError, match=f"size from 1 to 1024 pixels; got {size}"):
            read_file(folder, size)
    assert read_file(save(), size=8).x_train.shape == (12, 6, 6)


def test_what_is_told_of_an_archive_is_told_again_from_the_cache(packed):
    first, again = read_file(packed), read_file(packed)
    assert first.notes == again.notes == (SAID,)
