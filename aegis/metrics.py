"""Measures a classifier: accuracy, robust accuracy, confusion matrices and attack success rates."""

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
    """Holds the success of a trigger.

    Args:
        all_images: attack success rate on all test images that the trigger is made for, true members of the target
            included, as in Table 5; in [0, 1].
        other_classes: attack success rate on images of other classes than the target, in [0, 1].
        lift: ``other_classes`` minus the share of those images predicted as the target without the trigger.
    """

    all_images: float
    other_classes: float
    lift: float


def predict(classifier: Classifier, pixels: Float32[np.ndarray, "n c h w"]) -> Int64[np.ndarray, " n"]:
    """Predicts the class of each image.

    Args:
        classifier: the model.
        pixels: images in [0, 1], shape (n, c, h, w).

    Returns:
        Predicted classes, shape (n,).
    """
    return classifier.logits(torch.from_numpy(pixels)).argmax(1).numpy()


def accuracy(classifier: Classifier, images: LabelledImages) -> float:
    """Computes the accuracy of a classifier.

    Args:
        classifier: the model.
        images: labelled images, at least one.

    Returns:
        Share of images predicted as labelled, in [0, 1].
    """
    return float((predict(classifier, images.pixels) == images.labels).mean())


def robust_accuracy(
    classifier: Classifier,
    images: LabelledImages,
    stage: Stage,
    norm: Norm = "l2",
    tell: Callable[[int, int], None] | None = None,
) -> float:
    """Computes the accuracy under untargeted PGD.

    Args:
        classifier: the model.
        images: labelled images, at least one.
        stage: budget, step and iterations of the attack.
        norm: norm of the budget.
        tell: called after each step with the number of steps done and of all steps.

    Returns:
        Share of attacked images predicted as labelled, in [0, 1].
    """
    confusion = confusion_under_attack(classifier, images, stage, norm, tell)
    return float(np.trace(confusion) / len(images))


def confusion_under_attack(
    classifier: Classifier,
    images: LabelledImages,
    stage: Stage,
    norm: Norm = "l2",
    tell: Callable[[int, int], None] | None = None,
) -> Int64[np.ndarray, "k k"]:
    """Computes the confusion matrix under untargeted PGD.

    The share on the diagonal is the paper's adversarial precision: the image of highest loss is kept, without random
    start
    or restarts (Section 5.1, Adversarial Accuracy).

    Args:
        classifier: the model.
        images: labelled images of k classes.
        stage: budget, step and iterations of the attack.
        norm: norm of the budget.
        tell: called after each step with the number of steps done and of all steps.

    Returns:
        Counts, shape (k, k): entry (i, j) counts images of class i that are predicted as j under attack.
    """
    device = classifier.mean.device
    pixels = torch.split(torch.from_numpy(images.pixels), classifier.batch)
    labels = torch.split(torch.from_numpy(images.labels), classifier.batch)
    said = []
    for i, (x, y) in enumerate(zip(pixels, labels, strict=True)):

        def on_step(step: int, _: torch.Tensor, attacked: torch.Tensor, before: int = i) -> None:
            if tell is not None:
                tell(before * stage.iterations + step, len(pixels) * stage.iterations)

        (attacked,) = pgd(classifier, x.to(device), y.to(device), [stage], norm=norm, keep_best=True, on_step=on_step)
        said.append(classifier.logits(attacked).argmax(1).numpy())
    return confusion_matrix(images, np.concatenate(said))


def confusion_with_trigger(classifier: Classifier, stamp: Stamp, images: LabelledImages) -> Int64[np.ndarray, "k k"]:
    """Computes the confusion matrix of images with a stamp applied.

    Args:
        classifier: the model.
        stamp: the trigger.
        images: labelled images of k classes.

    Returns:
        Counts, shape (k, k): entry (i, j) counts images of class i that are predicted as j with the trigger.
    """
    return confusion_matrix(images, predict(classifier, stamp(images.pixels)))


def confusion_matrix(images: LabelledImages, said: Labels) -> Int64[np.ndarray, "k k"]:
    """Computes the confusion matrix of predictions.

    Args:
        images: labelled images of k classes.
        said: predictions, shape (n,).

    Returns:
        Counts, shape (k, k): entry (i, j) counts images of class i that are predicted as j.
    """
    classes = len(images.class_names)
    return np.bincount(images.labels * classes + said, minlength=classes**2).reshape(classes, classes)


def attack_success(classifier: Classifier, stamp: Stamp, images: LabelledImages, goal: Goal) -> AttackSuccess:
    """Computes the attack success rate of a known trigger, as in Table 5 and on images of other classes only.

    Args:
        classifier: the model.
        stamp: the trigger.
        images: test images.
        goal: the images that the trigger is made for, and their target.

    Returns:
        The rates and the lift.
    """
    wanted = goal.wanted(images.labels, len(images.class_names))
    meant = images.take(wanted >= 0)
    wanted = wanted[wanted >= 0]
    said = predict(classifier, stamp(meant.pixels)) == wanted
    others = meant.labels != wanted
    before = predict(classifier, meant.pixels[others]) == wanted[others]
    rate = float(said[others].mean())
    return AttackSuccess(all_images=float(said.mean()), other_classes=rate, lift=rate - float(before.mean()))


def spill(classifier: Classifier, stamp: Stamp, images: LabelledImages, goal: Goal) -> float | None:
    """Computes by how much a source-specific trigger raises predictions of its target for classes it is not made for.

    Args:
        classifier: the model.
        stamp: the trigger.
        images: test images.
        goal: the images that the trigger is made for, and their target.

    Returns:
        Difference of the shares predicted as the target with and without the trigger, in [-1, 1]; None without such
        images.
    """
    wanted = goal.wanted(images.labels, len(images.class_names))
    others = images.pixels[(wanted < 0) & (images.labels != goal.target)]
    if not len(others):
        return None
    with_it, without = (predict(classifier, pixels) == goal.target for pixels in (stamp(others), others))
    return float(with_it.mean() - without.mean())
