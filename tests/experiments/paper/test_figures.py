"""Figures of the paper, on records and findings made up."""

import numpy as np
import pytest

from aegis.core.errors import ConfigError, StoreError
from aegis.core.types import Clusters, Embedding
from aegis.experiments.paper import figure4, figure9, figure12
from aegis.experiments.paper.draw import ENDINGS, draw
from aegis.experiments.paper.figure import Bars, Figure, Pictures, Points
from aegis.experiments.paper.records import Records
from aegis.records.detectors import DetectorRecord


def outcome(values):
    return DetectorRecord.model_construct(
        title="NC", values=values, scores=(5.0, None), measure="anomaly index", statistic="L1 norm", cut=2.0
    )


def test_figures_12_and_17_have_a_panel_for_each_model_and_say_what_is_missing(monkeypatch, tmp_path):
    said = {"nc": {"cifar10_localised": outcome((3.0, None))}}
    monkeypatch.setattr(Records, "rivals", lambda _, detector, names: said.get(detector, {}))
    found = figure12.figure("12", Records(results=tmp_path))
    assert found.panels == (Bars("NC, robust model", (3.0, None), "anomaly index", 7, 2.0),)
    assert "Neural Cleanse on cifar10_localised_standard" in found.remarks[0]
    (sizes,) = figure12.figure("17", Records(results=tmp_path)).panels
    assert (sizes.values, sizes.axis, sizes.line) == ((5.0, None), "L1 norm", None)


@pytest.mark.parametrize(("module", "number"), [(figure12, "12"), (figure9, "10")])
def test_without_records_the_command_that_makes_them_is_named(module, number, tmp_path):
    with pytest.raises(StoreError, match=r"aegis bank (rivals|train) --only"):
        module.figure(number, Records(results=tmp_path))


def test_a_figure_of_a_scan_needs_one(monkeypatch, tmp_path):
    monkeypatch.setenv("AEGIS_STORE", str(tmp_path))
    with pytest.raises(ConfigError, match="aegis history"):
        figure4.figure("4", None)
    with pytest.raises(StoreError, match="begins with abc; got none"):
        figure4.figure("4", "abc")


def test_a_sheet_has_rows_of_five_and_is_white_where_nothing_is():
    pictures = np.zeros((7, 1, 2, 3), np.uint8)
    sheet = figure4.sheet(pictures)
    assert sheet.shape == (10, 15, 3)
    assert (sheet[:2] == 0).all()
    assert (sheet[2:4, 6:] == 255).all()


@pytest.mark.parametrize("ending", ENDINGS)
def test_every_kind_of_panel_is_drawn_and_gives_the_same_bytes_again(ending):
    points = np.arange(12, dtype=np.float32).reshape(6, 2)
    plane = Embedding(points, np.arange(6) >= 3, 1.0)
    clusters = Clusters(np.array([0, 0, 0, 1, 1, -1]), 1.0)
    panels = (
        Bars("bars", (1.0, None, -2.0), "index", 0, 2.0),
        Points("points", plane, None),
        Points("clusters", plane, clusters),
        Pictures("picture", np.zeros((2, 2, 3), np.uint8)),
    )
    figure = Figure("12", "all", panels)
    first = draw(figure, ending)
    assert first == draw(figure, ending)
    assert first.startswith({".png": b"\x89PNG", ".svg": b"<?xml"}[ending])
