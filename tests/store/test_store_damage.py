"""The store: damage, a full disk and a locked folder."""

import os
import sqlite3
from contextlib import closing

import numpy as np
import pytest

from aegis.core.errors import StoreError
from aegis.records.review import Review
from aegis.store.store import Store
from tests.stored import GATHER, Counted, assert_same, change, dataset, evidence, files, record


def flipped(content, start, end):
    return content[:start] + bytes(b ^ 0xFF for b in content[start:end]) + content[end:]


def write(change):
    return lambda store, path: path.write_bytes(change(path.read_bytes()))


def replace(**left):
    return lambda store, path: store.keep(path.stem, left)


def other_class(store, path):
    """The archive is sound, and only the digest tells."""
    other = Store(store.folder.parent / "other")
    Counted(gather=evidence(2)).kept(other).gather(None, dataset(), 1, GATHER)
    path.write_bytes(next((other.folder / "arrays").iterdir()).read_bytes())


DAMAGE = {
    "cut": write(lambda content: content[: len(content) // 2]),
    "flipped": write(lambda content: flipped(content, len(content) // 3, len(content) // 3 + 64)),
    "flipped early": write(lambda content: flipped(content, 60, 90)),
    "empty": write(lambda content: b""),
    "text": write(lambda content: b"not an archive"),
    "other class": other_class,
    "without arrays": replace(),
    "without most": replace(label=np.array(1)),
    "of another step": replace(points=np.zeros((2, 8, 2), np.float32)),
}


@pytest.mark.parametrize("damage", DAMAGE.values(), ids=DAMAGE)
def test_what_is_damaged_is_computed_again(store, damage):
    counted = Counted()
    counted.kept(store).gather(None, dataset(), 1, GATHER)
    (path,) = (store.folder / "arrays").iterdir()
    damage(store, path)
    for _ in range(2):
        assert_same(counted.kept(store).gather(None, dataset(), 1, GATHER), evidence(1))
    assert counted.calls == ["gather"] * 2
    assert store.check().damage == ()


def test_no_byte_of_a_file_can_stop_a_scan(store):
    """Whichever byte is wrong, the arrays come back as they were or not at all."""
    arrays = {"a": np.arange(3), "b": np.array(0.5)}
    store.keep("key", arrays)
    path = store.folder / "arrays" / "key.npz"
    content = path.read_bytes()
    for i in range(len(content)):
        path.write_bytes(flipped(content, i, i + 1))
        found = store.load("key")
        # A changed name is another archive, and as good as none.
        if found is not None and found.keys() == arrays.keys():
            for name, array in arrays.items():
                np.testing.assert_array_equal(found[name], array)


def test_pickled_objects_are_not_read(store):
    np.savez(store.folder / "arrays" / "key.npz", accuracy=np.array([{"a": 1}], dtype=object))
    assert store.load("key") is None


NO_TEXT = "CAST(x'ff00fe' AS TEXT)"


@pytest.mark.parametrize("text", ["''", "'{'", """'{"decisions": {"3": "perhaps"}}'""", "x'fffe'", "7", NO_TEXT])
def test_a_damaged_review_hides_no_other(store, text):
    store.add_review("key", Review("Seen."))
    change(store, f"UPDATE reviews SET review = {text}")
    assert store.reviews_of("key") == ()
    store.add_review("key", Review("Seen again."))
    assert store.reviews_of("key") == (Review("Seen again."),)


@pytest.mark.parametrize("text", ["json_set(record, '$.schema_version', 0)", NO_TEXT])
def test_a_record_that_cannot_be_read_hides_no_other_and_can_be_written_anew(store, text):
    for key in ("key", "other"):
        store.keep_scan(key, record())
    change(store, f"UPDATE scans SET record = {text} WHERE key = 'key'")
    assert store.find_scan("key") is None
    assert store.scans() == [("other", record())]
    store.keep_scan("key", record())
    assert store.find_scan("key") == record()


def test_a_full_disk_leaves_the_older_file(store, request):
    store.keep("key", {"a": np.arange(3)})
    request.getfixturevalue("full_disk")
    with pytest.raises(StoreError, match="No space left on device"):
        store.keep("key", {"a": np.arange(4)})
    assert store.load("key")["a"].tolist() == [0, 1, 2]
    assert files(store.folder) == ["key.npz"]


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
    for attempt in (store.scans, lambda: store.keep_scan("key", record()), lambda: store.reviews_of("key")):
        with pytest.raises(StoreError, match="not a database"):
            attempt()


def test_where_others_write_nothing_is_removed_behind_their_back(store, monkeypatch):
    Store(store.folder).keep("key", {"a": np.zeros(3)})
    monkeypatch.setattr("aegis.store.index.PATIENCE", 0)
    with closing(sqlite3.connect(store.folder / "index.sqlite", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(StoreError, match="locked"):
            store.collect(0)
    assert store.load("key") is not None
