"""Bars as in Fig. 12, and pictures of reverse-engineered triggers."""

import re
from dataclasses import replace
from xml.etree import ElementTree

import numpy as np
import pytest

from aegis.ui.baselines.pictures import HEIGHT, TOP, describe_bars, draw_bars, heights, reversed_trigger
from aegis.ui.components.palette import palette
from tests.records.test_detectors import NAMES, one
from tests.store.test_cached_detectors import RESULT

LIGHT = palette("light")


def drawn(record, names=NAMES):
    """Bars by class, each with place and colour, and the line's height if there is one."""
    root = ElementTree.fromstring(draw_bars(record, names, LIGHT))
    bars = [{**bar.attrib, "title": bar[0].text} for bar in root.iter("rect")]
    lines = [float(line.attrib["y1"]) for line in root.iter("line") if "stroke-dasharray" in line.attrib]
    return bars, lines


def test_anomaly_indices_stand_above_and_below_zero_and_the_line_at_two():
    record = one("nc", 0).model_copy(update={"values": (4.0, 1.0, -1.0)})
    assert heights(record) == ((4.0, 1.0, -1.0), 2.0)
    bars, (line,) = drawn(record)
    tops = [float(bar["y"]) for bar in bars]
    assert tops[0] == TOP
    # From the first bar's end to the line it is as far as from the line to zero, where the last bar begins.
    assert line - tops[0] == pytest.approx(tops[2] - line, abs=0.2)
    assert float(bars[2]["y"]) + float(bars[2]["height"]) <= HEIGHT
    assert [bar["fill"] == LIGHT.categories[1] for bar in bars] == [True, False, False]
    assert bars[0]["title"] == "0 cat: 4, flagged"


def test_scores_are_drawn_where_there_are_p_values_and_what_was_not_tested_is_empty():
    record = one("mmbd", 2).model_copy(update={"measure": "p-value", "threshold": None})
    assert heights(record) == ((1.0, None, 3.0), None)
    bars, lines = drawn(record)
    assert lines == []
    assert bars[1]["title"] == "1 dog: not tested"
    assert float(bars[2]["height"]) == pytest.approx(3 * float(bars[0]["height"]), abs=0.2)


def test_an_endless_index_is_drawn_inside_and_named():
    bars, _ = drawn(one("nc", 0))
    assert float(bars[0]["y"]) >= TOP
    assert bars[0]["title"] == "0 cat: inf, flagged"


def test_names_of_classes_are_no_markup():
    names = ("<script>", "a & b", '"quoted"')
    bars, _ = drawn(one("nc", 0), names)
    assert "<script>" in bars[0]["title"]
    assert "<script>" not in draw_bars(one("nc", 0), names, LIGHT)
    assert re.search("flagged beyond 2", describe_bars(one("nc"), NAMES))


def test_a_pattern_shows_through_its_mask_on_grey():
    result = replace(RESULT, masks=np.stack([np.full((2, 2), share, np.float32) for share in (0, 0.5, 1)]))
    assert reversed_trigger(result, 0) == pytest.approx(np.full((2, 2, 2), 0.5))
    assert reversed_trigger(result, 1) == pytest.approx(0.5 * result.patterns[1] + 0.25)
    assert reversed_trigger(result, 2) == pytest.approx(result.patterns[2])
    assert reversed_trigger(replace(result, masks=None), 1) == pytest.approx(result.patterns[1])
