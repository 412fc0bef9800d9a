"""An experiment in a process of its own: what is told, and how it is cancelled."""

import pytest

from aegis.core.runtime import Cancelled
from aegis.experiments.paper.needs import Need
from aegis.experiments.paper.runs import Experiment
from aegis.ui.experiments.work import ExperimentWatch, compute_apart
from aegis.ui.jobs import Reporter

NEEDS = (Need(kind="scan", by="paper", names=("mnist_localised",)),)


@pytest.fixture
def watch(tmp_path, monkeypatch):
    monkeypatch.setenv("AEGIS_STORE", str(tmp_path / "store"))
    experiment = Experiment(needs=NEEDS, scale="smoke", base=tmp_path / "results")
    return ExperimentWatch(title="Table 8", kind="experiment", shown="table-8", experiment=experiment)


def test_it_is_computed_once_and_tells_how_far_it_is(watch):
    report = Reporter(lambda: None, watch)
    assert compute_apart(watch.experiment, report, watch) == 1
    assert watch.view().whole == 1
    assert watch.saying == "2 of 2 runs there, the last one: scan of mnist_localised, preset paper, seed 0"
    assert watch.experiment.missing() == 0
    assert compute_apart(watch.experiment, report, watch) == 0


def test_a_cancelled_one_ends(watch):
    def check():
        # The suspect is found, and the scan has begun.
        if watch.view().whole > 0:
            raise Cancelled

    with pytest.raises(Cancelled):
        compute_apart(watch.experiment, Reporter(check, watch), watch)
    assert watch.experiment.missing() == 1
