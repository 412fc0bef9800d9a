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
from tests.pages.conftest import SCAN, button, everything, run
from tests.stored_scan import KEY


def decisions(at):
    """What is decided about the classes that are shown, by label."""
    named = [one for one in at.segmented_control if one.label.startswith("Decision on class")]
    return {int(one.label.rpartition(" ")[2]): one for one in named}


def test_a_review_is_there_again_in_a_new_session(open_page, kept, keep):
    flagged = keep().flagged_classes
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
    # Of another session's review the page takes what it can show, with its next change.
    kept.keep_review(KEY, Review("a" * (NOTE + 5), {77: "confirmed", flagged[0]: "dismissed"}))
    run(at)
    assert at.text_area[0].value == "a" * NOTE
    assert decisions(at)[flagged[0]].value == "dismissed"


def test_classes_that_are_not_flagged_can_be_confirmed(open_page, kept, keep):
    keep(verdict="clean")
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


def test_what_the_report_has_to_do_without_is_said_beside_its_button(open_page, kept, keep, made):
    record = keep()
    missing = "Some pictures are missing: the scan's images (uploaded, and gone)."
    assert missing in everything(open_page(SCAN, scan=KEY))
    server_state().upload_cache.keep(KEY, Uploads(images=made[2]))
    assert "Some pictures are missing" not in everything(open_page(SCAN, scan=KEY))
    for file in (kept.folder / "arrays").iterdir():
        file.unlink()
    lost = keep("b" * 64, sentence="Its evidence is gone.")
    server_state().upload_cache.keep("b" * 64, Uploads(images=made[2]))
    assert lost.classes == record.classes
    labels = ", ".join(str(label) for label in featured(record))
    said = everything(open_page(SCAN, scan="b" * 64))
    assert f"Some pictures are missing: {kept.folder} no longer has what was computed for class {labels}." in said


def test_a_scan_of_another_version_has_its_report_and_one_that_fails_is_a_message(open_page, keep, monkeypatch):
    def fail(*_):
        raise ZeroDivisionError

    record = keep(config={"seeds": 3})
    at = open_page(SCAN, scan=KEY)
    said = everything(at)
    assert all(part in said for part in (record.sentence, "of this version", "what was computed (others)"))
    with monkeypatch.context() as broken:
        broken.setattr("aegis.report.pdf.make_pdf", fail)
        button(at, "Make the report").click()
        assert "Expected a scan that can be put on paper; got ZeroDivisionError." in everything(run(at))
    button(at, "Make the report").click()
    assert "No report" not in everything(run(at))
    assert len(server_state().reports.made) == 1


def test_many_flagged_classes_are_shown_in_parts(open_page, keep, made):
    record = made[1]
    flagged = record.classes[record.flagged_classes[0]]
    many = tuple(flagged.model_copy(update={"label": i, "name": f"class {i}"}) for i in range(8))
    data = record.data.model_copy(update={"class_names": tuple(one.name for one in many)})
    keep(classes=many, data=data, flagged_classes=tuple(range(8)))
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
