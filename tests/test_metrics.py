"""On linear models every number is known beforehand."""

import numpy as np
import pytest
import torch
from torch import nn

from aegis.core.runtime import Cancelled
from aegis.core.types import Goal, LabelledImages, Stage, Stamp
from aegis.metrics import (
    accuracy,
    attack_success,
    confusion_under_attack,
    confusion_with_trigger,
    predict,
    robust_accuracy,
    spill,
)
from aegis.models.classifier import Classifier

NAMES = ("low", "high", "never")
SHAPE = (1, 2, 2)


def classifier(weight, bias):
    layer = nn.Linear(4, len(bias))
    layer.weight.data, layer.bias.data = torch.tensor(weight), torch.tensor(bias)
    return Classifier(nn.Sequential(nn.Flatten(), layer), SHAPE).eval()


@pytest.fixture
def brightness():
    """Says *high* when the mean pixel is above a half; the margin in L2 is then twice the distance of the mean."""
    return classifier([[-1.0] * 4, [1.0] * 4, [0.0] * 4], [2.0, -2.0, -9.0])


def grey(*means, labels=None):
    pixels = np.array(means, np.float32).reshape(-1, 1, 1, 1) * np.ones((1, *SHAPE), np.float32)
    labels = [int(mean > 0.5) for mean in means] if labels is None else labels
    return LabelledImages(pixels, np.array(labels, np.int64), NAMES)


def test_accuracy_counts_what_is_said_as_labelled(brightness):
    images = grey(0.1, 0.4, 0.6, 0.9, labels=[0, 1, 1, 1])
    assert predict(brightness, images.pixels).tolist() == [0, 0, 1, 1]
    assert accuracy(brightness, images) == 0.75
    # An attack never helps what was wrong already.
    wrong = grey(0.45, 0.55, labels=[1, 0])
    assert robust_accuracy(brightness, wrong, Stage(epsilon=0.01, step=0.01, iterations=1)) == 0


@pytest.mark.parametrize(
    ("norm", "epsilon", "expected"),
    # The means are 0.05, 0.15, 0.25 and 0.35 from the boundary; four pixels move together.
    [("l2", 0.05, 1.0), ("l2", 0.2, 0.75), ("l2", 0.4, 0.5), ("l2", 0.8, 0.0), ("linf", 0.2, 0.5), ("linf", 0.3, 0.25)],
)
def test_robust_accuracy_of_a_linear_model_follows_from_its_margins(brightness, norm, epsilon, expected):
    images = grey(0.45, 0.65, 0.25, 0.85)
    stage = Stage(epsilon=epsilon, step=epsilon / 4, iterations=8)
    assert robust_accuracy(brightness, images, stage, norm) == expected


def test_every_step_of_every_batch_is_told_and_may_stop(brightness):
    images = grey(*[0.2] * (brightness.batch + 3))
    told = []
    stage = Stage(epsilon=0.1, step=0.1, iterations=3)
    assert robust_accuracy(brightness, images, stage, tell=lambda *event: told.append(event)) == 1
    assert told == [(step, 6) for step in range(1, 7)]

    def stop(step, total):
        raise Cancelled

    with pytest.raises(Cancelled):
        robust_accuracy(brightness, images, stage, tell=stop)


def brighten(value):
    return Stamp(np.ones(SHAPE, np.float32), np.full(SHAPE, value, np.float32))


def test_what_images_of_each_class_are_called_with_a_stamp_is_counted(brightness):
    # Brightened by 0.2, what is above 0.3 becomes *high*.
    images = grey(0.1, 0.2, 0.25, 0.4, 0.9, labels=[0, 0, 0, 0, 1])
    assert confusion_with_trigger(brightness, brighten(0.2), images).tolist() == [[3, 1, 0], [0, 1, 0], [0, 0, 0]]
    images = grey(0.1, 0.4, 0.4, 0.1, labels=[0, 0, 2, 2])
    assert confusion_with_trigger(brightness, brighten(0.2), images).tolist() == [[1, 1, 0], [0, 0, 0], [1, 1, 0]]
    assert confusion_with_trigger(brightness, brighten(0.2), images.take(images.labels == 1)).tolist() == [[0] * 3] * 3


@pytest.mark.parametrize(
    ("epsilon", "called"),
    # Images at 0.05, 0.15 and 0.25 from the boundary, and one that is on the wrong side of it from the start.
    [(0.05, [[2, 0], [1, 1]]), (0.2, [[1, 1], [1, 1]]), (0.4, [[1, 1], [2, 0]]), (0.8, [[0, 2], [2, 0]])],
)
def test_what_images_of_each_class_are_called_under_attack_is_counted(brightness, epsilon, called):
    images = grey(0.45, 0.65, 0.25, 0.2, labels=[0, 1, 0, 1])
    stage = Stage(epsilon=epsilon, step=epsilon / 4, iterations=8)
    counted = confusion_under_attack(brightness, images, stage)
    assert counted[:2, :2].tolist() == called
    assert counted.sum() == len(images)
    assert np.trace(counted) / len(images) == robust_accuracy(brightness, images, stage)


def test_attack_success_is_benign_about_what_was_the_target_already(brightness):
    # Ten images: four *high* ones, five dark ones of which three flip, and one that is called *high* anyway.
    images = grey(0.6, 0.7, 0.8, 0.9, 0.1, 0.2, 0.35, 0.4, 0.45, 0.8, labels=[1, 1, 1, 1, 0, 0, 0, 0, 0, 0])
    success = attack_success(brightness, brighten(0.2), images, Goal(target=1))
    assert success.all_images == pytest.approx(0.8)
    assert success.other_classes == pytest.approx(4 / 6)
    assert success.lift == pytest.approx(4 / 6 - 1 / 6)


def test_a_backdoor_of_one_class_is_measured_on_its_images_and_on_the_others(brightness):
    # Of the source class three in four flip; of the third class, for which it is not made, one in two.
    images = grey(0.35, 0.4, 0.45, 0.1, 0.4, 0.1, 0.9, labels=[0, 0, 0, 0, 2, 2, 1])
    goal = Goal(target=1, source=0)
    success = attack_success(brightness, brighten(0.2), images, goal)
    assert (success.all_images, success.other_classes, success.lift) == (0.75, 0.75, 0.75)
    assert spill(brightness, brighten(0.2), images, goal) == 0.5
    assert spill(brightness, brighten(0.2), images.take(images.labels < 2), goal) is None


def test_of_all_to_all_each_class_counts_with_the_one_after_it(brightness):
    # Darkened or not, *high* images are never called the third class.
    images = grey(0.35, 0.4, 0.1, 0.9, labels=[0, 0, 0, 1])
    success = attack_success(brightness, brighten(0.2), images, Goal(target=0, all_to_all=True))
    assert (success.all_images, success.other_classes) == (0.5, 0.5)
