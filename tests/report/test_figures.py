"""Charts: the dashboard's palette, the same bytes, no settings of the user's."""

import tomllib

import matplotlib
import numpy as np
import pytest
from PIL import Image

from aegis.report.figures import PALETTE, REST, against_benign, colour_of, heat_maps, scatters
from aegis.report.layout import ACCENT
from tests.layers import ROOT


def drawn_in(file, colour, slack=1):
    """Which pixels of a picture have a colour."""
    rgb = [int(colour[i : i + 2], 16) for i in (1, 3, 5)]
    return np.abs(np.asarray(Image.open(file).convert("RGB")).astype(int) - rgb).sum(axis=2) < slack


def test_colours_are_the_dashboards():
    theme = tomllib.loads((ROOT / ".streamlit" / "config.toml").read_text())["theme"]["light"]
    assert list(PALETTE) == theme["chartCategoricalColors"]
    names = {"infected": "redColor", "clean": "blueColor", "inconclusive": "yellowColor"}
    assert {name: theme[key] for name, key in names.items()} == ACCENT


def test_clusters_beyond_the_palette_have_a_colour():
    assert [colour_of(i) for i in range(len(PALETTE))] == list(PALETTE)
    assert colour_of(len(PALETTE)) == colour_of(100) == REST


def test_clusters_are_drawn_in_their_colours_whatever_the_users_settings(infected):
    plain = scatters(infected.findings[2])
    for colour in PALETTE[:3]:
        assert drawn_in(plain, colour).any()
    with matplotlib.rc_context({"figure.facecolor": "red", "font.size": 30}):
        assert scatters(infected.findings[2]).getvalue() == plain.getvalue()
        assert matplotlib.rcParams["font.size"] == 30


def test_the_patch_is_outlined_on_the_heat_map():
    for touched in (np.eye(8, dtype=bool), None):
        drawn = heat_maps([np.eye(8, dtype=np.float32)], (3.0,), touched)
        assert drawn_in(drawn, PALETTE[5]).any() == (touched is not None)


def test_a_score_is_marked_where_it_lies_on_the_line_in_a_colour_that_says_whether_it_is_flagged():
    def marked(score, flagged):
        drawn = against_benign((0.0, 1.0), score, 0.5, flagged)
        here = drawn_in(drawn, PALETTE[1 if flagged else 0], 30)
        return np.flatnonzero(here.any(axis=0)).mean() / here.shape[1]

    low, middle, high = marked(0.2, False), marked(0.5, True), marked(0.8, True)
    assert low < middle < high
    assert middle - low == pytest.approx(high - middle, abs=0.01)
    assert middle == pytest.approx(0.5, abs=0.05)
