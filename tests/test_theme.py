"""The palette in both lights: readable, and apart for colour-blind eyes."""

import tomllib

import numpy as np
import pytest

from tests.layers import ROOT

THEME = tomllib.loads((ROOT / ".streamlit" / "config.toml").read_text())["theme"]
LIGHTS = ("light", "dark")

# Machado, Oliveira and Fernandes 2009, severity 1, on linear RGB.
VISION = {
    "usual": np.eye(3),
    "protanopia": np.array([[0.152, 1.053, -0.205], [0.115, 0.786, 0.099], [-0.004, -0.048, 1.052]]),
    "deuteranopia": np.array([[0.367, 0.861, -0.228], [0.280, 0.673, 0.047], [-0.012, 0.043, 0.969]]),
    "tritanopia": np.array([[1.256, -0.077, -0.179], [-0.078, 0.931, 0.148], [0.005, 0.691, 0.304]]),
}


def linear(colour: str) -> np.ndarray:
    """Linear RGB in [0, 1] of a hex colour."""
    value = np.array([int(colour[i : i + 2], 16) for i in (1, 3, 5)]) / 255
    return np.where(value <= 0.04045, value / 12.92, ((value + 0.055) / 1.055) ** 2.4)


def contrast(one: str, other: str) -> float:
    """The contrast ratio of WCAG 2, from 1 to 21."""
    dark, light = sorted(float(linear(c) @ [0.2126, 0.7152, 0.0722]) for c in (one, other))
    return (light + 0.05) / (dark + 0.05)


def lab(rgb: np.ndarray) -> np.ndarray:
    """CIE L*a*b* of linear RGB under D65."""
    matrix = np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]])
    xyz = matrix @ np.clip(rgb, 0, 1) / [0.9505, 1.0, 1.089]
    x, y, z = np.where(xyz > 0.008856, np.cbrt(xyz), 7.787 * xyz + 16 / 116)
    return np.array([116 * y - 16, 500 * (x - y), 200 * (y - z)])


def difference(one: str, other: str, vision: str) -> float:
    """CIE76 difference of two colours as somebody sees them."""
    seen = [lab(VISION[vision] @ linear(colour)) for colour in (one, other)]
    return float(np.linalg.norm(seen[0] - seen[1]))


def test_the_measures_know_black_white_red_and_green():
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert difference("#000000", "#ffffff", "usual") == pytest.approx(100, abs=0.1)
    red, green = "#b45a3c", "#7d7d2d"
    assert difference(red, green, "deuteranopia") < 20 < difference(red, green, "usual")


@pytest.mark.parametrize("light", LIGHTS)
def test_text_stands_out(light):
    theme = THEME[light]
    for background in ("backgroundColor", "secondaryBackgroundColor", "codeBackgroundColor"):
        assert contrast(theme["textColor"], theme[background]) >= 7
    for colour in ("primaryColor", "linkColor", "redColor", "yellowColor", "blueColor", "greenColor", "grayColor"):
        assert contrast(theme[colour], theme["backgroundColor"]) >= 4.5, colour


@pytest.mark.parametrize("vision", VISION)
@pytest.mark.parametrize("light", LIGHTS)
def test_infected_clean_and_unknown_are_told_apart(light, vision):
    theme = THEME[light]
    infected, clean, unknown = theme["redColor"], theme["blueColor"], theme["grayColor"]
    assert min(difference(infected, clean, vision), difference(infected, unknown, vision)) >= 30


@pytest.mark.parametrize("vision", VISION)
@pytest.mark.parametrize("light", LIGHTS)
def test_colours_of_charts_are_told_apart(light, vision):
    colours = THEME[light]["chartCategoricalColors"]
    pairs = [(a, b) for i, a in enumerate(colours) for b in colours[:i]]
    assert min(difference(a, b, vision) for a, b in pairs) >= 10
