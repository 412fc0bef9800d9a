"""The margins of a linear model, whose maxima are known, and the p-value of the largest."""

import numpy as np
import pytest
from scipy.stats import gamma

from aegis.baselines.config import MaximumMarginConfig
from aegis.baselines.mm_bd import detect, order_statistic
from aegis.core.runtime import Runtime
from tests.baselines.shortcut import LARGEST, OWN, model


def test_margins_reach_the_largest_that_pixels_allow(six, generator):
    found = detect(model(2).frozen(Runtime()), six, MaximumMarginConfig(), generator=generator)
    # All own pixels bright and those of every other class dark.
    best = LARGEST + 50 * (np.arange(6) == 2)
    assert found.scores == pytest.approx(best, rel=0.05)
    assert (found.scores <= best + 1e-4).all()
    assert found.masks is None
    assert found.patterns[2].ravel()[[*OWN[2], -1]].min() > 0.9


def test_the_p_value_is_that_of_the_largest_of_k_under_the_gamma_null_of_the_rest():
    scores = np.array([3.1, 4.0, 5.2, 5.9, 7.5, 4.4, 6.1, 5.0, 4.7, 9.0], np.float32)
    values, threshold = order_statistic(scores, 0.05)
    rest = scores[:-1].astype(np.float64)
    null = gamma(*gamma.fit(rest))
    assert values[-1] == pytest.approx(1 - null.cdf(9.0) ** 10, abs=1e-4)
    assert values.argmin() == 9
    assert 1 - null.cdf(threshold) ** 10 == pytest.approx(0.05)


def test_margins_that_no_distribution_fits_lead_to_no_conclusion():
    values, threshold = order_statistic(np.full(10, 3, np.float32), 0.05)
    assert (np.isnan(values).all(), np.isnan(threshold)) == (True, True)
