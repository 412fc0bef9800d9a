"""What a report says of a candidate."""

import pytest

from aegis.records.builders import trigger_record
from aegis.report.evidence import explain_candidate
from tests.report.made import candidate

NAMES = ("shirt", "<shoe>", "bag", "coat")


@pytest.mark.parametrize(
    ("family", "about", "said"),
    [
        ("patch", {}, "A patch of 4 pixels, put on 600 images of other classes that the search never saw, makes the "
                      "model call <b>90%</b> of them class 2 (bag), on average over their classes."),
        ("source-specific", {"source": 1}, "A patch of 4 pixels, put on 200 images of class 1 (&lt;shoe&gt;) that the "
                                      "search never saw, makes the model call <b>90%</b> of them class 2 (bag)."),
        ("all-to-all", {}, "A patch of 4 pixels, put on 800 images of every class that the search never saw, makes "
                           "the model call <b>90%</b> of them another class"),
    ],
)  # fmt: skip
def test_what_a_candidate_did_is_told_by_whom_it_is_for(infected, family, about, said):
    found = infected.record.classes[2]
    best = trigger_record(candidate(family, 2, [0.9] * 4, **about))
    assert explain_candidate(found, best, NAMES).startswith(said)
