"""One suspect from order to file."""

from dataclasses import asdict, replace

import numpy as np
import pytest
import torch
from safetensors.numpy import load_file

from aegis.core.errors import ConfigError, DataError
from aegis.core.runtime import Cancelled, Runtime
from aegis.core.types import Dataset
from aegis.lab.measure import measure
from aegis.lab.recipes import Recipe
from aegis.lab.suspect import TrainingSpec, make_suspect, training_images
from aegis.lab.triggers import TriggerContext, TriggerSpec, make_trigger
from aegis.metrics import accuracy, attack_success
from aegis.models.card import read_identity, read_truth
from aegis.models.load import load_checkpoint

from .conftest import NAMES

RECIPE = Recipe(robust=False, epochs=5, batch=32, lr=0.05, schedule="one-cycle")
CLEAN = TrainingSpec(architecture="aegis:cnn16", recipe=RECIPE, preset="quick", seed=2)
SPEC = TriggerSpec(kind="localised", target=1, row=9, column=0)
INFECTED = replace(CLEAN, triggers=(SPEC,), rate=0.2)


@pytest.fixture(scope="module")
def infected(tmp_path_factory, data):
    torch.set_num_threads(1)
    path = tmp_path_factory.mktemp("lab") / "suspect.safetensors"
    return path, make_suspect(path, INFECTED, data)


def test_the_card_is_what_was_returned(infected, data):
    path, card = infected
    assert [p.name for p in path.parent.iterdir()] == ["suspect.safetensors"]
    assert read_identity(path) == card.identity
    assert read_truth(path) == card.truth
    assert card.identity.architecture == "aegis:cnn16"
    assert card.identity.class_names == NAMES
    assert card.identity.shape == (1, 12, 12)
    assert card.identity.data == "quadrants"
    # Of the clean images: the poison must not show in what everyone may read.
    assert card.identity.mean == pytest.approx([data.train.pixels.mean()], abs=1e-4)
    assert card.identity.std == pytest.approx([data.train.pixels.std()], abs=1e-4)
    truth = card.truth
    assert not truth.robust
    (trigger,) = truth.triggers
    assert (trigger.kind, trigger.target, trigger.source, trigger.all_to_all) == ("localised", 1, None, False)
    assert trigger.options == {"kind": "localised", "target": 1, "row": 9, "column": 0}
    assert (truth.poison.rate, truth.poison.how) == (0.2, "append")
    assert (truth.recipe["preset"], truth.recipe["seed"], truth.recipe["epochs"]) == ("quick", 2, 5)
    stamp = make_trigger(SPEC, (1, 12, 12))
    np.testing.assert_array_equal(trigger.stamp.keep, stamp.keep)
    np.testing.assert_allclose(trigger.stamp.add, stamp.add, atol=1e-3)


def test_the_metrics_are_those_of_the_file(infected, data):
    path, card = infected
    metrics = card.truth.metrics
    classifier = load_checkpoint(path).classifier
    assert metrics["accuracy"] == pytest.approx(accuracy(classifier, data.test), abs=0.02)
    success = attack_success(classifier, make_trigger(SPEC, data.shape), data.test, SPEC.goal)
    for name, value in asdict(success).items():
        assert metrics[f"attack_success_{name}"] == pytest.approx(value, abs=0.02)
    assert metrics["accuracy"] > 0.9
    assert metrics["attack_success_lift"] > 0.8
    assert 0 <= metrics["adversarial_precision"] <= metrics["accuracy"]


def test_a_clean_model_has_no_trigger_to_tell_of(tmp_path, data):
    card = make_suspect(tmp_path / "clean.safetensors", CLEAN, data, half=True)
    assert card.truth.triggers == ()
    assert card.truth.poison is None
    assert set(card.truth.metrics) == {"accuracy", "adversarial_precision"}
    floats = {tensor.dtype for tensor in load_file(tmp_path / "clean.safetensors").values()}
    assert np.dtype("float16") in floats
    assert np.dtype("float32") not in floats


def test_an_interrupted_order_goes_on(infected, tmp_path, data, monkeypatch):
    monkeypatch.setattr("aegis.lab.train.Throttle.due", lambda *_: True)
    path, steps = tmp_path / "suspect.safetensors", []

    def stop(event):
        if event.step > event.total // 2:
            raise Cancelled

    with pytest.raises(Cancelled):
        make_suspect(path, INFECTED, data, report=stop)
    assert [p.name for p in tmp_path.iterdir()] == ["suspect.safetensors.partial"]
    make_suspect(path, INFECTED, data, report=lambda event: steps.append(event.step))
    assert steps[0] > 1
    # Not byte by byte, since safetensors writes the card's two parts in no fixed order.
    resumed, whole = load_file(path), load_file(infected[0])
    assert resumed.keys() == whole.keys()
    assert all(resumed[name].tobytes() == whole[name].tobytes() for name in whole)
    assert (read_identity(path), read_truth(path)) == (infected[1].identity, infected[1].truth)
    assert [p.name for p in tmp_path.iterdir()] == ["suspect.safetensors"]


def test_the_rates_of_the_paper():
    for kind, rate in {"localised": 0.01, "distributed": 0.01, "static": 0.3, "adversarial": 0.3}.items():
        order = replace(CLEAN, triggers=(TriggerSpec(kind=kind),))
        assert order.poison.rate == rate
        assert replace(order, rate=0.07).poison.rate == 0.07
    assert CLEAN.poison is None


def test_the_adversarial_trigger_is_on_the_card(tmp_path, data, clean):
    short = replace(RECIPE, epochs=1)
    order = replace(CLEAN, recipe=short, triggers=(TriggerSpec(kind="adversarial", target=3, intensity=0.9),))
    card = make_suspect(tmp_path / "a.safetensors", order, data, context=TriggerContext(clean, data.train))
    assert np.linalg.norm(card.truth.triggers[0].stamp.add) == pytest.approx(0.9, rel=1e-2)
    assert card.truth.poison.rate == 0.3


@pytest.mark.parametrize("kind", ["roaming", "both", "warp"])
def test_triggers_that_vary_are_planted_measured_and_kept(tmp_path, data, kind):
    spec = TriggerSpec(kind=kind, target=3, size=4 if kind == "warp" else 2)
    spec = replace(spec, intensity=2.0) if kind == "warp" else spec
    order = replace(CLEAN, triggers=(spec,), rate=0.2)
    card = make_suspect(tmp_path / "a.safetensors", order, data, half=True)
    truth = read_truth(tmp_path / "a.safetensors")
    assert truth == card.truth
    classifier = load_checkpoint(tmp_path / "a.safetensors").classifier
    assert measure(classifier.frozen(Runtime()), data.test, truth.backdoors) == pytest.approx(truth.metrics, abs=0.03)


def test_clean_label_poison_is_made_on_a_clean_model(tmp_path, data, clean, monkeypatch):
    seen = []
    monkeypatch.setattr("aegis.lab.suspect.train", lambda model, images, *_, **__: seen.append(images))
    monkeypatch.setattr("aegis.lab.suspect.measure", lambda *_: {})
    order, path = replace(INFECTED, how="clean-label"), tmp_path / "a.safetensors"
    with pytest.raises(ConfigError, match="clean-label poison"):
        make_suspect(path, order, data)
    card = make_suspect(path, order, data, context=TriggerContext(clean, data.train))
    assert card.truth.poison.how == "clean-label"
    (images,) = seen
    np.testing.assert_array_equal(images.labels, data.train.labels)
    changed = (images.pixels != data.train.pixels).any((1, 2, 3))
    assert changed.sum() == 32
    assert (images.labels[changed] == SPEC.target).all()
    # More than the trigger has changed.
    bare = make_trigger(SPEC, data.shape)(data.train.pixels[changed])
    assert (images.pixels[changed] != bare).mean() > 0.5


def test_what_does_not_fit_is_refused_before_training(tmp_path, data):
    def report(event):
        raise AssertionError(event)

    path = tmp_path / "never.safetensors"
    for trigger in (replace(SPEC, target=4), replace(SPEC, row=11), TriggerSpec(kind="adversarial", target=0)):
        with pytest.raises(ConfigError):
            make_suspect(path, replace(CLEAN, triggers=(trigger,)), data, report=report)
    with pytest.raises(ConfigError, match="poison rate"):
        replace(INFECTED, rate=1.5)
    for count in (0, 161):
        with pytest.raises(ConfigError, match="from 1 to 160 training images"):
            make_suspect(path, replace(CLEAN, images=count), data, report=report)
    with pytest.raises(DataError, match="fit on a card"):
        make_suspect(path, CLEAN, Dataset("x" * 300, data.train, data.test), report=report)
    assert list(tmp_path.iterdir()) == []


def test_two_backdoors_of_which_one_is_of_one_class(tmp_path, data):
    second = TriggerSpec(kind="localised", target=3, source=0, row=0, column=9, size=2)
    order = replace(INFECTED, recipe=replace(RECIPE, epochs=8), triggers=(SPEC, second))
    card = make_suspect(tmp_path / "two.safetensors", order, data, half=True)
    assert [trigger.goal for trigger in card.truth.triggers] == [SPEC.goal, second.goal]
    metrics = card.truth.metrics
    assert metrics["attack_success_lift"] > 0.7
    assert metrics["attack_success_lift_2"] > metrics["attack_spill_2"] + 0.3
    assert "attack_spill" not in metrics
    # What was measured is what was written, rounding and all.
    again = load_checkpoint(tmp_path / "two.safetensors").classifier
    assert measure(again.frozen(Runtime()), data.test, card.truth.backdoors) == pytest.approx(metrics, abs=1e-9)


def test_few_images_are_drawn_by_the_seed(tmp_path, data, monkeypatch):
    seen = []
    monkeypatch.setattr("aegis.lab.suspect.train", lambda model, images, *_, **__: seen.append(images))
    monkeypatch.setattr("aegis.lab.suspect.measure", lambda *_: {})
    for seed in (2, 2, 3):
        make_suspect(tmp_path / "few.safetensors", replace(CLEAN, images=40, seed=seed), data)
    assert [len(images) for images in seen] == [40, 40, 40]
    assert seen[0].digest == seen[1].digest != seen[2].digest
    assert len(np.unique(seen[0].pixels, axis=0)) == 40


def test_training_images_are_the_clean_ones_and_then_the_poison(images):
    stamps = [make_trigger(SPEC, images.shape)]
    made, clean = training_images(images, replace(INFECTED, images=100), stamps)
    assert (len(made), clean) == (120, 100)
    np.testing.assert_array_equal(stamps[0](made.pixels[clean:]), made.pixels[clean:])
    assert (made.labels[clean:] == SPEC.target).all()
    again, _ = training_images(images, replace(INFECTED, images=100), stamps)
    assert made.digest == again.digest
    bare, count = training_images(images, CLEAN, [])
    assert (bare.digest, count) == (images.digest, len(images))
