"""What a browser started is found again by it after a reload, on every page, and by no other."""

import threading

import pytest

from aegis.core.runtime import Event
from aegis.store.store import Store
from aegis.ui import browser
from aegis.ui.order import Order, Outcome
from aegis.ui.session import server_state
from aegis.ui.uploads import Workspace
from tests.layers import ROOT
from tests.pages.conftest import HISTORY, SCAN, button, everything, labels, run
from tests.stored_scan import KEY

SUSPECT = "mnist_localised.safetensors"
MINE, OTHERS = {browser.STATE: "m" * 32}, {browser.STATE: "o" * 32}


@pytest.fixture
def held(suspects, monkeypatch):
    """Scans that are started begin and then wait to be let go; what they find is an upload's result."""
    (suspects / SUSPECT).symlink_to(ROOT / "assets" / "models" / SUSPECT)
    told, go = threading.Event(), threading.Event()

    def carry_out(order, report, watch, upload_cache):
        report(Event(stage="translate", label=0, step=1, total=2))
        told.set()
        assert go.wait(120)
        report(Event(stage="translate", label=0, step=2, total=2))
        return Outcome(key=KEY)

    monkeypatch.setattr("aegis.ui.session.carry_out_apart", carry_out)
    yield told, go
    go.set()


def started(open_page, told):
    """The job of a scan with settings of its own, started by my browser."""
    at = open_page(SCAN, MINE)
    at.segmented_control(key="scan_preset").set_value("quick")
    at.number_input(key="scan_seeds").set_value(70)
    run(at)
    button(at, "Start").click()
    job = server_state().jobs.find(run(at).query_params["job"])
    assert told.wait(120)
    return job


def test_a_running_scan_is_on_every_page_of_the_browser_that_started_it_and_is_cancelled_there(open_page, held):
    job = started(open_page, held[0])
    for page in ("app.py", HISTORY, SCAN):
        # A new session each, as after a reload.
        at = open_page(page, MINE)
        assert f"job={job.id}" in [link.proto.query_string for link in at.main.get("page_link")]
        assert "Cancel" not in labels(open_page(page, OTHERS))
    button(open_page("app.py", MINE), "Cancel").click().run()
    assert job.state == "cancelled"


def test_the_settings_of_a_cancelled_scan_are_there_again_in_a_new_session(open_page, held):
    job = started(open_page, held[0])
    at = open_page(SCAN, MINE, job=job.id)
    # What is scanned and how stands there from the first moment on.
    assert {SUSPECT, "MNIST, bundled sample", "quick"} <= {text.value for text in at.text}
    button(at, "Cancel").click()
    button(run(at), "Back to the settings").click()
    at = run(at)
    assert at.segmented_control(key="scan_preset").value == "quick"
    assert at.number_input(key="scan_seeds").value == 70
    assert at.selectbox(key="scan_suspect").value == SUSPECT


def test_the_result_of_an_upload_is_in_the_lists_of_the_browser_that_made_it(open_page, held, keep, monkeypatch):
    keep(file="mine.pt")
    place = Workspace()
    order = Order(file="upload: a.pt", checkpoint=place.folder / "model", workspace=place)
    monkeypatch.setattr("aegis.ui.scan.page.place", lambda *_, **__: order)
    job = started(open_page, held[0])
    assert "mine.pt" not in everything(open_page("app.py", MINE))
    held[1].set()
    job.future.result(120)
    # The server forgets; the store does not.
    server_state.clear()
    assert "mine.pt" in everything(open_page("app.py", MINE))
    assert len(open_page(HISTORY, MINE).dataframe[0].value) == 1
    assert not open_page(HISTORY, OTHERS).dataframe
    Store().forget(KEY)
