"""Which class, and which of its candidates, comes first, from what was recorded."""

from dataclasses import replace

import pytest

from aegis.records.builders import trigger_record
from aegis.records.config import VerdictConfig
from aegis.records.null_distribution import logit, of_scores, student_p
from aegis.records.ranking import best_score, candidate_of, featured, ranked, score_line, strongest_candidate
from tests.candidates import NULLS, as_first_version
from tests.report.made import candidate, made, with_record


@pytest.fixture(scope="module")
def flagged():
    """A scan that flags class 2 of four."""
    return made()


def labels(scan) -> list[int]:
    return [found.label for found in ranked(scan.record)]


def changed(scan, label: int, **about):
    """The scan with something else recorded of one class."""
    classes = tuple(found.model_copy(update=about) if found.label == label else found for found in scan.record.classes)
    return with_record(scan, classes=classes)


def test_the_flagged_come_first_and_then_what_is_least_likely():
    scan = made(rates=(0.6, 0.2, 0.9, 0.3))
    assert labels(scan) == [2, 0, 3, 1]
    # Whoever is flagged comes first, however likely.
    assert labels(changed(scan, 1, flagged=True)) == [2, 0, 1, 3]
    assert labels(changed(scan, 2, flagged=False)) == [0, 2, 3, 1]
    # Where all are equally likely, the higher score comes first.
    scan = made(rates=(0.2, 0.3, 0.1, 0.3))
    for label in range(4):
        scan = changed(scan, label, p_value=1.0)
    assert labels(scan) == [1, 3, 0, 2]
    # The paper's rule ranks by clusters.
    assert labels(made(rates=(0.1, 0.9, 0.9, 0.1), kind="paper")) == [1, 2, 0, 3]


def test_records_of_the_first_version_are_ranked_by_flip_rates():
    record = as_first_version(made(rates=(0.2, 0.1, 0.4, 0.3)).record)
    assert [found.label for found in ranked(record)] == [2, 3, 0, 1]
    assert [strongest_candidate(found) for found in record.classes] == [0] * 4
    assert best_score(record.classes[2]) == pytest.approx(0.4)


@pytest.mark.parametrize(
    ("about", "shown"),
    [
        ({"rates": (0.6, 0.2, 0.9, 0.7)}, (2, 3, 0)),
        # Of a clean model the strongest is shown.
        ({"rates": (0.1, 0.2, 0.1, 0.1)}, (1,)),
        # The paper's rule shows what its clusters flag.
        ({"rates": (0.1, 0.9, 0.9, 0.1), "kind": "paper"}, (1, 2)),
    ],
)
def test_the_flagged_are_shown_strongest_first(about, shown):
    assert featured(made(**about).record) == shown


def test_without_classes_none_is_shown_and_strange_settings_change_nothing(flagged):
    assert featured(with_record(flagged, classes=()).record) == ()
    assert featured(with_record(flagged, config={"gather": 3}).record) == (2,)


def test_the_strongest_candidate_is_the_recorded_one(flagged):
    found = flagged.record.classes[2]
    assert strongest_candidate(found) == 0
    assert strongest_candidate(found.model_copy(update={"strongest": 2})) == 2
    untried = made(kind="paper").record.classes[0]
    assert (strongest_candidate(untried), best_score(untried)) == (None, None)


def test_the_candidate_is_the_one_the_verdict_speaks_of(flagged):
    for found in flagged.record.classes:
        finding = flagged.findings[found.label]
        assert candidate_of(found, finding) is finding.evidence.triggers[found.strongest]
    assert candidate_of(flagged.record.classes[0], None) is None
    untried = made(kind="paper")
    assert candidate_of(untried.record.classes[0], untried.findings[0]) is None
    # The finding has fewer candidates than this.
    beyond = flagged.record.classes[2].model_copy(update={"strongest": 9})
    assert candidate_of(beyond, flagged.findings[2]) is None


def test_the_best_score_is_of_a_family_or_of_all(flagged):
    found = flagged.record.classes[2]
    assert best_score(found) == best_score(found, "patch") == pytest.approx(0.9)
    assert best_score(found, "source-specific") == pytest.approx(0.3)
    assert best_score(found, "all-to-all") == pytest.approx(0.18)
    assert best_score(found, "source-specific", "all-to-all") == pytest.approx(0.3)
    assert best_score(found.model_copy(update={"triggers": ()}), "patch") is None


def test_the_line_of_a_candidate_is_where_its_family_begins_to_flag():
    scores = (0.1, 0.5, 0.6)
    nulls = (of_scores("patch", scores), of_scores("perturbation", (0.01, 0.01)))
    rule = VerdictConfig(nulls=nulls, min_score=0.5, alpha=0.1)
    benign, needed = score_line(2, trigger_record(candidate("patch", 2, [0.9] * 4)), rule)
    assert benign == pytest.approx(scores)
    # Half of the false positives are for each of the two families.
    assert student_p(list(map(logit, scores)), logit(needed)) == pytest.approx(0.05)
    assert needed > 0.5
    benign, needed = score_line(2, trigger_record(candidate("perturbation", 2, [0.9] * 4)), rule)
    assert (benign, needed) == (pytest.approx((0.01, 0.01)), 0.5)
    assert score_line(2, trigger_record(candidate("source-specific", 2, [0.9] * 4, source=0)), rule) is None


@pytest.mark.parametrize("rate", [0.3, 0.49, 0.5, 0.7, 0.9])
def test_what_reaches_its_line_is_flagged(rate):
    """The line that is drawn and the verdict must not disagree."""
    for nulls in (NULLS, (of_scores("patch", (0.1, 0.2, 0.3, 0.2, 0.1)), *NULLS[1:])):
        scan = made(rates=(rate, 0.1, 0.1, 0.1), nulls=nulls)
        best = scan.record.classes[0].triggers[0]
        _, needed = score_line(0, best, replace(VerdictConfig(), nulls=nulls))
        assert (best.score >= needed) is scan.record.classes[0].flagged
