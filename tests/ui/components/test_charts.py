"""Charts: what they show, how they are told in words, and that names do nothing."""

import builtins
import importlib.util
import sys

import numpy as np

from aegis.ui.components import charts
from aegis.ui.components.palette import palette

LIGHT = palette("light")
GROUPS = [charts.Group("one", np.array([0, 3]), 0), charts.Group("<b>two</b>", np.array([1, 2, 4]), None)]


def test_long_text_is_cut():
    assert len(charts.plain("x" * 1000)) == 120


def test_bars_stand_side_by_side_and_missing_ones_are_missing():
    figure = charts.bars(["<b>", "<b>"], {"patch": [0.25, float("nan")], "other": [1.0, 0.0]}, "Rates", LIGHT)
    assert [trace.y for trace in figure.data] == [(0.25, None), (1.0, 0.0)]
    assert figure.layout.xaxis.ticktext == ("&lt;b&gt;", "&lt;b&gt;")
    assert figure.data[0].x == (0, 1)
    assert figure.data[0].hovertext[0] == "&lt;b&gt;: 25%"


def test_charts_are_told_in_words():
    told = charts.describe_scatter("Bag", GROUPS, 2, 1.5)
    for part in ("5 images of class Bag", "one: 2", "bandwidth 1.5", "2 of them are selected"):
        assert part in told
    assert charts.describe_bars(["a", "b"], {"patch": [0.25, float("nan")]}).endswith("patch: a 25%.")


def test_pandas_is_whole_before_plotly_asks_about_it(monkeypatch):
    # A scan's thread may import pandas at that moment, and plotly would take half of it.
    order, real = [], builtins.__import__
    spec = importlib.util.spec_from_file_location("charts_again", charts.__file__)
    again = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, "charts_again", again)
    monkeypatch.setattr(builtins, "__import__", lambda name, *rest: order.append(name) or real(name, *rest))
    spec.loader.exec_module(again)
    assert order.index("pandas") < order.index("plotly.graph_objects")
