"""Checks whether AEGIS can judge a model: its accuracy, and its robust accuracy at several budgets."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from aegis.attacks.universal import universal_areas, universal_radii
from aegis.core.errors import DataError
from aegis.core.runtime import Event, Report, Throttle, silent
from aegis.core.types import Applicability, Dataset, LabelledImages, Stage
from aegis.detect.labels import check_labels
from aegis.metrics import confusion_matrix, confusion_under_attack, predict
from aegis.models.classifier import Classifier
from aegis.records.config import AssessConfig

# Below this share of the way from chance to 100% accuracy, images or classes cannot belong to the model.
ABOVE_CHANCE = 0.1


def assess(classifier: Classifier, data: Dataset, config: AssessConfig, *, report: Report = silent) -> Applicability:
    """Measures accuracy, robust accuracy and the sizes of universal perturbations and patches on held-out images.

    Args:
        classifier: the model, prepared by ``Classifier.frozen``.
        data: the data set; its test split is used.
        config: the budgets, and settings of the searches for universal changes.
        report: receives events of stage ``assess``; may raise ``Cancelled``.

    Returns:
        The measurements.

    Raises:
        DataError: if accuracy is near chance, so that images, class order or normalisation must be wrong, or if classes
            are exchanged or merged.
    """
    unattacked = confusion_matrix(data.test, predict(classifier, data.test.pixels))
    right = float(np.trace(unattacked) / len(data.test))
    chance = 1 / len(data.class_names)
    if right < chance + ABOVE_CHANCE * (1 - chance):
        raise DataError(
            "images the model was made for, with classes in its order",
            f"an accuracy of {right:.1%}, near the {chance:.1%} of guessing",
            "Check --data, the order of its classes and the model's normalisation.",
        )
    check_labels(unattacked, data.class_names)
    images = spread(data.test, config.images)
    parts = len(config.epsilons) + 2
    rungs = [Stage(epsilon=e, step=2.5 * e / config.iterations, iterations=config.iterations) for e in config.epsilons]
    confusion = [
        confusion_under_attack(classifier, images, rung, tell=_teller(report, i, parts)) for i, rung in enumerate(rungs)
    ]
    accuracies = tuple(float(np.trace(counts) / len(images)) for counts in confusion)
    measured = Applicability(right, config.epsilons, accuracies, np.stack(confusion))
    tells, batch = [_teller(report, part, parts) for part in (parts - 2, parts - 1)], config.universal_batch
    # A universal perturbation needs a larger norm than perturbations made for single images.
    start = 2 * measured.half_radius
    radii = universal_radii(classifier, images, start, steps=config.perturbation_steps, batch=batch, tell=tells[0])
    areas = universal_areas(classifier, images, steps=config.patch_steps, batch=batch, tell=tells[1])
    return replace(measured, universal_radii=radii, universal_areas=areas)


def _teller(report: Report, part: int, parts: int) -> Callable[[int, int], None]:
    """Creates a callback that reports the progress of one of several parts as progress of all."""
    throttle = Throttle(report)

    def tell(step: int, steps: int) -> None:
        throttle.send(Event(stage="assess", step=part * steps + step, total=parts * steps))

    return tell


def spread(images: LabelledImages, count: int) -> LabelledImages:
    """Selects at most ``count`` images at even distances.

    Args:
        images: labelled images, at least one.
        count: the most images, at least 1.

    Returns:
        The selected images in their order.
    """
    return images.take(np.unique(np.linspace(0, len(images) - 1, min(count, len(images))).astype(np.int64)))
