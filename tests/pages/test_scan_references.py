"""The Scan page's part about references; jobs are started here and do what each test needs."""

import hashlib
import io
import threading
from dataclasses import replace

import numpy as np
import pytest

from aegis.core.errors import DataError
from aegis.core.runtime import Event
from aegis.core.source import STEPS_CODE, code_digest
from aegis.data import load_dataset
from aegis.records.reference_files import write_references
from aegis.services import references as service
from aegis.ui.scan import page as scan_page
from aegis.ui.session import server_state
from aegis.ui.watch import Watch
from tests.pages.conftest import SCAN, button, everything, labels, run
from tests.records.test_references import KNOWN
from tests.suspects import link_bundled, write_infected

COMPARE = "Compare with 2 reference models of the same data"


def npz(train=60, test=12):
    """Images of three classes, the same number of each."""
    buffer = io.BytesIO()
    images = {"x_train": np.zeros((3 * train, 12, 12), np.uint8), "y_train": np.arange(3 * train) % 3}
    images |= {"x_test": np.zeros((3 * test, 12, 12), np.uint8), "y_test": np.arange(3 * test) % 3}
    np.savez(buffer, **images)
    return buffer.getvalue()


@pytest.fixture
def upload(open_page, suspects):
    """Opens the page with an upload chosen as images."""
    chosen = hashlib.sha256(write_infected(suspects).read_bytes()).hexdigest()

    def open_it(content, **query):
        state = {"scan_images": "Upload…", "scan_images_for": chosen, "scan_archive_kept": ("mine.npz", content)}
        return open_page(SCAN, state, **query)

    return open_it


@pytest.fixture
def making(monkeypatch):
    """What a job that makes references does: half of it, and then what the test puts here."""
    told, go, then = threading.Event(), threading.Event(), []

    def make(order, report, watch):
        watch.know((), (), tries=False)
        watch.say("Making references")
        report(Event(stage="references", step=1, total=2))
        told.set()
        assert go.wait(60)
        report(Event(stage="references", step=1, total=2))
        return then[0](order)

    monkeypatch.setattr("aegis.ui.session.make", make)
    yield told, go, then
    go.set()


def begun(at, making):
    """The page once its job has told how far it is, with the job."""
    button(at, "Make references").click()
    run(at)
    job = server_state().jobs.find(at.query_params["references"])
    assert making[0].wait(60)
    return run(at), job


def bars(at):
    return [bar.proto.text for bar in at.get("progress")]


def test_images_without_references_are_offered_some_with_their_cost(upload):
    at = upload(npz())
    said = everything(at)
    assert "No references for these images" in said
    assert "180 training and 36 test images of 12 × 12 pixels in 1 channel and 3 classes" in said
    (cost,) = (caption.value for caption in at.caption if caption.value.startswith("4 models, "))
    assert "about" in cost or "less than" in cost
    assert {"Make references", "Start"} <= set(labels(at))
    at.segmented_control[0].set_value("paper")
    assert "Make references" not in labels(run(at))


def test_too_few_images_and_no_images_say_so(upload):
    at = upload(npz(train=20))
    assert "at least 50 training images of every class; got 20 of class 0" in everything(at)
    assert "Make references" not in labels(at)
    assert "Start" in labels(at)
    at = upload(b"no images")
    assert "Cannot be used" in everything(at)
    assert "Start" not in labels(at)
    assert "aegis-job-" not in everything(at)


def test_bundled_images_have_references_that_can_be_left_out(open_page, suspects, monkeypatch):
    orders = []

    def fail(report):
        raise DataError("a scan", "none", "Scan.")

    def start(order, asked, facts):
        orders.append(order.settings.references)
        return server_state().jobs.start(fail, Watch())

    monkeypatch.setattr(scan_page, "start", start)
    link_bundled(suspects)
    for uses in (True, False):
        at = open_page(SCAN)
        box = next(box for box in at.checkbox if "reference models of the same data" in box.label)
        assert box.value
        assert "Make references" not in labels(at)
        (box.check if uses else box.uncheck)()
        button(run(at), "Start").click()
        at.run()
    assert orders == ["auto", "off"]


def test_a_whole_data_set_is_not_read_for_its_references(open_page, suspects, monkeypatch):
    write_infected(suspects)
    monkeypatch.setattr("aegis.data.read_named", lambda name: pytest.fail("read"))
    at = open_page(SCAN)
    at.selectbox(key="scan_images").set_value("mnist")
    assert "Compare with" in run(at).checkbox[0].label


def test_references_that_cannot_be_used_are_named_and_made_anew(open_page, suspects):
    write_infected(suspects)
    path = service._table(load_dataset("samples:fashion_mnist").digest, None)
    path.parent.mkdir(parents=True)
    path.write_text("{}")
    at = open_page(SCAN)
    assert "References cannot be used" in everything(at)
    assert "Make references" in labels(at)


def test_progress_is_shown_and_found_after_a_reload_and_a_cancelled_job_can_go_on(upload, open_page, making):
    at, job = begun(upload(npz()), making)
    assert [bar.startswith("Making references: 50%") for bar in bars(at)] == [True]
    assert "Make references" not in labels(at)
    # The same images in another tab, and the address without them.
    assert len(bars(upload(npz()))) == 1
    lost = open_page(SCAN, references=job.id)
    assert len(bars(lost)) == 1
    assert "References of mine.npz" in everything(lost)
    # This tab knows of it on other pages as well.
    lost.switch_page("app.py")
    lost.query_params.clear()
    assert f"references={job.id}" in [link.proto.query_string for link in run(lost).main.get("page_link")]
    button(at, "Cancel").click()
    at = run(at)
    assert job.state == "cancelled"
    assert "What was finished is kept" in everything(at)
    assert "Make references" in labels(at)
    assert "What was finished is kept" in everything(open_page(SCAN, references=job.id))


def test_what_was_made_is_used_from_then_on(upload, open_page, making, suspects):
    _, go, then = making

    def keep(order):
        images = order.read(order.source)
        assert images.digest == order.digest
        made = replace(KNOWN, images=(order.digest,), class_names=images.class_names, code=code_digest(STEPS_CODE))
        write_references(made, service._table(order.digest, None))
        return made

    then.append(keep)
    at, job = begun(upload(npz()), making)
    go.set()
    job.future.result(60)
    assert job.state == "done", job.message
    assert [box.label for box in run(at).checkbox] == [COMPARE]
    assert not bars(at)
    assert not bars(open_page(SCAN, references=job.id))


def test_a_failure_is_one_message_here_and_under_its_address(upload, open_page, making):
    _, go, then = making

    def fail(order):
        raise DataError("benign models that **learn**", "none", "Check the labels.")

    then.append(fail)
    at, job = begun(upload(npz()), making)
    go.set()
    job.future.result(60)
    message = "Expected benign models that **learn**; got none. Check the labels."
    for shown in (run(at), open_page(SCAN, references=job.id)):
        assert [text.value for text in shown.text].count(message) == 1
    assert "Make references" in labels(at)


def test_a_job_of_references_is_no_scan(upload, open_page, making):
    _, job = begun(upload(npz()), making)
    assert "not known here" in everything(open_page(SCAN, job=job.id))
