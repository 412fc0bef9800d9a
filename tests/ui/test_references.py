"""References made for a page: from uploads that go away, in processes that end when they are not wanted any more."""

import multiprocessing
import threading

import pytest

from aegis.core.errors import DataError
from aegis.core.runtime import Event, silent
from aegis.data import load_dataset
from aegis.store.store import Store
from aegis.ui import references
from aegis.ui.jobs import Jobs
from aegis.ui.order import ChosenImages
from aegis.ui.references import make, order_references
from aegis.ui.uploads import Upload, examine_images, summarise
from aegis.ui.watch import Watch
from tests.services.test_references import written


@pytest.fixture(autouse=True)
def _store(tmp_path, monkeypatch):
    monkeypatch.setenv("AEGIS_STORE", str(tmp_path / "store"))


@pytest.fixture
def order(tmp_path):
    """An order of an upload."""
    path = tmp_path / "toy.npz"
    written(path)
    upload = Upload("toy.npz", path.read_bytes())
    made = order_references(ChosenImages(upload=upload), examine_images(upload), "toy.npz", 60.0)
    yield made
    made.clean()


def test_an_upload_is_read_where_it_lies_and_is_the_data_set_of_later_scans(order, tmp_path):
    images = order.read(order.source)
    assert images.digest == order.digest == load_dataset(tmp_path / "toy.npz").digest
    order.clean()
    assert not order.workspace.folder.exists()


def test_a_bundled_data_set_needs_no_folder():
    images = load_dataset("samples:mnist")
    order = order_references(ChosenImages(source="samples:mnist"), summarise(images), "MNIST", 60.0)
    assert order.read(order.source).digest == order.digest
    assert order.workspace is None


def test_no_message_names_the_folder_of_an_upload(order, monkeypatch):
    def fail(plan, jobs, report, *, isolated):
        assert isolated
        assert [work.kind for work in Store().running()] == ["references"]
        raise DataError(f"images in {plan.source}", "none", "Give some.")

    monkeypatch.setattr(references, "make_references", fail)
    with pytest.raises(DataError, match=r"images in images\.npz; got none"):
        make(order, silent, Watch(kind="references"))
    assert not Store().running()


def test_progress_counts_and_a_cancelled_job_leaves_no_process(order):
    jobs, watch, gone = Jobs(), Watch("toy.npz", "references", 60.0), threading.Event()

    def tell(event):
        watch(event)
        assert event.stage == "references"
        # The first word comes once processes are wanted.
        jobs.cancel(job)

    def clean():
        order.clean()
        gone.set()

    job = jobs.start(lambda report: make(order, report, watch), tell, clean)
    assert gone.wait(120)
    assert job.state == "cancelled"
    assert 0 < watch.view().seconds_left <= 60
    assert not order.workspace.folder.exists()
    assert not multiprocessing.active_children()
    assert not Store().interrupted()


def test_a_pace_counts_only_what_was_made_now():
    watch = Watch(kind="references", expected=1000.0)
    watch.know((), (), tries=False)
    watch(Event(stage="references", step=50, total=100))
    assert watch.view().whole == 0.5
    assert watch.view().seconds_left == pytest.approx(500, abs=5)
    watch(Event(stage="references", step=75, total=100))
    # Half of the rest in a moment.
    assert watch.view().seconds_left < 5
