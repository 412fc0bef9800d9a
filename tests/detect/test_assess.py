"""Accuracy and the ladder of budgets on a linear model whose margin is known."""

import pytest

from aegis.core.errors import DataError
from aegis.core.runtime import Cancelled
from aegis.detect.assess import assess
from aegis.detect.verdict import objections
from aegis.records.config import AssessConfig, VerdictConfig
from tests.detect.linear import dataset_at, images_at, linear_model


def test_a_model_near_chance_is_refused_with_advice():
    with pytest.raises(DataError, match="order of its classes"):
        assess(linear_model(sign=-1.0), dataset_at(1.5), AssessConfig())


def test_a_model_without_robustness_is_objected_to():
    found = assess(linear_model(), dataset_at(0.1), AssessConfig())
    assert found.accuracy == 1
    assert found.robust_accuracies == (0, 0, 0, 0, 0)
    assert found.half_radius == pytest.approx(0.125)
    (objection,) = objections(found, VerdictConfig())
    assert "not adversarially robust" in objection


def test_a_robust_model_is_not_objected_to():
    told = []
    found = assess(linear_model(), dataset_at(1.5), AssessConfig(), report=told.append)
    assert found.epsilons == AssessConfig().epsilons
    assert found.robust_accuracies == (1, 1, 1, 0, 0)
    assert found.half_radius == pytest.approx(1.5)
    assert objections(found, VerdictConfig()) == ()
    # Each is told as soon as it is measured, beginning with no attack.
    rungs = [event.robust for event in told if event.robust]
    assert rungs[0] == (0, 1)
    assert sorted(rungs[1:]) == list(zip(found.epsilons, found.robust_accuracies, strict=True))
    assert all(event.step / event.total < 1 for event in told[:-1])

    # Of twenty images half are of each class, and an attack that succeeds ends in the other one.
    assert found.confusion[2:4].tolist() == [[[10, 0], [0, 10]], [[0, 10], [10, 0]]]


@pytest.mark.parametrize(("count", "kept"), [(5, 5), (20, 20), (100, 20)])
def test_images_are_spread_over_all(count, kept):
    images = images_at(1.0, 20)
    chosen = images.spread(count)
    assert len(chosen) == kept
    assert chosen.labels[0] == images.labels[0]
    assert chosen.labels[-1] == images.labels[-1]


def test_the_ladder_can_be_cancelled():
    def cancel(event):
        assert event.stage == "assess"
        raise Cancelled

    with pytest.raises(Cancelled):
        assess(linear_model(), dataset_at(1.5), AssessConfig(), report=cancel)
