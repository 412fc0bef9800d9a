"""Making room, as a newcomer reads it."""

from dataclasses import replace

import numpy as np
import pytest

from aegis.core.process import this_process
from aegis.store.store import Store
from tests.stored import files, record

from .conftest import run


@pytest.fixture
def store(store, monkeypatch):
    """The store that commands use: a scan that needs one file, and two files that nobody needs."""
    monkeypatch.setenv("AEGIS_STORE", str(store.folder))
    monkeypatch.delenv("AEGIS_STORE_LIMIT", raising=False)
    for key in ("needed", "old", "new"):
        user = Store(store.folder)
        user.keep(key, {"a": np.zeros(1000, np.uint8)})
        if key == "needed":
            user.keep_scan("a" * 64, record())
    return store


def test_nothing_goes_without_need_and_the_limit_is_brought_about(store):
    size = (store.folder / "arrays" / "old.npz").stat().st_size
    outcome = run("gc")
    assert (outcome.code, outcome.err) == (0, "")
    assert outcome.out.splitlines() == [
        "Nothing to remove.",
        f"Kept: {3 * size} B of at most 20 GB, of which saved scans need {size} B",
    ]
    told = run("gc", "--limit", f"{2 * size} B", "--dry-run").out
    assert told.startswith(f"1 file that no saved scan needs ({size} B) would be removed\nKept: {2 * size} B of at")
    assert len(files(store.folder)) == 3
    assert run("gc", "--limit", f"{2 * size} B").out == told.replace("would be", "was")
    assert files(store.folder) == ["needed.npz", "new.npz"]


def test_the_limit_of_the_environment_counts(store, monkeypatch):
    monkeypatch.setenv("AEGIS_STORE_LIMIT", "1 B")
    outcome = run("gc")
    assert files(store.folder) == ["needed.npz"]
    size = (store.folder / "arrays" / "needed.npz").stat().st_size
    assert f"Saved scans alone need {size - 1} B more than the limit, and nothing of theirs is removed." in outcome.out
    assert "Forget some (aegis history, then aegis gc --forget KEY)" in outcome.out


def test_what_was_left_over_goes_and_all_that_no_scan_needs(store):
    dead = replace(this_process(), start=1)
    (store.folder / "arrays" / f"x.npz.{dead.pid}-{dead.start}-1.partial").write_bytes(b"half")
    assert "1 file left over would be removed" in run("gc", "-n").out
    assert "1 file left over was removed" in run("gc").out
    assert files(store.folder) == ["needed.npz", "new.npz", "old.npz"]
    assert "2 files that no saved scan needs" in run("gc", "--unneeded").out
    assert files(store.folder) == ["needed.npz"]
    assert store.is_whole("a" * 64)


def test_a_scan_is_forgotten_with_what_only_it_needs(store):
    assert run("gc", "--forget", "aaaaaaaa", "-n").out.startswith("aaaaaaaaaaaa would be forgotten, with 1 file (")
    assert store.find_scan("a" * 64) == record()
    assert run("gc", "--forget", "aaaaaaaa").out.startswith("aaaaaaaaaaaa was forgotten, with 1 file (")
    assert store.find_scan("a" * 64) is None
    assert files(store.folder) == ["new.npz", "old.npz"]


def test_bad_input_is_one_message_and_changes_nothing(store):
    for options, message in (
        (("--forget", "aaaaa"), "at least 6 characters"),
        (("--forget", "bbbbbb"), "none that begins with 'bbbbbb'"),
        (("--forget", "aaaaaa\x1b[31m"), "none that begins with"),
        (("--limit", "much"), "a size for --limit"),
    ):
        outcome = run("gc", *options)
        assert (outcome.code, outcome.out, outcome.err.count("\n")) == (2, "", 1)
        assert message in outcome.err
        assert "\x1b" not in outcome.err
    assert len(files(store.folder)) == 3


def test_two_scans_that_begin_alike_are_told_apart(store):
    store.keep_scan("a" * 32 + "b" * 32, record())
    assert "2 that begin with" in run("gc", "--forget", "aaaaaa").err
    assert "was forgotten" in run("gc", "--forget", "a" * 32 + "b").out
