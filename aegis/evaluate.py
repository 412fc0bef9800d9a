"""What a classifier gets right, how much of it survives an attack, and what a stamp makes it say."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np
import torch
from jaxtyping import Float32, Int64

from aegis.models.classifier import Classifier
from aegis.pgd import pgd
from aegis.types import Goal, LabelledImages, Norm, Stage, Stamp


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
    """Share still classified as labelled under untargeted PGD, in [0, 1].

    This is the paper's adversarial precision: the image of highest loss is kept, without random start or
    restarts (Section 5.1, Adversarial Accuracy). ``tell`` hears after each step how many of all are done.
    """
    device = classifier.mean.device
    pixels = torch.split(torch.from_numpy(images.pixels), classifier.batch)
    labels = torch.split(torch.from_numpy(images.labels), classifier.batch)
    right = 0
    for i, (x, y) in enumerate(zip(pixels, labels, strict=True)):

        def on_step(step: int, loss: float, attacked: torch.Tensor, before: int = i) -> None:
            if tell is not None:
                tell(before * stage.iterations + step, len(pixels) * stage.iterations)

        x, y = x.to(device), y.to(device)
        (attacked,) = pgd(classifier, x, y, [stage], norm=norm, keep_best=True, on_step=on_step)
        right += int((classifier.logits(attacked).argmax(1) == y.cpu()).sum())
    return right / len(images)


def flip_rates(
    classifier: Classifier, stamp: Stamp, images: LabelledImages, label: int
) -> tuple[Float32[np.ndarray, " k"], Int64[np.ndarray, " k"]]:
    """Share of each class's images that a stamp makes the classifier call ``label``.

    Returns:
        The rates, NaN where there are no images and for ``label`` itself, and the number of images; shapes (k,).
    """
    others = images.take(images.labels != label)
    flipped = predict(classifier, stamp(others.pixels)) == label
    count = partial(np.bincount, others.labels, minlength=len(images.class_names))
    counts = count()
    with np.errstate(invalid="ignore"):
        rates = np.where(counts > 0, count(weights=flipped) / counts, np.nan)
    return rates.astype(np.float32), counts.astype(np.int64)


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


def spill(classifier: Classifier, stamp: Stamp, images: LabelledImages, goal: Goal) -> float:
    """How much more often images of classes that a trigger is not made for are called its target with it."""
    wanted = goal.wanted(images.labels, len(images.class_names))
    others = images.pixels[(wanted < 0) & (images.labels != goal.target)]
    with_it, without = (predict(classifier, pixels) == goal.target for pixels in (stamp(others), others))
    return float(with_it.mean() - without.mean())
