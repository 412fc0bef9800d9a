"""A view, its link, what links cannot do, and what clicks, boxes and lassos select."""

import base64
import zlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aegis.ui.inspect.view import COLOURS, SHOWS, View, apply_pick, pack, read_view, unpack


@given(
    bandwidth=st.none() | st.floats(1e-6, 1e6),
    alone=st.booleans(),
    colour=st.sampled_from(sorted(COLOURS)),
    show=st.sampled_from(sorted(SHOWS)),
)
def test_a_link_restores_the_view(bandwidth, alone, colour, show):
    view = View(scan="k", label=0, budget=100.0, bandwidth=bandwidth, alone=alone, colour=colour, show=show)
    assert read_view(view.parameters()) == view


def test_a_link_says_only_what_is_unusual():
    assert View(scan="k", label=2).parameters() == {"scan": "k", "class": "2"}
    full = View(scan="k", label=2, budget=1, bandwidth=2, alone=True, colour="class", show="seed", selection="eJw")
    assert set(full.parameters()) == {"scan", "class", "budget", "bandwidth", "alone", "colour", "show", "selection"}


@pytest.mark.parametrize(
    "parameters",
    [
        {"class": "x"}, {"class": "-1"}, {"class": "²"}, {"class": "9" * 50}, {"budget": "nan"}, {"budget": "-3"},
        {"bandwidth": "inf"}, {"bandwidth": "0"}, {"colour": "<b>"}, {"show": "everything"}, {"alone": "yes"},
    ],
)  # fmt: skip
def test_what_does_not_read_as_a_view_is_left_out(parameters):
    assert read_view(parameters) == View()


@given(st.lists(st.booleans(), min_size=1, max_size=200))
def test_a_selection_travels_in_a_link(selected):
    rows = np.array(selected)
    text = pack(rows)
    assert text.isascii()
    np.testing.assert_array_equal(unpack(text, len(rows)), rows)
    # A thousand points fit into a link.
    assert len(pack(np.random.default_rng(len(rows)).random(1000) < 0.5)) < 250


@pytest.mark.parametrize(
    "text",
    [
        "", "x", "äö", "A" * 1000, pack(np.ones(64, bool)),
        base64.urlsafe_b64encode(zlib.compress(bytes(10**7))).decode(),
    ],
)  # fmt: skip
def test_a_selection_of_something_else_selects_nothing(text):
    selected = unpack(text, 100)
    assert selected.shape == (100,)
    assert not selected.any()


CLUSTERS = np.array([0, 0, 0, 1, 1, 2, -1])


def select(rows, drawn=False, before=(), adding=False):
    picked = {"rows": rows, "drawn": drawn, "adding": adding}
    return np.flatnonzero(apply_pick(picked, np.isin(np.arange(7), before), CLUSTERS)).tolist()


@pytest.mark.parametrize(
    ("rows", "drawn", "before", "adding", "chosen"),
    [
        # A click selects the whole cluster, or a point without one.
        ([1], False, (), False, [0, 1, 2]),
        ([4], False, (0, 1, 2), False, [3, 4]),
        ([6], False, (), False, [6]),
        # With Shift a cluster is added, and taken away again.
        ([4], False, (0, 1, 2), True, [0, 1, 2, 3, 4]),
        ([4], False, (0, 1, 2, 3, 4), True, [0, 1, 2]),
        # What is drawn around is selected and no more.
        ([1, 3], True, (5,), False, [1, 3]),
        ([1, 3], True, (3, 5), True, [1, 3, 5]),
        # Nothing hit changes nothing, nor does a row that is none.
        ([], False, (3,), False, [3]),
        *(([row], False, (3,), False, [3]) for row in (7, -1, "1", None, 1.5, [1], True)),
        *((rows, False, (3,), False, [3]) for rows in (None, 1, "1", {"0": 1})),
    ],
)
def test_what_clicks_boxes_and_lassos_select(rows, drawn, before, adding, chosen):
    assert select(rows, drawn, before, adding) == chosen


def test_a_pick_of_another_shape_selects_nothing():
    assert apply_pick({}, np.isin(np.arange(7), (3,)), CLUSTERS).tolist() == np.isin(np.arange(7), (3,)).tolist()
