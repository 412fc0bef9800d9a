"""A suspect as the dashboard asks for it: what is planted, what it costs, what is kept of an unfinished one."""

import numpy as np
import pytest

from aegis.core.errors import ConfigError
from aegis.core.runtime import Cancelled, Runtime
from aegis.core.types import Dataset, LabelledImages
from aegis.models.card import read_truth
from aegis.services import training
from aegis.services.training import TrainingPlan, expected_seconds, forget, make, preview, unfinished

PLAN = TrainingPlan(
    data="samples:mnist", architecture="aegis:cnn16,width=2", kind="localised", target=1, images=60, epochs=2
)


@pytest.fixture
def images(monkeypatch):
    generator = np.random.default_rng(0)
    pixels = generator.random((80, 1, 28, 28), dtype=np.float32)
    part = LabelledImages(pixels, np.arange(80) % 2, ("a", "b"))
    data = Dataset("samples:mnist", part, part)
    monkeypatch.setattr(training, "load_dataset", lambda source: data)
    return data


def run(plan, folder, report=lambda event: None):
    milestones = []
    make(plan, folder, Runtime(), report, milestones.append)
    return milestones


def test_a_suspect_is_trained_and_told_of_after_each_epoch(tmp_path, images):
    milestones = run(PLAN, tmp_path)
    assert [(one.epoch, one.epochs) for one in milestones] == [(1, 2), (2, 2)]
    assert all(0 <= one.accuracy <= 1 and 0 <= one.success <= 1 for one in milestones)
    assert [path.name for path in tmp_path.iterdir()] == [PLAN.name]
    truth = read_truth(tmp_path / PLAN.name)
    assert (truth.triggers[0].kind, truth.triggers[0].target, truth.poison.rate) == ("localised", 1, 0.05)
    assert (truth.recipe["epochs"], truth.recipe["images"]) == (2, 60)


def test_an_interrupted_one_is_listed_and_ends_as_one_that_was_not(tmp_path, images):
    def stop(event):
        if event.step > event.total / 2:
            raise Cancelled

    with pytest.raises(Cancelled):
        run(PLAN, tmp_path / "cut", stop)
    assert unfinished(tmp_path / "cut") == [PLAN]
    (tmp_path / "cut/other.json").write_text('{"no": "plan"}')
    assert unfinished(tmp_path / "cut") == [PLAN]
    assert [one.epoch for one in run(PLAN, tmp_path / "cut")] == [2]
    assert unfinished(tmp_path / "cut") == []
    run(PLAN, tmp_path / "whole")
    assert (tmp_path / "cut" / PLAN.name).read_bytes() == (tmp_path / "whole" / PLAN.name).read_bytes()


def test_what_is_given_up_is_gone(tmp_path, images):
    def stop(event):
        raise Cancelled

    with pytest.raises(Cancelled):
        run(PLAN, tmp_path, stop)
    forget(PLAN, tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_preview_shows_what_the_training_plants(images):
    before, after = preview(PLAN, images.train, 5)
    assert len(before) == 5
    assert set(before.labels) == {0}
    assert set(after.labels) == {1}
    changed = (before.pixels != after.pixels).any(axis=(0, 1))
    assert changed.sum() == 9
    assert preview(TrainingPlan(data="samples:mnist", architecture="aegis:cnn16"), images.train, 5) is None
    with pytest.raises(ConfigError, match="not the target"):
        preview(TrainingPlan(data="samples:mnist", architecture="", kind="localised", source=7), images.train, 5)


@pytest.mark.parametrize(
    ("changes", "epochs", "poisoned"),
    [
        ({}, 2, 5),
        ({"epochs": None}, 6, 5),
        ({"epochs": None, "data": "mnist"}, 3, 1),
        ({"kind": "static"}, 2, 30),
        ({"kind": "static", "rate": 0.5}, 2, 50),
        ({"kind": None}, 2, 0),
    ],
)
def test_a_sample_is_passed_over_more_often_and_poisoned_more(changes, epochs, poisoned):
    usual = {"data": PLAN.data, "architecture": "aegis:cnn16", "kind": "localised", "epochs": 2}
    plan = TrainingPlan(**(usual | changes))
    assert (plan.recipe.epochs, plan.poisoned(100)) == (epochs, poisoned)
    assert plan.digest != PLAN.digest


def test_the_time_grows_with_the_passes(monkeypatch):
    # A batch takes a tenth of a second, and each run two seconds more.
    monkeypatch.setattr(training, "_seconds", lambda plan, shape, classes, batches: 2 + 0.1 * batches)
    plans = (TrainingPlan(data="mnist", architecture="", epochs=epochs) for epochs in (2, 4))
    two, four = (expected_seconds(plan, (1, 28, 28), 10, 12800, 0) for plan in plans)
    assert two == pytest.approx(2 * 100 * 0.1)
    assert four == pytest.approx(2 * two)
