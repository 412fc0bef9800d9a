"""What clicks, boxes and lassos select."""

import numpy as np
import pytest

from aegis.ui.inspect.budget import bandwidths
from aegis.ui.inspect.view import apply_event

CLUSTERS = np.array([0, 0, 0, 1, 1, 2, -1])


def event(*rows, **drawn):
    return {"points": [{"customdata": [row]} for row in rows], **drawn}


def select(said, before=(), adding=False):
    chosen = apply_event(said, np.isin(np.arange(7), before), CLUSTERS, adding)
    return np.flatnonzero(chosen).tolist()


def test_a_click_selects_the_whole_cluster():
    assert select(event(1)) == [0, 1, 2]
    assert select(event(4), before=(0, 1, 2)) == [3, 4]


def test_a_click_on_a_point_without_a_cluster_selects_it():
    assert select(event(6)) == [6]


def test_with_shift_a_cluster_is_added_and_taken_away_again():
    assert select(event(4), before=(0, 1, 2), adding=True) == [0, 1, 2, 3, 4]
    assert select(event(4), before=(0, 1, 2, 3, 4), adding=True) == [0, 1, 2]


@pytest.mark.parametrize("shape", ["box", "lasso"])
def test_what_is_drawn_around_is_selected_and_no_more(shape):
    drawn = {shape: [{}]}
    assert select(event(1, 3, **drawn), before=(5,)) == [1, 3]
    assert select(event(1, **drawn)) == [1]
    assert select(event(1, 3, **drawn), before=(3, 5), adding=True) == [1, 3, 5]


def test_nothing_hit_changes_nothing():
    assert select(event(), before=(3,)) == [3]
    assert select({}, before=(3,)) == [3]


@pytest.mark.parametrize("row", [7, -1, "1", None, 1.5, [1]])
def test_rows_that_are_none_are_not_selected(row):
    assert select(event(row), before=(3,)) == [3]
    assert select({"points": [{}, {"customdata": []}, {"customdata": {"0": 1}}]}, before=(3,)) == [3]


def test_bandwidths_hold_the_computed_one_exactly():
    computed, linked = 25.373112, 17.123456
    offered = bandwidths(computed, linked)
    assert {computed, linked} <= set(offered)
    assert list(offered) == sorted(set(offered))
    assert offered[0] < computed / 3
    assert offered[-1] > 2 * computed
    steps = np.diff([b for b in offered if b not in (computed, linked)]) / computed
    assert steps.max() < 0.1
