"""What a report says of a candidate."""

import pytest

from aegis.records.builders import trigger_record
from aegis.report.evidence import explain_candidate
from tests.report.made import candidate

NAMES = ("shirt", "<shoe>", "bag", "coat")


@pytest.mark.parametrize(
    ("family", "about", "said"),
    [
        ("patch", {}, "of other classes as class 2 (bag), on average over these classes. It was tried on 600 images"),
        ("source-specific", {"source": 1}, "of class 1 (&lt;shoe&gt;) as class 2 (bag). It was tried on 200 images"),
        ("all-to-all", {}, "of every class as another one, the same for each class; class 2 (bag) is among them."),
    ],
)
def test_what_a_candidate_did_is_told_by_whom_it_is_for(infected, family, about, said):
    found = infected.record.classes[2]
    best = trigger_record(candidate(family, 2, [0.9] * 4, **about))
    whole = f"With a patch on them, the model classifies <b>90% of</b> the held-out images {said}"
    assert explain_candidate(found, best, NAMES).startswith(whole)
