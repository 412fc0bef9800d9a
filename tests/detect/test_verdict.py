"""Every way from findings to a verdict."""

import numpy as np
import pytest

from aegis.detect.config import VerdictConfig
from aegis.detect.verdict import conclude, describe, strongest
from aegis.types import Applicability, Clusters, Embedding, Evidence, Finding, Stamp, Transplant

NAMES = ("ant", "bee", "cat", "dog", "eel")
FIT = Applicability(0.9, (0.5, 1.0), (0.8, 0.3))
UNFIT = Applicability(0.9, (0.5, 1.0), (0.1, 0.0), ("its accuracy halves at an L2 budget of 0.28",))
PAPER = VerdictConfig(rule="paper")


def candidate(family: str, rates: list[float], label: int = 2) -> Transplant:
    keep, add = np.ones((1, 4, 4), np.float32), np.zeros((1, 4, 4), np.float32)
    add[0, :2, 0] = 1.5
    if family == "patch":
        keep[0, :2, 0] = 0
    all_rates = np.insert(np.array(rates, np.float32), label, np.nan)
    return Transplant(family, Stamp(keep, add), all_rates, np.full(5, 50), "budget 1, change cluster 1")


def finding(label: int = 2, clusters: tuple[int, ...] = (2,), transplants: tuple[Transplant, ...] = ()) -> Finding:
    budgets = tuple(float(i + 1) for i in range(len(clusters)))
    evidence = Evidence(
        label=label,
        budgets=budgets,
        seed_index=np.arange(6),
        train_index=np.arange(6),
        translated=np.zeros((len(clusters), 6, 1, 4, 4), np.uint8),
        features=np.zeros((len(clusters), 12, 3), np.float32),
        success=np.ones(len(clusters), np.float32),
        transplants=transplants,
    )
    points = np.zeros((12, 2), np.float32)
    return Finding(
        evidence,
        tuple(Embedding(points, evidence.is_translated, budget) for budget in budgets),
        tuple(Clusters(np.arange(12) % count, 1.0) for count in clusters),
        tuple(Clusters(np.where(evidence.is_translated, 0, -1), 1.0) for _ in clusters),
    )


def every_class(**about_two: object) -> list[Finding]:
    return [finding(label, **(about_two if label == 2 else {})) for label in range(5)]


def test_clean_when_no_class_of_all_is_accused():
    end = conclude(FIT, every_class(), NAMES, PAPER)
    assert end.verdict == "clean"
    assert end.sentence.startswith("Clean")
    assert [c.suspicious for c in end.classes] == [False] * 5
    assert [c.name for c in end.classes] == list(NAMES)


def test_infected_names_the_class_and_says_why():
    end = conclude(FIT, every_class(clusters=(3,)), NAMES, PAPER)
    assert end.verdict == "infected"
    assert "class 2 (cat)" in end.sentence
    assert end.classes[2].reason in end.sentence
    assert [c.suspicious for c in end.classes] == [False, False, True, False, False]


def test_infected_names_every_accused_class():
    end = conclude(FIT, [finding(1, (3,)), finding(4, (3,))], NAMES, PAPER)
    assert end.verdict == "infected"
    assert "class 1 (bee), class 4 (eel)" in end.sentence


@pytest.mark.parametrize("clusters", [(2,), (3,)])
def test_an_objection_makes_it_inconclusive_whatever_was_found(clusters):
    end = conclude(UNFIT, every_class(clusters=clusters), NAMES, PAPER)
    assert end.verdict == "inconclusive"
    assert UNFIT.objections[0] in end.sentence
    assert ("class 2 (cat)" in end.sentence) == (clusters == (3,))


def test_a_part_of_the_classes_cannot_make_it_clean():
    end = conclude(FIT, every_class()[:2], NAMES, PAPER)
    assert end.verdict == "inconclusive"
    assert "2 classes tested" in end.sentence
    assert "has 5" in end.sentence
    assert "1 class tested" in conclude(FIT, every_class()[:1], NAMES, PAPER).sentence


def test_a_part_of_the_classes_can_make_it_infected():
    assert conclude(FIT, [finding(clusters=(3,))], NAMES, PAPER).verdict == "infected"


@pytest.mark.parametrize(("clusters", "accused"), [((1,), False), ((2,), False), ((3,), True), ((2, 3), True)])
def test_the_papers_rule_accuses_above_two_clusters_at_any_budget(clusters, accused):
    (result,) = conclude(FIT, [finding(clusters=clusters)], NAMES, PAPER).classes
    assert result.suspicious is accused
    assert f"form {max(clusters)} cluster" in result.reason
    assert ("not more than the two" in result.reason) is not accused


def test_the_papers_rule_is_deaf_to_transplants():
    works = candidate("patch", [1.0, 1.0, 1.0, 1.0])
    assert not conclude(FIT, [finding(transplants=(works,))], NAMES, PAPER).classes[0].suspicious


@pytest.mark.parametrize("family", ["patch", "perturbation"])
def test_the_default_rule_accuses_above_the_threshold_of_the_family(family):
    other = "perturbation" if family == "patch" else "patch"
    rule = VerdictConfig(**{family: 0.7, other: 0.95})
    for rate, accused in ((0.71, True), (0.69, False)):
        (result,) = conclude(FIT, [finding(transplants=(candidate(family, [rate] * 4),))], NAMES, rule).classes
        assert result.suspicious is accused
        assert ("70% is enough to accuse" if accused else "70% would accuse") in result.reason
    (result,) = conclude(FIT, [finding(transplants=(candidate(other, [0.8] * 4),))], NAMES, rule).classes
    assert not result.suspicious


def test_the_default_rule_is_deaf_to_clusters():
    (result,) = conclude(FIT, [finding(clusters=(5,))], NAMES, VerdictConfig()).classes
    assert not result.suspicious
    assert result.reason == "no transplant was tried"


def test_one_stubborn_source_class_does_not_acquit_but_two_do():
    """With four source classes, three must be flipped."""
    rule = VerdictConfig(patch=0.8, share=0.75)
    one = conclude(FIT, [finding(transplants=(candidate("patch", [0.7, 0.95, 0.95, 0.95]),))], NAMES, rule)
    two = conclude(FIT, [finding(transplants=(candidate("patch", [0.1, 0.1, 0.95, 0.95]),))], NAMES, rule)
    assert one.classes[0].suspicious
    assert not two.classes[0].suspicious


def test_a_rate_without_images_says_nothing():
    rates = [0.9, 0.9, 0.9, float("nan")]
    (result,) = conclude(FIT, [finding(transplants=(candidate("patch", rates),))], NAMES, VerdictConfig()).classes
    assert result.suspicious


def test_the_strongest_is_measured_by_its_own_familys_threshold():
    patch, perturbation = candidate("patch", [0.6] * 4), candidate("perturbation", [0.7] * 4)
    rule = VerdictConfig(patch=0.5, perturbation=0.9)
    assert strongest(finding(transplants=(perturbation, patch)), rule) is patch
    equal = VerdictConfig(patch=0.8, perturbation=0.8)
    assert strongest(finding(transplants=(perturbation, patch)), equal) is perturbation
    assert strongest(finding(), rule) is None


def test_transplants_are_described_by_pixels_or_norm():
    assert describe(candidate("patch", [1.0] * 4)) == "a patch of 2 pixels"
    assert describe(candidate("perturbation", [1.0] * 4)) == "a perturbation of L2 norm 2.12"


def test_a_class_tested_twice_is_one_class():
    end = conclude(FIT, [finding(label) for label in (0, 0, 1, 2, 3)], NAMES, PAPER)
    assert end.verdict == "inconclusive"
    assert "4 classes tested" in end.sentence
