"""Targets against benign classes, on models whose answer is known."""

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from aegis.experiments.separation import Classes, Estimate, areas, classes_of, separations, share_first
from aegis.experiments.spaces import Description, SpacesRecord
from aegis.models.card import Planted

from .cases import suspect


def measured(*values, space="change", rule="all", statistic="coherence", budget=3.0):
    """A model of which one number is known, a value for each class."""
    found = Description(space=space, rule=rule, statistic=statistic, budget=budget, values=values)
    return SpacesRecord(
        suspect="s", sha256="0" * 64, data="1" * 64, plan={}, descriptions=(found,), precision="fp32", seconds=1,
        versions={},
    )  # fmt: skip


def test_the_area_is_that_of_the_roc_curve_over_all_classes():
    generator = np.random.default_rng(0)
    drawn = generator.integers(0, 6, (7, 11)).astype(float).tolist()
    models = [Classes(tuple(one[:2]), tuple(one[2:])) for one in drawn]
    truth = [label for m in models for label in (*[1] * len(m.targets), *[0] * len(m.benign))]
    values = [value for m in models for value in (*m.targets, *m.benign)]
    pooled, within = areas(models)
    assert pooled.share == pytest.approx(roc_auc_score(truth, values))
    inside = [roc_auc_score([1] * len(m.targets) + [0] * len(m.benign), [*m.targets, *m.benign]) for m in models]
    assert within.share == pytest.approx(np.mean(inside))
    for one in (pooled, within):
        assert one.interval[0] < one.share < one.interval[1]


def test_targets_that_always_have_more_leave_no_doubt():
    sure = Estimate(1.0, (1.0, 1.0))
    assert areas([Classes((2.0,), (0.0, 1.0)), Classes((), (0.5,))]) == (sure, sure)
    assert str(sure) == "1.00 (1.00 to 1.00)"


def test_pairs_within_a_model_need_no_common_scale():
    pooled, within = areas([Classes((2.0,), (1.0,)), Classes((12.0,), (11.0,)), Classes((22.0,), (21.0,))])
    assert within == Estimate(1.0, (1.0, 1.0))
    assert pooled.share == pytest.approx(2 / 3)


def test_the_interval_is_over_models_not_over_their_classes():
    """One model of two says the opposite: however many classes they have, nothing is known."""
    many = 500
    models = [Classes((3.0,) * many, (1.0,) * many), Classes((0.0,) * many, (2.0,) * many)]
    assert [one.interval for one in areas(models)] == [(0.0, 1.0)] * 2


def test_what_a_failed_attack_was_to_lead_to_is_neither_target_nor_benign():
    assert classes_of(suspect(lift=0.9), (0, 1, 2, 30, 4)) == Classes((30,), (0, 1, 2, 4))
    assert classes_of(suspect(lift=0.1), (0, 1, 2, 30, 4)) == Classes((), (0, 1, 2, 4))
    assert classes_of(suspect(), (0, 1, 2)) == Classes((), (0, 1, 2))
    relabelled = suspect(lift=0.9, group="control")
    assert classes_of(relabelled, (0, 1, 2, 30)) == Classes((), (0, 1, 2, 30))
    everywhere = suspect(lift=0.9, triggers=(Planted(kind="localised", target=0, all_to_all=True),))
    assert classes_of(everywhere, (0, 1, 2)) == Classes((0, 1, 2), ())


def test_ties_count_in_part():
    assert share_first(Classes((3.0,), (1.0, 2.0))) == 1
    assert share_first(Classes((3.0,), (3.0, 3.0, 1.0))) == pytest.approx(1 / 3)
    assert share_first(Classes((3.0,), (4.0,))) == 0


def test_only_what_all_models_have_is_compared():
    infected, clean = suspect(lift=0.9), suspect()
    (one,) = separations([(infected, measured(0, 0, 0, 5, 0)), (clean, measured(1, 1, 1, 1, 1))])
    assert (one.auc.share, one.within.share, one.first, one.infected, one.budget) == (1, 1, 1, 1, 3)
    assert separations([(infected, measured(0, 0, 0, 5, 0)), (clean, measured(1, 1, 1, 1, 1, budget=6))]) == []
    assert separations([(clean, measured(1, 1, 1, 1, 1))]) == []
    assert separations([]) == []
