"""Damage is named, whatever it is; and two scans are compared value by value."""

import shutil

import pytest

from aegis.records.record import RuntimeRecord, SourceRecord
from aegis.store.audit import Difference, differences, surroundings
from aegis.store.store import Store
from tests.stored import ASSESS, Counted, change, dataset, record
from tests.stored_scan import keep_finished


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """The folder of a store with a scan of four classes."""
    store = Store(tmp_path_factory.mktemp("audit"))
    keep_finished(store)
    return store.folder


@pytest.fixture
def kept(made, tmp_path):
    """A store like that, to be damaged."""
    return Store(shutil.copytree(made, tmp_path / "store"))


def array(store):
    return min((store.folder / "arrays").glob("*.npz"))


def told(store):
    return [(damage.what, damage.why) for damage in store.check().damage]


def test_a_sound_store_has_no_damage_and_no_more_a_record_of_another_version(kept):
    found = kept.check()
    sizes = [path.stat().st_size for path in (kept.folder / "arrays").iterdir()]
    assert (found.files, found.bytes, found.scans, found.others, found.damage) == (len(sizes), sum(sizes), 1, 0, ())
    change(kept, "UPDATE scans SET record = json_set(record, '$.schema_version', 9)")
    found = kept.check()
    assert (found.scans, found.others, found.damage) == (1, 1, ())


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


def test_nothing_that_is_being_written_counts_as_damage(kept):
    path = array(kept)
    arrays = kept.load(path.stem)
    # As a process does before it writes anew.
    kept._session.claim(path.stem, replace=True)
    assert told(kept) == []
    kept.keep(path.stem, arrays)
    assert told(kept) == []


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


def test_times_words_of_another_revision_and_what_it_ran_on_are_no_differences():
    other = record("2025-01-01T00:00:00+00:00", "Another.").model_copy(
        update={
            "seconds": {"assess": 1.0},
            "source": SourceRecord(revision="0" * 40),
            "versions": {"torch": "3"},
            "runtime": RuntimeRecord(device="cuda", precision="fp32"),
        }
    )
    assert differences(record(), other) == []
    # What a record does not tell, such as the source of this one, is not held against it.
    beside = ["versions", "runtime.device", "versions.torch"]
    assert [found.name for found in surroundings(record(), other)] == beside
