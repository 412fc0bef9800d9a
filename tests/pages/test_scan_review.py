"""The review of a finished scan, and its report."""

import io

import pytest
from pypdf import PdfReader

from aegis.cli import main
from aegis.records.ranking import featured
from aegis.records.review import Review
from aegis.ui.caches import Uploads
from aegis.ui.scan.review import NOTE
from aegis.ui.session import server_state
from tests.pages.conftest import button, everything, run
from tests.stored_scan import KEY, as_clean, keep_finished

SCAN = "pages/1_Scan.py"


def decisions(at):
    """What is decided about the classes that are shown, by label."""
    named = [one for one in at.segmented_control if one.label.startswith("Decision on class")]
    return {int(one.label.rpartition(" ")[2]): one for one in named}


def test_a_review_is_there_again_in_a_new_session(open_page, kept):
    record, _ = keep_finished(kept)
    flagged = record.flagged_classes
    at = open_page(SCAN, scan=KEY)
    assert [one.value for one in decisions(at).values()] == ["open"] * len(flagged)
    at.text_area[0].set_value("Seen twice.")
    run(at)
    decisions(at)[flagged[0]].set_value("confirmed")
    run(at)
    decisions(at)[flagged[1]].set_value("dismissed")
    run(at)
    assert kept.find_review(KEY) == Review("Seen twice.", {flagged[0]: "confirmed", flagged[1]: "dismissed"})
    at = open_page(SCAN, scan=KEY)
    assert at.text_area[0].value == "Seen twice."
    assert [decisions(at)[label].value for label in flagged[:2]] == ["confirmed", "dismissed"]
    decisions(at)[flagged[1]].set_value("open")
    run(at)
    assert kept.find_review(KEY) == Review("Seen twice.", {flagged[0]: "confirmed"})


def test_classes_that_are_not_flagged_can_be_confirmed(open_page, kept):
    record, _ = keep_finished(kept)
    keep_finished(kept, **as_clean(record))
    at = open_page(SCAN, scan=KEY)
    assert "The scan flags no class." in everything(at)
    assert decisions(at) == {}
    assert at.multiselect[0].options == ["0 a", "1 b", "2 c", "3 d"]
    at.multiselect[0].set_value([1, 3])
    run(at)
    assert open_page(SCAN, scan=KEY).multiselect[0].value == [1, 3]
    at.multiselect[0].set_value([3])
    run(at)
    assert kept.find_review(KEY) == Review("", {3: "confirmed"})


def test_another_sessions_review_shows_with_the_next_change(open_page, kept):
    keep_finished(kept)
    at = open_page(SCAN, scan=KEY)
    kept.keep_review(KEY, Review("By another."))
    run(at)
    assert at.text_area[0].value == "By another."


def test_a_damaged_review_is_an_empty_one(open_page, kept, monkeypatch):
    record, _ = keep_finished(kept)
    kept.keep_review(KEY, Review("a" * (NOTE + 5), {77: "confirmed", record.flagged_classes[0]: "dismissed"}))
    at = open_page(SCAN, scan=KEY)
    assert len(at.text_area[0].value) == NOTE
    assert decisions(at)[record.flagged_classes[0]].value == "dismissed"


def test_what_the_report_has_to_do_without_is_said_beside_its_button(open_page, kept):
    _, data = keep_finished(kept)
    missing = "Some pictures are missing: the scan's images (uploaded, and gone)."
    assert missing in everything(open_page(SCAN, scan=KEY))
    server_state().upload_cache.keep(KEY, Uploads(images=data))
    assert "Some pictures are missing" not in everything(open_page(SCAN, scan=KEY))


def test_lost_evidence_is_said_beside_the_button(open_page, kept):
    record, data = keep_finished(kept)
    server_state().upload_cache.keep(KEY, Uploads(images=data))
    for file in (kept.folder / "arrays").iterdir():
        file.unlink()
    lost = ", ".join(str(label) for label in featured(record))
    said = everything(open_page(SCAN, scan=KEY))
    assert f"Some pictures are missing: {kept.folder} no longer has what was computed for class {lost}." in said


def test_a_scan_of_another_version_has_its_report(open_page, kept):
    keep_finished(kept, config={"seeds": 3})
    at = open_page(SCAN, scan=KEY)
    assert "what was computed (others)" in everything(at)
    button(at, "Make the report").click()
    run(at)
    assert "No report" not in everything(at)
    assert len(server_state().reports.made) == 1


def test_a_report_that_fails_is_a_message(open_page, kept, monkeypatch):
    def fail(*_):
        raise ZeroDivisionError

    keep_finished(kept)
    monkeypatch.setattr("aegis.report.pdf.make_pdf", fail)
    at = open_page(SCAN, scan=KEY)
    button(at, "Make the report").click()
    run(at)
    assert "Expected a scan that can be put on paper; got ZeroDivisionError." in everything(at)


def test_hundreds_of_flagged_classes_are_shown_in_parts(open_page, kept):
    record, _ = keep_finished(kept)
    flagged = record.classes[record.flagged_classes[0]]
    many = tuple(flagged.model_copy(update={"label": i, "name": f"class {i}", "flagged": True}) for i in range(300))
    data = record.data.model_copy(update={"class_names": tuple(one.name for one in many)})
    keep_finished(kept, classes=many, data=data, flagged_classes=tuple(range(300)))
    at = open_page(SCAN, scan=KEY)
    assert len(decisions(at)) == 5
    assert not any(one.label == "Confirm other classes" for one in at.multiselect)


def test_page_and_command_line_make_the_same_bytes(open_page, suspects, finished, tmp_path, monkeypatch):
    monkeypatch.setenv("AEGIS_STORE", str(finished.store))
    at = open_page(SCAN, scan=finished.key)
    assert "Some pictures are missing" not in everything(at)
    at.text_area[0].set_value("Seen.\nTwice.")
    run(at)
    label = finished.record.classes[-1].label
    at.multiselect[0].set_value([label])
    run(at)
    button(at, "Make the report").click()
    run(at)
    (paper,) = server_state().reports.made.values()
    path, pdf = tmp_path / "result.json", tmp_path / "verdict.pdf"
    path.write_text(finished.record.to_json())
    review = ("--note", "Seen.\nTwice.", "--confirm", str(label))
    monkeypatch.setattr("sys.argv", ["aegis", "report", str(path), "--pdf", str(pdf), *review, "-q"])
    with pytest.raises(SystemExit) as end:
        main()
    assert not end.value.code
    assert pdf.read_bytes() == paper
    assert "Twice." in PdfReader(io.BytesIO(paper)).pages[0].extract_text()
