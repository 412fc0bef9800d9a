"""Damage is named, whatever it is; and two scans are compared value by value."""

import sqlite3
from contextlib import closing

import numpy as np
import pytest

from aegis.records.record import RuntimeRecord, SourceRecord
from aegis.store.audit import Difference, differences, surroundings
from aegis.store.store import Store
from tests.stored import ASSESS, GATHER, Counted, assert_same, dataset, evidence, record
from tests.stored_scan import keep_finished


@pytest.fixture
def kept(store):
    """A store with a scan of four classes."""
    keep_finished(store)
    return store


def array(store):
    return min((store.folder / "arrays").glob("*.npz"))


def change(store, statement):
    with closing(sqlite3.connect(store.folder / "index.sqlite")) as index, index:
        index.execute(statement)


def told(store):
    return [(damage.what, damage.why) for damage in store.check().damage]


def test_a_sound_store_has_no_damage(kept):
    found = kept.check()
    sizes = [path.stat().st_size for path in (kept.folder / "arrays").iterdir()]
    assert (found.files, found.bytes) == (len(sizes), sum(sizes))
    assert (found.scans, found.others, found.damage) == (1, 0, ())


@pytest.mark.parametrize(
    ("damage", "why"),
    [
        (lambda path: path.write_bytes(path.read_bytes()[:-3]), "bytes instead of"),
        (lambda path: path.write_bytes(path.read_bytes()[:-1] + b"x"), "its content is not what was written"),
        (lambda path: path.unlink(), "missing, although a saved scan needs it"),
    ],
    ids=["cut", "flipped", "lost"],
)
def test_a_damaged_file_is_named(kept, damage, why):
    path = array(kept)
    damage(path)
    for _ in range(2):  # it stays so, however often it is looked at
        ((what, said),) = told(kept)
        assert what == f"arrays/{path.name}"
        assert why in said
    assert kept.load(path.stem) is None
    assert len(told(kept)) == 1
    assert not kept.is_whole("a" * 64)


def test_a_file_of_valid_arrays_that_is_not_the_one_is_computed_anew(store):
    """The archive is sound, and only the digest tells."""
    counted = Counted()
    counted.kept(store).gather(None, dataset(), 1, GATHER)
    path = array(store)
    other = Store(store.folder.parent / "other")
    Counted(gather=evidence(2)).kept(other).gather(None, dataset(), 1, GATHER)
    path.write_bytes(array(other).read_bytes())
    assert len(told(store)) == 1
    assert_same(counted.kept(store).gather(None, dataset(), 1, GATHER), evidence(1))
    assert counted.calls == ["gather", "gather"]
    assert told(store) == []


def test_a_file_that_nobody_needs_and_that_is_gone_is_no_damage(store):
    """As after a removal whose process was killed."""
    Counted().kept(store).assess(None, dataset(), ASSESS)
    array(store).unlink()
    assert told(store) == []


def test_a_file_that_lost_its_row_is_damage_only_if_it_cannot_be_read(kept):
    path = array(kept)
    change(kept, f"DELETE FROM arrays WHERE key = '{path.stem}'")
    assert told(kept) == []
    path.write_bytes(b"half of it")
    assert told(kept) == [(f"arrays/{path.name}", "missing, although a saved scan needs it")]


@pytest.mark.parametrize("text", ["''", "'{'", "'[]'", "'{}'", "x'fffe'"])
def test_a_record_that_cannot_be_read_is_named(kept, text):
    change(kept, f"UPDATE scans SET record = {text}")
    assert told(kept) == [(f"scan {'a' * 64}", "its record cannot be read")]


def test_a_record_of_another_version_is_no_damage(kept):
    change(kept, "UPDATE scans SET record = json_set(record, '$.schema_version', 9)")
    found = kept.check()
    assert (found.scans, found.others, found.damage) == (1, 1, ())


def test_nothing_that_is_being_written_counts_as_damage(kept):
    path = array(kept)
    arrays = kept.load(path.stem)
    # As a process does before it writes anew.
    kept._session.claim(path.stem, replace=True)
    assert told(kept) == []
    kept.keep(path.stem, arrays)
    assert told(kept) == []


def test_times_are_no_difference():
    later = record("2025-01-01T00:00:00+00:00").model_copy(update={"seconds": {"assess": 1.0}})
    assert differences(record(), later) == []


def test_each_value_that_differs_is_named_with_both():
    one, other = record(), record(sentence="Another.")
    other = other.model_copy(update={"config": {"seeds": 3.0, "more": [1, 2]}, "flagged_classes": (4,)})
    assert differences(one, other) == [
        Difference("sentence", '"No class is flagged."', '"Another."'),
        Difference("flagged_classes", "[]", "nothing"),
        Difference("flagged_classes.0", "nothing", "4"),
        Difference("config.more.0", "nothing", "1"),
        Difference("config.more.1", "nothing", "2"),
    ]


def test_another_revision_may_say_it_in_other_words():
    one, other = record(), record(sentence="Another.")
    other = other.model_copy(update={"source": SourceRecord(revision="0" * 40)})
    assert differences(one, other) == []


def test_what_it_ran_on_stands_beside():
    one, other = record(), record()
    other = other.model_copy(
        update={"versions": {"torch": "3"}, "runtime": RuntimeRecord(device="cuda", precision="fp32")}
    )
    assert differences(one, other) == []
    assert [found.name for found in surroundings(one, other)] == ["versions", "runtime.device", "versions.torch"]


def test_arrays_are_what_was_kept(kept):
    with np.load(array(kept)) as file:
        names = set(file.files)
    assert set(kept.load(array(kept).stem)) == names
