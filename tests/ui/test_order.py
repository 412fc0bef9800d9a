"""Orders carried out: what command line and page share, what is kept and what goes away."""

import io
import threading

import numpy as np
import pytest
from safetensors.numpy import save_file

from aegis.cli import main
from aegis.core.errors import AegisError
from aegis.core.progress import SHARES
from aegis.core.runtime import Event, silent
from aegis.core.types import Applicability
from aegis.data import DATASETS
from aegis.models.card import Card, Identity
from aegis.records.presets import adjusted, preset
from aegis.services.scan import ScanRequest
from aegis.store.store import Store
from aegis.ui import order as scan_order
from aegis.ui.caches import UploadCache, look_for_images
from aegis.ui.jobs import Jobs
from aegis.ui.order import Order, carry_out
from aegis.ui.uploads import UPLOADED, Upload, Workspace
from aegis.ui.watch import CURVE, Watch
from tests.stored import Counted, record
from tests.suspects import tensors, write_suspect


@pytest.fixture(autouse=True)
def _store(tmp_path, monkeypatch):
    monkeypatch.setenv("AEGIS_STORE", str(tmp_path / "store"))


@pytest.fixture
def suspect(tmp_path):
    names = DATASETS["fashion_mnist"].class_names
    return write_suspect(tmp_path, "suspect", class_names=names, data="fashion_mnist")


@pytest.fixture
def computed(monkeypatch):
    """What a scan would find, and the settings it was asked for."""
    asked = []

    def run(request, suspect, steps, report):
        asked.append(request.config)
        return record()

    monkeypatch.setattr(ScanRequest, "run", run)
    monkeypatch.setattr(ScanRequest, "steps", lambda *_: Counted().steps())
    monkeypatch.setattr(scan_order, "_load", lambda *_: None)
    return asked


def test_the_command_line_finds_what_a_page_scanned(suspect, computed, monkeypatch, capsys):
    order = Order(
        file=suspect.name,
        checkpoint=suspect,
        source="samples:fashion_mnist",
        preset="quick",
        changes={"seeds": 60},
        labels=(3, 8),
    )
    outcome = carry_out(order, silent, Watch(), UploadCache())
    assert Store().find_scan(outcome.key) == outcome.record
    arguments = ["aegis", "scan", str(suspect), "--preset", "quick", "--seeds", "60", "--classes", "3,8", "-q"]
    monkeypatch.setattr("sys.argv", arguments)
    with pytest.raises(SystemExit) as end:
        main()
    assert end.value.code == 0
    assert capsys.readouterr().out == "No class is flagged.\n"


def test_what_was_set_reaches_the_scan(suspect, computed):
    changes = {"epsilon": 5.0, "iterations": 7, "bandwidth": 3.0, "seed": 4}
    carry_out(
        Order(file="a", checkpoint=suspect, source="samples:fashion_mnist", changes=changes),
        silent,
        Watch(),
        UploadCache(),
    )
    assert computed == [adjusted(preset("default", "samples:fashion_mnist", (1, 28, 28)), **changes)]
    assert [(stage.epsilon, stage.iterations) for stage in computed[0].gather.stages] == [(5.0, 7)]


def uploaded(name="mine.npz"):
    images = {"x_train": np.zeros((8, 6, 6), np.uint8), "y_train": np.arange(8) % 2}
    images |= {"x_test": np.zeros((4, 6, 6), np.uint8), "y_test": np.arange(4) % 2}
    buffer = io.BytesIO()
    np.savez(buffer, **images)
    return Upload(name, buffer.getvalue())


def place(checkpoint):
    workspace = Workspace()
    return Order(
        file="model.safetensors",
        checkpoint=workspace.put(checkpoint, "model"),
        images=workspace.put(uploaded(), "images"),
        images_name=f"{UPLOADED}mine.npz",
        workspace=workspace,
    )


def card_of(tmp_path, architecture):
    path = tmp_path / "made"
    identity = Identity(architecture=architecture, class_names=("a", "b"), shape=(1, 6, 6))
    save_file(tensors(), path, Card(identity).as_metadata())
    return Upload("model.safetensors", path.read_bytes())


def test_uploads_go_when_their_job_is_over_and_no_message_names_their_folder(tmp_path):
    order = place(card_of(tmp_path, "aegis:cnn16"))
    watch, gone = Watch(), threading.Event()

    def clean():
        order.workspace.remove()
        gone.set()

    job = Jobs().start(lambda report: carry_out(order, report, watch, UploadCache()), watch, clean)
    assert gone.wait(120)
    assert job.state == "failed"
    assert job.message.startswith("Expected")
    assert str(order.workspace.folder) not in job.message
    assert not order.workspace.folder.exists()


def test_a_damaged_upload_is_named_without_its_folder(tmp_path):
    order = place(card_of(tmp_path, "aegis:cnn16"))
    order.images.write_bytes(b"PK\x05\x06" + bytes(18))
    with pytest.raises(AegisError) as error:
        carry_out(order, silent, Watch(), UploadCache())
    assert str(order.workspace.folder) not in str(error.value)
    order.workspace.remove()


def test_uploaded_images_are_found_for_their_scan_only(tmp_path, computed):
    shelf = UploadCache()
    outcome = carry_out(place(card_of(tmp_path, "aegis:cnn16")), silent, Watch(), shelf)
    found = look_for_images(outcome.record, outcome.key, shelf)[0]
    assert found.name == f"{UPLOADED}mine.npz"
    assert look_for_images(outcome.record, "another", shelf)[0] is None


def test_a_watch_tells_time_left_and_keeps_first_and_last_frames():
    watch = Watch(title="a")
    watch.know(("x", "y"), None, tries=True)
    for step in range(1, 1001):
        frames = np.full((1, 1, 2, 2), step / 1000, np.float32)
        watch(Event(stage="translate", label=1, step=step, total=1000, loss=1 / step, frames=frames))
    one = watch.view().classes[1]
    assert (one.first[0, 0, 0, 0], one.frames[0, 0, 0, 0]) == (np.float32(0.001), np.float32(1))
    assert len(one.curve) <= CURVE
    assert one.curve[-1] == (1000, 0.001)
    begun, share = SHARES["translate"]
    assert one.share == pytest.approx(begun + share)
    assert one.seconds_left(one.started + 40) == pytest.approx(40 / (begun + share) - 40)
    watch(Event(stage="search", label=1, step=1, total=10, loss=5.0))
    assert watch.view().classes[1].curve == ((1, 5.0),)


def test_a_watch_knows_what_was_measured():
    watch = Watch()
    watch.measure(Applicability(0.9, (1.0,), (0.5,)))
    assert watch.view().measured.accuracy == 0.9
