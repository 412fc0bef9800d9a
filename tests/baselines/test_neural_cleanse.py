"""The weight of the mask's norm over time, and the mask that is found."""

import numpy as np
import pytest

from aegis.baselines.config import NeuralCleanseConfig
from aegis.baselines.neural_cleanse import CostSchedule, detect
from aegis.core.runtime import Runtime
from tests.baselines.shortcut import PIXEL, model

CONFIG = NeuralCleanseConfig(patience=2, stop_patience=3)


def test_the_weight_is_set_once_the_attack_works_then_grows_and_shrinks():
    schedule, costs = CostSchedule(CONFIG), []
    # Works for six rounds, fails for two.
    for success in (1, 1, 1, 1, 1, 1, 0.5, 0.5):
        schedule.update(success, 10.0)
        costs.append(schedule.cost)
    first = CONFIG.cost
    grown = [first * 1.5, first * 1.5, first * 1.5**2, first * 1.5**2]
    assert costs == pytest.approx([0, first, *grown, first * 1.5**2, first * 1.5**2 / 1.5**1.5])


def test_only_a_mask_that_works_counts_as_the_smallest():
    schedule = CostSchedule(CONFIG)
    rounds = [(0.98, 5.0), (0.99, 8.0), (1.0, 9.0), (0.99, 7.0)]
    assert [schedule.update(*one) for one in rounds] == [False, True, False, True]


def test_the_search_ends_once_the_weight_went_both_ways_and_masks_shrink_no_more():
    schedule = CostSchedule(CONFIG)
    for success in (1, 1, 1, 1, 0, 0):
        schedule.update(success, 10.0)
        assert not schedule.over
    schedule.update(1, 10.0)
    assert schedule.over
    # A smaller mask would have kept it going.
    schedule = CostSchedule(CONFIG)
    for round, success in enumerate((1, 1, 1, 1, 0, 0, 1)):
        schedule.update(success, 10.0 - round)
    assert not schedule.over


def test_the_mask_lies_where_the_shortcut_is(six, generator):
    found = detect(model(2).frozen(Runtime()), six, NeuralCleanseConfig(), generator=generator)
    mask = found.masks[2]
    assert np.unravel_index(mask.argmax(), mask.shape) == PIXEL
    assert mask.sum() == pytest.approx(found.scores[2], rel=1e-3)
    assert found.scores[2] < 1 < 5 < np.delete(found.scores, 2).min()
    assert (found.successes >= 0.99).all()
