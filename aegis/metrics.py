"""What a classifier gets right, how much of it survives an attack, and what a stamp makes it say."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float32, Int64

from aegis.attacks.pgd import pgd
from aegis.core.types import Goal, LabelledImages, Labels, Norm, Stage, Stamp
from aegis.models.classifier import Classifier


@dataclass(frozen=True)
class AttackSuccess:
    """How often a trigger makes the classifier say the target.

    Args:
        all_images: share over all test images it is made for, true members of the target included (the paper's
            Table 5, whose triggers are made for all).
        other_classes: share over images of other classes, the honest figure.
        lift: ``other_classes`` minus how often those images are called the target without the trigger.
    """

    all_images: float
    other_classes: float
    lift: float


def predict(classifier: Classifier, pixels: Float32[np.ndarray, "n c h w"]) -> Int64[np.ndarray, " n"]:
    """The class the classifier gives each image, shape (n,)."""
    return classifier.logits(torch.from_numpy(pixels)).argmax(1).numpy()


def accuracy(classifier: Classifier, images: LabelledImages) -> float:
    """Share of the images classified as labelled, in [0, 1]."""
    return float((predict(classifier, images.pixels) == images.labels).mean())


def robust_accuracy(
    classifier: Classifier,
    images: LabelledImages,
    stage: Stage,
    norm: Norm = "l2",
    tell: Callable[[int, int], None] | None = None,
) -> float:
    """Share still classified as labelled under untargeted PGD, in [0, 1]; as ``confusion_under_attack``."""
    called = confusion_under_attack(classifier, images, stage, norm, tell)
    return float(np.trace(called) / len(images))


def confusion_under_attack(
    classifier: Classifier,
    images: LabelledImages,
    stage: Stage,
    norm: Norm = "l2",
    tell: Callable[[int, int], None] | None = None,
) -> Int64[np.ndarray, "k k"]:
    """How many images of each class (row) the classifier calls what (column) under untargeted PGD, shape (k, k).

    The share on the diagonal is the paper's adversarial precision: the image of highest loss is kept, without random
    start or restarts (Section 5.1, Adversarial Accuracy). ``tell`` hears after each step how many of all are done.
    """
    device = classifier.mean.device
    pixels = torch.split(torch.from_numpy(images.pixels), classifier.batch)
    labels = torch.split(torch.from_numpy(images.labels), classifier.batch)
    said = []
    for i, (x, y) in enumerate(zip(pixels, labels, strict=True)):

        def on_step(step: int, loss: float, attacked: torch.Tensor, before: int = i) -> None:
            if tell is not None:
                tell(before * stage.iterations + step, len(pixels) * stage.iterations)

        (attacked,) = pgd(classifier, x.to(device), y.to(device), [stage], norm=norm, keep_best=True, on_step=on_step)
        said.append(classifier.logits(attacked).argmax(1).numpy())
    return _crossed(images.labels, np.concatenate(said), len(images.class_names))


def confusion_with_trigger(classifier: Classifier, stamp: Stamp, images: LabelledImages) -> Int64[np.ndarray, "k k"]:
    """How many images of each class (row) the classifier calls what (column) with a stamp on, shape (k, k)."""
    return _crossed(images.labels, predict(classifier, stamp(images.pixels)), len(images.class_names))


def _crossed(labels: Labels, said: Labels, classes: int) -> Int64[np.ndarray, "k k"]:
    return np.bincount(labels * classes + said, minlength=classes**2).reshape(classes, classes)


def attack_success(classifier: Classifier, stamp: Stamp, images: LabelledImages, goal: Goal) -> AttackSuccess:
    """How well a known trigger works on the test images it is made for (Table 5, with the honest figures beside it)."""
    wanted = goal.wanted(images.labels, len(images.class_names))
    meant = images.take(wanted >= 0)
    wanted = wanted[wanted >= 0]
    said = predict(classifier, stamp(meant.pixels)) == wanted
    others = meant.labels != wanted
    before = predict(classifier, meant.pixels[others]) == wanted[others]
    rate = float(said[others].mean())
    return AttackSuccess(all_images=float(said.mean()), other_classes=rate, lift=rate - float(before.mean()))


def spill(classifier: Classifier, stamp: Stamp, images: LabelledImages, goal: Goal) -> float | None:
    """How much more often images of classes that a trigger is not made for are called its target with it; None
    where there is none of these.
    """
    wanted = goal.wanted(images.labels, len(images.class_names))
    others = images.pixels[(wanted < 0) & (images.labels != goal.target)]
    if not len(others):
        return None
    with_it, without = (predict(classifier, pixels) == goal.target for pixels in (stamp(others), others))
    return float(with_it.mean() - without.mean())
