"""ClassSummary scatters: what is drawn, where, and what is said of it."""

import base64
import re
from xml.etree import ElementTree

import numpy as np
import pytest

from aegis.ui.components.palette import palette
from aegis.ui.components.svg import POINTS, RADIUS, ROOM, draw_score, small_scatter

SVG = "{http://www.w3.org/2000/svg}"


def drawn(picture):
    """The SVG inside of it."""
    source = re.search(r'src="data:image/svg\+xml;base64,([^"]*)"', picture).group(1)
    return ElementTree.fromstring(base64.b64decode(source))


def groups(picture):
    """The groups of a picture with the middles of their points."""
    return [
        (group.attrib, np.array([[float(c.get("cx")), float(c.get("cy"))] for c in group]))
        for group in drawn(picture).iter(f"{SVG}g")
    ]


def test_points_keep_their_shape_and_their_kinds():
    points = np.array([[0, 0], [10, 0], [0, 20], [10, 20]], np.float32)
    picture = small_scatter(points, np.array([False, False, True, True]), False, "four <points>", palette("light"))
    (training, low), (translated, high) = groups(picture)
    assert (training["fill"], translated["fill"]) == ("none", palette("light").categories[0])
    # One scale for both directions, what is above is drawn above, and all of it in the middle.
    tall = ROOM[1] - 4 * RADIUS
    np.testing.assert_allclose(low, [[ROOM[0] / 2 - tall / 4, ROOM[1] - 2 * RADIUS], [ROOM[0] / 2 + tall / 4, 146]])
    np.testing.assert_allclose(high - low, [[0, -tall]] * 2)
    assert 'alt="four &lt;points&gt;"' in picture


def test_an_flagged_class_has_another_colour():
    points, moved = np.zeros((2, 2), np.float32), np.array([False, True])
    assert (
        groups(small_scatter(points, moved, True, "", palette("dark")))[1][0]["fill"] == palette("dark").categories[1]
    )


def test_many_points_are_thinned():
    points = np.random.default_rng(0).normal(size=(1001, 2)).astype(np.float32)
    drawn = groups(small_scatter(points, np.arange(1001) > 0, False, "", palette("light")))
    assert [len(each) for _, each in drawn] == [1, 200]
    assert max(len(each) for _, each in drawn) <= POINTS


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
