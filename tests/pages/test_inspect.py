"""Inspect Class as a script: its states, and what follows a click or a slider."""

import io
import shutil
import threading
import zipfile

import numpy as np
import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from aegis.detect.cluster import cluster, cluster_translated
from aegis.detect.config import JudgeConfig
from aegis.errors import DataError
from aegis.store import Store
from aegis.ui import inspect_offer
from aegis.ui import inspect_state as state
from aegis.ui.inspect_look import Light, in_light
from aegis.ui.inspect_select import bandwidths
from aegis.ui.inspect_trial import BUTTON
from aegis.ui.inspect_view import unpack
from aegis.ui.scan_session import desk, find_look
from aegis.ui.scan_watch import Watch
from aegis.ui.scans import find_finding
from aegis.ui.shelf import Shelf, images_of
from tests.finished import NAMES, TESTED
from tests.layers import ROOT

PAGE = "pages/2_Inspect_Class.py"
LABEL = TESTED[1]


@pytest.fixture
def visit(monkeypatch):
    """Opens the page with variables and query parameters."""

    def open_page(environment, **parameters):
        for name, value in environment.items():
            monkeypatch.setenv(name, value)
        st.cache_resource.clear()
        at = AppTest.from_file(str(ROOT / "app.py"), default_timeout=120).run()
        at.switch_page(PAGE)
        for name, value in parameters.items():
            at.query_params[name] = value
        return run(at)

    return open_page


@pytest.fixture
def page(visit, finished):
    """The page with a class of the finished scan."""
    return visit(finished.environment, **{"scan": finished.key, "class": str(LABEL)})


@pytest.fixture
def finding(page, finished):
    return find_finding(finished.record, LABEL)


def run(at):
    at.run()
    assert not at.exception
    return at


def click(at, *rows, **drawn):
    """What the chart would say, and then nothing any more."""
    points = [{"customdata": [row]} for row in rows]
    at.session_state[state.CHART] = {"selection": {"points": points, "box": [], "lasso": [], **drawn}}
    run(at)
    at.session_state[state.CHART] = {"selection": {"points": [], "box": [], "lasso": []}}
    return at


def said(at):
    parts = [*at.title, *at.header, *at.markdown, *at.text, *at.code, *at.caption, *at.info, *at.warning]
    return "\n".join(part.value for part in parts)


def chart(at, position=0):
    return at.get("plotly_chart")[position].proto


def picture(at):
    """What the gallery's picture is called for those who do not see it."""
    return at.get("image")[0].proto.imgs[0].alt


def slider(at):
    _, bandwidth = at.select_slider
    return bandwidth


def selected(at, points):
    return np.flatnonzero(unpack(at.query_params.get("selection", ""), points)).tolist()


def test_without_a_scan_it_says_what_to_do(visit, tmp_path):
    at = visit({"AEGIS_STORE": str(tmp_path)})
    assert "No finished scan yet" in said(at)
    assert any("aegis scan" in code.value for code in at.code)


def test_a_store_that_cannot_be_used_is_a_message(visit, tmp_path):
    (tmp_path / "file").write_text("")
    at = visit({"AEGIS_STORE": str(tmp_path / "file")})
    assert any("AEGIS_STORE" in text.value for text in at.text)


def test_a_link_that_names_no_scan_of_ours_shows_the_latest(visit, finished):
    at = visit(finished.environment, scan="0" * 64)
    assert "no such scan" in said(at)
    assert at.query_params["scan"] == finished.key


def test_it_opens_without_a_link_too(visit, finished):
    at = visit(finished.environment)
    assert at.query_params["scan"] == finished.key
    assert int(at.query_params["class"]) in TESTED


def test_the_recorded_reason_is_told(page, finished):
    reason = finished.record.classes[1].reason
    assert any(reason[1:] in text.value for text in page.text)
    assert "inconclusive" in said(page)


def test_names_are_never_markup(page):
    parsed = "\n".join(part.value for part in [*page.markdown, *page.caption, *page.info, *page.header])
    for name in NAMES:
        assert name not in parsed


def test_evidence_that_is_gone_is_a_message(visit, finished, tmp_path):
    shutil.copytree(finished.store, tmp_path / "store")
    for file in (tmp_path / "store" / "arrays").iterdir():
        file.unlink()
    at = visit({**finished.environment, "AEGIS_STORE": str(tmp_path / "store")}, scan=finished.key)
    assert "no longer stored" in said(at)
    assert not at.get("plotly_chart")


def test_without_the_images_the_rest_is_still_shown(visit, finished, tmp_path):
    shutil.copytree(finished.store, tmp_path / "store")
    moved = finished.record.model_copy(
        update={"data": finished.record.data.model_copy(update={"name": str(tmp_path / "gone.npz")})}
    )
    Store(tmp_path / "store").keep_scan("e" * 64, moved)
    at = visit({**finished.environment, "AEGIS_STORE": str(tmp_path / "store")}, scan="e" * 64)
    assert "not at hand" in said(at)
    assert len(at.get("plotly_chart")) == 1
    assert at.button(key=BUTTON).disabled
    click(at, len(finished.record.classes))


def test_a_click_selects_the_cluster_of_its_point(page, finding):
    found = finding.clusters[0 if page.query_params["budget"] == "2" else 1]
    row = int(np.flatnonzero(found.assignment == 1)[0])
    click(page, row)
    assert selected(page, len(found.assignment)) == np.flatnonzero(found.assignment == 1).tolist()


def test_a_box_selects_what_lies_in_it_and_clear_takes_it_back(page, finding):
    points = len(finding.embeddings[0].points)
    click(page, 3, 70, 71, box=[{}])
    assert selected(page, points) == [3, 70, 71]
    assert "2 translated, 1 training" in said(page)
    page.button(key="inspect-clear").click()
    run(page)
    assert selected(page, points) == []
    assert "Nothing selected" in said(page)


def test_a_bandwidth_gives_the_clusters_of_a_scan_with_it(page, finding):
    budget = finding.evidence.budgets.index(float(page.query_params["budget"]))
    embedding, recorded = finding.embeddings[budget], finding.clusters[budget]
    offered = bandwidths(recorded.bandwidth)
    for chosen in (offered[8], offered[30], offered[-1]):
        slider(page).set_value(chosen)
        run(page)
        expected = cluster(embedding, JudgeConfig(bandwidth=chosen))
        row = int(np.flatnonzero(expected.assignment == expected.count - 1)[0])
        click(page, row)
        assert (
            selected(page, len(embedding.points)) == np.flatnonzero(expected.assignment == expected.count - 1).tolist()
        )
        assert "What if" in said(page)
    page.button(key=state.RESET).click()
    run(page)
    assert slider(page).value == recorded.bandwidth
    assert "What if" not in said(page)
    assert "bandwidth" not in page.query_params


def test_translated_only_leaves_the_training_images_out(page, finding):
    page.toggle(key=state.ALONE).set_value(True)
    run(page)
    budget = finding.evidence.budgets.index(float(page.query_params["budget"]))
    alone = cluster_translated(finding.embeddings[budget], JudgeConfig())
    assert slider(page).value == alone.bandwidth
    assert f"of {len(finding.evidence.seed_index)} images" not in said(page)
    assert f"Scatter plot of {len(finding.evidence.seed_index)} images" in chart(page).alt


def test_another_budget_shows_its_clusters(page, finding):
    for budget, clusters in zip(finding.evidence.budgets, finding.clusters, strict=True):
        page.select_slider(key=state.BUDGET).set_value(budget)
        run(page)
        assert page.query_params["budget"] == f"{budget:g}"
        assert slider(page).value == clusters.bandwidth


def look(at, epsilon):
    """Move the slider to a budget that the scan did not use."""
    at.select_slider(key=state.BUDGET).set_value(epsilon)
    return run(at)


def ended(finished, epsilon, method="tsne"):
    """Wait for the look at a budget."""
    job = find_look(Light(finished.key, LABEL, epsilon, method))
    job.future.result(120)
    return job


def test_another_epsilon_says_what_it_costs_and_computes_nothing(page):
    look(page, 4.0)
    assert "ε = 4 was not part of the scan" in said(page)
    assert "seconds" in said(page)
    assert page.query_params["budget"] == "4"
    assert not page.get("plotly_chart")
    assert not desk().taken


def test_another_epsilon_is_computed_on_request_and_kept(page, finished, visit):
    look(page, 4.0)
    page.button(key="inspect-look").click()
    run(page)
    assert ended(finished, 4.0).state == "done"
    run(page)
    assert "With ε = 4:" in said(page)
    assert len(page.get("plotly_chart")) == 1
    kept = find_finding(in_light(finished.record, Light(finished.key, LABEL, 4.0, "tsne")), LABEL)
    reached = np.linalg.norm(
        (kept.evidence.translated[0] / 255 - seeds_of(finished, kept)).reshape(len(kept.evidence.seed_index), -1),
        axis=1,
    )
    # Eight bits a pixel round each change by half a step at most.
    assert 2 < reached.max() <= 4 + 0.5 / 255 * 8
    # It is there for everybody else, and after a restart.
    again = visit(finished.environment, **{"scan": finished.key, "class": str(LABEL), "budget": "4"})
    assert "With ε = 4:" in said(again)
    again.button(key=state.RESET).click()
    run(again)
    assert again.query_params["budget"] in ("2", "8")
    assert "What if" not in said(again)


def seeds_of(finished, finding):
    return images_of(finished.record, finished.key, Shelf()).train.pixels[finding.evidence.seed_index]


def test_a_look_that_waits_is_found_again_and_can_be_cancelled(page, finished, visit):
    hold = threading.Event()
    desk().looks.start(lambda _: hold.wait(120), Watch())
    look(page, 5.0)
    page.button(key="inspect-look").click()
    run(page)
    again = AppTest.from_file(str(ROOT / "app.py"), default_timeout=120).run()
    again.switch_page(PAGE)
    for name, value in page.query_params.items():
        again.query_params[name] = value
    run(again)
    again.button(key="inspect-look-cancel").click()
    run(again)
    hold.set()
    assert ended_state(finished, 5.0) == "cancelled"
    assert again.button(key="inspect-look")


def ended_state(finished, epsilon):
    return find_look(Light(finished.key, LABEL, epsilon, "tsne")).state


def test_a_look_that_fails_is_a_message(page, finished, monkeypatch):
    def refuse(*_):
        raise DataError("something", "nothing", "Give more.")

    monkeypatch.setattr(inspect_offer, "take", refuse)
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
    assert "UMAP was not part of the scan" in said(page)
    assert page.query_params["embedding"] == "umap"
    page.button(key="inspect-look").click()
    run(page)
    assert ended(finished, None, "umap").state == "done"
    gone = {**finished.environment, "AEGIS_SUSPECTS": str(tmp_path)}
    again = visit(gone, **{"scan": finished.key, "class": str(LABEL), "embedding": "umap"})
    assert "With UMAP:" in said(again)
    planes = [
        find_finding(in_light(finished.record, Light(finished.key, LABEL, None, method)), LABEL).embeddings[0].points
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


@pytest.mark.parametrize("show", ["translated", "seed", "difference", "training"])
def test_every_kind_of_picture_is_shown(page, show):
    click(page, 0, 1, 70, 71, lasso=[{}])
    page.segmented_control(key=state.SHOW).set_value(show)
    run(page)
    assert f"{show.capitalize()} images 1 to 2 of 2" in picture(page)


def test_a_page_of_the_gallery_has_48_images(page, finding):
    assert f"images 1 to 48 of {len(finding.evidence.seed_index)}" in picture(page)


def test_a_link_restores_the_view(page, finished, visit):
    page.toggle(key=state.ALONE).set_value(True)
    run(page)
    slider(page).set_value(bandwidths(slider(page).value)[10])
    page.segmented_control(key=state.COLOUR).set_value("class")
    page.segmented_control(key=state.SHOW).set_value("seed")
    run(page)
    click(page, 70, 75, box=[{}])
    link = dict(page.query_params)
    again = visit(finished.environment, **link)
    assert dict(again.query_params) == link
    assert slider(again).value == slider(page).value
    assert chart(again).alt == chart(page).alt


def test_previous_and_next_class(page):
    assert page.query_params["class"] == str(TESTED[1])
    click(page, 3)
    page.button(key="inspect-next").click()
    run(page)
    assert page.query_params["class"] == str(TESTED[2])
    assert "selection" not in page.query_params
    assert page.button(key="inspect-next").disabled
    page.button(key="inspect-previous").click()
    run(page)
    assert page.query_params["class"] == str(TESTED[1])


def test_a_selection_is_tried_on_held_out_images(page):
    click(page, 70, 71, 72, box=[{}])
    page.button(key=BUTTON).click()
    run(page)
    assert len(page.get("plotly_chart")) == 2
    assert "Bar chart of flip rates by source class" in chart(page, 1).alt
    assert "As a patch of 3 pixels" in said(page)
    # Another selection has not been tried.
    click(page, 75, 76, box=[{}])
    assert len(page.get("plotly_chart")) == 1


def test_without_the_suspect_nothing_is_tried(visit, finished, tmp_path):
    at = visit({**finished.environment, "AEGIS_SUSPECTS": str(tmp_path)}, scan=finished.key)
    at.button(key=BUTTON).click()
    run(at)
    assert any(finished.record.model.sha256 in text.value for text in at.text)
    assert len(at.get("plotly_chart")) == 1


def test_a_selection_is_exported(finished, finding):
    from aegis.detect.record import config_of
    from aegis.ui.inspect_export import bundle
    from aegis.ui.inspect_subject import Subject
    from aegis.ui.palette import palette

    rows = np.zeros(len(finding.embeddings[0].points), bool)
    rows[[0, 60, 61]] = True
    data = images_of(finished.record, finished.key, Shelf())
    subject = Subject(
        finished.key,
        finished.record,
        finding,
        data,
        config_of(finished.record),
        0,
        rows,
        finding.clusters[0],
        palette(None),
    )
    content = bundle(subject)
    assert content == bundle(subject)
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        names = archive.namelist()
        lines = archive.read("selection.csv").decode().splitlines()
    assert {"translated-1.png", "seed-1.png", "difference-1.png", "training-1.png", "mean.png"} <= set(names)
    assert len(lines) == 4
    assert lines[1].startswith(f"0,training,{finding.evidence.train_index[0]},{LABEL},")
    label = int(data.train.labels[finding.evidence.seed_index[0]])
    assert lines[2].startswith(f"60,translated,{finding.evidence.seed_index[0]},{label},")
    assert not any(",=bag" in line for line in lines)
