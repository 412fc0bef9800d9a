"""Inspect Class in another light than the scan's: what it costs, how it is asked for, and what comes of it."""

import threading
from contextlib import contextmanager

import numpy as np

from aegis.core.errors import DataError
from aegis.detect.embed import EMBEDDERS
from aegis.ui.caches import UploadCache, look_for_images
from aegis.ui.inspect import state
from aegis.ui.inspect import what_if as what_if_page
from aegis.ui.inspect.what_if import with_what_if
from aegis.ui.scans import find_finding
from aegis.ui.session import WhatIf, find_look, server_state
from aegis.ui.watch import Watch
from tests.pages.conftest import INSPECT, LABEL, drawn, everything, run, scatters


@contextmanager
def held():
    """Nothing is computed inside."""
    hold = threading.Event()
    server_state().looks.start(lambda _: hold.wait(120), Watch())
    try:
        yield
    finally:
        hold.set()


def look(at, epsilon):
    """Move the slider to a budget that the scan did not use."""
    at.select_slider(key=state.BUDGET).set_value(epsilon)
    return run(at)


def ended(finished, epsilon, method="tsne"):
    """Wait for the look at a budget."""
    job = find_look(WhatIf(finished.key, LABEL, epsilon, method))
    job.future.result(120)
    return job


def kept(finished, epsilon, method="tsne"):
    return find_finding(with_what_if(finished.record, WhatIf(finished.key, LABEL, epsilon, method)), LABEL)


def test_another_epsilon_is_computed_by_itself_and_kept(page, finished, visit):
    before, budget = scatters(page)[0]["points"], page.query_params["budget"]
    with held():
        look(page, 4.0)
        assert page.button(key="inspect-look-cancel")
        assert page.query_params["budget"] == "4"
        # What was shown stays, dimmed.
        assert [one["points"] for one in scatters(page)] == [before]
        assert f"Below, dimmed: ε = {budget}, t-SNE." in everything(page)
    assert ended(finished, 4.0).state == "done"
    run(page)
    assert "With ε = 4:" in everything(page)
    assert "dimmed" not in everything(page)
    assert len(scatters(page)) == 1
    assert scatters(page)[0]["points"] != before
    # It is on the slider from now on, beside those of the scan.
    assert drawn(page).count("<i></i></span>") == 1
    evidence = kept(finished, 4.0).evidence
    images = look_for_images(finished.record, finished.key, UploadCache())[0].train
    changes = evidence.translated[0] / 255 - images.pixels[evidence.seed_index]
    reached = np.linalg.norm(changes.reshape(len(changes), -1), axis=1)
    # Eight bits a pixel round each change by half a step at most.
    assert 2 < reached.max() <= 4 + 0.5 / 255 * 8
    # It is there for everybody else, and after a restart.
    again = visit(
        finished.environment, **{"scan": finished.key, "class": str(LABEL), "budget": "4", "space": "features"}
    )
    assert "With ε = 4:" in everything(again)
    again.button(key=state.RESET).click()
    run(again)
    assert again.query_params["budget"] in ("2", "8")
    assert "What if" not in everything(again)


def test_a_look_that_waits_is_found_again_and_can_be_cancelled(page, finished, open_page):
    with held():
        look(page, 5.0)
        again = open_page(INSPECT, **dict(page.query_params))
        again.button(key="inspect-look-cancel").click()
        run(again)
        assert find_look(WhatIf(finished.key, LABEL, 5.0, "tsne")).state == "cancelled"
        # It does not begin by itself again.
        assert "ε = 5 was not part of the scan" in everything(again)
        again.button(key="inspect-look").click()
        run(again)
    assert ended(finished, 5.0).state == "done"


def test_a_slider_that_moves_on_leaves_what_it_passed(page, finished):
    with held():
        look(page, 10.0)
        passed = find_look(WhatIf(finished.key, LABEL, 10.0, "tsne"))
        look(page, 12.0)
        assert passed.state == "cancelled"
        look(page, 10.0)
        assert find_look(WhatIf(finished.key, LABEL, 10.0, "tsne")).state == "queued"
        assert find_look(WhatIf(finished.key, LABEL, 12.0, "tsne")) is None


def test_a_look_that_fails_is_a_message(page, finished, monkeypatch):
    def refuse(*_):
        raise DataError("something", "nothing", "Give more.")

    monkeypatch.setattr(what_if_page, "run", refuse)
    look(page, 6.0)
    ended(finished, 6.0)
    run(page)
    assert any("Give more." in text.value for text in page.text)
    assert page.button(key="inspect-look")


def test_another_embedding_needs_no_model_and_is_restored_by_a_link(page, finished, visit, tmp_path, monkeypatch):
    monkeypatch.setitem(EMBEDDERS, "umap", lambda features, *_: features[:, :2].copy())
    page.segmented_control(key=state.METHOD).set_value("umap")
    run(page)
    assert page.query_params["embedding"] == "umap"
    assert ended(finished, None, "umap").state == "done"
    gone = {**finished.environment, "AEGIS_SUSPECTS": str(tmp_path)}
    again = visit(gone, **{"scan": finished.key, "class": str(LABEL), "embedding": "umap"})
    assert "With UMAP:" in everything(again)
    planes = [kept(finished, None, method).embeddings[0].points for method in ("tsne", "umap")]
    assert not np.allclose(*planes)
    again.button(key=state.RESET).click()
    run(again)
    assert "embedding" not in again.query_params
