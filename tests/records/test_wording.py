"""What was measured, as verdicts and reports word it."""

from dataclasses import replace

import pytest

from aegis.core.types import Applicability, Stamp
from aegis.detect.embed import EMBEDDERS
from aegis.detect.verdict import conclude
from aegis.records.builders import trigger_record
from aegis.records.config import VerdictConfig
from aegis.records.null_distribution import NullDistribution
from aegis.records.wording import METHODS, describe, describe_smallest, describe_whole, explain_score, robust_up_to
from tests.detect.findings import FIT, NAMES, candidate, finding, judged, with_null


def test_a_weak_spot_is_named_where_an_benign_class_has_one():
    found = judged(candidate("patch", [0.1, 0.2, 0.8, 0.1]), candidate("perturbation", [0.6, 0.0, 0.1, 0.1]))
    assert not found.flagged
    assert "its strongest candidate, a patch of 2 pixels" in found.reason
    assert found.reason.endswith("Weak spot: up to 80% of class 3 (dog) fall into class 2 (cat)")
    usual = with_null("patch", 0.1, 0.2, 0.3, 0.4)
    (found,) = conclude(FIT, [finding(triggers=(candidate("patch", [0.1, 0.2, 0.8, 0.1]),))], NAMES, usual).classes
    assert found.record.reason.endswith("fall into class 2 (cat), which is no rarer in benign models")
    assert "Weak spot" not in judged(candidate("patch", [0.1, 0.2, 0.49, 0.1])).reason
    assert "Weak spot" not in judged(candidate("all-to-all", [0.9, 0.1, 0.1, 0.1, 0.1])).reason
    assert "Weak spot" not in judged(candidate("patch", [0.9] * 4)).reason


def test_the_smallest_part_is_told_with_what_it_does_itself():
    whole = candidate("patch", [1.0] * 4)
    keep = whole.stamp.keep.copy()
    keep[0, 1, 0] = 1
    found = judged(replace(whole, smallest=Stamp(keep, whole.stamp.add * (1 - keep)), smallest_rate=0.93))
    assert found.reason.startswith("a patch turns all held-out images")
    assert "its smallest part that does nearly as much, a patch of 1 pixel, turns 93% on average" in found.reason


def test_a_score_is_told_beside_those_of_benign_classes():
    null = NullDistribution(family="patch", maxima=(0.1, 0.2, 0.3))
    said = explain_score(0.96, null, 0.5, 0.001, VerdictConfig(source_quantile=0.8))
    assert said.startswith("Score 96%: what 80% of the classes it is for reach in each half of their images.")
    assert "the strongest benign classes of 3 calibration models; from 50% on a class is flagged" in said
    assert said.endswith("At most 0.1% of benign models have a class like this one.")


def test_every_embedding_has_a_name():
    assert METHODS.keys() == EMBEDDERS.keys()


def test_transplants_are_described_by_what_is_left_of_them():
    whole = candidate("patch", [1.0] * 4)
    keep = whole.stamp.keep.copy()
    keep[0, 1, 0] = 1
    one = Stamp(keep, whole.stamp.add * (1 - keep))
    assert describe(trigger_record(whole)) == "a patch of 2 pixels"
    assert describe(trigger_record(replace(whole, smallest=one))) == "a patch of 1 pixel"
    assert describe(trigger_record(candidate("perturbation", [1.0] * 4))) == "a perturbation of L2 norm 2.12"
    for family in ("source-specific", "all-to-all"):
        assert describe(trigger_record(candidate(family, [1.0] * 4))) == "a patch of 2 pixels"


def test_the_whole_and_its_smallest_part_are_told_apart():
    whole = trigger_record(candidate("perturbation", [1.0] * 4))
    assert describe_whole(whole) == "a perturbation of L2 norm 2.12"
    assert describe_smallest(whole) == ""
    pruned = whole.model_copy(update={"smallest_rate": 0.876})
    assert describe_whole(pruned) == "a small perturbation"
    assert describe_smallest(pruned).endswith("a perturbation of L2 norm 2.12, turns 88% on average")


@pytest.mark.parametrize(("robust", "said"), [((0.8, 0.3), "0.85"), ((0.8, 0.46), "more than 1"), ((0.2, 0.1), "0.32")])
def test_where_accuracy_never_halved_that_is_said(robust, said):
    assert robust_up_to(Applicability(0.9, (0.5, 1.0), robust)) == said
