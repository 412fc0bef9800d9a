"""Every way from findings to a verdict."""

from dataclasses import replace

import numpy as np
import pytest

from aegis.core.types import FAMILIES, Applicability, Finding
from aegis.detect.verdict import conclude, judge_again, objections
from aegis.records.config import VerdictConfig
from tests import stored
from tests.candidates import NULLS
from tests.detect.findings import FIT, NAMES, RULE, candidate, finding, judged, with_null

UNFIT = Applicability(0.9, (0.5, 1.0), (0.1, 0.0))
PAPER = VerdictConfig(rule="paper")
# Benign classes reach so much with a patch that hardly anything is rare.
COMMON = with_null("patch", 0.6, 0.7, 0.8, 0.9)
RARER = with_null("patch", 0.1, 0.2, 0.3, 0.2, 0.1)


def every_class(**about_two: object) -> list[Finding]:
    return [finding(label, **(about_two if label == 2 else {})) for label in range(5)]


def flagged(end) -> list[bool]:
    return [one.record.flagged for one in end.classes]


def test_clean_when_no_class_of_all_is_flagged():
    end = conclude(FIT, every_class(), NAMES, PAPER)
    assert end.verdict == "clean"
    assert end.sentence.startswith("Clean")
    assert flagged(end) == [False] * 5
    assert [one.record.name for one in end.classes] == list(NAMES)


def test_infected_names_every_flagged_class_and_the_strongest_reason():
    end = conclude(FIT, every_class(clusters=(3,)), NAMES, PAPER)
    assert (end.verdict, flagged(end)) == ("infected", [False, False, True, False, False])
    assert "class 2 (cat)" in end.sentence
    weak, strong = candidate("patch", [0.6] * 4, label=1), candidate("patch", [0.9] * 4, label=4)
    end = conclude(FIT, [finding(1, triggers=(weak,)), finding(4, triggers=(strong,))], NAMES, RULE)
    assert end.verdict == "infected"
    assert "class 1 (bee), class 4 (eel)" in end.sentence
    assert f"For class 4, {end.classes[1].record.reason}" in end.sentence
    assert end.classes[0].record.reason not in end.sentence


@pytest.mark.parametrize("clusters", [(2,), (3,)])
def test_an_objection_makes_it_inconclusive_whatever_was_found(clusters):
    end = conclude(UNFIT, every_class(clusters=clusters), NAMES, PAPER)
    assert end.verdict == "inconclusive"
    assert "halves at an L2 radius of 0.28" in end.sentence
    assert ("class 2 (cat)" in end.sentence) == (clusters == (3,))


@pytest.mark.parametrize(
    ("demands", "objected"),
    [
        ({"min_accuracy": 0.9}, []),
        ({"min_accuracy": 0.91}, ["accuracy on these images is 90.0%"]),
        # Half of 0.9 lies seven tenths of the way between the rungs.
        ({"min_half_radius": 0.85}, []),
        ({"min_half_radius": 0.86}, ["halves at an L2 radius of 0.85"]),
        ({"min_accuracy": 0.91, "min_half_radius": 0.86}, ["accuracy on these", "halves at"]),
    ],
)
def test_a_model_must_be_accurate_and_robust_enough(demands, objected):
    said = objections(FIT, VerdictConfig(**demands))
    assert len(said) == len(objected)
    for words, objection in zip(objected, said, strict=True):
        assert words in objection


def weak_towards(label: int) -> Applicability:
    """Attacks end in one class from the first rung on, and in the next class beyond it."""
    confusion = np.zeros((2, 5, 5), np.int64)
    confusion[0, :, label], confusion[1] = 9, 10 * np.roll(np.eye(5, dtype=np.int64), 1, axis=1)
    np.fill_diagonal(confusion[0], 1)
    confusion[0, label, label] = 10
    return Applicability(0.9, (0.5, 1.0), (14 / 50, 0.0), confusion)


def test_only_attacks_that_end_in_the_class_of_a_working_backdoor_are_no_lack_of_robustness():
    works, measured = finding(triggers=(candidate("patch", [0.9] * 4),)), weak_towards(2)
    assert measured.half_radius < RULE.min_half_radius < measured.half_radii_excluding_target[2]
    assert conclude(measured, [works], NAMES, RULE).verdict == "infected"
    assert conclude(measured, every_class(), NAMES, RULE).verdict == "inconclusive"
    end = conclude(weak_towards(3), [works], NAMES, RULE)
    assert end.verdict == "inconclusive"
    assert "points at class 2 (cat)" in end.sentence


def test_a_part_of_the_classes_cannot_make_it_clean_but_infected():
    # A class tested twice is one class.
    for labels, said in (((0, 1), "2 classes tested"), ((0,), "1 class tested"), ((0, 0, 1, 2, 3), "4 classes tested")):
        end = conclude(FIT, [finding(label) for label in labels], NAMES, PAPER)
        assert end.verdict == "inconclusive"
        assert said in end.sentence
        assert "has 5" in end.sentence
    assert conclude(FIT, [finding(clusters=(3,))], NAMES, PAPER).verdict == "infected"


@pytest.mark.parametrize(("clusters", "flagged"), [((1,), False), ((2,), False), ((3,), True), ((2, 3), True)])
def test_the_papers_rule_flags_above_two_clusters_at_any_budget(clusters, flagged):
    found = conclude(FIT, [finding(clusters=clusters)], NAMES, PAPER).classes[0].record
    assert found.flagged is flagged
    assert f"form {max(clusters)} cluster" in found.reason
    assert (found.p_value, found.strongest) == (None, None)


def test_each_rule_is_deaf_to_what_the_other_hears():
    assert not judged(candidate("patch", [1.0] * 4), rule=PAPER).flagged
    found = conclude(FIT, [finding(clusters=(5,))], NAMES, RULE).classes[0].record
    assert not found.flagged
    assert found.reason == "no candidate trigger was tried"
    assert (found.p_value, found.strongest) == (None, None)


@pytest.mark.parametrize("family", ["patch", "perturbation"])
def test_what_is_rare_and_strong_is_flagged(family):
    found = judged(candidate(family, [0.9, 0.92, 0.94, 0.96]))
    assert found.flagged
    # Rarer is no claim that a few dozen models allow.
    assert found.p_value == 0.001
    assert found.triggers[0].score == pytest.approx(0.915)
    assert found.triggers[0].flip_rate == pytest.approx(0.93)


def test_what_is_strong_but_not_rare_or_rare_but_weak_is_not_flagged():
    strong, weak = judged(candidate("patch", [0.9] * 4), rule=COMMON), judged(candidate("patch", [0.4] * 4))
    assert not strong.flagged
    assert not weak.flagged
    assert weak.p_value < 0.01 < 0.1 < strong.p_value
    # The least that is asked for is enough.
    assert [judged(candidate("patch", [rate] * 4)).flagged for rate in (0.49, 0.5)] == [False, True]


def test_how_rare_is_rare_enough_is_a_setting():
    common = with_null("patch", 0.3, 0.4, 0.5)
    found = judged(candidate("patch", [0.9] * 4), rule=common)
    assert not found.flagged
    bolder = replace(common, alpha=found.p_value * 1.01)
    assert judged(candidate("patch", [0.9] * 4), rule=bolder).flagged


def test_each_family_is_measured_by_its_own_benign_classes():
    rule = with_null("perturbation", 0.6, 0.7, 0.8, 0.9)
    assert judged(candidate("patch", [0.8] * 4), rule=rule).flagged
    assert not judged(candidate("perturbation", [0.8] * 4), rule=rule).flagged
    # One without a null flags nobody.
    found = judged(candidate("perturbation", [1.0] * 4), rule=replace(RULE, nulls=NULLS[:1]))
    assert (found.flagged, found.p_value) == (False, 1)


def test_of_several_that_flag_the_one_that_does_most_is_shown():
    patch, rarer = candidate("patch", [0.95] * 4), candidate("perturbation", [0.8] * 4)
    assert judged(rarer, rule=RARER).p_value < judged(patch, rule=RARER).p_value < RARER.alpha
    found = judged(rarer, patch, rule=RARER)
    assert (found.flagged, found.strongest) == (True, 1)
    assert found.p_value == judged(patch, rule=RARER).p_value


def test_what_is_common_does_not_hide_what_is_rare():
    patch, perturbation = candidate("patch", [0.9] * 4), candidate("perturbation", [0.7] * 4)
    found = judged(patch, perturbation, rule=COMMON)
    assert [one.score for one in found.triggers] == pytest.approx([0.9, 0.7])
    assert (found.flagged, found.strongest) == (True, 1)
    # Of those that do not flag, the least likely is shown.
    found = judged(patch, candidate("perturbation", [0.2] * 4), rule=COMMON)
    assert (found.flagged, found.strongest) == (False, 1)
    # Where nothing tells them apart, the higher rate is spoken of.
    none = replace(RULE, nulls=())
    assert judged(perturbation, patch, rule=none).strongest == 1
    weaker, stronger = candidate("patch", [0.5, 0.5, 0.5, 0.6]), candidate("patch", [0.5, 0.5, 0.5, 0.9])
    assert judged(weaker, stronger, rule=none).strongest == 1


def test_what_is_rarer_but_too_weak_does_not_hide_what_is_strong_enough():
    strong, rarer = candidate("patch", [0.95] * 4), candidate("perturbation", [0.3] * 4)
    assert judged(rarer, rule=RARER).p_value < judged(strong, rule=RARER).p_value
    found = judged(strong, rarer, rule=RARER)
    assert (found.flagged, found.strongest) == (True, 0)


@pytest.mark.parametrize(
    ("rates", "share", "flagged"),
    # With four source classes, three must be flipped; a class without images says nothing.
    [
        ([0.1, 0.95, 0.95, 0.95], 0.75, True),
        ([0.1, 0.1, 0.95, 0.95], 0.75, False),
        ([0.1, 0.95, 0.95, 0.95], 1.0, False),
        ([0.9, 0.9, 0.9, float("nan")], 0.75, True),
    ],
)
def test_one_stubborn_source_class_does_not_acquit_but_two_do(rates, share, flagged):
    assert judged(candidate("patch", rates), rule=replace(RULE, source_quantile=share)).flagged is flagged


def test_every_fold_must_show_it():
    lucky = candidate("patch", [0.9] * 4)
    confusion = lucky.confusion.copy()
    confusion[1, :, :] = 100 * np.eye(5, dtype=np.int64)
    assert judged(lucky).flagged
    assert not judged(replace(lucky, confusion=confusion)).flagged


def test_a_backdoor_that_leads_every_class_to_another_flags_each():
    tried = [finding(label, triggers=(candidate("all-to-all", [0.9] * 5, label),)) for label in range(5)]
    end = conclude(FIT, tried, NAMES, RULE)
    assert (end.verdict, flagged(end)) == ("infected", [True] * 5)


def test_a_trigger_for_all_classes_is_told_before_one_for_a_single_class():
    everyone, alone = candidate("patch", [0.9] * 4), candidate("source-specific", [0, 1.0, 0, 0], source=1)
    found = judged(alone, everyone)
    assert (found.flagged, found.strongest) == (True, 1)
    # Where only the one for a single class is rare enough, that is told, with its class.
    found = judged(alone, candidate("patch", [0.3] * 4))
    assert (found.flagged, found.strongest, found.triggers[0].source) == (True, 0, 1)


@pytest.mark.parametrize("rate", [None, 0.0, 1.0])
def test_a_few_images_prove_nothing_and_neither_does_no_trigger(rate):
    tried = [() if rate is None else (candidate("patch", [rate] * 4, k, images=8),) for k in range(5)]
    found = [finding(k, triggers=triggers) for k, triggers in enumerate(tried)]
    assert conclude(FIT, found, NAMES, RULE).verdict == "inconclusive"


def test_what_is_strong_but_tried_on_a_few_images_is_not_flagged():
    assert [judged(candidate("patch", [1.0] * 4, images=n)).flagged for n in (8, 10)] == [False, True]


def scan_of(measured: Applicability, findings: list[Finding], rule: VerdictConfig):
    """The record of a scan of these classes."""
    end, plain = conclude(measured, findings, NAMES, rule), stored.record()
    numbers = ("accuracy", "half_radius", "half_radii_excluding_target")
    return plain.model_copy(
        update={
            "verdict": end.verdict,
            "sentence": end.sentence,
            "flagged_classes": tuple(one.record.label for one in end.classes if one.record.flagged),
            "classes": tuple(one.record for one in end.classes),
            "model": plain.model.model_copy(update={name: getattr(measured, name) for name in numbers}),
            "data": plain.data.model_copy(update={"class_names": NAMES}),
        }
    )


def test_a_scan_is_judged_again_as_it_was_judged_at_first():
    tried = tuple(
        candidate(family, [0.8] * 4, source=1 if family == "source-specific" else None) for family in FAMILIES
    )
    for measured in (FIT, UNFIT, weak_towards(2)):
        for first, second in ((RULE, COMMON), (COMMON, RULE), (RULE, PAPER), (PAPER, RULE)):
            findings = every_class(triggers=tried, clusters=(3,))
            again = judge_again(scan_of(measured, findings, first), second)
            assert again == scan_of(measured, findings, second)


def test_a_scan_is_acquitted_where_its_score_is_no_longer_rare():
    findings = [finding(k, triggers=(candidate("patch", [0.9 * (k == 2)] * 4, k),)) for k in range(5)]
    scan = scan_of(FIT, findings, RULE)
    assert (scan.verdict, scan.flagged_classes) == ("infected", (2,))
    again = judge_again(scan, COMMON)
    assert (again.verdict, again.flagged_classes) == ("clean", ())
    assert again.sentence.startswith("Clean")
