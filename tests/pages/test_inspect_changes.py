"""Inspect Class in the space of changes: what is seen first, and what of it is kept."""

import numpy as np
import pytest
import streamlit as st

from aegis.detect.changes import coherence
from aegis.detect.embed import EMBEDDERS
from aegis.records.record import config_of
from aegis.ui.caches import UploadCache, look_for_images
from aegis.ui.inspect import state
from aegis.ui.inspect.change_space import in_change_space
from aegis.ui.scans import find_finding
from tests.finished import TESTED
from tests.pages.conftest import LABEL, everything, run
from tests.pages.test_inspect import chart, click, picture, selected


@pytest.fixture
def first(visit, finished):
    """The page as a link to a class opens it."""
    return visit(finished.environment, **{"scan": finished.key, "class": str(LABEL)})


@pytest.fixture
def images(finished):
    return look_for_images(finished.record, finished.key, UploadCache())[0]


def switch(at, space):
    at.segmented_control(key=state.SPACE).set_value(space)
    return run(at)


def test_changes_are_seen_first_and_the_papers_space_is_one_click_away(first, finished, images):
    finding = find_finding(finished.record, LABEL)
    seeds = len(finding.evidence.seed_index)
    assert f"Scatter plot of {seeds} images" in chart(first)["alt"]
    assert "by their changes" in chart(first)["alt"]
    assert "space" not in first.query_params
    budget = finding.evidence.budgets.index(float(first.query_params["budget"]))
    changes = finding.evidence.translated[budget] / np.float32(255) - images.train.pixels[finding.evidence.seed_index]
    assert f"Coherence of the changes: {coherence(changes.reshape(seeds, -1)):.2f}" in everything(first)
    assert f"of {len(TESTED)} classes" in everything(first)
    assert not first.toggle
    assert "training" not in first.segmented_control(key=state.SHOW).options
    switch(first, "features")
    assert first.query_params["space"] == "features"
    assert "by their features" in chart(first)["alt"]
    assert "Coherence" not in everything(first)
    assert first.toggle(key=state.ALONE)


def test_a_click_selects_a_cluster_of_changes_and_another_space_forgets_it(first, finished, images):
    record = finished.record
    finding = find_finding(record, LABEL)
    budget = finding.evidence.budgets.index(float(first.query_params["budget"]))
    changes = in_change_space(record, finding, images, budget, config_of(record).embed)
    found = changes.clusters[0]
    assert changes.evidence.budgets == (finding.evidence.budgets[budget],)
    members = np.flatnonzero(found.assignment == 0).tolist()
    click(first, members[0])
    assert selected(first, len(found.assignment)) == members
    assert f"images 1 to {min(48, len(members))} of {len(members)}" in picture(first)
    assert "What if" not in everything(first)
    switch(first, "features")
    assert "Nothing selected" in everything(first)


@pytest.mark.parametrize("key", [state.SPACE, state.COLOUR, state.SHOW, state.METHOD])
def test_a_browser_that_tells_of_no_choice_keeps_the_last_one(visit, finished, key):
    """A control that is drawn anew in the middle of a run may send that nothing is chosen."""
    chosen = {state.SPACE: "features", state.COLOUR: "class", state.SHOW: "difference", state.METHOD: "umap"}
    names = {"space": "features", "colour": "class", "show": "difference"}
    if key == state.METHOD:
        # Which shows no pictures, as it is not computed.
        names["embedding"] = "umap"
    at = visit(finished.environment, **{"scan": finished.key, "class": str(LABEL)}, **names)
    view = dict(at.query_params)
    at.segmented_control(key=key).set_value(None)
    run(at)
    assert at.segmented_control(key=key).value == chosen[key]
    assert dict(at.query_params) == view


def test_what_was_drawn_is_kept_in_the_store(first, finished, visit, monkeypatch):
    before = chart(first)
    st.cache_resource.clear()
    monkeypatch.setitem(EMBEDDERS, "tsne", lambda *_: pytest.fail("it is in the store"))
    again = visit(finished.environment, **dict(first.query_params))
    assert chart(again) == before


def test_few_changes_are_embedded_at_a_smaller_perplexity(finished, images, monkeypatch):
    monkeypatch.setenv("AEGIS_STORE", str(finished.store))
    finding, config = find_finding(finished.record, LABEL), config_of(finished.record).embed
    wide = in_change_space(finished.record, finding, images, 1, type(config)(perplexity=39.0))
    assert len(wide.embeddings[0].points) == len(finding.evidence.seed_index) < 3 * 39
    assert wide.embeddings[0].is_translated.all()
