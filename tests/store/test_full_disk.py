"""A disk that is really full: old results are read, new ones are refused in words, and nothing is lost."""

import itertools
import os
import subprocess
from contextlib import suppress

import numpy as np
import pytest

from aegis.core.errors import StoreError
from aegis.core.files import write_text
from aegis.records.review import Review
from aegis.store.store import Store
from tests.stored import files, record


@pytest.fixture
def disk(tmp_path):
    """A disk of two megabytes."""
    folder = tmp_path / "disk"
    folder.mkdir()
    made = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", folder], capture_output=True, check=False)
    if made.returncode:
        pytest.skip("only the superuser can make a small disk")
    yield folder
    subprocess.run(["umount", "-l", folder], check=True)


def noise(seed, size=10_000):
    """Arrays that take eight bytes a number."""
    return {"a": np.random.default_rng(seed).random(size)}


def keep_old(disk):
    """A store with a scan, its arrays and a review."""
    store = Store(disk / "store")
    store.keep("old", noise(0))
    store.keep_scan("key", record())
    store.add_review("key", Review("Seen."))


def fill(disk):
    """Take all the room that is left."""
    descriptor = os.open(disk / "fill", os.O_WRONLY | os.O_CREAT)
    with suppress(OSError):
        while os.write(descriptor, b"0" * 4096):
            pass
    os.close(descriptor)
    assert os.statvfs(disk).f_bavail == 0


def assert_old(store):
    assert store.find_scan("key") == record()
    assert store.scans() == [("key", record())]
    assert store.reviews_of("key") == (Review("Seen."),)
    assert (store.load("old")["a"] == noise(0)["a"]).all()
    assert store.check().damage == ()
    assert store.interrupted() == []


def test_old_results_are_read_and_new_ones_refused_in_words(disk):
    keep_old(disk)
    fill(disk)
    store = Store(disk / "store")
    assert_old(store)
    for attempt in (
        lambda: store.keep("new", noise(1, 100_000)),
        lambda: store.keep("old", noise(1, 100_000)),
        lambda: store.keep_scan("new", record()),
        lambda: store.add_review("key", Review("Lost.")),
        lambda: store.working("scan", "a.pt", "b" * 64).__enter__(),
        lambda: write_text(disk / "result.json", "1" * 10_000),
    ):
        with pytest.raises(StoreError, match=r"full disk|No space left"):
            attempt()
    assert_old(store)
    assert files(store.folder) == ["old.npz"]
    (disk / "fill").unlink()
    assert_old(Store(disk / "store"))
    store.keep("new", noise(1))
    store.keep_scan("new", record())
    assert store.is_whole("new")


def test_a_store_that_fills_the_disk_can_be_emptied(disk):
    keep_old(disk)
    with pytest.raises(StoreError, match=r"full disk|No space left"):
        Store(disk / "store").keep("old", noise(1, 400_000))
    store = Store(disk / "store")
    # What did not fit leaves what was there.
    assert_old(store)
    assert files(store.folder) == ["old.npz"]
    for seed in itertools.count():
        try:
            Store(disk / "store").keep(f"{seed}", noise(seed))
        except StoreError:
            break
    # To the last byte.
    fill(disk)
    store = Store(disk / "store")
    assert len(store.plan(0).arrays) == seed
    assert store.only_needed_by("key") != []
    assert len(store.collect(0).arrays) == seed
    assert_old(store)
    assert files(store.folder) == ["old.npz"]
