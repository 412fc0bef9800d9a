"""Inspect Class as a script: its states, and what follows a click or a slider."""

import io
import shutil
import zipfile

import numpy as np
import pytest

from aegis.detect.cluster import cluster, cluster_translated
from aegis.records.config import JudgeConfig
from aegis.store.store import Store
from aegis.ui.caches import UploadCache, look_for_images
from aegis.ui.inspect import state
from aegis.ui.inspect.budget import bandwidths
from aegis.ui.inspect.trial import BUTTON
from aegis.ui.inspect.view import unpack
from aegis.ui.scans import find_finding
from tests.finished import NAMES, TESTED
from tests.pages.conftest import LABEL, everything, run


@pytest.fixture
def finding(page, finished):
    return find_finding(finished.record, LABEL)


def click(at, *rows, **drawn):
    """What the chart would say, and then nothing any more."""
    points = [{"customdata": [row]} for row in rows]
    at.session_state[state.CHART] = {"selection": {"points": points, "box": [], "lasso": [], **drawn}}
    run(at)
    at.session_state[state.CHART] = {"selection": {"points": [], "box": [], "lasso": []}}
    return at


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
    assert "No finished scan yet" in everything(at)
    assert any("aegis scan" in code.value for code in at.code)


def test_a_store_that_cannot_be_used_is_a_message(visit, tmp_path):
    (tmp_path / "file").write_text("")
    at = visit({"AEGIS_STORE": str(tmp_path / "file")})
    assert any("AEGIS_STORE" in text.value for text in at.text)


def test_a_link_that_names_no_scan_of_ours_shows_the_latest(visit, finished):
    at = visit(finished.environment, scan="0" * 64)
    assert "no such scan" in everything(at)
    assert at.query_params["scan"] == finished.key


def test_it_opens_without_a_link_too(visit, finished):
    at = visit(finished.environment)
    assert at.query_params["scan"] == finished.key
    assert int(at.query_params["class"]) in TESTED


def test_the_recorded_reason_is_told(page, finished):
    reason = finished.record.classes[1].reason
    assert any(reason[1:] in text.value for text in page.text)
    assert "inconclusive" in everything(page)


def test_names_are_never_markup(page):
    parsed = "\n".join(part.value for part in [*page.markdown, *page.caption, *page.info, *page.header])
    for name in NAMES:
        assert name not in parsed


def test_evidence_that_is_gone_is_a_message(visit, finished, tmp_path):
    shutil.copytree(finished.store, tmp_path / "store")
    for file in (tmp_path / "store" / "arrays").iterdir():
        file.unlink()
    at = visit({**finished.environment, "AEGIS_STORE": str(tmp_path / "store")}, scan=finished.key)
    assert "no longer stored" in everything(at)
    assert not at.get("plotly_chart")


def test_without_the_images_the_rest_is_still_shown(visit, finished, tmp_path):
    shutil.copytree(finished.store, tmp_path / "store")
    moved = finished.record.model_copy(
        update={"data": finished.record.data.model_copy(update={"name": str(tmp_path / "gone.npz")})}
    )
    Store(tmp_path / "store").keep_scan("e" * 64, moved)
    at = visit({**finished.environment, "AEGIS_STORE": str(tmp_path / "store")}, scan="e" * 64)
    assert "not at hand" in everything(at)
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
    assert "2 translated, 1 training" in everything(page)
    page.button(key="inspect-clear").click()
    run(page)
    assert selected(page, points) == []
    assert "Nothing selected" in everything(page)


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
        assert "What if" in everything(page)
    page.button(key=state.RESET).click()
    run(page)
    assert slider(page).value == recorded.bandwidth
    assert "What if" not in everything(page)
    assert "bandwidth" not in page.query_params


def test_translated_only_leaves_the_training_images_out(page, finding):
    page.toggle(key=state.ALONE).set_value(True)
    run(page)
    budget = finding.evidence.budgets.index(float(page.query_params["budget"]))
    alone = cluster_translated(finding.embeddings[budget], JudgeConfig())
    assert slider(page).value == alone.bandwidth
    assert f"of {len(finding.evidence.seed_index)} images" not in everything(page)
    assert f"Scatter plot of {len(finding.evidence.seed_index)} images" in chart(page).alt


def test_another_budget_shows_its_clusters(page, finding):
    for budget, clusters in zip(finding.evidence.budgets, finding.clusters, strict=True):
        page.select_slider(key=state.BUDGET).set_value(budget)
        run(page)
        assert page.query_params["budget"] == f"{budget:g}"
        assert slider(page).value == clusters.bandwidth


def test_every_kind_of_picture_is_shown(page):
    click(page, 0, 1, 70, 71, lasso=[{}])
    for show in ("seed", "difference", "training", "translated"):
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
    assert "Bar chart of attack success rates by source class" in chart(page, 1).alt
    assert "As a patch of 3 pixels" in everything(page)
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
    from aegis.records.record import config_of
    from aegis.ui.components.palette import palette
    from aegis.ui.inspect.subject import Subject, bundle

    rows = np.zeros(len(finding.embeddings[0].points), bool)
    rows[[0, 60, 61]] = True
    data = look_for_images(finished.record, finished.key, UploadCache())[0]
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
