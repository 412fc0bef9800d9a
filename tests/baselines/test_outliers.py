"""Anomaly indices with answers computed by hand."""

import numpy as np
import pytest

from aegis.baselines.outliers import anomaly_indices, small_outliers, threshold


def test_indices_count_deviations_below_the_median():
    # Median 8; deviations 2, 0, 2, 4 and 7, whose median is 2.
    scores = np.array([6, 8, 10, 12, 1], np.float32)
    indices = anomaly_indices(scores)
    assert indices == pytest.approx(np.array([2, 0, -2, -4, 7]) / (2 * 1.4826))
    assert threshold(scores, 2) == pytest.approx(8 - 4 * 1.4826)
    assert small_outliers(indices, 2) == (4,)
    assert small_outliers(indices, 0.6) == (4, 0)


def test_a_large_score_is_no_outlier_however_large():
    indices = anomaly_indices(np.array([10, 11, 12, 13, 500], np.float32))
    assert indices[4] < -100
    assert small_outliers(indices, 2) == ()


@pytest.mark.parametrize(("last", "index"), [(5, 0), (4, np.inf), (6, -np.inf)])
def test_without_any_deviation_whatever_differs_is_infinitely_far(last, index):
    indices = anomaly_indices(np.array([5, 5, 5, 5, last], np.float32))
    assert indices.tolist() == [0, 0, 0, 0, index]
