"""Can AEGIS judge this model? Accuracy first, then a ladder of budgets: the method is for robust models."""

from __future__ import annotations

import numpy as np

from aegis.detect.config import AssessConfig
from aegis.errors import DataError
from aegis.evaluate import accuracy, called_under
from aegis.models.classifier import Classifier
from aegis.runtime import Event, Report, Throttle, silent
from aegis.types import Applicability, Dataset, LabelledImages, Stage

# How far above chance accuracy must be before images and classes can be said to belong to the model.
ABOVE_CHANCE = 0.1


def assess(classifier: Classifier, data: Dataset, config: AssessConfig, *, report: Report = silent) -> Applicability:
    """Measure accuracy and robust accuracy on held-out images.

    Args:
        classifier: prepared for speed.
        data: its test split is used.
        config: the ladder.
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
    called = []
    for i, epsilon in enumerate(config.epsilons):

        def tell(step: int, steps: int, rung: int = i) -> None:
            throttle.send(Event(stage="assess", step=rung * steps + step, total=len(config.epsilons) * steps))

        stage = Stage(epsilon=epsilon, step=2.5 * epsilon / config.iterations, iterations=config.iterations)
        called.append(called_under(classifier, images, stage, tell=tell))
    accuracies = tuple(float(np.trace(counts) / len(images)) for counts in called)
    return Applicability(right, config.epsilons, accuracies, np.stack(called))


def spread(images: LabelledImages, count: int) -> LabelledImages:
    """At most ``count`` images, taken at even distances."""
    return images.take(np.unique(np.linspace(0, len(images) - 1, min(count, len(images))).astype(np.int64)))
