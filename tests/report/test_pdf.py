"""The report as a whole: what must be in it, whatever the scan was like."""

import hashlib
import subprocess
import sys

import pytest

from aegis.core.errors import DataError
from aegis.core.types import Applicability, Dataset
from aegis.records.review import Review
from aegis.report.pdf import make_pdf
from tests.layers import ROOT
from tests.report.conftest import report
from tests.report.made import SHA256, images, made, with_record

NAMES = ("<b>x</b>", "&amp;", "A" * 200, "κόσμος", "Привет", "汉字", "한국", "🐴", "</para>", '"quoted"')


def test_the_first_page_has_verdict_class_hash_date_and_flip_rate(infected):
    first = report(infected).pages[0]
    assert "Infected A backdoor leads to class 2 (bag)" in first
    assert "The patch has 4 pixels." in first
    assert "90% of the held-out images of other classes as class 2 (bag)" in first
    assert SHA256 in first
    assert "2 January 2024, 03:04 UTC" in first
    assert "Classes flagged 2 (bag)" in first
    assert "with the trigger on it" in first
    assert "What was not tested" in first


def test_every_footer_has_number_and_hash(infected):
    pages = report(infected).pages
    assert len(pages) >= 3
    for number, page in enumerate(pages, 1):
        assert f"Page {number} of {len(pages)}" in page
        assert SHA256 in page


def test_the_evidence_is_pictures(infected):
    whole = report(infected)
    # The trigger, then three other classes without and with it.
    assert whole.pictures[0] == 1 + 2 * 3
    assert sum(whole.pictures) > whole.pictures[0] + 3


def test_the_same_scan_gives_the_same_bytes_in_any_process(infected):
    code = (
        "import hashlib; from aegis.report.pdf import make_pdf; from tests.report.made import made; m = made();"
        "print(hashlib.sha256(make_pdf(m.record, m.findings, m.data)).hexdigest())"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    here = make_pdf(infected.record, infected.findings, infected.data)
    assert hashlib.sha256(here).hexdigest() == done.stdout.strip()
    assert make_pdf(infected.record, infected.findings, infected.data) == here
    assert make_pdf(infected.record, infected.findings, infected.data, Review("seen")) != here


def test_the_analysts_say_stands_beside_the_verdict(infected):
    whole = report(infected, review=Review("Seen <twice>.\nReplace it.", {2: "dismissed", 0: "confirmed"}))
    assert "Seen <twice>. Replace it." in whole.pages[0]
    assert "bag: dismissed by the analyst" in whole.pages[0]
    assert "shirt: confirmed by the analyst" in whole.pages[0]
    assert "Infected" in whole.pages[0]
    assert "not decided yet" in report(infected).pages[0]


def test_a_note_may_be_longer_than_a_page(infected):
    note = "\n".join(f"line {i}" for i in range(200))
    whole = report(infected, review=Review(note))
    assert "line 0 " in whole.pages[0]
    assert "line 199" in whole.text


def test_a_clean_model_shows_its_strongest_class_and_why_that_is_not_enough(clean):
    whole = report(clean)
    assert "Clean None of its 4 classes" in whole.pages[0]
    assert "Class 1 (shoe) comes closest: its strongest candidate, a patch, turns" in whole.pages[0]
    assert "have such a class" in whole.pages[0]
    assert "with the candidate on it" in whole.pages[0]
    assert "Class 1 (shoe) Not flagged" in whole.text


def test_an_inconclusive_scan_is_not_called_clean():
    weak = Applicability(0.3, (0.5, 1.0), (0.3, 0.1))
    first = report(made(measured=weak)).pages[0]
    assert "Inconclusive Its accuracy on these images is 30.0%" in first
    assert "Treat it as untested" in first


def test_clusters_alone_are_said_to_be_no_proof():
    whole = report(made(kind="paper"))
    assert "Infected" in whole.pages[0]
    assert "Clusters alone can flag a benign class" in whole.pages[0]
    assert "tries no trigger" in whole.pages[0]
    assert whole.pictures[0] == 1


def test_a_trigger_for_one_source_class_is_shown_on_it_alone():
    whole = report(made(works="source-specific"))
    assert "the held-out images of class 3 (coat) as class 2 (bag)" in whole.pages[0]
    assert "90% of class 3 (coat)" in whole.pages[0]
    # The trigger, and one class without and with it.
    assert whole.pictures[0] == 1 + 2
    assert "source-specific: 3" in whole.text


def test_a_trigger_that_leads_every_class_to_another_is_shown_on_every_class():
    whole = report(made(works="all-to-all"))
    assert "the held-out images of every class as another one" in whole.pages[0]
    assert "called another class" in whole.pages[0]
    for name in ("0 (shirt)", "1 (shoe)", "2 (bag)", "3 (coat)"):
        assert f"90% of class {name}" in whole.pages[0]
    assert whole.pictures[0] == 1 + 2 * 4


def test_a_perturbation_is_no_patch():
    whole = report(made(works="perturbation"))
    assert "The perturbation has an L2 norm of 0.52." in whole.pages[0]
    assert "It lies between" not in whole.text


def test_the_score_stands_beside_those_of_benign_classes(infected):
    text = report(infected).text
    assert "Score 90%." in text
    assert "Dots are the strongest benign classes of 10 calibration models. From 50% on a class is flagged." in text
    without = with_record(infected, config={"gather": 3})
    assert "Dots are" not in report(without).text


def test_every_class_is_in_the_table(infected):
    text = report(infected).text
    table = text[text.index("All classes") :]
    assert table.index("2 (bag)") < table.index("3 (coat)") < table.index("1 (shoe)") < table.index("0 (shirt)")
    # Its patch, its perturbation, and what is for one source and for all.
    assert "90% 22% 30% 18% 0.1% flagged" in table


def test_the_method_can_be_repeated(infected):
    text = report(infected).text
    for said in (
        f"gather.seeds {infected.record.config['gather']['seeds']}",
        "gather.seed 0",
        "embed.seed 0",
        "embed.perplexity 30",
        "aegis 9.8.7",
        "torch 2.99",
    ):
        assert said in text
    assert "epsilon 3, step 0.5, iterations 8; epsilon 100, step 3, iterations 12" in text
    assert "gather 12.50 s" in text
    for name in ("Soremekun", "Udeshi", "Chattopadhyay", "Maaten", "Hinton", "Fukunaga", "Hostetler"):
        assert name in text


def test_text_from_a_checkpoint_is_text():
    scan = made(NAMES, (0.9,) * len(NAMES))
    scan = with_record(
        scan, model=scan.record.model.model_copy(update={"file": "<script>&</script>", "architecture": "<i>"})
    )
    whole = report(scan, review=Review("<b>note</b> & κ"))
    for said in (
        "<script>&</script>",
        "0 (<b>x</b>)",
        "1 (&amp;)",
        "κόσμος",
        "Привет",
        "8 (</para>)",
        "<b>note</b> & κ",
    ):
        assert said in whole.text, said
    assert "A" * 200 in whole.text.replace(" ", "")
    assert "\N{REPLACEMENT CHARACTER}" in whole.text


def test_a_hundred_classes_and_three_of_them_flagged():
    names = [f"a class with the number {i}" for i in range(100)]
    rates = [0.9 if i in (3, 50, 99) else 0.1 for i in range(100)]
    whole = report(made(names, rates), review=Review("", {50: "confirmed"}))
    assert "2 more flagged classes have pages below" in whole.pages[0]
    assert "the 60 highest of 99" in whole.text
    table = whole.text[whole.text.index("All classes") :]
    assert all(f"{i} (a class with the number {i})" in table for i in range(100))


def test_without_the_evidence_the_numbers_remain(infected):
    whole = report(infected, findings={})
    assert "Infected" in whole.pages[0]
    assert "The picture is missing" in whole.pages[0]
    assert "scatter and images are missing" in whole.text
    assert "0 (shirt) 90%" in whole.text
    # The score among benign classes is drawn from numbers alone.
    assert (whole.pictures[0], sum(whole.pictures)) == (0, 1)


def test_without_the_images_the_trigger_is_shown_alone(infected):
    whole = report(infected, data=None)
    assert "benign images are not at hand" in whole.pages[0]
    assert whole.pictures[0] == 1
    assert "what changed cannot be shown" in whole.text


def test_other_images_are_refused(infected):
    other = Dataset("samples:made", images(infected.data.class_names, 6, 5), infected.data.test)
    with pytest.raises(DataError, match="the images of the scan"):
        make_pdf(infected.record, infected.findings, other)


def test_a_record_of_another_version_still_comes_out(infected):
    scan = with_record(infected, config={"new": {"setting": [1, None, True]}}, created="some day")
    whole = report(scan)
    assert "new.setting 1, none, yes" in whole.text
    assert "of another version" in whole.text
    assert "some day" in whole.pages[0]


def test_a_record_without_classes_still_comes_out(clean):
    assert "Classes tested 0 of 4" in report(with_record(clean, classes=())).pages[0]
