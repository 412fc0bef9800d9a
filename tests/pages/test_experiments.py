"""The Experiments page: tables and figures of the paper as they are recorded, and figures of one scan."""

import re
import threading

import pytest

from aegis.core.errors import StoreError
from aegis.core.runtime import Event
from aegis.experiments.paper.catalogue import FIGURES, TABLES
from aegis.experiments.paper.runs import Experiment
from aegis.ui.experiments import runs
from aegis.ui.experiments.page import CHOICE, SHOWN
from aegis.ui.experiments.runs import RUN, SCALE
from aegis.ui.session import server_state
from tests.pages.conftest import button, drawn, everything, labels, run

PAGE = "pages/6_Experiments.py"


def files(at):
    """What is handed out, by its name."""
    return {one.proto.label: one for one in at.get("download_button")}


def pictured(at):
    """What the picture is called for those who do not see it."""
    return at.get("image")[0].proto.imgs[0].alt


def test_it_begins_with_the_findings_and_offers_every_table_and_figure(open_page):
    # A link to what is not there leads to them too.
    at = open_page(PAGE, **{SHOWN: "table-99"})
    same, all = map(int, re.match(r"(\d+) of (\d+) comparisons point the paper's way", at.header[0].value).groups())
    questions = [one.label for one in at.expander][:6]
    assert [one[:7] for one in questions] == [f"**RQ{number}**" for number in range(1, 7)]
    said = [int(count) for one in questions for count in re.findall(r":blue-badge\[(\d+) as in the paper", one)]
    assert (sum(said), 0 < same < all) == (same, True)
    assert drawn(at).count(">As in the paper") == same
    assert at.query_params[SHOWN] == "findings"
    assert len(at.selectbox(key=CHOICE).options) == len(TABLES) + len(FIGURES)
    assert any("aegis table findings" in code.value for code in at.code)


def test_a_link_opens_a_table_with_its_numbers_and_files(open_page):
    at = open_page(PAGE, **{SHOWN: "table-5"})
    assert at.header[0].value.startswith("Table 5. ")
    markup = drawn(at)
    assert markup.count("<tr>") > 20
    assert 'class="number"' in markup
    assert set(files(at)) == {"JSON", "Markdown"}
    assert "bank/quick/mnist_localised.json" in everything(at)


def test_a_figure_of_the_records_is_drawn_and_one_of_a_scan_asks_for_one(open_page):
    at = open_page(PAGE, **{SHOWN: "figure-12"})
    assert pictured(at).startswith("Figure 12. ")
    assert set(files(at)) == {"PNG"}
    at.selectbox(key=CHOICE).set_value("figure-6")
    run(at)
    assert at.query_params[SHOWN] == "figure-6"
    assert "No scans yet" in everything(at)


def test_a_figure_of_a_scan_shows_its_strongest_class(open_page, finished, monkeypatch):
    for name, value in finished.environment.items():
        monkeypatch.setenv(name, value)
    at = open_page(PAGE, **{SHOWN: "figure-6"})
    assert "Mean-shift clusters" in pictured(at)
    (chosen,) = at.multiselect[0].value
    assert any(f"--scan {finished.key[:12]} --classes {chosen}" in code.value for code in at.code)
    at.multiselect[0].set_value([])
    assert "Choose a class." in everything(run(at))


@pytest.fixture
def held(monkeypatch):
    """Experiments that tell what they are given and then wait to be let go, to end as they are told."""
    go, ends = threading.Event(), {"missing": 3, "end": lambda: 3, "begun": threading.Event()}
    monkeypatch.setattr(Experiment, "missing", lambda _: ends["missing"])

    def compute(experiment, report, watch):
        watch.know((), (), tries=False)
        watch.say("1 of 4 runs there")
        report(Event(stage="experiment", step=1, total=4))
        ends["begun"].set()
        assert go.wait(120)
        report.check()
        return ends["end"]()

    monkeypatch.setattr(runs, "compute_apart", compute)
    yield go, ends
    go.set()
    for job in server_state().jobs.unfinished():
        job.future.result(120)


def started(at, ends):
    """The job that a button of the page has begun."""
    assert ends["begun"].wait(120)
    run(at)
    (job,) = server_state().jobs.unfinished()
    assert at.query_params[RUN] == job.id
    assert "1 of 4 runs there: 25%" in at.get("progress")[0].proto.text
    return job


def test_a_smoke_test_is_run_from_the_page_and_its_table_shown(open_page, held):
    go, ends = held
    at = open_page(PAGE, **{SHOWN: "table-8", SCALE: "smoke"})
    assert not at.header
    button(at, "Run it").click()
    run(at)
    job = started(at, ends)
    # It is found again by its address alone, and from elsewhere.
    again = open_page(PAGE, **{RUN: job.id})
    assert (again.query_params[SHOWN], again.query_params[SCALE]) == ("table-8", "smoke")
    assert "Cancel" in labels(again)
    ends["missing"] = 0
    go.set()
    job.future.result(120)
    run(at)
    assert at.header[0].value.startswith("Table 8. ")
    assert "304" in drawn(at)
    assert "Scale smoke: a few suspects" in everything(at)
    assert any("aegis table 8 --scale smoke" in code.value for code in at.code)
    assert "Run it" not in labels(at)


def test_what_is_missing_of_the_records_is_run_beside_the_table_and_cancelled(open_page, held):
    go, ends = held
    at = open_page(PAGE, **{SHOWN: "table-8"})
    assert at.header[0].value.startswith("Table 8. ")
    assert "3 of 51 runs missing." in everything(at)
    button(at, "Run what is missing").click()
    run(at)
    job = started(at, ends)
    assert at.header[0].value.startswith("Table 8. ")
    assert "Run what is missing" not in labels(at)
    button(at, "Cancel").click()
    run(at)
    assert job.state == "cancelled"
    assert any("Cancelled: what was finished is kept" in one.value for one in at.markdown)
    go.set()


def test_a_run_that_fails_says_why_and_may_be_tried_again(open_page, held):
    def full():
        raise StoreError("room for results", "none", "Free some space.")

    go, ends = held
    ends["end"] = full
    at = open_page(PAGE, **{SHOWN: "table-8", SCALE: "smoke"})
    button(at, "Run it").click()
    run(at)
    job = started(at, ends)
    go.set()
    job.future.result(120)
    assert "Expected room for results; got none. Free some space." in everything(run(at))
    assert "Run it" in labels(at)


def test_what_needs_no_run_offers_none(open_page):
    at = open_page(PAGE, **{SHOWN: "table-9"})
    assert not at.radio
    assert not {"Run it", "Run what is missing"} & set(labels(at))
