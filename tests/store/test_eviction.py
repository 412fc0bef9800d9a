"""The room that the store takes: the limit, what goes first, and what never goes."""

from dataclasses import replace

import numpy as np
import pytest

from aegis.core.errors import ConfigError
from aegis.core.process import this_process
from aegis.store.eviction import parse_limit, say_size, size_limit
from aegis.store.store import Store
from tests.stored import change, files, record


def test_sizes_are_read_and_said_as_people_write_them():
    read = {"2 GB": 2 * 10**9, "1.5MB": 1_500_000, "3 KiB": 3072, "1g": 10**9, "500": 500, "7 B": 7, " 1 TB ": 10**12}
    assert {text: parse_limit(text, "--limit") for text in read} == read
    assert parse_limit("0", "--limit") is parse_limit("0 GB", "--limit") is None
    said = {0: "0 B", 999: "999 B", 1000: "1 kB", 1_549_000: "1.55 MB", 20 * 10**9: "20 GB"}
    assert {size: say_size(size) for size in said} == said


NO_SIZES = ["", "much", "-1 GB", "1,5 GB", "GB", "1 XB", "1e9", "nan", "inf", "1 GB 2"]


@pytest.mark.parametrize(
    ("text", "why"),
    [
        *((text, "a size for --limit") for text in NO_SIZES),
        # Less than a byte is not taken for no limit.
        *((text, "less than a byte.*0 for no limit") for text in ("0.4 B", "0.4", "0.0001 kB", "0.5")),
    ],
)
def test_what_is_no_size_is_one_message(text, why):
    with pytest.raises(ConfigError, match=why):
        parse_limit(text, "--limit")


def test_the_limit_is_read_from_the_environment(monkeypatch, tmp_path):
    assert size_limit() == 20 * 10**9
    monkeypatch.setenv("AEGIS_STORE_LIMIT", "0")
    assert size_limit() is None
    monkeypatch.setenv("AEGIS_STORE_LIMIT", "plenty")
    with pytest.raises(ConfigError, match="AEGIS_STORE_LIMIT"):
        Store(tmp_path)


ARRAYS = {"a": np.zeros(1, np.uint8)}


def keep(store, *keys):
    """Arrays that are in nobody's hands, used in this order."""
    for number, key in enumerate(keys):
        Store(store.folder).keep(key, ARRAYS)
        change(store, "UPDATE arrays SET used = ? WHERE key = ?", number, key)


def size_of_one(store):
    keep(store, "a")
    return (store.folder / "arrays" / "a.npz").stat().st_size


def test_what_was_used_longest_ago_goes_when_more_is_kept(store):
    one = size_of_one(store)
    keep(store, "c", "a", "b")
    store.limit = 3 * one
    store.keep("new", ARRAYS)
    assert files(store.folder) == ["a.npz", "b.npz", "new.npz"]
    store.claim("a")
    Store(store.folder).claim("b")
    keeper = Store(store.folder)
    keeper.limit = 3 * one
    keeper.keep("newer", ARRAYS)
    # "b" is no longer in use, but was used last; "a" is older and in use.
    assert files(store.folder) == ["a.npz", "new.npz", "newer.npz"]


def test_what_saved_scans_need_stays_and_what_is_above_is_told(store):
    one = size_of_one(store)
    for key in ("first", "second"):
        user = Store(store.folder)
        user.keep(f"of {key}", ARRAYS)
        user.keep_scan(key, record())
    found = store.collect(one)
    assert [array.key for array in found.arrays] == ["a"]
    assert (found.total, found.freed, found.kept, found.needed, found.excess) == (3 * one, one, 2 * one, 2 * one, one)
    assert files(store.folder) == ["of first.npz", "of second.npz"]
    store.limit = one
    store.keep("more", ARRAYS)
    # It is in use, and nothing else may go.
    assert len(files(store.folder)) == 3
    store.limit = None
    store.keep("even more", ARRAYS)
    assert store.collect(None).arrays == ()
    assert len(files(store.folder)) == 4


def test_what_was_left_over_goes(store):
    size_of_one(store)
    arrays = store.folder / "arrays"
    (arrays / "stray.npz").write_bytes(b"from another time")
    dead, alive = (f"x.npz.{p.pid}-{p.start}-1.partial" for p in (replace(this_process(), start=1), this_process()))
    for name in (dead, alive):
        (arrays / name).write_bytes(b"half")
    (store.folder / "data").mkdir()
    (store.folder / "data" / dead).write_bytes(b"half")
    (arrays / "of others.txt").write_text("not ours")
    found = store.plan(None)
    assert found.orphans == (arrays / "stray.npz", arrays / dead, store.folder / "data" / dead)
    assert len(files(store.folder)) == 5
    assert store.collect(None) == found
    assert files(store.folder) == sorted(["a.npz", "of others.txt", alive])
    assert store.collect(None).orphans == ()


def test_a_stray_file_that_work_uses_or_a_scan_needs_stays(store):
    user = Store(store.folder)
    user.keep("needed", ARRAYS)
    user.keep_scan("key", record())
    keep(store, "used")
    user.claim("used")
    change(store, "DELETE FROM arrays")
    assert store.collect(None).orphans == ()
    assert files(store.folder) == ["needed.npz", "used.npz"]


def test_a_row_without_its_file_goes(store):
    keep(store, "a", "b")
    (store.folder / "arrays" / "a.npz").unlink()
    assert store.collect(None).missing == ("a",)
    assert store.plan(None).missing == ()
    assert store.check().files == 1
