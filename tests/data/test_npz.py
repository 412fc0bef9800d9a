import io
import zipfile

import numpy as np
import pytest

from aegis.core.errors import DataError
from aegis.data.arrays import Arrays
from aegis.data.npz import read_npz, write_npz

from .conftest import columns

NO_NPZ = "something that does not read as one"


@pytest.mark.parametrize(("compress", "names"), [(False, None), (True, ("ä", "b", "c c"))])
def test_what_is_written_is_read_back(tmp_path, compress, names):
    arrays = Arrays(**columns(), class_names=names)
    write_npz(tmp_path / "new" / "data.npz", arrays, compress=compress)
    again = read_npz(tmp_path / "new" / "data.npz")
    assert again.class_names == names
    for name, value in columns().items():
        np.testing.assert_array_equal(getattr(again, name), value, strict=True)


def test_other_arrays_are_left_alone_even_pickled_ones(save):
    path = save(extra=np.array([{"a": 1}], dtype=object))
    assert len(read_npz(path).x_train) == 12


def test_a_zip_of_other_files_is_no_npz(tmp_path):
    with zipfile.ZipFile(tmp_path / "data.npz", "w") as archive:
        for name in columns():
            archive.writestr(name, b"no array")
    with pytest.raises(DataError, match=r"got no x_train, .*it holds nothing"):
        read_npz(tmp_path / "data.npz")


@pytest.mark.parametrize("names", [np.array([1, 2, 3]), np.array([["a", "b", "c"]]), np.array([b"a", b"b", b"c"])])
def test_class_names_that_are_no_list_of_text_are_refused(save, names):
    with pytest.raises(DataError, match="one-dimensional array of text"):
        read_npz(save(class_names=names))


def test_what_is_missing_or_empty_or_no_npz_is_named(tmp_path):
    path = tmp_path / "data.npz"
    with pytest.raises(DataError, match=r"data\.npz.*No such file"):
        read_npz(path)
    single = io.BytesIO()
    np.save(single, np.zeros(3))
    for content, got in ((b"", "an empty file"), (b"hello", NO_NPZ), (single.getvalue(), NO_NPZ)):
        path.write_bytes(content)
        with pytest.raises(DataError, match=got):
            read_npz(path)


def test_a_file_cut_short_anywhere_or_with_a_wrong_byte_is_refused(save, tmp_path):
    whole = save().read_bytes()
    broken = tmp_path / "broken.npz"
    for end in range(1, len(whole) - 1, len(whole) // 20):
        broken.write_bytes(whole[:end])
        with pytest.raises(DataError):
            read_npz(broken)
    middle = whole.index(columns()["x_train"].tobytes())
    broken.write_bytes(whole[:middle] + bytes([whole[middle] ^ 1]) + whole[middle + 1 :])
    with pytest.raises(DataError, match="CRC"):
        read_npz(broken)


@pytest.mark.parametrize("method", [zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_damage_is_told_as_damage_however_it_is_packed(save, tmp_path, method):
    with zipfile.ZipFile(save()) as whole, zipfile.ZipFile(tmp_path / "packed.npz", "w", method) as packed:
        for name in whole.namelist():
            packed.writestr(name, whole.read(name))
    content = bytearray((tmp_path / "packed.npz").read_bytes())
    content[60:140] = bytes(80)
    (tmp_path / "packed.npz").write_bytes(content)
    with pytest.raises(DataError, match=NO_NPZ):
        read_npz(tmp_path / "packed.npz")
