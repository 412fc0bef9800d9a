"""Does AEGIS apply? Accuracy first, then a ladder of budgets: the method is for robust models."""

from __future__ import annotations

import numpy as np

from aegis.detect.config import AssessConfig
from aegis.errors import DataError
from aegis.evaluate import accuracy, robust_accuracy
from aegis.models.classifier import Classifier
from aegis.runtime import Event, Report, Throttle, silent
from aegis.types import Applicability, Dataset, LabelledImages, Stage

# How far above chance accuracy must be before images and classes can be said to belong to the model.
ABOVE_CHANCE = 0.1


def assess(classifier: Classifier, data: Dataset, config: AssessConfig, *, report: Report = silent) -> Applicability:
    """Measure accuracy and robust accuracy on held-out images, and object where the method does not apply.

    Args:
        classifier: prepared for speed.
        data: its test split is used.
        config: the ladder and the demands.
        report: told of stage ``assess``; may raise ``Cancelled``.

    Raises:
        DataError: if accuracy is near chance, so that images, class order or normalisation must be wrong.
    """
    right = accuracy(classifier, data.test)
    chance = 1 / len(data.class_names)
    if right < chance + ABOVE_CHANCE * (1 - chance):
        raise DataError(
            "images the model was made for, with classes in its order",
            f"an accuracy of {right:.1%}, near the {chance:.1%} of guessing",
            "Check --data, the order of its classes and the model's normalisation.",
        )
    images = spread(data.test, config.images)
    throttle = Throttle(report)
    ladder = []
    for i, epsilon in enumerate(config.epsilons):

        def tell(step: int, steps: int, rung: int = i) -> None:
            throttle.send(Event(stage="assess", step=rung * steps + step, total=len(config.epsilons) * steps))

        stage = Stage(epsilon=epsilon, step=2.5 * epsilon / config.iterations, iterations=config.iterations)
        ladder.append(robust_accuracy(classifier, images, stage, tell=tell))
    measured = Applicability(right, config.epsilons, tuple(ladder))
    return Applicability(right, config.epsilons, tuple(ladder), _objections(measured, config))


def spread(images: LabelledImages, count: int) -> LabelledImages:
    """At most ``count`` images, taken at even distances."""
    return images.take(np.unique(np.linspace(0, len(images) - 1, min(count, len(images))).astype(np.int64)))


def _objections(measured: Applicability, config: AssessConfig) -> tuple[str, ...]:
    objections = []
    if measured.accuracy < config.min_accuracy:
        objections.append(
            f"its accuracy on these images is {measured.accuracy:.1%}, below the {config.min_accuracy:.0%} "
            "that its translations need to mean anything"
        )
    if measured.half_radius < config.min_half_radius:
        objections.append(
            f"its accuracy halves at an L2 budget of {measured.half_radius:.2f}, so it is not adversarially robust "
            f"(at least {config.min_half_radius:g} is asked for)"
        )
    return tuple(objections)
