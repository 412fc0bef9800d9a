"""Measures the numbers of Table 5, and attack success rates on images of other classes beside them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass

from aegis.core.types import Goal, LabelledImages, Stage, Stamp
from aegis.metrics import accuracy, attack_success, robust_accuracy, spill
from aegis.models.classifier import Classifier

# Test images after each epoch: enough to see how a training goes.
EPOCH_IMAGES = 500
# Section 5.1, Adversarial Accuracy: evaluation uses the budget, step and iterations of training.
PRECISION_STAGE = Stage(epsilon=0.5, step=1.5, iterations=20)
# Enough test images to know adversarial precision to a percent; the attack costs as much as an epoch of training.
PRECISION_IMAGES = 2000


@dataclass(frozen=True)
class Milestone:
    """How good a model is after an epoch of its training.

    Args:
        epoch: number of epochs done.
        epochs: number of all.
        accuracy: on a few test images, in [0, 1].
        success: attack success rate of its first backdoor on some of these, in [0, 1]; None for a clean model.
    """

    epoch: int
    epochs: int
    accuracy: float
    success: float | None


def milestone(
    classifier: Classifier, images: LabelledImages, backdoors: Sequence[tuple[Goal, Stamp]], epoch: int, epochs: int
) -> Milestone:
    """Measures a model in the midst of its training.

    Args:
        classifier: the model, prepared by ``Classifier.frozen``.
        images: test images, of which at most ``EPOCH_IMAGES`` are taken.
        backdoors: goal and trigger of each backdoor.
        epoch, epochs: as in ``Milestone``.
    """
    few = images.spread(EPOCH_IMAGES)
    success = None
    if backdoors:
        goal, stamp = backdoors[0]
        success = attack_success(classifier, stamp, few, goal).other_classes
    return Milestone(epoch, epochs, accuracy(classifier, few), success)


def measure(
    classifier: Classifier, images: LabelledImages, backdoors: Sequence[tuple[Goal, Stamp]]
) -> dict[str, float]:
    """Measures accuracy, adversarial precision and the success of each backdoor.

    Args:
        classifier: the model.
        images: test images, of which the attack takes at most ``PRECISION_IMAGES``, at even distances.
        backdoors: goal and trigger of each backdoor.

    Returns:
        The measurements by name, each in [0, 1] or a difference of such numbers.
    """
    return {
        "accuracy": accuracy(classifier, images),
        "adversarial_precision": robust_accuracy(classifier, images.spread(PRECISION_IMAGES), PRECISION_STAGE),
        **measure_backdoors(classifier, images, backdoors),
    }


def measure_backdoors(
    classifier: Classifier, images: LabelledImages, backdoors: Sequence[tuple[Goal, Stamp]]
) -> dict[str, float]:
    """Measures attack success rates and lift of each backdoor, and the spill of source-specific ones.

    Args:
        classifier: the model.
        images: test images.
        backdoors: goal and trigger of each backdoor.

    Returns:
        The measurements by name; names of the n-th backdoor end in ``_n`` from the second one on.
    """
    metrics: dict[str, float] = {}
    for number, (goal, stamp) in enumerate(backdoors, 1):
        success = asdict(attack_success(classifier, stamp, images, goal))
        found = {f"attack_success_{name}": value for name, value in success.items()}
        spilt = None if goal.source is None else spill(classifier, stamp, images, goal)
        if spilt is not None:
            found["attack_spill"] = spilt
        metrics |= {name if number == 1 else f"{name}_{number}": value for name, value in found.items()}
    return metrics
