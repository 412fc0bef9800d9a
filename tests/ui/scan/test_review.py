"""A review as sessions see it while it is edited."""

import dataclasses

import pytest

from aegis.core.errors import StoreError
from aegis.records.review import NO_REVIEW, Review
from aegis.store.store import Store
from aegis.ui.scan.review import NOTE, Draft, fitting
from tests.report.made import made


@pytest.fixture
def kept(tmp_path, monkeypatch):
    """The store that pages see."""
    monkeypatch.setenv("AEGIS_STORE", str(tmp_path / "store"))
    return Store()


@pytest.fixture(scope="module")
def record():
    """Class 2 is flagged, of four."""
    return made().record


def noted(note):
    return lambda review: dataclasses.replace(review, note=note)


def decided(label, decision):
    return lambda review: dataclasses.replace(review, decisions={**review.decisions, label: decision})


def test_changes_of_two_sessions_are_found_by_both_and_do_not_undo_each_other(kept, record):
    one, other = Draft("key"), Draft("key")
    for session in (one, other):
        assert session.refresh(record) == NO_REVIEW
    one.change(record, noted("Seen."))
    other.change(record, decided(2, "confirmed"))
    assert one.refresh(record) == other.review == Draft("key").refresh(record) == Review("Seen.", {2: "confirmed"})
    assert Draft("other").refresh(record) == NO_REVIEW


def test_what_cannot_be_kept_stays_in_the_draft_and_says_so(kept, record):
    index = kept.folder / "index.sqlite"
    draft = Draft("key")
    draft.change(record, noted("Seen."))
    content = index.read_bytes()
    index.write_bytes(b"x" * 4096)
    draft.change(record, decided(2, "dismissed"))
    assert "not a database" in draft.problem
    assert draft.refresh(record) == Review("Seen.", {2: "dismissed"})
    for rest in kept.folder.glob("index.sqlite-*"):
        rest.unlink()
    index.write_bytes(content)
    draft.change(record, noted("Seen again."))
    assert draft.problem == ""
    assert Draft("key").refresh(record) == Review("Seen again.", {2: "dismissed"})


def test_what_could_not_be_kept_does_not_undo_what_others_decided_meanwhile(kept, record, monkeypatch):
    def full(*_, **__):
        raise StoreError("to keep results", "a full disk", "Free some space.")

    one, other = Draft("key"), Draft("key")
    with monkeypatch.context() as broken:
        broken.setattr(Store, "keep_review", full)
        one.change(record, decided(2, "dismissed"))
    assert one.problem
    other.change(record, noted("Seen."))
    one.change(record, decided(0, "confirmed"))
    assert other.refresh(record) == one.review == Review("Seen.", {0: "confirmed", 2: "dismissed"})


def test_only_what_the_page_can_show_is_taken(record):
    review = Review("a" * (NOTE + 1), {0: "confirmed", 1: "dismissed", 2: "dismissed", 9: "confirmed"})
    assert fitting(review, record) == Review("a" * NOTE, {0: "confirmed", 2: "dismissed"})
