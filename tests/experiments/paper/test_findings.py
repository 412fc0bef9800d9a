"""Findings of the paper beside ours, on records made up."""

import pytest

from aegis.experiments.detection_rates import Rate
from aegis.experiments.paper.finding import Claim, compare
from aegis.experiments.paper.findings_attacks import findings as about_attacks
from aegis.experiments.paper.findings_detection import FINDS, MISSES, comparison, effectiveness, efficiency, sensitivity
from aegis.experiments.paper.models import BACKDOORS, DATA, ROBUST, VISIBLE, name_of
from aegis.experiments.paper.table7 import Sensitivity
from aegis.records.detectors import DetectorRecord
from tests.experiments.cases import said, suspect

STRENGTH = {"localised": 0.9, "distributed": 0.8, "static": 0.3, "adversarial": 0.1}


def models():
    """All thirty; standard models are easier to attack, and infected ones less accurate."""
    found = {}
    for robust in (True, False):
        for data, trigger in ROBUST:
            lift = None if trigger == "clean" else STRENGTH[trigger] + (0 if robust else 0.05)
            name = name_of(robust, data, trigger)
            found[name] = suspect(name, lift, accuracy=0.9 if trigger == "clean" else 0.81)
    return found


def by_claim(found):
    return {one.claim: one for one in found}


def test_a_rate_points_the_same_way_on_the_same_side_of_one_half():
    claim = Claim(question="RQ2", claim="found", hits=11, number=12)
    most, few = claim.beside("x", Rate(7, 12), "why"), claim.beside("x", Rate(1, 12), "why")
    assert (most.same, most.agrees, most.reason) == (True, False, "why")
    assert (few.same, few.agrees) == (False, False)
    all_of_them = claim.beside("x", Rate(12, 12), "why")
    assert (all_of_them.same, all_of_them.agrees, all_of_them.reason) == (True, True, "")
    nothing = claim.beside("x", Rate(0, 0), "why")
    assert (nothing.same, nothing.agrees, nothing.ours, nothing.rate) == (None, None, "", None)


def test_a_comparison_counts_pairs_and_compares_means():
    found = compare("RQ1", "more", (2, 1), ([0.9, 0.1], [0.2, 0.3]))
    assert (found.rate, found.same, found.agrees) == (Rate(1, 2), True, None)
    assert found.paper == "2.0% against 1.0% (+100.0%)"
    assert found.ours == "50.0% against 25.0% (+100.0%)"
    assert not compare("RQ1", "more", (2, 1), ([0.1], [0.2])).same
    assert compare("RQ1", "more", (2, 1), ([], [])).same is None


def test_findings_about_attacks():
    found = by_claim(about_attacks(models()))
    susceptible = found["robust models are highly susceptible to backdoor attacks"]
    # The adversarial triggers fail in all three data sets.
    assert (susceptible.rate, susceptible.same, susceptible.ours) == (Rate(9, 12), True, "52.5%")
    assert found["attacks succeed more on standard than on robust models"].rate == Rate(12, 12)
    accurate = found["infected robust models stay accurate"]
    assert accurate.ours == "81.0% after 90.0% (-10.0%; visible -10.0%, invisible -10.0%)"
    assert accurate.rate == Rate(12, 12)
    assert not found["distributed triggers succeed more than localised ones"].same
    assert not found["adversarial triggers succeed more than static ones"].same
    assert found["visible triggers succeed more than invisible ones"].rate == Rate(3, 3)


def test_a_finding_is_open_where_a_model_is_missing():
    known = models()
    del known[name_of(True, "mnist", "static")]
    found = by_claim(about_attacks(known))
    assert found["robust models are highly susceptible to backdoor attacks"].same is None
    assert found["infected robust models stay accurate"].same is None
    assert found["distributed triggers succeed more than localised ones"].same is False
    assert len(found) == len(about_attacks({})) == 9


def test_the_first_seed_of_a_model_counts_once():
    scans = {(data, trigger): [said("infected", 7), said("clean")] for data in DATA for trigger in VISIBLE}
    scans["mnist", "localised"] = [said("infected", 7, 3)]
    scans["cifar10", "localised"] = [said("inconclusive", 7)]
    found = by_claim(effectiveness(scans, "preset", "why"))
    assert found["models with visible triggers are detected"].rate == Rate(5, 6)
    assert found["targets of visible triggers are named"].rate == Rate(5, 6)
    assert "clean models are not called infected" not in found
    scans = {("mnist", "clean"): [said("infected", 2)], ("cifar10", "static"): [said("infected", 2, 3)]}
    found = by_claim(effectiveness(scans, "preset", "why"))
    assert found["clean models are not called infected"].rate == Rate(0, 1)
    assert found["benign classes are not flagged (invisible triggers)"].rate == Rate(7, 9)
    assert found["targets of invisible triggers are named"].rate == Rate(0, 1)
    # Without any scan every claim is open.
    assert {one.same for one in effectiveness({}, "preset", "why")} == {None}


def flags(*labels):
    return DetectorRecord.model_construct(flagged_classes=labels)


def test_neural_cleanse_is_counted_apart_on_standard_and_robust_models():
    outcomes = {"nc": {"mnist_localised": flags(), "cifar10_localised": flags(7), "mnist_localised_standard": flags(7)}}
    found = by_claim(comparison(outcomes))
    assert (found[FINDS].rate, found[FINDS].same) == (Rate(1, 1), True)
    assert (found[MISSES].rate, found[MISSES].same) == (Rate(1, 2), False)


def test_sensitivity_and_time():
    found = sensitivity({"epsilon": Sensitivity(18, 18, 0)}, Sensitivity(10, 2, 0))
    assert [(one.by, one.same) for one in found] == [
        ("preset paper", True),
        ("preset paper", None),
        ("preset paper", None),
        ("preset paper", None),
        ("preset default", False),
    ]
    scan = said("clean").model_copy(update={"seconds": {"assess": 60.0, "classes": 240.0}})
    quick = efficiency({("mnist", trigger): [scan] for trigger in (*BACKDOORS, "clean")})
    assert quick.same
    assert quick.ours.startswith("5.0 to 5.0 minutes (4 models")
    assert efficiency({}).same is None


@pytest.mark.parametrize("trigger", BACKDOORS)
def test_paper_numbers_of_the_claims_are_those_of_its_tables(trigger):
    from aegis.experiments.paper.models import TRIGGERS
    from aegis.experiments.paper.table5 import PUBLISHED

    cells = [PUBLISHED[True, data][TRIGGERS.index(trigger)].success for data in DATA]
    stated = {"localised": 92.93, "distributed": 99.87, "static": 30.65, "adversarial": 47.86}
    assert sum(cells) / 3 == pytest.approx(stated[trigger], abs=0.01)
