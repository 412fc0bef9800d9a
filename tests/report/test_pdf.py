"""The report as a whole: what must be in it, whatever the scan was like."""

import io
import pickle
import subprocess
import sys
from datetime import UTC, datetime

import pytest
from pypdf import PdfReader

from aegis.core.errors import DataError
from aegis.core.types import Applicability, Dataset
from aegis.records.review import Review
from aegis.report.pdf import make_pdf
from tests.layers import ROOT
from tests.report.conftest import missing, report
from tests.report.made import SHA256, images, made, with_record


def test_the_first_page_has_verdict_class_hash_date_flip_rate_and_pictures(whole):
    assert not missing(
        whole.pages[0],
        "Infected A backdoor leads to class 2 (bag)",
        "The patch has 4 pixels.",
        "90% of the held-out images of other classes as class 2 (bag)",
        SHA256,
        "2 January 2024, 03:04 UTC",
        "Classes flagged 2 (bag)",
        "with the trigger on it",
        "What was not tested",
        "not decided yet",
    )
    # The trigger, then three other classes without and with it.
    assert whole.pictures[0] == 1 + 2 * 3
    assert sum(whole.pictures) > whole.pictures[0] + 3
    assert "cannot be shown" not in whole.text


def test_every_footer_has_number_and_hash(whole):
    assert len(whole.pages) >= 3
    for number, page in enumerate(whole.pages, 1):
        assert f"Page {number} of {len(whole.pages)}" in page
        assert SHA256 in page


def test_the_same_scan_gives_the_same_bytes_in_any_process(infected, whole):
    code = (
        "import pickle, sys; from aegis.report.pdf import make_pdf;"
        "sys.stdout.buffer.write(make_pdf(*pickle.load(sys.stdin.buffer)))"
    )
    given = pickle.dumps((infected.record, infected.findings, infected.data))
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, input=given, capture_output=True, check=True)
    assert done.stdout == whole.pdf
    assert make_pdf(infected.record, infected.findings, infected.data) == whole.pdf


def test_the_analysts_say_stands_beside_the_verdict_and_may_be_longer_than_a_page(infected, whole):
    note = "\n".join(["Seen <twice>.", "Replace it.", *(f"line {i}" for i in range(200))])
    earlier = Review("A scratch.", {2: "dismissed"}, "Ann", "2024-01-03T10:00:00+00:00")
    reviewed = report(infected, reviews=[earlier, Review(note, {0: "confirmed"}, "Bob")])
    assert not missing(
        reviewed.pages[0],
        "Infected; class 0 confirmed by Bob because Seen <twice>. Replace it.",
        "; class 2 dismissed by Ann because A scratch",
        "Class 2 (bag) dismissed by Ann, 2024-01-03 10:00 UTC",
        "Class 0 (shirt) confirmed by Bob",
        "Do not use it",
    )
    assert not missing(reviewed.text, "Ann; 2024-01-03 10:00 UTC; class 2 dismissed A scratch.", "line 199")
    assert reviewed.pdf != whole.pdf


def test_a_dismissal_stands_beside_the_verdict_and_the_properties_have_the_date_of_the_latest_review(infected, whole):
    review = Review("A scratch.", {2: "dismissed"}, "<b>Ann</b>", "2024-01-03T12:00:00+02:00")
    dismissed = report(infected, reviews=[review])
    assert not missing(dismissed.pages[0], "Infected; dismissed by <b>Ann</b> because A scratch", "a false alarm")
    assert "Do not use it" not in dismissed.pages[0]
    dates = [PdfReader(io.BytesIO(one.pdf)).metadata.creation_date for one in (whole, dismissed)]
    assert dates == [datetime(2024, 1, 2, 3, 4, 5, tzinfo=UTC), datetime(2024, 1, 3, 10, tzinfo=UTC)]
    # One that was taken back is no longer a dismissal.
    assert "Do not use it" in report(infected, reviews=[review, Review("", {2: "open"}, "Ann")]).pages[0]


def test_a_clean_model_shows_its_strongest_class_and_why_that_is_not_enough():
    clean = made(rates=(0.1, 0.2, 0.15, 0.05))
    whole = report(clean)
    assert not missing(
        whole.pages[0],
        "Clean None of its 4 classes",
        "Class 1 (shoe) comes closest: its strongest candidate, a patch, turns",
        "have such a class",
        "with the candidate on it",
    )
    assert "Class 1 (shoe) Not flagged" in whole.text
    assert "Classes tested 0 of 4" in report(with_record(clean, classes=())).pages[0]


def test_an_inconclusive_scan_is_not_called_clean():
    first = report(made(measured=Applicability(0.3, (0.5, 1.0), (0.3, 0.1))), findings={}).pages[0]
    assert "Inconclusive Its accuracy on these images is 30.0%" in first
    assert "Treat it as untested" in first


def test_clusters_alone_are_said_to_be_no_proof():
    whole = report(made(kind="paper"))
    assert not missing(whole.pages[0], "Infected", "Clusters alone can flag a benign class", "tries no trigger")
    assert whole.pictures[0] == 1


@pytest.mark.parametrize(
    ("works", "said", "shown"),
    [
        ("source-specific", ("the held-out images of class 3 (coat) as class 2 (bag)", "90% of class 3 (coat)"), 1),
        (
            "all-to-all",
            (
                "the held-out images of every class as another one",
                "called another class",
                *(f"90% of class {name}" for name in ("0 (shirt)", "1 (shoe)", "2 (bag)", "3 (coat)")),
            ),
            4,
        ),
        ("perturbation", ("The perturbation has an L2 norm of 0.52.",), 3),
    ],
)
def test_a_trigger_is_shown_on_the_classes_it_is_for(works, said, shown):
    whole = report(made(works=works))
    assert not missing(whole.pages[0], *said)
    # The trigger, and each class without and with it.
    assert whole.pictures[0] == 1 + 2 * shown
    assert "source-specific: 3" in whole.text
    # A perturbation is no patch.
    assert ("It lies between" in whole.text) is (works != "perturbation")


def test_the_score_stands_beside_those_of_benign_classes_and_every_class_in_the_table(whole):
    dots = "Dots are the strongest classes of 10 benign models"
    assert not missing(whole.text, "Score 90%.", dots)
    table = whole.text[whole.text.index("All classes") :]
    assert table.index("2 (bag)") < table.index("3 (coat)") < table.index("1 (shoe)") < table.index("0 (shirt)")
    # Its patch, its perturbation, and what is for one source and for all.
    assert "90% 22% 30% 18% 0.1% flagged" in table


def test_the_method_can_be_repeated(infected, whole):
    assert not missing(
        whole.text,
        f"gather.seeds {infected.record.config['gather']['seeds']}",
        "gather.seed 0",
        "embed.seed 0",
        "embed.perplexity 30",
        "aegis 9.8.7",
        "torch 2.99",
        "epsilon 3, step 0.5, iterations 8; epsilon 100, step 3, iterations 12",
        "gather 12.50 s",
        "verdict.nulls 10 models (",
        *("Soremekun", "Udeshi", "Chattopadhyay", "Maaten", "Hinton", "Fukunaga", "Hostetler"),
    )


def test_text_from_a_checkpoint_is_text():
    names = ("<b>x</b>", "&amp;", "A" * 200, "κόσμος", "Привет", "汉字", "한국", "🐴", "</para>", '"quoted"')
    scan = made(names, (0.9, 0.1, 0.9, *[0.1] * 7))
    model = scan.record.model.model_copy(update={"file": "<script>&</script>", "architecture": "<i>"})
    whole = report(with_record(scan, model=model), reviews=[Review("<b>note</b> & κ", author="<i>")])
    assert not missing(
        whole.text,
        "<script>&</script>",
        "0 (<b>x</b>)",
        "1 (&amp;)",
        "κόσμος",
        "Привет",
        "8 (</para>)",
        "<b>note</b> & κ",
        "\N{REPLACEMENT CHARACTER}",
    )
    assert "A" * 200 in whole.text.replace(" ", "")


def test_more_classes_than_are_listed_and_three_of_them_flagged():
    names = [f"a class with the number {i}" for i in range(64)]
    scan = made(names, [0.9 if i in (3, 50, 63) else 0.1 for i in range(64)])
    whole = report(scan, findings={3: scan.findings[3]}, reviews=[Review("", {50: "confirmed"})])
    assert "2 more flagged classes have pages below" in whole.pages[0]
    assert "the 60 highest of 63" in whole.text
    table = whole.text[whole.text.index("All classes") :]
    assert all(f"{i} (a class with the number {i})" in table for i in range(64))


def test_without_the_evidence_the_numbers_remain(infected):
    whole = report(infected, findings={})
    assert "Infected" in whole.pages[0]
    assert "The picture is missing" in whole.pages[0]
    assert "scatter and images are missing" in whole.text
    assert "0 (shirt) 90%" in whole.text
    # The score among benign classes is drawn from numbers alone.
    assert (whole.pictures[0], sum(whole.pictures)) == (0, 1)


def test_without_the_images_and_with_a_record_of_another_version_it_still_comes_out(infected):
    scan = with_record(infected, config={"new": {"setting": [1, None, True]}}, created="some day")
    whole = report(scan, data=None)
    assert "benign images are not at hand" in whole.pages[0]
    assert whole.pictures[0] == 1
    assert "some day" in whole.pages[0]
    assert not missing(whole.text, "what changed cannot be shown", "new.setting 1, none, yes", "of another version")
    assert "Dots are" not in whole.text


def test_other_images_are_refused(infected):
    other = Dataset("samples:made", images(infected.data.class_names, 6, 5), infected.data.test)
    with pytest.raises(DataError, match="the images of the scan"):
        make_pdf(infected.record, infected.findings, other)
