"""Charts drawn as pictures: what is drawn, where, and what is said of it."""

import base64
import re
from xml.etree import ElementTree

import numpy as np
import pytest

from aegis.ui.components.palette import palette
from aegis.ui.components.svg import POINTS, Part, cloud, draw_score, small_scatter

CORNERS = np.array([[0, 0], [10, 0], [10, 5], [5, 2.5]], np.float32)
SVG = "{http://www.w3.org/2000/svg}"


def drawn(picture):
    """The SVG inside of it."""
    source = re.search(r'src="data:image/svg\+xml;base64,([^"]*)"', picture).group(1)
    return ElementTree.fromstring(base64.b64decode(source))


def places(picture):
    return [(float(c.get("cx")), float(c.get("cy"))) for c in drawn(picture).iter(f"{SVG}circle")]


def groups(picture):
    """How each group of a picture is painted, and its points."""
    return [(group.attrib, list(group)) for group in drawn(picture).iter(f"{SVG}g")]


@pytest.mark.parametrize(
    ("room", "expected"),
    [
        # Wide enough: two radii of room on each side, the same scale in both directions, up is up.
        ((108, 108), [(4, 79), (104, 79), (104, 29), (54, 54)]),
        ((208, 58), [(54, 54), (154, 54), (154, 4), (104, 29)]),
    ],
)
def test_points_keep_their_proportions(room, expected):
    picture = cloud(CORNERS, [Part(np.arange(4), "#123456", True)], room, 2, "a", "")
    assert places(picture) == expected
    assert drawn(picture).get("viewBox") == f"0 0 {room[0]} {room[1]}"


def test_parts_are_drawn_in_order_and_alone():
    parts = [Part(np.array([0]), "#111111", False), Part(np.array([3, 1]), "#222222", True)]
    element = cloud(CORNERS, parts, (108, 108), 2, "a", '"><script>')
    (first, _), (second, _) = groups(element)
    assert (first["fill"], first["stroke"], second["fill"]) == ("none", "#111111", "#222222")
    assert places(element) == [(4, 79), (54, 54), (104, 79)]
    assert "<script>" not in element


def test_points_in_one_place_are_drawn_in_the_middle():
    picture = cloud(np.ones((3, 2), np.float32), [Part(np.arange(3), "#000000", True)], (40, 20), 2, "a", "")
    assert places(picture) == [(20, 10)] * 3


@pytest.mark.parametrize(("flagged", "light"), [(False, "light"), (True, "dark")])
def test_a_small_scatter_is_thinned_and_shows_what_is_flagged(flagged, light):
    points = np.random.default_rng(0).normal(size=(1001, 2)).astype(np.float32)
    picture = small_scatter(points, np.arange(1001) > 0, flagged, "many <points>", palette(light))
    (training, few), (translated, many) = groups(picture)
    assert (training["fill"], translated["fill"]) == ("none", palette(light).categories[int(flagged)])
    assert (len(few), len(many)) == (1, 200)
    assert len(many) <= POINTS
    assert 'alt="many &lt;points&gt;"' in picture


def test_a_score_lies_on_its_line_among_those_of_benign_classes():
    colours = palette("light")
    picture = draw_score((0.0, 0.25, 1.0), 0.75, 0.5, True, colours)
    svg = drawn(picture)
    line, broad = svg.findall(f"{SVG}line")
    left, right = float(line.get("x1")), float(line.get("x2"))

    def at(share):
        return pytest.approx(left + share * (right - left))

    assert [float(dot.get("cx")) for dot in svg.iter(f"{SVG}circle")] == [at(0), at(0.25), at(1)]
    assert (float(broad.get("x1")), float(broad.get("x2"))) == (at(0.5), right)
    (mark,) = svg.iter(f"{SVG}path")
    assert float(re.match(r"M([\d.]+) ", mark.get("d")).group(1)) == at(0.75)
    assert mark.get("fill") == colours.categories[1]
    assert 'alt="Score 75%; benign classes reach 100%; 50% and more is flagged"' in picture
    (mark,) = drawn(draw_score((0.0,), 0.1, 0.5, False, colours)).iter(f"{SVG}path")
    assert mark.get("fill") == colours.categories[0]
