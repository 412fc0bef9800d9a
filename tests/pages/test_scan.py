"""The Scan page in every state; its jobs are started here and do what each test needs."""

import hashlib
import io
import json
import re
import threading

import numpy as np
import pytest
from safetensors.numpy import save_file

from aegis.core.errors import DataError
from aegis.core.progress import SHARES
from aegis.core.runtime import Event
from aegis.core.types import Applicability
from aegis.models.architectures import build
from aegis.records.caveats import say_control, untested
from aegis.records.headline import headline
from aegis.records.presets import preset
from aegis.records.ranking import ranked
from aegis.records.record import ControlRecord
from aegis.store.store import Store
from aegis.ui.caches import Uploads
from aegis.ui.components.widgets import OWN, UPLOAD
from aegis.ui.order import Outcome
from aegis.ui.session import server_state
from aegis.ui.watch import Watch
from tests.candidates import as_first_version
from tests.layers import ROOT
from tests.pages.conftest import INSPECT, SCAN, button, drawn, everything, labels, parsed, run
from tests.stored_scan import KEY
from tests.suspects import HOSTILE, link_bundled, tensors, write_cut, write_hostile, write_infected

NAMES = ("Shirt", "Bag")


def write_two(folder):
    """A checkpoint with two networks."""
    import torch
    from safetensors.torch import save_file as save_tensors

    state = build("aegis:cnn16", 1, 10).state_dict()
    other = {f"ema.{name}": torch.zeros_like(tensor) for name, tensor in state.items()}
    save_tensors({f"net.{name}": tensor for name, tensor in state.items()} | other, folder / "two.safetensors")


def write_plain(folder):
    """A checkpoint without a card."""
    save_file(tensors(), folder / "plain.safetensors")


@pytest.fixture
def hold(suspects):
    """Starts work that tells where it is and then waits to be let go, as all of it is in the end."""
    held = []

    def start(*events, measured=None):
        watch, told, go = Watch(title="suspect.safetensors"), threading.Event(), threading.Event()

        def work(report):
            watch.know(NAMES, None, tries=True)
            if measured:
                watch.measure(measured)
            for event in events:
                report(event)
            told.set()
            assert go.wait(120)
            report(Event(stage="embed", label=0, step=1, total=1))
            return Outcome()

        held.append(go)
        return server_state().jobs.start(work, watch), told, go

    yield start
    for go in held:
        go.set()


def test_without_suspects_one_can_be_uploaded(open_page):
    at = open_page(SCAN)
    assert at.title[0].value == "Scan"
    assert at.selectbox[0].options == ["Upload…"]
    assert "Choose a suspect to go on" in everything(at)
    assert "Start" not in labels(at)


def test_a_suspect_is_shown_before_start_and_a_preset_changes_the_settings(open_page, suspects):
    write_infected(suspects)
    at = open_page(SCAN)
    texts, said = [text.value for text in at.text], everything(at)
    assert {"Jackets and bags", "aegis:cnn16", "Fashion-MNIST", "Shirt, Bag"} <= set(texts)
    assert any(len(text) == 64 and set(text) <= set("0123456789abcdef") for text in texts)
    assert "Start" in labels(at)
    seeds = preset("default", None, (1, 28, 28)).gather.seeds
    assert f"Translates {seeds} images into every class" in said
    assert "localised" not in said
    for numbers in ([str(seeds), "3 then 100", "8 then 12"], ["500", "100", "75"]):
        shown = {one.label: one.placeholder for one in at.number_input}
        assert [shown[name] for name in ("Images per class", "Epsilon", "Iterations")] == numbers
        at.segmented_control[0].set_value("paper")
        run(at)


def test_a_link_chooses_a_suspect_by_name_and_its_card_is_never_parsed(open_page, suspects):
    write_hostile(suspects)
    write_infected(suspects)
    assert open_page(SCAN, suspect="suspect.safetensors").selectbox[0].value == "suspect.safetensors"
    # No path from an address is opened.
    assert open_page(SCAN, suspect=UPLOAD).selectbox[0].value == OWN
    at = open_page(SCAN, suspect="../secret.safetensors")
    assert at.selectbox[0].value == "hostile.safetensors"
    assert ", ".join(HOSTILE) in [text.value for text in at.text]
    assert not [text for text in (*HOSTILE, "# Title", "<script>") if text in parsed(at)]


@pytest.mark.parametrize(
    ("make", "state", "said"),
    [
        (write_cut, {}, "Expected a whole safetensors file"),
        (write_plain, {}, "name its architecture to go on"),
        (write_plain, {"scan_mean": "**a**"}, "comma-separated numbers for the mean; got '**a**'"),
        (write_plain, {"scan_architecture": "os:system"}, "an architecture by name"),
    ],
)
def test_what_cannot_be_scanned_is_a_message(open_page, suspects, make, state, said):
    make(suspects)
    at = open_page(SCAN, state=state)
    assert said in everything(at)
    assert said not in "\n".join(part.value for part in at.markdown)
    assert "Start" not in labels(at)


def npz(shape=(12, 12), train=60):
    """Images of ten classes."""
    buffer, labels = io.BytesIO(), np.arange(10 * train) % 10
    pixels = np.zeros((10 * train, *shape), np.uint8)
    np.savez(buffer, x_train=pixels, y_train=labels, x_test=pixels, y_test=labels)
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("make", "state", "said"),
    [
        # The suspect has two classes.
        (write_infected, {}, "Expected a model for 10 classes"),
        (write_plain, {"scan_architecture": "aegis:cnn32"}, "Expected"),
        (write_two, {"scan_architecture": "aegis:cnn16"}, "2 networks: "),
        (write_two, {"scan_architecture": "aegis:cnn16", "scan_entry": "teacher"}, "Expected a network under teacher"),
        (link_bundled, {"scan_perplexity": 500.0}, "more than 1500 images of class"),
        (link_bundled, {"scan_images": "Upload…", "scan_archive_kept": ("a.npz", npz((12, 12, 3)))}, "3 channels"),
        (link_bundled, {"scan_images": "Upload…", "scan_archive_kept": ("a.npz", npz(train=2))}, "images of class"),
    ],
)
def test_what_would_end_a_scan_is_said_before_start(open_page, suspects, make, state, said):
    make(suspects)
    # Images that are set by hand belong to the chosen suspect.
    path = next(iter(suspects.iterdir()))
    state = {"scan_images_for": hashlib.sha256(path.read_bytes()).hexdigest(), "scan_images": "samples:mnist", **state}
    at = open_page(SCAN, state=state)
    assert said in everything(at)
    assert button(at, "Start").disabled
    assert "Measure now" not in labels(at)


def test_a_suspect_that_fits_its_images_can_be_scanned(open_page, suspects):
    link_bundled(suspects)
    at = open_page(SCAN)
    assert not button(at, "Start").disabled
    assert "Takes" in everything(at)
    assert "Computed on this machine's" in everything(at)
    assert "Not measured yet" in everything(at)
    assert "Measure now" in labels(at)


def test_a_bare_network_is_recognised_and_its_normalisation_is_offered(open_page, suspects):
    from safetensors.torch import load_file
    from safetensors.torch import save_file as save_tensors

    path = suspects / "bare.safetensors"
    save_tensors(load_file(ROOT / "assets/models/mnist_clean.safetensors"), path)
    write_infected(suspects)
    sha256 = hashlib.sha256(path.read_bytes()).hexdigest()
    at = open_page(SCAN, state={"scan_images_for": sha256, "scan_images": "samples:mnist"})
    said = everything(at)
    assert "aegis:cnn16" in [text.value for text in at.text]
    assert "Architecture and normalisation" in [one.label for one in at.expander]
    # Ten rows with pictures, one for each class.
    assert drawn(at).count("data:image/jpeg") == 10
    assert "with that of MNIST: mean 0.1307; standard deviation 0.3081" in said
    assert button(at, "Start").disabled
    button(at, "Use it").click()
    run(at)
    assert not button(at, "Start").disabled
    assert [one.value for one in at.text_input][:2] == ["0.1307", "0.3081"]
    assert re.search(r"Accuracy on 250 test images: 9\d%", everything(at))
    # Another suspect begins without what was said of this one.
    at.selectbox(key="scan_suspect").set_value("suspect.safetensors")
    run(at)
    assert [one.value for one in at.text_input][:2] == [None, None]


def test_a_file_that_was_scanned_leads_to_its_result(open_page, suspects, keep):
    path = write_infected(suspects)
    sha256 = hashlib.sha256(path.read_bytes()).hexdigest()
    for number, name in enumerate(("samples:mnist", "upload: mine.npz")):
        record = keep(key=f"{number:064}", name=name)
        of_it = record.model_copy(update={"model": record.model.model_copy(update={"sha256": sha256})})
        Store().keep_scan(f"{number:064}", of_it)
    at = open_page(SCAN)
    links = [link.proto.query_string for link in at.main.get("page_link")]
    # What others uploaded is theirs.
    assert links == [f"scan={0:064}"]
    assert "Scanned before" in everything(at)


def frames(value):
    return np.full((3, 1, 6, 6), value, np.float32)


def test_a_running_job_shows_where_it_is_and_is_cancelled_at_once(open_page, hold):
    job, told, _ = hold(
        Event(stage="translate", label=0, step=1, total=10, loss=2.0, frames=frames(0.1)),
        Event(stage="translate", label=0, step=5, total=10, loss=1.0, frames=frames(0.9)),
        measured=Applicability(0.9, (0.5, 1.0), (0.2, 0.1)),
    )
    assert told.wait(120)
    at = open_page(SCAN, job=job.id)
    said = everything(at)
    assert "90.0%" in said
    assert "halves at an L2 radius of 0.32, so it is not adversarially robust" in said
    assert "0 Shirt: turning images into it" in said
    markup = drawn(at)
    assert markup.count("data:image/png") == 2
    # Streamlit takes SVG out of HTML, so a curve is a picture.
    assert markup.count("data:image/svg+xml") == 1
    assert "<svg" not in markup
    assert "from 2 to 1" in markup
    # Half of the translation is done.
    assert f'aria-valuenow="{50 * SHARES["translate"][1]:.0f}"' in markup
    assert "waiting" in markup
    assert labels(at) == ["Cancel"]
    button(at, "Cancel").click()
    said = everything(run(at))
    assert job.state == "cancelled"
    assert "the same scan again goes on from there" in said


def test_robustness_is_drawn_as_far_as_it_is_measured(open_page, hold):
    rungs = [(0.0, 0.9), (1.0, 0.4), (0.5, 0.7)]
    job, told, _ = hold(*(Event(stage="assess", step=i, total=5, robust=rung) for i, rung in enumerate(rungs)))
    assert told.wait(120)
    (chart,) = open_page(SCAN, job=job.id).get("plotly_chart")
    (curve,) = json.loads(chart.proto.spec)["data"]
    assert [curve["x"], curve["y"]] == [[0, 0.5, 1], [0.9, 0.7, 0.4]]


def test_a_second_scan_is_queued_behind_one(open_page, suspects, hold):
    link_bundled(suspects)
    hold()
    assert "Queued behind one other job" in everything(open_page(SCAN))
    (bar,) = open_page(SCAN, job=hold()[0].id).get("progress")
    assert bar.proto.text.startswith("Queued behind one other job")


def test_a_session_that_leaves_its_running_scan_finds_the_way_back(open_page, hold):
    job, told, go = hold(Event(stage="translate", label=0, step=1, total=2))
    assert told.wait(120)
    assert "suspect.safetensors" not in everything(open_page("app.py"))
    at = open_page(SCAN, job=job.id)
    for page in ("app.py", SCAN):
        at.switch_page(page)
        at.query_params.clear()
        run(at)
        assert "suspect.safetensors" in everything(at)
        assert f"job={job.id}" in [link.proto.query_string for link in at.main.get("page_link")]
    go.set()
    job.future.result(120)
    assert f"job={job.id}" not in [link.proto.query_string for link in run(at).main.get("page_link")]


def test_a_failed_job_is_its_message_as_it_is(open_page):
    def work(report):
        raise DataError("<b>images</b>", "**none**", "Give some.")

    job = server_state().jobs.start(work, Watch())
    job.future.result(120)
    at = open_page(SCAN, job=job.id)
    assert "Expected <b>images</b>; got **none**. Give some." in [text.value for text in at.text]


def test_an_unknown_job_and_an_unknown_scan_say_what_to_do(open_page):
    for query in ({"job": "nobody"}, {"scan": "0" * 64}):
        at = open_page(SCAN, **query)
        assert labels(at) == ["Set up a scan"]
        button(at, "Set up a scan").click()
        assert run(at).selectbox[0].label == "Suspect"


def test_a_finished_scan_shows_verdict_trigger_and_every_class(open_page, keep, made):
    control = ControlRecord(
        target=1, trigger={"size": 3}, lift=0.93, accuracy=0.9, planted=True, seen=False, score=0.2, p_value=1.0
    )
    record = keep(control=control)
    server_state().upload_cache.keep(KEY, Uploads(images=made[2]))
    at = open_page(SCAN, scan=KEY)
    texts, said, markup = [text.value for text in at.text], everything(at), drawn(at)
    assert record.flagged_classes
    assert record.sentence in texts
    assert headline(record) in texts
    assert 'alt="The trigger"' in markup
    assert markup.count("data:image/png") == 3
    assert [markup.count(f'alt="Class {label}: ') for label in range(4)] == [1] * 4
    # Those that are flagged come first.
    order = [text for text in texts if text in ("0 a", "1 b", "2 c", "3 d")]
    assert f"Infected → {'abcd'[ranked(record)[0].label]} and {len(record.flagged_classes) - 1} more" in texts
    flagged = [f"{label} {'abcd'[label]}" for label in record.flagged_classes]
    assert sorted(order[: len(flagged)]) == flagged
    assert sorted(order[:4]) == ["0 a", "1 b", "2 c", "3 d"]
    # What the verdict rests on.
    strongest = ranked(record)[0]
    best = strongest.triggers[strongest.strongest]
    assert f'alt="Score {best.score:.0%}; benign classes reach 2%; 50% and more is flagged"' in markup
    for label, rate in enumerate(best.flip_rates):
        assert (f"<span>{label} {'abcd'[label]}</span>" in markup) is (rate is not None)
    assert "Dots are the strongest classes of 10 benign models" in said
    assert all(limit in said for limit in untested(record))
    assert say_control(control, "abcd") in said


def test_a_clean_model_shows_its_strongest_class_and_why_that_is_not_enough(open_page, keep):
    keep(verdict="clean")
    at = open_page(SCAN, scan=KEY)
    assert "its strongest candidate is weak." in everything(at)
    assert "It comes closest to being flagged" in everything(at)


def test_a_scan_of_the_first_version_without_its_images_is_still_shown(open_page, keep, made):
    record = keep(classes=as_first_version(made[1]).classes)
    at = open_page(SCAN, scan=KEY)
    assert "aegis-rates" in drawn(at)
    assert record.sentence in [text.value for text in at.text]
    said = everything(at)
    assert "upload them again" in said
    assert "Dots are" not in said
    assert "Positive control" not in said


def test_a_sessions_own_uploads_are_shown_to_no_others(open_page, keep):
    record = keep()
    assert "None yet" in everything(open_page("app.py"))
    assert "No finished scan yet" in everything(open_page(INSPECT))
    at = open_page(SCAN, scan=KEY)
    at.switch_page("app.py")
    said = everything(run(at))
    assert record.model.file in said
    assert "toy.npz" in said
    # What the command line scanned is for everybody.
    keep("b" * 64, file="known.pt", name="samples:mnist")
    at = open_page("app.py")
    assert {"known.pt", "MNIST, bundled sample"} <= {text.value for text in at.text}
    assert "toy.npz" not in everything(at)
    assert "History" in [link.proto.page for link in at.main.get("page_link")]
