"""The palette, and colours that stay with clusters."""

import numpy as np
import pytest

from aegis.ui.components.palette import SYMBOLS, keep_colours, palette, rgb
from tests.test_theme import LIGHTS, THEME


@pytest.mark.parametrize("light", LIGHTS)
def test_charts_have_the_colours_of_the_theme(light):
    colours = palette(light)
    assert list(colours.categories) == THEME[light]["chartCategoricalColors"]
    assert (colours.text, colours.background) == (THEME[light]["textColor"], THEME[light]["backgroundColor"])


def test_without_a_known_light_it_is_light():
    assert palette(None) == palette("light")


def test_a_category_beyond_the_colours_has_another_symbol():
    colours = palette("light")
    count = len(colours.categories)
    assert colours.colour(0) == colours.colour(count)
    assert colours.symbol(0) != colours.symbol(count)
    assert colours.symbol(count * len(SYMBOLS)) == colours.symbol(0)


def test_a_split_cluster_keeps_its_colour_on_its_larger_part():
    old = np.array([0] * 6 + [1] * 4)
    new = np.array([1, 1, 2, 2, 2, 2] + [0] * 4)
    assert keep_colours(old, (0, 1), new) == (1, 2, 0)


def test_clusters_that_only_change_their_order_keep_their_colours():
    old = np.array([0, 0, 0, 1, 1, 2])
    new = np.array([2, 2, 2, 0, 0, 1])
    assert keep_colours(old, (4, 7, 5), new) == (7, 5, 4)


def test_merged_clusters_take_the_colour_of_the_largest():
    old = np.array([0, 0, 0, 1, 1, 1, 1])
    assert keep_colours(old, (0, 1), np.zeros(7, np.int64)) == (1,)


def test_points_left_out_have_no_say_in_colours():
    old = np.array([-1, -1, 0, 1])
    assert keep_colours(old, (3, 5), np.array([0, 0, 1, 0])) == (5, 3)
    assert keep_colours(np.full(3, -1), (), np.array([0, 1, -1])) == (0, 1)


def test_every_cluster_has_a_colour_of_its_own():
    generator = np.random.default_rng(0)
    colours = tuple(range(5))
    assignment = generator.integers(0, 5, 200)
    for clusters in (30, 2, 12):
        new = np.unique(generator.integers(0, clusters, 200), return_inverse=True)[1]
        colours = keep_colours(assignment, colours, new)
        assert len(set(colours)) == len(colours) == new.max() + 1
        assignment = new


def test_a_colour_is_three_values():
    assert rgb("#0a10ff") == (10, 16, 255)
