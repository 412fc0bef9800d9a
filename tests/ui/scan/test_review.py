"""A review as sessions see it, and the reports made with it."""

import dataclasses
import io

import pytest
from pypdf import PdfReader

from aegis.core.errors import AegisError, StoreError
from aegis.records.review import NO_REVIEW, Review
from aegis.store.store import Store
from aegis.ui.caches import PAPERS, ReportCache
from aegis.ui.scan.review import NOTE, Draft, fitting
from tests.report.made import made
from tests.stored_scan import keep_finished


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


def test_a_new_session_finds_what_another_one_kept(kept, record):
    Draft("key").change(record, noted("Seen."))
    assert Draft("key").refresh(record) == Review("Seen.")
    assert Draft("other").refresh(record) == NO_REVIEW


def test_changes_of_two_sessions_do_not_undo_each_other(kept, record):
    one, other = Draft("key"), Draft("key")
    for session in (one, other):
        session.refresh(record)
    one.change(record, noted("Seen."))
    other.change(record, decided(2, "confirmed"))
    assert one.refresh(record) == other.review == Review("Seen.", {2: "confirmed"})


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
    one, other = Draft("key"), Draft("key")
    with monkeypatch.context() as broken:
        broken.setattr(Store, "keep_review", _full)
        one.change(record, decided(2, "dismissed"))
    assert one.problem
    other.change(record, noted("Seen."))
    one.change(record, decided(0, "confirmed"))
    assert other.refresh(record) == one.review == Review("Seen.", {0: "confirmed", 2: "dismissed"})


def _full(*_, **__):
    raise StoreError("to keep results", "a full disk", "Free some space.")


def test_only_what_the_page_can_show_is_taken(record):
    review = Review("a" * (NOTE + 1), {0: "confirmed", 1: "dismissed", 2: "dismissed", 9: "confirmed"})
    assert fitting(review, record) == Review("a" * NOTE, {0: "confirmed", 2: "dismissed"})


def text(pdf):
    return " ".join(page.extract_text() for page in PdfReader(io.BytesIO(pdf)).pages)


def test_the_same_report_is_made_once(kept):
    record, data = keep_finished(kept)
    papers, every = ReportCache(), record.flagged_classes
    assert papers.find(record, every, data, Review("Seen.")) is None
    paper = papers.make(record, every, data, Review("Seen."))
    assert papers.find(record, every, data, Review("Seen.")) is paper
    assert papers.make(record, every, data, Review("Seen.")) is paper
    assert "Seen." in text(paper)
    others = [
        (every, data, NO_REVIEW),
        (every, None, Review("Seen.")),
        (every, data, Review("Seen.", {0: "confirmed"})),
    ]
    for other in others:
        assert papers.make(record, *other) != paper
    assert "benign images are not at hand" in text(papers.make(record, every, None, NO_REVIEW))


def test_few_reports_stay_in_memory(kept, record, monkeypatch):
    monkeypatch.setattr("aegis.report.pdf.make_pdf", lambda *parts: parts[-1].note.encode())
    papers = ReportCache()
    for i in range(PAPERS + 2):
        assert papers.make(record, (), None, Review(str(i))) == str(i).encode()
    assert list(papers.made.values()) == [str(i).encode() for i in range(2, PAPERS + 2)]


def test_evidence_that_went_or_came_is_seen(kept):
    record, data = keep_finished(kept)
    papers, every = ReportCache(), record.flagged_classes
    arrays = kept.folder / "arrays"
    arrays.rename(kept.folder / "away")
    arrays.mkdir()
    assert "picture is missing" in text(papers.make(record, every, data, NO_REVIEW))
    arrays.rmdir()
    (kept.folder / "away").rename(arrays)
    assert "picture is missing" not in text(papers.make(record, every, data, NO_REVIEW))


def test_whatever_goes_wrong_is_one_message(kept, monkeypatch):
    def fail(*_):
        raise ZeroDivisionError

    record, data = keep_finished(kept)
    monkeypatch.setattr("aegis.report.pdf.make_pdf", fail)
    with pytest.raises(AegisError, match="ZeroDivisionError"):
        ReportCache().make(record, record.flagged_classes, data, NO_REVIEW)
