"""Charts: the dashboard's palette, the same bytes, no settings of the user's."""

import tomllib

import matplotlib
import numpy as np
import pytest
from PIL import Image

from aegis.records.null_distribution import NullDistribution
from aegis.report.figures import PALETTE, REST, against_null, colour_of, heat_maps, scatters
from aegis.report.layout import ACCENT
from tests.layers import ROOT

MAPS = [np.eye(8, dtype=np.float32)]


def test_colours_are_the_dashboards():
    theme = tomllib.loads((ROOT / ".streamlit" / "config.toml").read_text())["theme"]["light"]
    assert list(PALETTE) == theme["chartCategoricalColors"]
    names = {"infected": "redColor", "clean": "blueColor", "inconclusive": "yellowColor"}
    assert {name: theme[key] for name, key in names.items()} == ACCENT


def test_clusters_beyond_the_palette_have_a_colour():
    assert len({colour_of(i) for i in range(len(PALETTE))}) == len(PALETTE)
    assert colour_of(len(PALETTE)) == colour_of(100) == REST


def test_the_users_settings_play_no_part(infected):
    plain = scatters(infected.findings[2]).read()
    with matplotlib.rc_context({"figure.facecolor": "red", "font.size": 30}):
        assert scatters(infected.findings[2]).read() == plain
        assert matplotlib.rcParams["font.size"] == 30


def test_clusters_are_drawn_in_their_colours(infected):
    pixels = np.asarray(Image.open(scatters(infected.findings[2])).convert("RGB")).reshape(-1, 3)
    for colour in PALETTE[:3]:
        rgb = tuple(int(colour[i : i + 2], 16) for i in (1, 3, 5))
        assert (pixels == rgb).all(axis=1).any()


def test_the_patch_is_outlined_on_the_heat_map():
    touched = np.zeros((8, 8), bool)
    touched[1, 5] = True
    rgb = tuple(int(PALETTE[5][i : i + 2], 16) for i in (1, 3, 5))

    def outlined(mask):
        return (np.asarray(Image.open(heat_maps(MAPS, (3.0,), mask)).convert("RGB")) == rgb).all(axis=2).any()

    assert outlined(touched)
    assert not outlined(None)


def marked(score, flagged):
    """Where on the line, from 0 to 1, the score is marked, and where benign classes are."""
    drawn = against_null(NullDistribution(family="patch", maxima=(0.0, 1.0)), score, 0.5, flagged)
    pixels = np.asarray(Image.open(drawn).convert("RGB")).astype(int)
    rgb = [int(PALETTE[1 if flagged else 0][i : i + 2], 16) for i in (1, 3, 5)]
    columns = np.flatnonzero((np.abs(pixels - rgb).sum(axis=2) < 30).any(axis=0))
    return columns.mean() / pixels.shape[1], len(columns)


def test_a_score_is_marked_where_it_lies_on_the_line():
    low, middle, high = (marked(score, True)[0] for score in (0.2, 0.5, 0.8))
    assert low < middle < high
    assert middle - low == pytest.approx(high - middle, abs=0.01)
    assert middle == pytest.approx(0.5, abs=0.05)


def test_the_colour_of_a_score_says_whether_it_is_flagged():
    for flagged in (True, False):
        assert marked(0.3, flagged)[1] > 0
