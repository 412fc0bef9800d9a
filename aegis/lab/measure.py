"""Measures the numbers of Table 5, and attack success rates on images of other classes beside them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict

import numpy as np

from aegis.core.types import Goal, LabelledImages, Stage, Stamp
from aegis.metrics import accuracy, attack_success, robust_accuracy, spill
from aegis.models.classifier import Classifier

# Section 5.1, Adversarial Accuracy: evaluation uses the budget, step and iterations of training.
PRECISION_STAGE = Stage(epsilon=0.5, step=1.5, iterations=20)
# Enough test images to know adversarial precision to a percent; the attack costs as much as an epoch of training.
PRECISION_IMAGES = 2000


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
    few = np.linspace(0, len(images) - 1, min(len(images), PRECISION_IMAGES)).astype(np.int64)
    return {
        "accuracy": accuracy(classifier, images),
        "adversarial_precision": robust_accuracy(classifier, images.take(few), PRECISION_STAGE),
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
