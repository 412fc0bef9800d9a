"""Training: the same seed gives the same weights, whatever happened on the way."""

from dataclasses import replace

import pytest
import torch
from torch import nn

from aegis.core.errors import StoreError
from aegis.core.runtime import Cancelled
from aegis.core.types import LabelledImages, Stage
from aegis.lab import train as train_module
from aegis.lab.recipes import Recipe
from aegis.lab.train import train
from aegis.metrics import accuracy, robust_accuracy
from aegis.models.architectures import build
from aegis.models.classifier import Classifier

from .conftest import fresh, quadrants, state_digest

RECIPE = Recipe(epochs=3, batch=32, lr=0.05, schedule="one-cycle", epsilon=0.8, step=0.5, iterations=2)
STANDARD = replace(RECIPE, robust=False)
SCHEDULES = (STANDARD, replace(STANDARD, schedule="step", drop_every=1))


@pytest.fixture(scope="module")
def few():
    return quadrants(2, 80)


def weights(images, recipe, **options):
    torch.rand(7)  # draws by others must not matter
    return state_digest(train(fresh(images), images, recipe, **options))


def cut(images, recipe, state, after):
    """Train until so many batches are done."""
    done = []

    def report(event):
        done.append(event.step)
        if event.step > after:
            raise Cancelled

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("aegis.lab.train.Throttle.due", lambda *_: True)
        with pytest.raises(Cancelled):
            train(fresh(images), images, recipe, state=state, report=report)
    assert done == list(range(1, after + 2))


@pytest.mark.parametrize("recipe", [RECIPE, *SCHEDULES, replace(STANDARD, augment=True)])
def test_a_run_that_was_cut_ends_as_one_that_was_not(few, tmp_path, recipe, monkeypatch):
    state = tmp_path / "state"
    cut(few, recipe, state, after=4)  # 3 batches an epoch
    assert torch.load(state, weights_only=True)["epoch"] == 1
    steps = []
    monkeypatch.setattr("aegis.lab.train.Throttle.due", lambda *_: True)
    resumed = weights(few, recipe, state=state, report=lambda event: steps.append(event.step))
    assert steps == [4, 5, 6, 7, 8, 9]
    assert resumed == weights(few, recipe)
    assert [path.name for path in tmp_path.iterdir()] == ["state"]
    # One that is finished is not trained again, and one of another seed has other weights, whatever the state.
    steps.clear()
    assert weights(few, recipe, state=state, report=lambda event: steps.append(event.step)) == resumed
    assert steps == []
    assert weights(few, recipe, seed=3, state=state) != resumed


@pytest.mark.parametrize("change", ["recipe", "seed", "images", "network"])
def test_the_state_of_another_run_is_left_aside(few, tmp_path, change):
    cut(few, STANDARD, tmp_path / "state", after=4)
    images = quadrants(3, 80) if change == "images" else few
    recipe = replace(STANDARD, lr=0.04) if change == "recipe" else STANDARD

    def trained(state):
        classifier = fresh(images)
        if change == "network":
            torch.manual_seed(0)
            classifier = Classifier(build("aegis:cnn16,width=4", 1, 4), few.shape)
        return state_digest(train(classifier, images, recipe, seed=int(change == "seed"), state=state))

    assert trained(tmp_path / "state") == trained(None)


def test_a_state_that_cannot_be_read_or_written(few, tmp_path, full_disk):
    with pytest.raises(StoreError, match="No space left on device"):
        train(fresh(few), few, STANDARD, state=tmp_path / "state")
    assert list(tmp_path.iterdir()) == []
    (tmp_path / "state").write_bytes(b"notes of mine")
    with pytest.raises(StoreError, match="Remove that file"):
        train(fresh(few), few, STANDARD, state=tmp_path / "state")
    assert (tmp_path / "state").read_bytes() == b"notes of mine"


def test_progress_ends_at_its_total(few):
    events = []
    train(fresh(few), few, STANDARD, report=events.append)
    assert {event.stage for event in events} == {"train"}
    assert {event.total for event in events} == {9}
    steps = [event.step for event in events]
    assert steps == sorted(set(steps))
    assert steps[-1] == 9
    assert all(event.loss >= 0 for event in events)


def test_what_is_spared_is_trained_on_as_it_is(few, monkeypatch):
    seen, step = [], train_module._step
    monkeypatch.setattr(train_module, "_step", lambda model, x, *rest: seen.append(x) or step(model, x, *rest))
    recipe = replace(RECIPE, epochs=1, batch=80)
    for spares, clean, count in ((True, 60, 20), (False, 60, 0), (True, None, 0)):
        train(fresh(few), few, replace(recipe, spare_poison=spares), clean=clean)
        known = {image.tobytes(): i for i, image in enumerate(few.pixels)}
        spared = [known[image.tobytes()] for image in seen.pop().numpy() if image.tobytes() in known]
        assert sorted(spared) == list(range(80 - count, 80))


def test_standard_training_learns(clean, data):
    assert not clean.training
    assert accuracy(clean, data.test) > 0.95


def test_robust_training_withstands_more(data):
    # Half the way from one class to another is about 1.
    stage = Stage(epsilon=0.7, step=0.25, iterations=10)
    recipe = replace(RECIPE, epochs=6, batch=16, epsilon=0.7, step=0.35, iterations=4)

    def withstands(recipe):
        classifier = train(fresh(data.train), data.train, recipe)
        return robust_accuracy(classifier, data.test, stage)

    assert withstands(recipe) > withstands(replace(recipe, robust=False)) + 0.4


def test_an_image_that_would_be_alone_joins_the_batch_before_it():
    """Batch norm over one image and one pixel has no variance."""
    images, steps = quadrants(2, 9), []
    network = nn.Sequential(nn.Conv2d(1, 4, 12), nn.BatchNorm2d(4), nn.Flatten(), nn.Linear(4, 4))
    recipe = replace(STANDARD, epochs=1, batch=4)
    train(Classifier(network, images.shape), images, recipe, report=lambda event: steps.append(event.step))
    assert steps[-1] == 2


def test_images_need_not_be_square_to_be_augmented():
    images = quadrants(2, 8)
    wide, seen = LabelledImages(images.pixels[:, :, :8], images.labels, images.class_names), set()
    classifier = fresh(wide)
    classifier.network.register_forward_pre_hook(lambda _, inputs: seen.add(inputs[0].shape[1:]))
    train(classifier, wide, replace(STANDARD, augment=True, epochs=1))
    assert seen == {(1, 8, 12)}


def test_augmentation_is_reproducible_and_leaves_the_global_generator(few):
    augmented = replace(STANDARD, augment=True)
    first = weights(few, augmented)
    classifier = fresh(few)
    state = torch.get_rng_state()
    assert state_digest(train(classifier, few, augmented)) == first
    assert torch.equal(torch.get_rng_state(), state)
    assert weights(few, STANDARD) != first
