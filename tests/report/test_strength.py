"""Which class and which candidate a report shows."""

import pytest

from aegis.detect.config import VerdictConfig
from aegis.detect.verdict import strongest
from aegis.report.strength import candidate_of, featured, ranked, reached, settings, strongest_candidate
from tests.report.made import candidate, made, with_record


def test_the_accused_are_shown_strongest_first():
    scan = made(rates=(0.6, 0.2, 0.9, 0.7))
    assert featured(scan.record) == (2, 3, 0)
    assert [found.label for found in ranked(scan.record)] == [2, 3, 0, 1]


def test_of_a_clean_model_the_strongest_is_shown(clean):
    assert featured(clean.record) == (1,)


def test_the_papers_rule_ranks_by_clusters():
    scan = made(rates=(0.1, 0.9, 0.9, 0.1), kind="paper")
    assert featured(scan.record) == (1, 2)
    assert strongest_candidate(scan.record.classes[1], scan.record) is None


def test_the_candidate_is_the_one_the_verdict_speaks_of(infected):
    for found in infected.record.classes:
        finding = infected.findings[found.label]
        assert candidate_of(found, infected.record, finding) is strongest(finding, VerdictConfig())
    assert candidate_of(infected.record.classes[0], infected.record, None) is None


def test_the_rate_that_most_classes_reach():
    from aegis.detect.record import transplant_record

    rates = [0.0, 0.2, 0.4, 0.6, 0.8]
    made_up = candidate("patch", 0, rates)
    assert reached(transplant_record(made_up), 0.75) == pytest.approx(made_up.quantile(0.25), abs=1e-4)


def test_strange_settings_are_no_settings(infected):
    assert settings(infected.record) is not None
    strange = with_record(infected, config={"gather": 3})
    assert settings(strange.record) is None
    assert featured(strange.record) == (2,)
