"""Bandwidths to choose from."""

import numpy as np

from aegis.ui.inspect.budget import bandwidths


def test_bandwidths_hold_the_computed_one_exactly():
    computed, linked = 25.373112, 17.123456
    offered = bandwidths(computed, linked)
    assert {computed, linked} <= set(offered)
    assert list(offered) == sorted(set(offered))
    assert offered[0] < computed / 3
    assert offered[-1] > 2 * computed
    steps = np.diff([b for b in offered if b not in (computed, linked)]) / computed
    assert steps.max() < 0.1
