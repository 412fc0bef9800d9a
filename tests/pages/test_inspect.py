"""Inspect Class as a script: its states, and what follows a click or a slider."""

import re
import shutil
import threading

import numpy as np
import pytest

from aegis.core.errors import DataError
from aegis.detect.cluster import cluster, cluster_translated
from aegis.records.config import JudgeConfig
from aegis.store.store import Store
from aegis.ui.inspect import state
from aegis.ui.inspect.budget import bandwidths
from aegis.ui.inspect.trial import BUTTON, Trial
from aegis.ui.inspect.view import unpack
from aegis.ui.scans import find_finding
from aegis.ui.session import server_state
from aegis.ui.watch import Watch
from tests.finished import NAMES, TESTED
from tests.pages.conftest import LABEL, everything, parsed, run, scatters


@pytest.fixture
def finding(page, finished):
    return find_finding(finished.record, LABEL)


def click(at, *rows, drawn=False):
    """What the scatter would tell once."""
    at.session_state[state.PICKED] = {"rows": list(rows), "drawn": drawn, "adding": False}
    return run(at)


def chart(at):
    (one,) = scatters(at)
    return one


def picture(at):
    """What the gallery's picture is called for those who do not see it."""
    return at.get("image")[0].proto.imgs[0].alt


def slider(at):
    _, bandwidth = at.select_slider
    return bandwidth


def selected(at, points):
    return np.flatnonzero(unpack(at.query_params.get("selection", ""), points)).tolist()


def test_without_a_scan_or_a_store_it_says_what_to_do(visit, tmp_path):
    at = visit({"AEGIS_STORE": str(tmp_path)})
    assert "No finished scan yet" in everything(at)
    assert any("aegis scan" in code.value for code in at.code)
    (tmp_path / "file").write_text("")
    assert any("AEGIS_STORE" in text.value for text in visit({"AEGIS_STORE": str(tmp_path / "file")}).text)


def test_without_a_link_to_a_scan_of_ours_it_shows_the_latest(visit, finished):
    at = visit(finished.environment, scan="0" * 64)
    assert "no such scan" in everything(at)
    assert at.query_params["scan"] == finished.key
    at = visit(finished.environment)
    assert at.query_params["scan"] == finished.key
    assert int(at.query_params["class"]) in TESTED


def test_the_recorded_reason_is_told_and_names_are_never_markup(page, finished, finding):
    reason = finished.record.classes[1].reason
    assert any(reason[1:] in text.value for text in page.text)
    assert "inconclusive" in everything(page)
    assert f"images 1 to 48 of {len(finding.evidence.seed_index)}" in picture(page)
    assert not [name for name in NAMES if name in parsed(page)]


def test_evidence_that_is_gone_is_a_message(visit, finished, tmp_path):
    Store(tmp_path).keep_scan(finished.key, finished.record)
    at = visit({**finished.environment, "AEGIS_STORE": str(tmp_path)}, scan=finished.key)
    assert "no longer stored" in everything(at)
    assert not scatters(at)


def test_without_the_images_the_rest_is_still_shown(visit, finished, tmp_path):
    data = finished.record.data.model_copy(update={"name": str(tmp_path / "gone.npz")})
    shutil.copytree(finished.store, tmp_path / "store")
    Store(tmp_path / "store").keep_scan("e" * 64, finished.record.model_copy(update={"data": data}))
    at = visit({**finished.environment, "AEGIS_STORE": str(tmp_path / "store")}, scan="e" * 64)
    assert "not at hand" in everything(at)
    assert chart(at)["points"]
    assert at.button(key=BUTTON).disabled
    click(at, len(finished.record.classes))


def test_a_click_selects_a_cluster_and_a_box_what_lies_in_it_until_it_is_cleared(page, finding):
    found = finding.clusters[0 if page.query_params["budget"] == "2" else 1]
    points = len(found.assignment)
    members = np.flatnonzero(found.assignment == 1).tolist()
    click(page, members[0])
    assert selected(page, points) == members
    click(page, 3, 70, 71, drawn=True)
    assert selected(page, points) == [3, 70, 71]
    assert "2 translated, 1 training" in everything(page)
    page.button(key="inspect-clear").click()
    run(page)
    assert selected(page, points) == []
    assert "Nothing selected" in everything(page)


def test_two_clusters_are_shown_side_by_side(page, finding):
    found = finding.clusters[finding.evidence.budgets.index(float(page.query_params["budget"]))]
    assert {chip["pressed"] for chip in chart(page)["strip"]["chips"]} == {"false"}
    click(page, *np.flatnonzero(found.assignment < 2).tolist(), drawn=True)
    chips = chart(page)["strip"]["chips"]
    assert [chip["pressed"] for chip in chips[:2]] == ["true", "true"]
    shown = [image.proto.imgs[0].alt for image in page.get("image")]
    for number, chip in enumerate(chips[:2], 1):
        kind = "translated" if "translated" in chip["said"] else "training"
        count = re.search(rf"(\d+) {kind}", chip["said"]).group(1)
        assert any(f"of {count} in cluster {number}, 4 to a row" in alt and kind in alt.lower() for alt in shown)


def test_it_opens_at_a_budget_of_the_scan_and_says_why(page, finding):
    budget = page.query_params["budget"]
    assert float(budget) in finding.evidence.budgets
    assert f"Opened at ε = {budget}, " in everything(page)
    other = next(one for one in finding.evidence.budgets if f"{one:g}" != budget)
    page.select_slider(key=state.BUDGET).set_value(other)
    assert f"This class is seen best at ε = {budget}, " in everything(run(page))


def test_a_bandwidth_gives_the_clusters_of_a_scan_with_it(page, finding):
    budget = finding.evidence.budgets.index(float(page.query_params["budget"]))
    embedding, recorded = finding.embeddings[budget], finding.clusters[budget]
    offered = bandwidths(recorded.bandwidth)
    for chosen in (offered[8], offered[-1]):
        slider(page).set_value(chosen)
        run(page)
        expected = cluster(embedding, JudgeConfig(bandwidth=chosen))
        members = np.flatnonzero(expected.assignment == expected.count - 1).tolist()
        click(page, members[0])
        assert selected(page, len(embedding.points)) == members
        assert "What if" in everything(page)
    page.button(key=state.RESET).click()
    run(page)
    assert slider(page).value == recorded.bandwidth
    assert "What if" not in everything(page)
    assert "bandwidth" not in page.query_params


def test_budgets_and_translated_images_alone_show_their_clusters(page, finding, monkeypatch):
    # A budget of the scan is chosen even beyond those on offer.
    monkeypatch.setattr("aegis.ui.inspect.budget.OFFERED", (3.0, 4.0))
    for budget, clusters in zip(finding.evidence.budgets, finding.clusters, strict=True):
        page.select_slider(key=state.BUDGET).set_value(budget)
        run(page)
        assert page.query_params["budget"] == f"{budget:g}"
        assert slider(page).value == clusters.bandwidth
    page.toggle(key=state.ALONE).set_value(True)
    run(page)
    assert slider(page).value == cluster_translated(finding.embeddings[-1], JudgeConfig()).bandwidth
    assert f"Scatter plot of {len(finding.evidence.seed_index)} images" in chart(page)["alt"]


def test_every_kind_of_picture_is_shown(page):
    click(page, 0, 1, 70, 71, drawn=True)
    for show in ("seed", "difference", "training", "translated"):
        page.segmented_control(key=state.SHOW).set_value(show)
        run(page)
        assert f"{show.capitalize()} images 1 to 2 of 2" in picture(page)


def test_a_link_restores_the_view(page, finished, visit):
    page.toggle(key=state.ALONE).set_value(True)
    run(page)
    slider(page).set_value(bandwidths(slider(page).value)[10])
    page.segmented_control(key=state.COLOUR).set_value("class")
    page.segmented_control(key=state.SHOW).set_value("seed")
    run(page)
    click(page, 70, 75, drawn=True)
    link = dict(page.query_params)
    assert link["space"] == "features"
    again = visit(finished.environment, **link)
    assert dict(again.query_params) == link
    assert slider(again).value == slider(page).value
    assert chart(again) == chart(page)


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


def search(at):
    """Search from the selection and wait for the end."""
    at.button(key=BUTTON).click()
    run(at)
    (job,) = (server_state().looks.find(id) for what, id in server_state().taken.items() if isinstance(what, Trial))
    job.future.result(120)
    run(at)
    return job


def test_a_trigger_is_searched_for_from_a_selection_and_stands_beside_the_scans_own(page, finished):
    click(page, 70, 71, 72, drawn=True)
    job = search(page)
    assert job.state == "done"
    (bars,) = page.get("plotly_chart")
    assert "Bar chart of attack success rates by source class" in bars.proto.alt
    rates = {one.family: one.flip_rate for one in reversed(job.result)}
    assert list(rates) == ["perturbation", "patch"]
    assert f"**A patch** turns {rates['patch']:.0%} of" in everything(page)
    assert f"**A small change everywhere** turns {rates['perturbation']:.0%} of" in everything(page)
    assert "the scan's own" in bars.proto.alt
    assert "**The scan's own trigger** turns" in everything(page)
    # Another selection has not been tried; and nothing is searched for twice.
    click(page, 75, 76, drawn=True)
    assert not page.get("plotly_chart")
    click(page, 70, 71, 72, drawn=True)
    assert page.get("plotly_chart")
    assert search(page) is job
    # A search starts from translated images.
    click(page, 0, 1, drawn=True)
    assert BUTTON not in [button.key for button in page.button]


def test_a_search_that_fails_is_a_message_and_one_that_waits_can_be_cancelled(page, monkeypatch):
    def refuse(*_):
        raise DataError("something", "nothing", "Give more.")

    monkeypatch.setattr("aegis.ui.inspect.trial.search_selection", refuse)
    click(page, 70, drawn=True)
    assert search(page).state == "failed"
    assert any("Give more." in text.value for text in page.text)
    hold = threading.Event()
    server_state().looks.start(lambda _: hold.wait(120), Watch())
    page.button(key=BUTTON).click()
    run(page)
    page.button(key="inspect-trial-cancel").click()
    run(page)
    hold.set()
    assert not [button for button in page.button if button.key == "inspect-trial-cancel"]


def test_without_the_suspect_nothing_is_tried_nor_computed(visit, finished, tmp_path):
    at = visit({**finished.environment, "AEGIS_SUSPECTS": str(tmp_path)}, scan=finished.key)
    at.button(key=BUTTON).click()
    run(at)
    assert any(finished.record.model.sha256 in text.value for text in at.text)
    assert not at.get("plotly_chart")
    at.select_slider(key=state.BUDGET).set_value(7.0)
    run(at)
    assert any(finished.record.model.sha256 in text.value for text in at.text)
    assert not [button for button in at.button if button.key == "inspect-look"]
