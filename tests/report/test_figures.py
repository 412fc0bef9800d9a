"""Charts: the dashboard's palette, the same bytes, no settings of the user's."""

import tomllib

import matplotlib
import numpy as np
from PIL import Image

from aegis.report.figures import PALETTE, REST, colour_of, heat_maps, scatters
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
