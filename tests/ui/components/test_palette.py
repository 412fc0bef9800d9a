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
    assert palette(None) == palette("light")


def test_a_category_beyond_the_colours_has_another_symbol():
    colours = palette("light")
    count = len(colours.categories)
    assert colours.colour(0) == colours.colour(count)
    assert colours.symbol(0) != colours.symbol(count)
    assert colours.symbol(count * len(SYMBOLS)) == colours.symbol(0)


@pytest.mark.parametrize(
    ("old", "colours", "new", "kept"),
    [
        # A split cluster keeps its colour on its larger part.
        ([0] * 6 + [1] * 4, (0, 1), [1, 1, 2, 2, 2, 2] + [0] * 4, (1, 2, 0)),
        # Clusters that only change their order keep theirs.
        ([0, 0, 0, 1, 1, 2], (4, 7, 5), [2, 2, 2, 0, 0, 1], (7, 5, 4)),
        # Merged clusters take that of the largest.
        ([0, 0, 0, 1, 1, 1, 1], (0, 1), [0] * 7, (1,)),
        # Points left out have no say.
        ([-1, -1, 0, 1], (3, 5), [0, 0, 1, 0], (5, 3)),
        ([-1] * 3, (), [0, 1, -1], (0, 1)),
    ],
)
def test_clusters_keep_their_colours(old, colours, new, kept):
    assert keep_colours(np.array(old), colours, np.array(new)) == kept


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
