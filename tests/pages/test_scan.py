"""The Scan page in every state; its jobs are started here and do what each test needs."""

import threading

import numpy as np
import pytest
from safetensors.numpy import save_file

from aegis.core.errors import DataError
from aegis.core.progress import SHARES
from aegis.core.runtime import Event
from aegis.core.types import Applicability
from aegis.records.caveats import say_control, untested
from aegis.records.presets import preset
from aegis.records.ranking import ranked
from aegis.records.record import ControlRecord
from aegis.ui.caches import Uploads
from aegis.ui.order import Outcome
from aegis.ui.session import server_state
from aegis.ui.watch import Watch
from tests.candidates import as_first_version
from tests.pages.conftest import button, everything, run
from tests.stored_scan import KEY, as_clean, keep_finished
from tests.suspects import HOSTILE, tensors, write_cut, write_hostile, write_infected

INSPECT = "pages/2_Inspect_Class.py"
SCAN = "pages/1_Scan.py"
NAMES = ("Shirt", "Bag")


def labels(at):
    return [one.label for one in at.button]


class Held:
    """A job's work that tells where it is and then waits to be let go."""

    def __init__(self, *events, measured=None):
        self.events, self.measured = events, measured
        self.told, self.go = threading.Event(), threading.Event()

    def __call__(self, report):
        watch = self.watch
        watch.know(NAMES, None, tries=True)
        if self.measured:
            watch.measure(self.measured)
        for event in self.events:
            report(event)
        self.told.set()
        assert self.go.wait(60)
        report(Event(stage="embed", label=0, step=1, total=1))
        return Outcome()


@pytest.fixture
def hold(suspects):
    """Starts work that waits; all of it is let go in the end."""
    held = []

    def start(*events, **options):
        work = Held(*events, **options)
        work.watch = Watch(title="suspect.safetensors")
        held.append(work)
        return server_state().jobs.start(work, work.watch), work

    yield start
    for work in held:
        work.go.set()


def test_without_suspects_one_can_be_uploaded(open_page):
    at = open_page(SCAN)
    assert at.title[0].value == "Scan"
    assert at.selectbox[0].options == ["Upload…"]
    assert "Choose a suspect and images to go on" in everything(at)
    assert "Start" not in labels(at)


def test_a_suspect_is_shown_with_its_identity_and_whole_hash_before_start(open_page, suspects):
    write_infected(suspects)
    at = open_page(SCAN)
    texts = [text.value for text in at.text]
    assert {"Jackets and bags", "aegis:cnn16", "fashion_mnist", "Shirt, Bag"} <= set(texts)
    assert any(len(text) == 64 and set(text) <= set("0123456789abcdef") for text in texts)
    assert "Start" in labels(at)
    assert "Takes" in everything(at)
    assert "Not measured yet" in everything(at)
    assert "localised" not in everything(at)


def test_a_link_chooses_a_suspect_by_name(open_page, suspects):
    write_hostile(suspects)
    write_infected(suspects)
    assert open_page(SCAN, suspect="suspect.safetensors").selectbox[0].value == "suspect.safetensors"
    assert open_page(SCAN, suspect="hostile.safetensors").selectbox[0].value == "hostile.safetensors"
    # No path from an address is opened.
    assert open_page(SCAN, suspect="../secret.safetensors").selectbox[0].value == "hostile.safetensors"


def test_text_from_cards_is_never_parsed(open_page, suspects):
    write_hostile(suspects)
    at = open_page(SCAN)
    parsed = "\n".join(part.value for part in [*at.markdown, *at.caption, *at.title, *at.header, *at.html])
    assert ", ".join(HOSTILE) in [text.value for text in at.text]
    for text in (*HOSTILE, "# Title", "<script>"):
        assert text not in parsed


def test_a_broken_suspect_is_a_message(open_page, suspects):
    write_cut(suspects)
    at = open_page(SCAN)
    assert any(text.value.startswith("Expected a whole safetensors file") for text in at.text)
    assert "Start" not in labels(at)


def test_presets_change_the_settings_and_the_time(open_page, suspects):
    write_infected(suspects)
    at = open_page(SCAN)
    shown = {one.label: one.placeholder for one in at.number_input}
    seeds = preset("default", None, (1, 28, 28)).gather.seeds
    assert (shown["Images per class"], shown["Epsilon"], shown["Iterations"]) == (str(seeds), "3 then 100", "8 then 12")
    assert f"Translates {seeds} images into every class" in everything(at)
    at.segmented_control[0].set_value("paper")
    run(at)
    shown = {one.label: one.placeholder for one in at.number_input}
    assert (shown["Images per class"], shown["Epsilon"], shown["Iterations"]) == ("500", "100", "75")


def test_what_is_no_number_is_a_message(open_page, suspects):
    save_file(tensors(), suspects / "plain.safetensors")
    at = open_page(SCAN)
    assert "name its architecture to go on" in everything(at)
    at.text_input(key="scan_mean").set_value("**a**")
    run(at)
    assert any("comma-separated numbers for the mean; got '**a**'" in text.value for text in at.text)
    assert "Start" not in labels(at)


def test_an_architecture_that_would_run_code_is_refused(open_page, suspects):
    save_file(tensors(), suspects / "plain.safetensors")
    at = open_page(SCAN, state={"scan_architecture": "os:system"})
    assert any("an architecture by name" in text.value for text in at.text)
    assert "Start" not in labels(at)


def test_a_checkpoint_that_cannot_be_used_ends_in_a_message(open_page, suspects):
    write_infected(suspects)
    at = open_page(SCAN)
    button(at, "Start").click()
    run(at)
    job = server_state().jobs.find(at.query_params["job"])
    ended = threading.Event()
    job.future.add_done_callback(lambda _: ended.set())
    assert ended.wait(60)
    at = open_page(SCAN, job=job.id)
    assert any(text.value.startswith("Expected a model for 10 classes") for text in at.text)
    assert "Nothing was concluded" in everything(at)
    button(at, "Back to the settings").click()
    run(at)
    assert "Start" in labels(at)


def frames(value):
    return np.full((3, 1, 6, 6), value, np.float32)


def test_a_running_job_shows_where_it_is(open_page, hold):
    measured = Applicability(0.9, (0.5, 1.0), (0.2, 0.1))
    job, work = hold(
        Event(stage="translate", label=0, step=1, total=10, loss=2.0, frames=frames(0.1)),
        Event(stage="translate", label=0, step=5, total=10, loss=1.0, frames=frames(0.9)),
        measured=measured,
    )
    assert work.told.wait(60)
    at = open_page(SCAN, job=job.id)
    said = everything(at)
    assert "90.0%" in said
    assert "halves at an L2 radius of 0.32, so it is not adversarially robust" in said
    assert "0 Shirt: turning images into it" in said
    drawn = "\n".join(part.value for part in at.html)
    assert drawn.count("data:image/png") == 2
    # Streamlit takes SVG out of HTML, so a curve is a picture.
    assert drawn.count("data:image/svg+xml") == 1
    assert "<svg" not in drawn
    assert "from 2 to 1" in drawn
    # Half of the translation is done.
    assert f'aria-valuenow="{50 * SHARES["translate"][1]:.0f}"' in drawn
    assert "waiting" in drawn
    assert labels(at) == ["Cancel"]


def test_a_second_scan_is_queued_behind_one(open_page, hold):
    hold()
    second, _ = hold()
    at = open_page(SCAN, job=second.id)
    (bar,) = at.get("progress")
    assert bar.proto.text.startswith("Queued behind one scan")


def test_a_session_that_leaves_its_running_scan_finds_the_way_back(open_page, hold):
    job, work = hold(Event(stage="translate", label=0, step=1, total=2))
    assert work.told.wait(60)
    assert "suspect.safetensors" not in everything(open_page("app.py"))
    at = open_page(SCAN, job=job.id)
    for page in ("app.py", SCAN):
        at.switch_page(page)
        at.query_params.clear()
        run(at)
        assert "suspect.safetensors" in everything(at)
        assert f"job={job.id}" in [link.proto.query_string for link in at.main.get("page_link")]
    work.go.set()
    job.future.result(60)
    assert f"job={job.id}" not in [link.proto.query_string for link in run(at).main.get("page_link")]


def test_how_long_the_queue_is_stands_beside_start(open_page, suspects, hold):
    write_infected(suspects)
    hold()
    assert "Queued behind one scan" in everything(open_page(SCAN))


def test_cancel_is_seen_at_once(open_page, hold):
    job, work = hold()
    assert work.told.wait(60)
    at = open_page(SCAN, job=job.id)
    button(at, "Cancel").click()
    run(at)
    assert job.state == "cancelled"
    assert "the same scan again goes on from there" in everything(at)


def test_a_failed_job_is_its_message_as_it_is(open_page):
    def work(report):
        raise DataError("<b>images</b>", "**none**", "Give some.")

    job = server_state().jobs.start(work, Watch())
    ended = threading.Event()
    job.future.add_done_callback(lambda _: ended.set())
    assert ended.wait(60)
    at = open_page(SCAN, job=job.id)
    assert "Expected <b>images</b>; got **none**. Give some." in [text.value for text in at.text]


def test_an_unknown_job_and_an_unknown_scan_say_what_to_do(open_page):
    for query in ({"job": "nobody"}, {"scan": "0" * 64}):
        at = open_page(SCAN, **query)
        assert labels(at) == ["Set up a scan"]
        button(at, "Set up a scan").click()
        run(at)
        assert at.selectbox[0].label == "Suspect"


def test_a_finished_scan_shows_verdict_trigger_and_every_class(open_page, kept):
    record, data = keep_finished(kept)
    server_state().upload_cache.keep(KEY, Uploads(images=data))
    at = open_page(SCAN, scan=KEY)
    assert record.flagged_classes
    assert record.sentence in [text.value for text in at.text]
    assert "The trigger" in [header.value for header in at.header]
    drawn = "\n".join(part.value for part in at.html)
    assert drawn.count("data:image/png") == 3
    assert [drawn.count(f'alt="Class {label}: ') for label in range(4)] == [1] * 4
    # Those that are flagged come first.
    order = [text.value for text in at.text if text.value in ("0 a", "1 b", "2 c", "3 d")]
    flagged = [f"{label} {'abcd'[label]}" for label in record.flagged_classes]
    assert sorted(order[: len(flagged)]) == flagged
    assert sorted(order[:4]) == ["0 a", "1 b", "2 c", "3 d"]


def test_a_clean_model_shows_its_strongest_class_and_why_that_is_not_enough(open_page, kept):
    record, data = keep_finished(kept)
    keep_finished(kept, **as_clean(record))
    server_state().upload_cache.keep(KEY, Uploads(images=data))
    at = open_page(SCAN, scan=KEY)
    assert "The strongest class" in [header.value for header in at.header]
    assert "its strongest candidate is weak." in everything(at)
    assert "It comes closest to being flagged" in everything(at)


def test_what_a_verdict_rests_on_is_shown(open_page, kept):
    record, _ = keep_finished(kept)
    at = open_page(SCAN, scan=KEY)
    drawn = "\n".join(part.value for part in at.html)
    strongest = ranked(record)[0]
    best = strongest.triggers[strongest.strongest]
    assert f'alt="Score {best.score:.0%}; benign classes reach 2%; 50% and more is flagged"' in drawn
    for label, rate in enumerate(best.flip_rates):
        row = f"<span>{label} {'abcd'[label]}</span>"
        assert (row in drawn) is (rate is not None)
    said = everything(at)
    assert "Dots are the strongest benign classes of 10 calibration models" in said
    assert all(limit in said for limit in untested(record))
    assert "Positive control" not in said


def test_a_positive_control_is_told_beside_it(open_page, kept):
    control = ControlRecord(
        target=1, trigger={"size": 3}, lift=0.93, accuracy=0.9, planted=True, seen=False, score=0.2, p_value=1.0
    )
    keep_finished(kept, control=control)
    assert say_control(control, "abcd") in everything(open_page(SCAN, scan=KEY))


def test_a_scan_of_the_first_version_is_still_shown(open_page, kept):
    record, _ = keep_finished(kept)
    keep_finished(kept, classes=as_first_version(record).classes)
    at = open_page(SCAN, scan=KEY)
    drawn = "\n".join(part.value for part in at.html)
    assert "aegis-rates" in drawn
    assert "Dots are" not in everything(at)


def test_without_its_uploaded_images_a_scan_still_tells_its_verdict(open_page, kept):
    record, _ = keep_finished(kept)
    at = open_page(SCAN, scan=KEY)
    assert record.sentence in [text.value for text in at.text]
    assert "upload them again" in everything(at)


def test_settings_of_another_version_are_a_message(open_page, kept):
    record, _ = keep_finished(kept, config={"seeds": 3})
    at = open_page(SCAN, scan=KEY)
    assert record.sentence in [text.value for text in at.text]
    assert any("of this version" in text.value for text in at.text)


def test_home_shows_a_sessions_own_uploads_and_no_others(open_page, suspects, kept):
    record, _ = keep_finished(kept)
    stranger = open_page("app.py")
    assert "None yet" in everything(stranger)
    at = open_page(SCAN, scan=KEY)
    at.switch_page("app.py")
    run(at)
    assert record.model.file in everything(at)
    assert "toy.npz" in everything(at)


def test_home_shows_what_the_command_line_scanned_to_everybody(open_page, kept):
    record, _ = keep_finished(kept, name="samples:mnist")
    at = open_page("app.py")
    assert record.model.file in [text.value for text in at.text]
    assert "MNIST, bundled sample" in [text.value for text in at.text]


def test_inspect_shows_no_uploads_of_others(open_page, kept):
    keep_finished(kept)
    assert "No finished scan yet" in everything(open_page(INSPECT))
