"""``aegis report``: a PDF, or one message."""

import hashlib
import json

import pytest
from pypdf import PdfReader

from aegis.models.intake.formats import file_digest

from .conftest import entries, run, write_images


@pytest.fixture
def result(scanned, tmp_path):
    """The file of a finished scan, to be changed at will."""
    path = tmp_path / "result.json"
    path.write_bytes(scanned[1].read_bytes())
    return path


def changed(path, change):
    record = json.loads(path.read_text())
    change(record)
    path.write_text(json.dumps(record))
    return path


def text(path):
    return " ".join(page.extract_text() for page in PdfReader(path).pages)


def test_a_scan_becomes_a_pdf(result, suspect, tmp_path):
    pdf = tmp_path / "verdict.pdf"
    outcome = run("report", result, "--pdf", pdf)
    assert (outcome.code, outcome.err) == (0, "")
    assert outcome.out == f"{pdf}\n"
    first = PdfReader(pdf).pages[0]
    assert "Clean" in first.extract_text()
    assert file_digest(suspect) in first.extract_text()
    assert len(first.images) > 3
    digest = hashlib.sha256(pdf.read_bytes()).digest()
    assert run("report", result, "--pdf", pdf, "-q").out == ""
    assert hashlib.sha256(pdf.read_bytes()).digest() == digest


def test_the_review_is_in_it(result, tmp_path):
    pdf = tmp_path / "verdict.pdf"
    outcome = run("report", result, "--pdf", pdf, "--note", "Seen twice.", "--dismiss", "1", "--confirm", "0")
    assert outcome.code == 0, outcome.err
    said = text(pdf)
    assert "Seen twice." in said
    assert "dismissed" in said
    assert "confirmed" in said


@pytest.mark.parametrize(
    ("decisions", "words"),
    [
        (("--confirm", "77"), "classes that were scanned; got 77"),
        (("--confirm", "1", "--dismiss", "1"), "not both; got 1"),
        (
            ("--confirm", "x"),
            "class labels for --confirm, whole numbers from 0; got 'x'. Write for example --confirm 7",
        ),
        (
            ("--dismiss", "x"),
            "class labels for --dismiss, whole numbers from 0; got 'x'. Write for example --dismiss 7",
        ),
    ],
)
def test_decisions_must_make_sense(result, tmp_path, decisions, words):
    outcome = run("report", result, "--pdf", tmp_path / "verdict.pdf", *decisions)
    assert outcome.code == 2
    assert outcome.err.startswith("aegis: Expected ")
    assert words in outcome.err
    assert entries(tmp_path) == {"result.json"}


def test_without_evidence_it_is_written_and_says_so(result, tmp_path, monkeypatch):
    monkeypatch.setenv("AEGIS_STORE", str(tmp_path / "another"))
    pdf = tmp_path / "verdict.pdf"
    outcome = run("report", result, "--pdf", pdf)
    assert outcome.code == 0
    assert outcome.err.startswith("aegis: Some pictures are missing: ")
    assert outcome.err.count("\n") == 1
    assert "The picture is missing" in text(pdf)


def test_a_store_that_cannot_be_used_is_one_message(result, tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("AEGIS_STORE", str(tmp_path / "file"))
    outcome = run("report", result, "--pdf", tmp_path / "verdict.pdf")
    assert outcome.code == 0
    assert outcome.err.count("\n") == 1
    assert "Some pictures are missing" in outcome.err


def test_images_that_are_gone_or_others_can_be_named(result, images, tmp_path):
    pdf = tmp_path / "verdict.pdf"
    moved = changed(result, lambda record: record["data"].update(name="gone.npz"))
    outcome = run("report", moved, "--pdf", pdf)
    assert outcome.code == 0
    assert "the scan's images" in outcome.err
    assert run("report", moved, "--pdf", pdf, "--data", images).err == ""
    assert len(PdfReader(pdf).pages[0].images) > 3


def test_other_images_are_refused(result, tmp_path):
    other = write_images(tmp_path / "other.npz", lambda x, y: (255 - x, y))
    pdf = tmp_path / "verdict.pdf"
    outcome = run("report", result, "--pdf", pdf, "--data", other)
    assert outcome.code == 2
    assert "the images that were scanned" in outcome.err
    assert not pdf.exists()


def test_a_record_of_another_version_is_written_without_pictures(result, tmp_path):
    other = changed(result, lambda record: record.update(config={"new": 1}))
    outcome = run("report", other, "--pdf", tmp_path / "verdict.pdf")
    assert outcome.code == 0
    assert "Some pictures are missing" in outcome.err


@pytest.mark.parametrize("content", [None, "{}", "no record"])
def test_what_is_no_scan_is_one_message(tmp_path, content):
    path = tmp_path / "result.json"
    if content is not None:
        path.write_text(content)
    before = entries(tmp_path)
    outcome = run("report", path, "--pdf", tmp_path / "verdict.pdf")
    assert outcome.code == 2
    assert "a scan result written by aegis scan --json" in outcome.err
    assert outcome.err.count("\n") == 1
    assert entries(tmp_path) == before


def test_a_folder_that_is_missing_is_one_message(result, tmp_path):
    outcome = run("report", result, "--pdf", tmp_path / "none" / "verdict.pdf")
    assert outcome.code == 2
    assert "a folder that exists for --pdf" in outcome.err
    assert entries(tmp_path) == {"result.json"}


def test_a_full_disk_leaves_nothing(result, tmp_path, full_disk):
    outcome = run("report", result, "--pdf", tmp_path / "verdict.pdf")
    assert (outcome.code, outcome.err.count("\n")) == (2, 1)
    assert "No space left on device" in outcome.err
    assert entries(tmp_path) == {"result.json"}


def test_the_scan_is_not_overwritten(result):
    before = result.read_bytes()
    outcome = run("report", result, "--pdf", result)
    assert outcome.code == 2
    assert "another file than the scan" in outcome.err
    assert result.read_bytes() == before
