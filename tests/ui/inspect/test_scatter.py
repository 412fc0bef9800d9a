"""What the browser is told to draw of one class."""

import base64
import io
import json

import numpy as np
from PIL import Image

from aegis.core.types import Embedding
from aegis.ui.components.charts import Group
from aegis.ui.components.palette import palette
from aegis.ui.inspect.scatter import ACROSS, HOVER, scatter, sheet

LIGHT = palette("light")
POINTS = np.array([[0, 0], [1, 2], [3, 1], [4, 4], [5, 0]], np.float32)
MOVED = np.array([False, False, True, True, True])
STRIP = {"chips": [], "more": 0, "coloured": True}
GROUPS = [Group("one", np.array([0, 3]), 0), Group("<b>two</b>", np.array([1, 2, 4]), None)]


def told(selected=(), groups=GROUPS, hover=("a",) * 5):
    chosen = np.isin(np.arange(5), selected)
    about = {"plane": "p", "title": "<i>", "alt": "words", "bandwidth": 2.0, "palette": LIGHT}
    return scatter(Embedding(POINTS, MOVED, 1.0), groups, chosen, hover, STRIP, **about)


def test_points_groups_and_selection_are_told_as_plain_data():
    content = json.loads(json.dumps(told((3, 4))))
    assert content["points"] == POINTS.tolist()
    assert content["filled"] == MOVED.tolist()
    assert content["selected"] == [3, 4]
    assert content["bounds"] == {"low": [0, 0], "high": [5, 4]}
    one, two = content["groups"]
    assert (one["rows"], one["colour"], one["symbol"]) == ([0, 3], LIGHT.categories[0], "circle")
    assert (two["rows"], two["colour"]) == ([1, 2, 4], LIGHT.muted)
    assert content["strip"] == STRIP
    assert (content["bandwidth"], content["said"]) == (2.0, "bandwidth 2")


def test_colours_that_repeat_take_another_symbol_and_text_is_cut():
    many = told(groups=[Group("x" * 500, np.array([0]), len(LIGHT.categories))], hover=("y\n" * 200,) * 5)
    assert many["groups"][0]["symbol"] != "circle"
    assert len(many["groups"][0]["name"]) == len(many["hover"][0]) == HOVER
    assert "\n" not in many["hover"][0]


def test_the_sheet_has_the_picture_of_each_point_in_its_place():
    pictures = np.zeros((ACROSS + 3, 4, 6, 3), np.uint8)
    pictures[ACROSS + 1] = 255
    about = sheet.__wrapped__("p", lambda: (7, pictures))
    assert (about["first"], about["count"], about["size"], about["columns"]) == (7, ACROSS + 3, [6, 4], ACROSS)
    content = base64.b64decode(about["source"].partition(",")[2])
    seen = np.asarray(Image.open(io.BytesIO(content)).convert("L"))
    assert seen.shape == (8, 6 * ACROSS)
    # In the second row, the second one.
    assert seen[4:, 6:12].min() > 200 > 60 > seen[:4].max()


def test_large_pictures_are_made_small_and_too_many_are_left_out(monkeypatch):
    pictures = np.zeros((2, 300, 200, 3), np.uint8)
    assert sheet.__wrapped__("p", lambda: (0, pictures))["size"] == [32, 48]
    monkeypatch.setattr("aegis.ui.inspect.scatter.LARGEST", 1000)
    assert sheet.__wrapped__("p", lambda: (0, pictures)) is None
