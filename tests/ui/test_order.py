"""Orders carried out: what command line and page share, what is kept and what goes away."""

import io
import threading
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from safetensors.numpy import save

from aegis.cli import main
from aegis.core.runtime import Runtime, silent
from aegis.data import DATASETS, load_dataset
from aegis.models.card import Card, Identity
from aegis.records.presets import adjusted, preset
from aegis.services.references import with_references
from aegis.services.scan import ScanRequest
from aegis.store.store import Store
from aegis.ui import order
from aegis.ui.apart import carry_out_apart
from aegis.ui.caches import UploadCache, look_for_images
from aegis.ui.jobs import Jobs
from aegis.ui.order import ChosenImages, ChosenSuspect, Order, Settings, carry_out, keep_uploads, place
from aegis.ui.uploads import UPLOADED, Upload
from aegis.ui.watch import Watch
from tests.stored import Counted, dataset, evidence, record
from tests.suspects import tensors, write_suspect


@pytest.fixture(autouse=True)
def _store(tmp_path, monkeypatch):
    monkeypatch.setenv("AEGIS_STORE", str(tmp_path / "store"))


@pytest.fixture
def computed(monkeypatch):
    """What a scan would find, and the settings it was asked for."""
    asked = []

    def run(request, suspect, steps, report):
        asked.append(request.config)
        return record()

    monkeypatch.setattr(ScanRequest, "run", run)
    monkeypatch.setattr("aegis.ui.order._shown", lambda *_: Counted().steps())
    monkeypatch.setattr("aegis.ui.order.read_model", lambda *_: None)
    return asked


def test_what_was_set_reaches_the_scan_and_the_command_line_finds_it(tmp_path, computed, monkeypatch, capsys):
    names = DATASETS["fashion_mnist"].class_names
    suspect = write_suspect(tmp_path, "suspect", class_names=names, data="fashion_mnist")
    changes = {"seeds": 60, "epsilon": 5.0, "iterations": 7, "bandwidth": 3.0, "seed": 4}
    order = Order(
        file=suspect.name,
        checkpoint=suspect,
        source="samples:fashion_mnist",
        settings=Settings("quick", changes, (3, 8)),
    )
    outcome = carry_out(order, silent, Watch())
    assert Store().find_scan(outcome.key) == outcome.record
    asked = adjusted(preset("quick", "samples:fashion_mnist", (1, 28, 28)), **changes)
    assert computed == [with_references(asked, load_dataset("samples:fashion_mnist"), "required")]
    assert [(stage.epsilon, stage.iterations) for stage in computed[0].gather.stages] == [(5.0, 7)]
    options = [part for name, value in changes.items() for part in (f"--{name}", f"{value:g}")]
    arguments = ["aegis", "scan", str(suspect), "--preset", "quick", *options, "--classes", "3,8", "-q"]
    monkeypatch.setattr("sys.argv", arguments)
    with pytest.raises(SystemExit) as end:
        main()
    assert end.value.code == 0
    assert capsys.readouterr().out == "No class is flagged.\n"


@pytest.fixture
def uploaded():
    """An order of an uploaded model, whose weights are not what its card says, and of uploaded images."""
    images = {"x_train": np.zeros((8, 6, 6), np.uint8), "y_train": np.arange(8) % 2}
    images |= {"x_test": np.zeros((4, 6, 6), np.uint8), "y_test": np.arange(4) % 2}
    buffer = io.BytesIO()
    np.savez(buffer, **images)
    identity = Identity(architecture="aegis:cnn16", class_names=("a", "b"), shape=(1, 6, 6))
    model = Upload("model.safetensors", save(tensors(), Card(identity).as_metadata()))
    suspect, chosen = (
        ChosenSuspect(file=model.name, sha256="", title="mine", upload=model),
        Upload("mine.npz", buffer.getvalue()),
    )
    order = place(suspect, ChosenImages(upload=chosen), Settings(), measure_only=False)
    yield order
    order.workspace.remove()


@pytest.mark.parametrize("damage", [None, b"PK\x05\x06" + bytes(18)])
def test_uploads_go_when_their_job_is_over_and_no_message_names_their_folder(uploaded, damage):
    order, watch, gone = uploaded, Watch(), threading.Event()

    if damage:
        order.images.write_bytes(damage)

    def clean():
        order.workspace.remove()
        gone.set()

    job = Jobs().start(lambda report: carry_out_apart(order, report, watch, UploadCache()), watch, clean)
    assert gone.wait(120)
    assert job.state == "failed"
    assert job.message.startswith("Expected")
    assert str(order.workspace.folder) not in job.message
    assert not order.workspace.folder.exists()


def test_uploaded_images_are_found_for_their_scan_only(uploaded, computed):
    shelf = UploadCache()
    outcome = carry_out(uploaded, silent, Watch())
    keep_uploads(uploaded, outcome, shelf)
    found = look_for_images(outcome.record, outcome.key, shelf)[0]
    assert found.name == f"{UPLOADED}mine.npz"
    assert look_for_images(outcome.record, "another", shelf)[0] is None


def test_what_steps_find_is_shown_at_once(monkeypatch):
    """Of a class, the best trigger; of a scan without a search, nothing."""
    monkeypatch.setattr(ScanRequest, "steps", lambda *_: Counted().steps())
    monkeypatch.setattr(ScanRequest, "runtime", lambda _: Runtime("cpu", "bf16"))
    request = ScanRequest(
        file="m", checkpoint=Path("m"), load=print, images=dataset(), config=preset("quick", None, (1, 28, 28))
    )
    suspect = SimpleNamespace(classifier=SimpleNamespace(fitted=lambda runtime: replace(runtime, precision="fp32")))
    watch = Watch()
    steps = order._shown(request, suspect, None, watch)
    assert steps.assess(None, None, None) == watch.view().measured
    found = steps.gather(None, None, 2, None)
    steps.gather(None, None, 3, None)
    assert watch.view().found[2] == max(one.flip_rate for one in found.triggers)
    monkeypatch.setattr(ScanRequest, "steps", lambda *_: Counted(gather=evidence(1, triggers=0)).steps())
    order._shown(request, suspect, None, watch).gather(None, None, 1, None)
    assert sorted(watch.view().found) == [2, 3]
    assert watch.view().facts == {"Computed on": "cpu, fp32"}
