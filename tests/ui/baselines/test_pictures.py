"""Bars as in Fig. 12, and pictures of reverse-engineered triggers."""

import base64
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
SVG = "{http://www.w3.org/2000/svg}"


def drawn(record, names=NAMES):
    """The bars by class, and the height of the line if there is one."""
    picture = draw_bars(record, names, LIGHT)
    source = re.search(r'src="data:image/svg\+xml;base64,([^"]*)"', picture).group(1)
    root = ElementTree.fromstring(base64.b64decode(source))
    lines = [float(line.attrib["y1"]) for line in root.iter(f"{SVG}line") if "stroke-dasharray" in line.attrib]
    return [bar.attrib for bar in root.iter(f"{SVG}rect")], lines


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
    assert describe_bars(record, NAMES).endswith("0 cat 4, 1 dog 1, 2 ship -1. A class is flagged beyond 2.")


def test_scores_are_drawn_where_there_are_p_values_and_what_was_not_tested_is_empty():
    record = one("mmbd", 2).model_copy(update={"measure": "p-value", "threshold": None})
    assert heights(record) == ((1.0, None, 3.0), None)
    bars, lines = drawn(record)
    assert lines == []
    assert describe_bars(record, NAMES).endswith("size by class: 0 cat 1, 2 ship 3.")
    assert float(bars[2]["height"]) == pytest.approx(3 * float(bars[0]["height"]), abs=0.2)


def test_an_endless_index_is_drawn_inside_and_named():
    bars, _ = drawn(one("nc", 0))
    assert float(bars[0]["y"]) >= TOP
    assert "0 cat inf" in describe_bars(one("nc", 0), NAMES)


def test_names_of_classes_are_no_markup():
    names = ("<script>", "a & b", '"quoted"')
    assert "<script>" in describe_bars(one("nc", 0), names)
    assert "<script>" not in draw_bars(one("nc", 0), names, LIGHT)


def test_a_pattern_shows_through_its_mask_on_grey():
    masks = np.zeros((3, 2, 2), np.float32)
    masks[1], masks[2, 0, 0], masks[2, 0, 1] = 1, 0.1, 0.05
    result = replace(RESULT, masks=masks)
    assert reversed_trigger(result, 0) == pytest.approx(np.full((2, 2, 2), 0.5))
    assert reversed_trigger(result, 1) == pytest.approx(result.patterns[1])
    # A faint mask is drawn at full strength.
    faint = reversed_trigger(result, 2)
    assert faint[:, 0, 0] == pytest.approx(result.patterns[2][:, 0, 0])
    assert faint[:, 0, 1] == pytest.approx(0.5 * result.patterns[2][:, 0, 1] + 0.25)
    assert faint[:, 1] == pytest.approx(0.5)
    assert reversed_trigger(replace(result, masks=None), 1) == pytest.approx(result.patterns[1])
