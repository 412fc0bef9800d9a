import errno
import os
from pathlib import Path

import numpy as np
import pytest

from aegis.data.arrays import Arrays
from aegis.data.cache import cache_folder, remember

from .conftest import columns


@pytest.fixture
def made():
    """What ``make`` has made."""
    return []


@pytest.fixture
def make(made):
    def made_now():
        made.append(Arrays(**columns()))
        return made[-1]

    return made_now


def test_what_is_kept_is_made_once_and_other_keys_and_damaged_entries_again(make, made, tmp_path):
    first, again = remember("a", make), remember("a", make)
    assert len(made) == 1
    np.testing.assert_array_equal(again.x_train, first.x_train)
    remember("b", make)
    assert len(made) == 2
    assert cache_folder() == tmp_path / "store" / "data"
    entry = cache_folder() / "a.npz"
    entry.write_bytes(entry.read_bytes()[:100])
    remember("a", make)
    remember("a", make)
    assert len(made) == 3


def test_what_can_be_read_but_not_written_is_used(make, made, monkeypatch):
    remember("a", make)

    def refuse(path):
        raise OSError(errno.EROFS, "Read-only file system")

    monkeypatch.setattr(Path, "touch", refuse)
    remember("a", make)
    assert len(made) == 1


def test_where_nothing_can_be_kept_the_data_is_still_there(make, made, monkeypatch, tmp_path):
    (tmp_path / "file").touch()
    monkeypatch.setenv("AEGIS_STORE", str(tmp_path / "file"))
    assert remember("a", make) is made[0]


@pytest.mark.parametrize("used", ["a", "b"])
def test_what_was_used_longest_ago_goes_first(make, monkeypatch, used):
    for age, key in enumerate(("b", "a")):
        remember(key, make)
        os.utime(cache_folder() / f"{key}.npz", (age, age))
    monkeypatch.setattr("aegis.data.cache.MAX_BYTES", int(2.5 * (cache_folder() / "a.npz").stat().st_size))
    remember(used, make)
    remember("c", make)
    assert {path.stem for path in cache_folder().iterdir()} == {used, "c"}
