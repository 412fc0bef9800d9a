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
    outcome = run(
        "report", result, "--pdf", pdf, "--note", "Seen twice.", "--dismiss", "1", "--confirm", "0", "--author", "Ann"
    )
    assert outcome.code == 0, outcome.err
    assert [word for word in ("Seen twice.", "dismissed", "confirmed by Ann") if word not in text(pdf)] == []


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ("--confirm 77", "classes that were scanned; got 77"),
        ("--confirm 1 --dismiss 1", "not both; got 1"),
        ("--confirm x", "class labels for --confirm, whole numbers from 0; got 'x'. Write for example --confirm 7"),
        ("--dismiss x", "class labels for --dismiss, whole numbers from 0; got 'x'. Write for example --dismiss 7"),
        ("--pdf none/verdict.pdf", "a folder that exists for --pdf"),
        ("--pdf result.json", "another file than the scan"),
        ("--data other.npz", "the images that were scanned"),
    ],
)
def test_what_cannot_be_is_one_message(result, tmp_path, monkeypatch, options, words):
    monkeypatch.chdir(tmp_path)
    write_images(tmp_path / "other.npz", lambda x, y: (255 - x, y))
    before = result.read_bytes()
    outcome = run("report", result, "--pdf", "verdict.pdf", *options.split())
    assert (outcome.code, outcome.err.count("\n")) == (2, 1)
    assert outcome.err.startswith("aegis: Expected ")
    assert words in outcome.err
    assert entries(tmp_path) == {"result.json", "other.npz"}
    assert result.read_bytes() == before


def test_without_evidence_and_images_it_is_written_and_says_so_until_they_are_named(result, images, tmp_path):
    pdf = tmp_path / "verdict.pdf"
    changed(result, lambda record: record["data"].update(name="gone.npz"))
    (tmp_path / "file").write_text("")
    outcome = run("report", result, "--pdf", pdf, store=tmp_path / "file")
    assert (outcome.code, outcome.err.count("\n")) == (0, 1)
    assert outcome.err.startswith("aegis: Some pictures are missing: the scan's images")
    assert "; what was computed (" in outcome.err
    assert "The picture is missing" in text(pdf)
    assert run("report", result, "--pdf", pdf, "--data", images).err == ""
    assert len(PdfReader(pdf).pages[0].images) > 3


@pytest.mark.parametrize("content", [None, "{}", "no record"])
def test_what_is_no_scan_is_one_message(tmp_path, content):
    path = tmp_path / "result.json"
    if content is not None:
        path.write_text(content)
    before = entries(tmp_path)
    outcome = run("report", path, "--pdf", tmp_path / "verdict.pdf")
    assert (outcome.code, outcome.err.count("\n")) == (2, 1)
    assert "a scan result written by aegis scan --json" in outcome.err
    assert entries(tmp_path) == before
