"""The store: damage, a full disk and a locked folder."""

import os
import sqlite3
from contextlib import closing

import numpy as np
import pytest

from aegis.core.errors import StoreError
from aegis.core.types import Applicability
from aegis.records.review import Review
from aegis.store.packing import pack_applicability
from aegis.store.store import Store
from tests.stored import GATHER, Counted, assert_same, dataset, evidence, files, record


def cut_short(content):
    return content[: len(content) // 2]


def flip_bytes(content):
    middle = len(content) // 3
    return content[:middle] + bytes(b ^ 0xFF for b in content[middle : middle + 64]) + content[middle + 64 :]


def flip_early(content):
    return content[:60] + bytes(b ^ 0xFF for b in content[60:90]) + content[90:]


def empty(content):
    return b""


def other_text(content):
    return b"not an archive"


@pytest.mark.parametrize("damage", [cut_short, flip_bytes, flip_early, empty, other_text])
def test_a_damaged_file_is_computed_again(store, damage):
    counted = Counted()
    counted.kept(store).gather(None, dataset(), 1, GATHER)
    (path,) = (store.folder / "arrays").iterdir()
    path.write_bytes(damage(path.read_bytes()))
    assert_same(counted.kept(store).gather(None, dataset(), 1, GATHER), evidence(1))
    assert counted.calls == ["gather"] * 2
    assert_same(counted.kept(store).gather(None, dataset(), 1, GATHER), evidence(1))
    assert counted.calls == ["gather"] * 2


def test_no_byte_of_a_file_can_stop_a_scan(store):
    """Whichever byte is wrong, the arrays come back as they were or not at all."""
    arrays = pack_applicability(Applicability(0.9, (0.5,), (0.5,)))
    store.keep("key", arrays)
    path = store.folder / "arrays" / "key.npz"
    content = path.read_bytes()
    for i in range(len(content)):
        path.write_bytes(content[:i] + bytes([content[i] ^ 0xFF]) + content[i + 1 :])
        found = store.load("key")
        # A changed name is another archive, and as good as none.
        if found is not None and found.keys() == arrays.keys():
            for name, array in arrays.items():
                np.testing.assert_array_equal(found[name], array)


@pytest.mark.parametrize("left", [{}, {"label": np.array(1)}, {"points": np.zeros((2, 8, 2), np.float32)}])
def test_an_archive_that_lost_arrays_is_computed_again(store, left):
    counted = Counted()
    counted.kept(store).gather(None, dataset(), 1, GATHER)
    (path,) = (store.folder / "arrays").iterdir()
    store.keep(path.stem, left)
    assert_same(counted.kept(store).gather(None, dataset(), 1, GATHER), evidence(1))
    assert counted.calls == ["gather"] * 2


def test_pickled_objects_are_not_read(store):
    np.savez(store.folder / "arrays" / "key.npz", accuracy=np.array([{"a": 1}], dtype=object))
    assert store.load("key") is None


@pytest.mark.parametrize("text", ["", "{", '{"decisions": {"3": "perhaps"}}', b"\xff\xfe", 7])
def test_a_damaged_review_is_none_and_can_be_written_anew(store, text):
    store.keep_review("key", Review("Seen."))
    with closing(sqlite3.connect(store.folder / "index.sqlite")) as index, index:
        index.execute("UPDATE reviews SET review = ?", (text,))
    assert store.find_review("key") is None
    store.keep_review("key", Review("Seen again."))
    assert store.find_review("key") == Review("Seen again.")


def test_text_that_is_none_in_the_index_is_no_review(store):
    store.keep_review("key", Review("Seen."))
    with closing(sqlite3.connect(store.folder / "index.sqlite")) as index, index:
        index.execute("UPDATE reviews SET review = CAST(x'ff00fe' AS TEXT)")
    assert store.find_review("key") is None


def test_nothing_is_found_where_nothing_was_kept(store):
    assert store.load("key") is None
    assert store.find_scan("key") is None
    assert store.scans() == []


def test_a_full_disk_leaves_the_older_file(store, request):
    store.keep("key", {"a": np.arange(3)})
    request.getfixturevalue("full_disk")
    with pytest.raises(StoreError, match="No space left on device"):
        store.keep("key", {"a": np.arange(4)})
    assert store.load("key")["a"].tolist() == [0, 1, 2]
    assert files(store.folder) == ["key.npz"]


def test_a_folder_that_cannot_be_made(tmp_path):
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(StoreError, match="AEGIS_STORE"):
        Store(tmp_path / "file" / "store")
    assert (tmp_path / "file").read_text() == "in the way"


@pytest.mark.skipif(os.geteuid() == 0, reason="the superuser may write anywhere")
def test_a_folder_that_may_not_be_written_to(tmp_path):
    tmp_path.chmod(0o500)
    try:
        with pytest.raises(StoreError, match="Permission denied"):
            Store(tmp_path / "store")
    finally:
        tmp_path.chmod(0o700)


def test_an_index_that_is_none(store):
    (store.folder / "index.sqlite").write_bytes(b"x" * 4096)
    for attempt in (
        lambda: Store(store.folder),
        store.scans,
        lambda: store.keep_scan("key", record()),
        lambda: store.find_review("key"),
    ):
        with pytest.raises(StoreError, match="not a database"):
            attempt()


def test_one_record_that_is_no_text_hides_no_other(store):
    store.keep_scan("key", record())
    store.keep_scan("other", record())
    with closing(sqlite3.connect(store.folder / "index.sqlite")) as index, index:
        index.execute("UPDATE scans SET record = CAST(x'ff00fe' AS TEXT) WHERE key = 'key'")
    assert store.find_scan("key") is None
    assert store.scans() == [("other", record())]


def test_where_others_write_nothing_is_removed_behind_their_back(store, monkeypatch):
    Store(store.folder).keep("key", {"a": np.zeros(3)})
    monkeypatch.setattr("aegis.store.index.PATIENCE", 0)
    with closing(sqlite3.connect(store.folder / "index.sqlite", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(StoreError, match="locked"):
            store.collect(0)
    assert store.load("key") is not None
