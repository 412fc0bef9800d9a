"""The Baselines page: a scan's suspect, what others say of it, and running them in the background."""

import time

import numpy as np
import pytest

from aegis.baselines.catalogue import BASELINES
from aegis.baselines.result import DetectorResult
from aegis.store.cached_detectors import find_or_detect
from aegis.ui.baselines import work
from aegis.ui.baselines.work import find_all, key_of
from tests.pages.conftest import button, drawn, everything, labels, run
from tests.stored_scan import KEY

PAGE = "pages/5_Baselines.py"


def result(record, flagged=()):
    """Of a detector that flags these classes of a scan's data."""
    k, shape = len(record.data.class_names), record.data.shape
    return DetectorResult(
        scores=np.arange(1, k + 1, dtype=np.float32),
        values=np.arange(k, dtype=np.float32) - 1,
        measure="anomaly index",
        cut=2.0,
        threshold=0.5,
        flagged=flagged,
        patterns=np.zeros((k, *shape), np.float32),
        masks=np.ones((k, *shape[1:]), np.float32),
        successes=np.ones(k, np.float32),
    )


def keep_results(store, record, flagged=()):
    for name in BASELINES:
        find_or_detect(store, key_of(record, name).digest(), lambda: result(record, flagged))


def test_without_scans_it_says_what_to_do(open_page):
    assert "No scans yet" in everything(open_page(PAGE))


def test_results_in_the_store_stand_beside_the_scan(open_page, keep, kept):
    record = keep()
    keep_results(kept, record)
    at = open_page(PAGE, scan=KEY)
    said = everything(at)
    assert "Run the other detectors" not in labels(at)
    assert "They disagree: AEGIS flags" in said
    assert all(f"**{one.title}**" in said for one in BASELINES.values())
    bars = drawn(at)
    assert bars.count('class="aegis-bars"') == len(BASELINES) + 1
    assert bars.count("<figure>") >= len(BASELINES)
    assert "mask of" in bars


def test_what_is_missing_runs_in_the_background(open_page, keep, kept, monkeypatch):
    record = keep()

    def pretend(key, record, told, report):
        keep_results(kept, record)

    monkeypatch.setattr("aegis.ui.baselines.page.run_missing", pretend)
    at = open_page(PAGE, scan=KEY)
    assert find_all(record) == {}
    run_button = button(at, "Run the other detectors")
    run_button.click()
    run(at)
    deadline = time.monotonic() + 20
    while "Run the other detectors" in labels(at) or "Cancel" in labels(at):
        assert time.monotonic() < deadline
        run(at)
    assert set(find_all(record)) == set(BASELINES)
    assert "They disagree" in everything(at)


def test_a_suspect_that_is_gone_is_a_message(open_page, keep):
    keep()
    at = open_page(PAGE, scan=KEY)
    button(at, "Run the other detectors").click()
    run(at)
    deadline = time.monotonic() + 20
    while "Not possible" not in parsed_badges(at):
        assert time.monotonic() < deadline
        run(at)
    assert "the suspect of this scan" in everything(at)


def parsed_badges(at):
    return "\n".join(one.value for one in at.markdown)


def test_progress_adds_up_over_detectors():
    told = work.Told("key", ("nc", "mmbd"))
    from aegis.core.runtime import Event

    told(Event(stage="nc", step=1, total=4))
    assert told.whole == pytest.approx(0.125)
    told.done, told.share = 1, 0.5
    assert told.whole == pytest.approx(0.75)
