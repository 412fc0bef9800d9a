"""The numbers of Table 5, with the benign ones beside them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict

import numpy as np

from aegis.core.types import Goal, LabelledImages, Stage, Stamp
from aegis.metrics import accuracy, attack_success, robust_accuracy, spill
from aegis.models.classifier import Classifier

# Section 5.1, Adversarial Accuracy: the budget, step and iterations of training are those of evaluation.
PRECISION_STAGE = Stage(epsilon=0.5, step=1.5, iterations=20)
# As many test images as it takes to know it to a percent: the attack costs as much as an epoch of training.
PRECISION_IMAGES = 2000


def measure(
    classifier: Classifier, images: LabelledImages, backdoors: Sequence[tuple[Goal, Stamp]]
) -> dict[str, float]:
    """Accuracy, adversarial precision, and what each backdoor does.

    Args:
        classifier: what is measured.
        images: test images, of which the attack takes at most ``PRECISION_IMAGES``, at even distances.
        backdoors: what it was taught, and with which triggers.
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
    """Success of each backdoor both ways, its lift, and where it is of one class, its spill; names of a second one
    end in ``_2``.
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
