import struct
import zlib

import numpy as np
import pytest
from scipy.io import savemat

from aegis.core.errors import DataError
from aegis.data.mat import read_mat

ARRAYS = {
    "X": np.random.default_rng(0).integers(0, 256, (4, 5, 3, 6), dtype=np.uint8),
    "y": np.array([[1], [2], [10], [1], [2], [3]], np.uint8),
    "other": np.array([["text"]], dtype=object),
}


@pytest.mark.parametrize("packed", [False, True])
def test_arrays_are_read_as_they_were_saved_and_others_passed_over(tmp_path, packed):
    savemat(tmp_path / "a.mat", ARRAYS, do_compression=packed)
    found = read_mat(tmp_path / "a.mat", ("X", "y", "other"))
    assert found.keys() == {"X", "y"}
    for name, array in found.items():
        np.testing.assert_array_equal(array, ARRAYS[name], strict=True)
    assert read_mat(tmp_path / "a.mat", ("y",)).keys() == {"y"}


@pytest.mark.parametrize("dtype", ["f8", "f4", "i2", "u4", "i8"])
def test_numbers_of_other_types_keep_their_values(tmp_path, dtype):
    savemat(tmp_path / "a.mat", {"X": np.arange(6).reshape(2, 3).astype(dtype)})
    np.testing.assert_array_equal(read_mat(tmp_path / "a.mat", ("X",))["X"], [[0, 1, 2], [3, 4, 5]])


def element(kind, content):
    return struct.pack("<2I", kind, len(content)) + content + bytes(-len(content) % 8)


def matrix(shape, content, kind=9):
    """An array called X that says what it likes of itself."""
    flags, axes = element(6, struct.pack("<2I", kind, 0)), element(5, struct.pack(f"<{len(shape)}i", *shape))
    return element(14, flags + axes + element(1, b"X") + content)


def mat(*elements):
    return b"MATLAB 5.0".ljust(124) + struct.pack("<HH", 0x0100, 0x4D49) + b"".join(elements)


def packed(content):
    return struct.pack("<2I", 15, len(zlib.compress(content))) + zlib.compress(content)


BOMB = matrix((2, 2), element(2, bytes(50 * 2**20)))


@pytest.mark.parametrize(
    ("content", "got"),
    [
        (b"", "no heading"),
        (b"hello", "no heading"),
        (b"MATLAB 7.3 MAT-file".ljust(200), "version 7.3"),
        (b"\x89HDF\r\n\x1a\n", "version 7.3"),
        (mat(matrix((2**15, 2**15, 3, 9), b"")), "at most 1,073,741,824 pixel values"),
        (mat(packed(matrix((2**15, 2**15, 3, 9), b""))), "at most 1,073,741,824 pixel values"),
        (mat(matrix((2, 2), element(2, bytes(3)))), "does not read as one"),
        (mat(matrix((2, -2), element(2, bytes(4)))), "an array of shape"),
        (mat(matrix((1,) * 5, element(2, bytes(1)))), "an array of shape"),
        (mat(matrix((2, 2), struct.pack("<2I", 2, 2**31))), "cut short"),
        (mat(struct.pack("<2I", 14, 2**31) + bytes(99)), "cut short"),
        (mat(packed(BOMB)), "cut short"),
        (mat(struct.pack("<2I", 15, 4) + b"oops"), "does not read as one"),
        (mat(matrix((2, 2), element(2, bytes(4))))[:-20], "cut short"),
    ],
)
def test_what_is_damaged_or_claims_more_than_there_is_is_refused(tmp_path, content, got):
    (tmp_path / "a.mat").write_bytes(content)
    with pytest.raises(DataError, match=got):
        read_mat(tmp_path / "a.mat", ("X",))


def test_structures_and_functions_of_that_name_are_no_arrays(tmp_path):
    for kind in (1, 2, 3, 4, 16, 17):
        (tmp_path / "a.mat").write_bytes(mat(matrix((2, 2), element(2, bytes(4)), kind)))
        assert read_mat(tmp_path / "a.mat", ("X",)) == {}
