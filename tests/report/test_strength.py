"""Which class and which candidate a report shows, and what it says of them."""

import pytest

from aegis.detect.record import transplant_record
from aegis.report.strength import candidate_of, did, featured
from tests.report.made import candidate, made, with_record

NAMES = ("shirt", "<shoe>", "bag", "coat")


def test_the_accused_are_shown_strongest_first():
    assert featured(made(rates=(0.6, 0.2, 0.9, 0.7)).record) == (2, 3, 0)


def test_of_a_clean_model_the_strongest_is_shown(clean):
    assert featured(clean.record) == (1,)


def test_the_papers_rule_shows_what_its_clusters_accuse():
    assert featured(made(rates=(0.1, 0.9, 0.9, 0.1), kind="paper").record) == (1, 2)


def test_without_classes_none_is_shown(clean):
    assert featured(with_record(clean, classes=()).record) == ()


def test_strange_settings_change_nothing(infected):
    assert featured(with_record(infected, config={"gather": 3}).record) == (2,)


def test_the_candidate_is_the_one_the_verdict_speaks_of(infected):
    for found in infected.record.classes:
        finding = infected.findings[found.label]
        assert candidate_of(found, finding) is finding.evidence.transplants[found.strongest]
    assert candidate_of(infected.record.classes[0], None) is None
    untried = made(kind="paper")
    assert candidate_of(untried.record.classes[0], untried.findings[0]) is None


def test_a_finding_with_fewer_candidates_than_the_record_has_none(infected):
    found = infected.record.classes[2].model_copy(update={"strongest": 9})
    assert candidate_of(found, infected.findings[2]) is None


@pytest.mark.parametrize(
    ("family", "about", "said"),
    [
        ("patch", {}, "A patch of 4 pixels, put on 600 images of other classes that the search never saw, makes the "
                      "model call <b>90%</b> of them class 2 (bag), on average over their classes."),
        ("one source", {"source": 1}, "A patch of 4 pixels, put on 200 images of class 1 (&lt;shoe&gt;) that the "
                                      "search never saw, makes the model call <b>90%</b> of them class 2 (bag)."),
        ("all to all", {}, "A patch of 4 pixels, put on 800 images of every class that the search never saw, makes "
                           "the model call <b>90%</b> of them another class"),
    ],
)  # fmt: skip
def test_what_a_candidate_did_is_told_by_whom_it_is_for(infected, family, about, said):
    found = infected.record.classes[2]
    best = transplant_record(candidate(family, 2, [0.9] * 4, **about))
    assert did(found, best, NAMES).startswith(said)
