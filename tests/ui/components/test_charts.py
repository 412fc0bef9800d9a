"""Charts: what a click brings back, what stands out, and that names do nothing."""

import base64
import builtins
import importlib.util
import re
import sys

import numpy as np

from aegis.ui.components import charts
from aegis.ui.components.palette import palette

LIGHT = palette("light")
POINTS = np.array([[0, 0], [1, 2], [3, 1], [4, 4], [5, 0]], np.float32)
MOVED = np.array([False, False, True, True, True])
GROUPS = [charts.Group("one", np.array([0, 3]), 0), charts.Group("<b>two</b>", np.array([1, 2, 4]), None)]


def drawn(selected=(), groups=GROUPS, **more):
    chosen = np.isin(np.arange(5), selected)
    return charts.scatter(
        POINTS, MOVED, groups, chosen, [f"<i>{i}" for i in range(5)], "A & <b>B</b>", 2.0, LIGHT, **more
    )


def test_every_point_carries_its_row():
    figure = drawn()
    assert [trace.customdata for trace in figure.data[:2]] == [([0], [3]), ([1], [2], [4])]
    assert figure.data[1].x == (1.0, 3.0, 5.0)
    # So that a click selects as it opens.
    assert (figure.layout.dragmode, figure.layout.clickmode) == ("pan", "event+select")


def test_translated_images_are_filled_and_training_images_open():
    first, second = drawn().data[:2]
    assert first.marker.symbol == ("circle-open", "circle")
    assert second.marker.symbol == ("circle-open", "circle", "circle")
    assert (first.marker.color, second.marker.color) == (LIGHT.categories[0], LIGHT.muted)


def test_a_placeholder_shows_the_same_points_in_the_same_colours():
    source = re.search(r'base64,([^"]*)"', charts.placeholder(POINTS, MOVED, GROUPS, LIGHT))[1]
    picture = base64.b64decode(source).decode()
    assert picture.count("<circle") == len(POINTS)
    for colour in (LIGHT.categories[0], LIGHT.muted):
        assert picture.count(f'fill="none" stroke="{colour}"') == picture.count(f'<g fill="{colour}"') == 1


def test_the_selection_stands_out_and_without_one_everything_does():
    assert [trace.marker.opacity for trace in drawn((3, 4)).data[:2]] == [
        (charts.FAINT, charts.CLEAR),
        (charts.FAINT, charts.FAINT, charts.CLEAR),
    ]
    assert {o for trace in drawn().data[:2] for o in trace.marker.opacity} == {charts.CLEAR}


def test_the_bandwidth_is_drawn_to_scale_and_another_drawing_is_another_chart():
    assert drawn() == drawn() != drawn(drawing=1)
    (line,) = drawn().layout.shapes
    assert line.x1 - line.x0 == 2.0
    assert drawn().layout.yaxis.scaleanchor == "x"


def test_text_is_never_markup():
    figure = drawn()
    said = [figure.layout.title.text, figure.data[1].name, *figure.data[0].hovertext]
    assert said == ["A &amp; &lt;b&gt;B&lt;/b&gt;", "&lt;b&gt;two&lt;/b&gt;", "&lt;i&gt;0", "&lt;i&gt;3"]
    assert len(charts.plain("x" * 1000)) == 120


def test_a_legend_ends_before_it_hides_the_chart():
    many = [charts.Group(str(i), np.array([i % 5]), i) for i in range(charts.LEGEND + 5)]
    named = [trace for trace in drawn(groups=many).data if trace.showlegend is not False]
    assert len(named) == charts.LEGEND
    assert {trace.x for trace in named} == {(None,)}
    # Nor is it ever faint.
    assert [trace.marker.opacity for trace in drawn((0,)).data[2:]] == [None, None]


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
