"""The Attack Lab page in every state; its trainings are held or done by the tests."""

import json
import threading

import numpy as np
import pytest

from aegis.core.errors import StoreError
from aegis.core.runtime import Event
from aegis.core.types import Goal, Stamp
from aegis.lab.measure import Milestone
from aegis.lab.suspect import state_of
from aegis.models.architectures import build
from aegis.models.card import Card, Identity, Poison, Trigger, Truth, save_checkpoint
from aegis.services import training
from aegis.services.training import TrainingPlan
from aegis.ui.lab import page as lab_page
from aegis.ui.session import server_state
from aegis.ui.suspects import lab_folder
from tests.pages.conftest import SCAN, button, drawn, everything, labels, run

LAB = "pages/7_Attack_Lab.py"


@pytest.fixture
def train(monkeypatch, suspects):
    """Trainings that tell what they are given and then wait to be let go, to end as they are told."""
    monkeypatch.setattr(training, "_seconds", lambda *_: 1.0)
    go, told, ends = threading.Event(), threading.Event(), {}

    def held(plan, report, watch):
        watch.know((), (), tries=False)
        watch.say("Training")
        report(Event(stage="train", step=1, total=4, loss=2.0))
        report(Event(stage="train", step=2, total=4, loss=1.0))
        watch.reach(Milestone(1, 2, 0.5, 0.25))
        told.set()
        assert go.wait(120)
        report(Event(stage="train", step=3, total=4))
        return ends["end"](plan)

    monkeypatch.setattr(lab_page, "train_apart", held)

    def start(at, end):
        ends["end"] = end
        button(at, "Train").click()
        run(at)
        # A job begins on a thread of its own.
        assert told.wait(120)
        run(at)
        (job,) = server_state().jobs.unfinished()
        return job, go

    yield start
    go.set()
    # None goes on once the folder of results is the user's own again.
    for job in server_state().jobs.unfinished():
        job.future.result(120)


def made(plan):
    """A checkpoint as the plan asks for, with its card."""
    identity = Identity(architecture="aegis:cnn16", class_names=tuple("0123456789"), shape=(1, 28, 28))
    stamp = Stamp(np.ones((1, 28, 28), np.float32), np.zeros((1, 28, 28), np.float32))
    truth = Truth(
        robust=True,
        triggers=(Trigger.of("localised", Goal(target=7), {"target": 7}, stamp),),
        poison=Poison(rate=0.05, how="append"),
        recipe={},
        metrics={"accuracy": 0.95, "adversarial_precision": 0.9, "attack_success_other_classes": 0.98},
    )
    lab_folder().mkdir(parents=True, exist_ok=True)
    card = Card(identity, truth)
    save_checkpoint(lab_folder() / plan.name, build("aegis:cnn16", 1, 10), card)
    return card


def leave(plan):
    """An interrupted training."""
    lab_folder().mkdir(parents=True, exist_ok=True)
    training._beside(lab_folder(), plan).write_text(training.json.dumps(training.asdict(plan)))
    state_of(lab_folder() / plan.name).write_bytes(b"state")


def test_a_trigger_is_shown_on_images_with_what_it_costs(open_page, train):
    at = open_page(LAB)
    said = everything(at)
    assert "Images with the trigger are labelled 7" in said
    assert "6 passes over 5,000 images, 250 poisoned ones among them, each attacked in 2 steps" in said
    assert drawn(at).count("data:image/png") == 2
    at.selectbox(key="lab_kind").set_value("none: a clean model")
    run(at)
    assert "poisoned" not in everything(at)
    at.selectbox(key="lab_kind").set_value("localised")
    run(at)
    at.selectbox(key="lab_source").set_value(7)
    run(at)
    assert "a source class that is not the target" in everything(at)
    assert "Train" not in labels(at)


def test_a_training_is_watched_and_what_was_made_is_a_suspect(open_page, train):
    at = open_page(LAB)
    job, go = train(at, made)
    assert at.query_params["training"] == job.id
    assert "Training: 50%" in at.get("progress")[0].proto.text
    assert "from 2 to 1" in drawn(at)
    accuracy, success = json.loads(at.get("plotly_chart")[0].proto.spec)["data"]
    assert [accuracy["y"], success["y"]] == [[0.5], [0.25]]
    # It is found again from elsewhere.
    at.switch_page("app.py")
    at.query_params.clear()
    run(at)
    assert f"training={job.id}" in [link.proto.query_string for link in at.main.get("page_link")]
    go.set()
    job.future.result(120)
    at = open_page(LAB, training=job.id)
    assert [(one.label, one.value) for one in at.metric] == [
        ("Accuracy", "95.0%"), ("Under attack", "90.0%"), ("Attack success", "98.0%"),
    ]  # fmt: skip
    name = job.watch.plan.name
    assert {link.proto.query_string for link in at.main.get("page_link")} == {f"suspect={name}"}
    assert open_page(SCAN, suspect=name).selectbox[0].value == name


def test_a_cancelled_training_goes_on_or_is_given_up(open_page, train):
    at = open_page(LAB)
    job, _ = train(at, made)
    button(at, "Cancel").click()
    run(at)
    assert job.state == "cancelled"
    assert "goes on from there" in everything(at)
    plan = TrainingPlan(data="samples:mnist", architecture="aegis:cnn16", kind="frame")
    leave(plan)
    at = open_page(LAB)
    button(at, "Go on").click()
    run(at)
    (again,) = [one for one in server_state().jobs.unfinished() if one is not job]
    assert again.watch.plan == plan
    # While it waits it is not offered again.
    assert "Go on" not in labels(open_page(LAB))
    server_state().jobs.cancel(again)
    at = open_page(LAB)
    button(at, "Give up").click()
    run(at)
    assert list(lab_folder().iterdir()) == []


def test_a_training_that_fails_says_why(open_page, train):
    def full(plan):
        raise StoreError("room to keep the training state", "none", "Free some space and start again.")

    job, go = train(open_page(LAB), full)
    go.set()
    job.future.result(120)
    said = everything(open_page(LAB, training=job.id))
    assert "Free some space and start again." in said
    assert "goes on from there" in said
