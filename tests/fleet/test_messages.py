"""What travels: JSON and files, and nothing that is cut off or something else."""

import pickle

import pytest

from aegis.core.errors import DataError
from aegis.fleet.messages import pack, unpack


def test_a_message_comes_back_as_it_was():
    files = {"a": b"\x00\xff" * 5, "b": b""}
    assert unpack(pack({"do": "scan", "labels": [1, 2]}, files)) == ({"do": "scan", "labels": [1, 2]}, files)
    assert unpack(pack({})) == ({}, {})


WHOLE = pack({"do": "scan"}, {"a": b"12345"})


@pytest.mark.parametrize("broken", [b"", WHOLE[:5], WHOLE[:-1], WHOLE + b"1", pickle.dumps(WHOLE), b"\xff" * 30])
def test_what_is_no_message_is_told(broken):
    with pytest.raises(DataError, match=r"Use the same version of AEGIS on every node\.$"):
        unpack(broken)
