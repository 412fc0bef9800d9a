"""Points as a picture: where they stand, and how they are drawn."""

import base64
import re

import numpy as np
import pytest

from aegis.ui.components.svg import Part, cloud

CORNERS = np.array([[0, 0], [10, 0], [10, 5], [5, 2.5]], np.float32)
ALL = np.arange(4)


def drawn(element):
    """The picture inside."""
    return base64.b64decode(re.search(r'base64,([^"]+)"', element)[1]).decode()


def places(picture):
    return [(float(x), float(y)) for x, y in re.findall(r'cx="([\d.]+)" cy="([\d.]+)"', picture)]


@pytest.mark.parametrize(
    ("room", "expected"),
    [
        # Wide enough: two radii of room on each side, the same scale in both directions, up is up.
        ((108, 108), [(4, 79), (104, 79), (104, 29), (54, 54)]),
        ((208, 58), [(54, 54), (154, 54), (154, 4), (104, 29)]),
    ],
)
def test_points_keep_their_proportions(room, expected):
    picture = drawn(cloud(CORNERS, [Part(ALL, "#123456", True)], room, 2, "a", ""))
    assert places(picture) == expected
    assert f'viewBox="0 0 {room[0]} {room[1]}"' in picture


def test_parts_are_drawn_in_order_and_alone():
    parts = [Part(np.array([0]), "#111111", False), Part(np.array([3, 1]), "#222222", True)]
    picture = drawn(cloud(CORNERS, parts, (108, 108), 2, "a", ""))
    assert re.findall(r'<g (?:fill|fill="none" stroke)="(#\d+)"', picture) == ["#111111", "#222222"]
    assert places(picture) == [(4, 79), (54, 54), (104, 79)]


def test_points_in_one_place_are_drawn_in_the_middle():
    picture = drawn(cloud(np.ones((3, 2), np.float32), [Part(np.arange(3), "#000000", True)], (40, 20), 2, "a", ""))
    assert places(picture) == [(20, 10)] * 3


def test_what_is_said_of_it_is_no_markup():
    element = cloud(CORNERS, [], (40, 20), 2, "a", '"><script>')
    assert "<script>" not in element
