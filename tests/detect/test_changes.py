"""How alike changes are, where it is known."""

import numpy as np
import pytest

from aegis.detect.changes import coherence


def test_coherence_is_one_for_one_direction_and_small_for_many():
    same = np.outer([1.0, 2.0, 0.5], [3.0, 4.0]).astype(np.float32)
    assert coherence(same) == pytest.approx(1)
    apart = np.array([[1, 0], [0, 1]], np.float32)
    assert coherence(apart) == pytest.approx(np.sqrt(0.5))
    many = np.random.default_rng(0).normal(size=(200, 500)).astype(np.float32)
    assert abs(coherence(many)) < 0.1
    assert coherence(np.zeros((3, 4), np.float32)) == 0
