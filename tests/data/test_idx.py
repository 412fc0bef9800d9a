import gzip
import struct

import numpy as np
import pytest

from aegis.core.errors import DataError
from aegis.data.idx import read_idx


def idx(array, kind=0x08):
    """An IDX file of an array, whose bytes are those of its type."""
    return struct.pack(f">HBB{array.ndim}I", 0, kind, array.ndim, *array.shape) + array.tobytes()


@pytest.mark.parametrize(
    ("kind", "dtype"), [(0x08, ">u1"), (0x09, ">i1"), (0x0B, ">i2"), (0x0C, ">i4"), (0x0D, ">f4"), (0x0E, ">f8")]
)
@pytest.mark.parametrize("packed", [False, True])
def test_every_type_is_read_plain_and_packed(tmp_path, kind, dtype, packed):
    array = np.arange(24).reshape(2, 3, 4).astype(dtype)
    path = tmp_path / ("a-idx3-ubyte" + ".gz" * packed)
    path.write_bytes(gzip.compress(idx(array, kind)) if packed else idx(array, kind))
    found = read_idx(path)
    np.testing.assert_array_equal(found, array)
    assert found.dtype.isnative


WHOLE = idx(np.zeros((2, 3, 3), np.uint8))


@pytest.mark.parametrize(
    ("content", "got"),
    [
        (b"", "does not read as one"),
        (b"hello, this is no array", "no heading"),
        (WHOLE[:9], "does not read as one"),
        (WHOLE[:-1], "17 bytes for 18 values"),
        (struct.pack(">HBB", 0, 8, 200) + bytes(800), "no heading"),
        (struct.pack(">HBBI", 0, 14, 1, 2**30), "0 bytes for"),
        (struct.pack(">HBB4I", 0, 8, 4, *[2**32 - 1] * 4), "at most 1,073,741,824 pixel values"),
    ],
)
def test_what_is_damaged_or_claims_more_than_there_is_is_refused(tmp_path, content, got):
    for name, written in (("a", content), ("a.gz", gzip.compress(content))):
        (tmp_path / name).write_bytes(written)
        with pytest.raises(DataError, match=got):
            read_idx(tmp_path / name)


def test_a_damaged_archive_and_a_missing_file_are_refused(tmp_path):
    (tmp_path / "a.gz").write_bytes(gzip.compress(WHOLE)[:-12])
    (tmp_path / "b.gz").write_bytes(b"no archive")
    for name in ("a.gz", "b.gz", "c"):
        with pytest.raises(DataError, match="does not read as one"):
            read_idx(tmp_path / name)
