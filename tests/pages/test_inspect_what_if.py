"""Inspect Class in another light than the scan's: what it costs, how it is asked for, and what comes of it."""

import threading

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from aegis.core.errors import DataError
from aegis.ui.caches import UploadCache, look_for_images
from aegis.ui.inspect import budget as inspect_budget
from aegis.ui.inspect import state
from aegis.ui.inspect import what_if as inspect_prompt
from aegis.ui.inspect.what_if import with_what_if
from aegis.ui.scans import find_finding
from aegis.ui.session import WhatIf, find_what_if, server_state
from aegis.ui.watch import Watch
from tests.layers import ROOT
from tests.pages.conftest import INSPECT, LABEL, everything, run


def look(at, epsilon):
    """Move the slider to a budget that the scan did not use."""
    at.select_slider(key=state.BUDGET).set_value(epsilon)
    return run(at)


def ended(finished, epsilon, method="tsne"):
    """Wait for the look at a budget."""
    job = find_what_if(WhatIf(finished.key, LABEL, epsilon, method))
    job.future.result(120)
    return job


def test_a_budget_of_the_scan_is_chosen_even_beyond_those_on_offer(page, monkeypatch):
    monkeypatch.setattr(inspect_budget, "OFFERED", (3.0, 4.0))
    for budget in (2.0, 8.0):
        look(page, budget)
        assert page.query_params["budget"] == f"{budget:g}"
        assert len(page.get("plotly_chart")) == 1


def test_another_epsilon_says_what_it_costs_and_computes_nothing(page):
    look(page, 4.0)
    assert "ε = 4 was not part of the scan" in everything(page)
    assert "seconds" in everything(page)
    assert page.query_params["budget"] == "4"
    assert not page.get("plotly_chart")
    assert not server_state().taken


def test_another_epsilon_is_computed_on_request_and_kept(page, finished, visit):
    look(page, 4.0)
    page.button(key="inspect-look").click()
    run(page)
    assert ended(finished, 4.0).state == "done"
    run(page)
    assert "With ε = 4:" in everything(page)
    assert len(page.get("plotly_chart")) == 1
    kept = find_finding(with_what_if(finished.record, WhatIf(finished.key, LABEL, 4.0, "tsne")), LABEL)
    reached = np.linalg.norm(
        (kept.evidence.translated[0] / 255 - seeds_of(finished, kept)).reshape(len(kept.evidence.seed_index), -1),
        axis=1,
    )
    # Eight bits a pixel round each change by half a step at most.
    assert 2 < reached.max() <= 4 + 0.5 / 255 * 8
    # It is there for everybody else, and after a restart.
    again = visit(finished.environment, **{"scan": finished.key, "class": str(LABEL), "budget": "4"})
    assert "With ε = 4:" in everything(again)
    again.button(key=state.RESET).click()
    run(again)
    assert again.query_params["budget"] in ("2", "8")
    assert "What if" not in everything(again)


def seeds_of(finished, finding):
    return look_for_images(finished.record, finished.key, UploadCache())[0].train.pixels[finding.evidence.seed_index]


def test_a_look_that_waits_is_found_again_and_can_be_cancelled(page, finished, visit):
    hold = threading.Event()
    server_state().looks.start(lambda _: hold.wait(120), Watch())
    look(page, 5.0)
    page.button(key="inspect-look").click()
    run(page)
    again = AppTest.from_file(str(ROOT / "app.py"), default_timeout=120).run()
    again.switch_page(INSPECT)
    for name, value in page.query_params.items():
        again.query_params[name] = value
    run(again)
    again.button(key="inspect-look-cancel").click()
    run(again)
    hold.set()
    assert find_what_if(WhatIf(finished.key, LABEL, 5.0, "tsne")).state == "cancelled"
    assert again.button(key="inspect-look")


def test_a_look_that_fails_is_a_message(page, finished, monkeypatch):
    def refuse(*_):
        raise DataError("something", "nothing", "Give more.")

    monkeypatch.setattr(inspect_prompt, "run", refuse)
    look(page, 6.0)
    page.button(key="inspect-look").click()
    run(page)
    ended(finished, 6.0)
    run(page)
    assert any("Give more." in text.value for text in page.text)
    assert page.button(key="inspect-look")


# It warns of an optional library when it is imported.
@pytest.mark.filterwarnings("ignore::ImportWarning")
def test_another_embedding_needs_no_model_and_is_restored_by_a_link(page, finished, visit, tmp_path):
    page.segmented_control(key=state.METHOD).set_value("umap")
    run(page)
    assert "UMAP was not part of the scan" in everything(page)
    assert page.query_params["embedding"] == "umap"
    page.button(key="inspect-look").click()
    run(page)
    assert ended(finished, None, "umap").state == "done"
    gone = {**finished.environment, "AEGIS_SUSPECTS": str(tmp_path)}
    again = visit(gone, **{"scan": finished.key, "class": str(LABEL), "embedding": "umap"})
    assert "With UMAP:" in everything(again)
    planes = [
        find_finding(with_what_if(finished.record, WhatIf(finished.key, LABEL, None, method)), LABEL)
        .embeddings[0]
        .points
        for method in ("tsne", "umap")
    ]
    assert not np.allclose(*planes)
    again.button(key=state.RESET).click()
    run(again)
    assert "embedding" not in again.query_params


def test_without_the_suspect_another_epsilon_says_what_is_missing(visit, finished, tmp_path):
    at = visit({**finished.environment, "AEGIS_SUSPECTS": str(tmp_path)}, scan=finished.key, budget="7")
    assert any(finished.record.model.sha256 in text.value for text in at.text)
    assert not [button for button in at.button if button.key == "inspect-look"]
