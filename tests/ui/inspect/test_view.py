"""A view, its link, and what links cannot do."""

import base64
import zlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aegis.ui.inspect.view import COLOURS, SHOWS, View, pack, read_view, unpack

FULL = View(
    scan="abc", label=3, budget=0.1 + 0.2, bandwidth=25.373112, alone=True, colour="class", show="seed", selection="eJw"
)


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
    assert set(FULL.parameters()) == {"scan", "class", "budget", "bandwidth", "alone", "colour", "show", "selection"}


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


def test_a_thousand_points_fit_into_a_link():
    rows = np.random.default_rng(0).random(1000) < 0.5
    assert len(pack(rows)) < 250


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
