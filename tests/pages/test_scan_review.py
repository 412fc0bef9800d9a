"""The verdict card of a finished scan: what it says, its reviews, and its report."""

import io

import pytest
from pypdf import PdfReader

from aegis.cli import main
from aegis.core.errors import StoreError
from aegis.records.headline import headline
from aegis.records.ranking import featured
from aegis.records.review import Review
from aegis.store.store import Store
from aegis.ui import browser
from aegis.ui.caches import Uploads
from aegis.ui.scan.export import report_of
from aegis.ui.session import server_state
from tests.pages.conftest import HISTORY, SCAN, button, everything, labels, run
from tests.stored_scan import KEY

WHO = {browser.STATE: "a" * 32}


def write(at, act, reason="", name=None, chosen=None):
    """One review, as somebody writes it in the dialog."""
    button(at, act).click()
    run(at)
    # Here every run is one of the whole page, which shows the dialog only if its button is pressed.
    button(at, act).click()
    at.text_area(key="review-reason").set_value(reason)
    if name is not None:
        at.text_input(key="review-author").set_value(name)
    if chosen is not None:
        at.multiselect(key="review-classes").set_value(chosen)
    at.button(key="review-send").click()
    return run(at)


def test_each_review_is_added_with_name_and_time_and_stands_beside_the_verdict(open_page, kept, keep):
    record = keep()
    flagged = record.flagged_classes
    at = open_page(SCAN, WHO, scan=KEY)
    said = everything(at)
    assert headline(record) in said
    assert "Not reviewed yet." in said
    assert "Reopen" not in labels(at)
    said = everything(write(at, "Dismiss", "A scratch\nin the lens.", "Ann"))
    assert "Dismissed by Ann because A scratch in the lens." in said
    (review,) = kept.reviews_of(KEY)
    assert (review.note, review.decisions) == ("A scratch\nin the lens.", dict.fromkeys(flagged, "dismissed"))
    assert review.author == "Ann"
    assert review.created > record.created
    # The name is typed once in a browser, which a reload does not change; another one knows it not.
    at = open_page(SCAN, WHO, scan=KEY)
    button(at, "Reopen").click()
    assert run(at).text_input(key="review-author").value == "Ann"
    other = open_page(SCAN, scan=KEY)
    button(other, "Reopen").click()
    assert run(other).text_input(key="review-author").value == ""
    said = everything(write(at, "Confirm", "", "Bob", [flagged[0]]))
    assert f"Class {flagged[0]} confirmed by Bob; class {flagged[1]} dismissed by Ann" in said
    # Nothing was overwritten.
    assert kept.reviews_of(KEY)[0] == review
    assert [one.author for one in kept.reviews_of(KEY)] == ["Ann", "Bob"]
    assert "A scratch\nin the lens." in [text.value for text in at.text]
    at.switch_page(HISTORY)
    assert f"{flagged[0]} confirmed, {flagged[1]} dismissed by Bob, Ann" in str(
        run(at).dataframe[0].value["decisions"][0]
    )


@pytest.mark.parametrize(
    ("act", "reason", "name", "chosen", "said"),
    [
        ("Dismiss", " ", "Ann", None, "Expected a reason; got none."),
        ("Note", "", "Ann", None, "Expected a reason; got none."),
        ("Confirm", "", " ", None, "Expected your name; got none."),
        ("Confirm", "", "Ann", [], "Expected a class; got none."),
    ],
)
def test_what_a_review_lacks_is_a_message(open_page, kept, keep, act, reason, name, chosen, said):
    keep()
    at = write(open_page(SCAN, scan=KEY), act, reason, name, chosen)
    assert said in everything(at)
    assert kept.reviews_of(KEY) == ()


def test_what_cannot_be_kept_is_a_message_and_stays_in_the_dialog(open_page, keep, monkeypatch):
    def full(*_):
        raise StoreError("to keep results", "a full disk", "Free some space.")

    keep()
    at = open_page(SCAN, scan=KEY)
    monkeypatch.setattr(Store, "add_review", full)
    assert "got a full disk" in everything(write(at, "Note", "Seen.", "Ann"))
    assert at.text_area(key="review-reason").value == "Seen."


def test_classes_that_are_not_flagged_can_be_confirmed_but_not_dismissed(open_page, kept, keep):
    keep(verdict="clean")
    at = open_page(SCAN, scan=KEY)
    assert "Dismiss" not in labels(at)
    write(at, "Confirm", "Seen.", "Ann", [1, 3])
    assert kept.reviews_of(KEY)[0].decisions == {1: "confirmed", 3: "confirmed"}
    assert "Class 1, 3 confirmed by Ann because Seen." in everything(at)


def test_what_the_report_has_to_do_without_is_said(open_page, kept, keep, made):
    record = keep()
    missing = "some pictures are missing: the scan's images (uploaded, and gone)."
    assert missing in everything(open_page(SCAN, scan=KEY))
    server_state().upload_cache.keep(KEY, Uploads(images=made[2]))
    assert "pictures are missing" not in everything(open_page(SCAN, scan=KEY))
    for file in (kept.folder / "arrays").iterdir():
        file.unlink()
    lost = keep("b" * 64, sentence="Its evidence is gone.")
    server_state().upload_cache.keep("b" * 64, Uploads(images=made[2]))
    assert lost.classes == record.classes
    gone = ", ".join(str(label) for label in featured(record))
    said = everything(open_page(SCAN, scan="b" * 64))
    assert f"some pictures are missing: {kept.folder} no longer has what was computed for class {gone}." in said


def test_a_scan_of_another_version_has_its_card_and_its_report(open_page, keep):
    record = keep(config={"seeds": 3})
    said = everything(open_page(SCAN, scan=KEY))
    assert all(part in said for part in (headline(record), "of this version", "what was computed (others)"))
    assert report_of(KEY, record, None, ()).startswith(b"%PDF")


def test_a_report_has_the_reviews_of_the_moment_and_the_command_line_makes_the_same(finished, tmp_path, monkeypatch):
    monkeypatch.setenv("AEGIS_STORE", str(finished.store))
    store, label = Store(finished.store), finished.record.classes[-1].label
    at_first = report_of(finished.key, finished.record, None, ())
    store.add_review(finished.key, Review("Seen.\nTwice.", {label: "confirmed"}, "Ann", "2024-05-01T10:00:00+00:00"))
    # What the page knew when it was drawn is not asked.
    paper = report_of(finished.key, finished.record, None, ())
    assert paper != at_first
    path, pdf = tmp_path / "result.json", tmp_path / "verdict.pdf"
    path.write_text(finished.record.model_copy(update={}).to_json())
    monkeypatch.setattr("aegis.services.report_inputs.load_as_recorded", _gone)
    monkeypatch.setattr("sys.argv", ["aegis", "report", str(path), "--pdf", str(pdf), "-q"])
    with pytest.raises(SystemExit) as end:
        main()
    assert not end.value.code
    assert pdf.read_bytes() == paper
    assert "Twice." in PdfReader(io.BytesIO(paper)).pages[0].extract_text()


def _gone(*_):
    from aegis.core.errors import DataError

    raise DataError("images", "none", "Give some.")
