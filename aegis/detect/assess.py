"""Checks whether AEGIS can judge a model: its accuracy, and its robust accuracy at several budgets."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
from jaxtyping import Int64

from aegis.attacks.universal import universal_areas, universal_radii
from aegis.core.errors import DataError
from aegis.core.runtime import Event, Report, Throttle, silent
from aegis.core.threads import one_at_a_time, side_by_side
from aegis.core.types import Applicability, Dataset, Stage
from aegis.detect.bounds import FEWEST_ATTACKED, FEWEST_IN_BATCH, PREDICTED, fewer, is_large, measured_classes
from aegis.detect.labels import check_labels
from aegis.metrics import confusion_matrix, confusion_under_attack, predict
from aegis.models.classifier import Classifier
from aegis.records.config import AssessConfig

# Below this share of the way from chance to 100% accuracy, images or classes cannot belong to the model.
ABOVE_CHANCE = 0.1
# Progress is reported in so many parts.
GRAIN = 1000


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
    shape, classes = data.shape, len(data.class_names)
    known = data.test.spread(PREDICTED) if is_large(classes, shape) else data.test
    unattacked = confusion_matrix(known, predict(classifier, known.pixels))
    right = float(np.trace(unattacked) / len(known))
    check_not_guessing(right, classes)
    check_labels(unattacked, data.class_names)
    images = data.test.spread(fewer(config.images, FEWEST_ATTACKED, shape))
    stop = threading.Event()
    tells = _tellers(one_at_a_time(report, stop), len(config.epsilons) + 2)
    rungs = [Stage(epsilon=e, step=2.5 * e / config.iterations, iterations=config.iterations) for e in config.epsilons]

    def accuracy(counts: Int64[np.ndarray, "k k"]) -> float:
        return float(np.trace(counts) / len(images))

    measured_on, batch = measured_classes(classes, shape), fewer(config.universal_batch, FEWEST_IN_BATCH, shape)

    tells[-1](0, 1, (0.0, right))

    def areas() -> tuple[float, ...]:
        steps = config.patch_steps
        return universal_areas(classifier, images, steps=steps, batch=batch, tell=tells[-1], labels=measured_on)

    def attacked(rung: int) -> Int64[np.ndarray, "k k"]:
        counts = confusion_under_attack(classifier, images, rungs[rung], tell=tells[rung])
        tells[rung](1, 1, (rungs[rung].epsilon, accuracy(counts)))
        return counts

    # The longest comes first, so that threads end together.
    tasks: list[Callable[[], Any]] = [areas, *(partial(attacked, rung) for rung in range(len(rungs)))]
    found, *confusion = side_by_side(lambda task: task(), tasks, classifier.runtime.workers, stop)
    accuracies = tuple(map(accuracy, confusion))
    measured = Applicability(right, config.epsilons, accuracies, np.stack(confusion))
    # A universal perturbation needs a larger norm than perturbations made for single images.
    start, steps = 2 * measured.half_radius, config.perturbation_steps
    radii = universal_radii(classifier, images, start, steps=steps, batch=batch, tell=tells[-2], labels=measured_on)
    return replace(measured, universal_radii=radii, universal_areas=found)


def check_not_guessing(right: float, classes: int) -> None:
    """Refuses images that a model knows hardly better than by guessing.

    Args:
        right: its accuracy, in [0, 1].
        classes: number of classes.

    Raises:
        DataError: if accuracy is near chance.
    """
    chance = 1 / classes
    if right < chance + ABOVE_CHANCE * (1 - chance):
        raise DataError(
            "images the model was made for, with classes in its order",
            f"an accuracy of {right:.1%}, near the {chance:.1%} of guessing",
            "Check --data, the order of its classes and the model's normalisation.",
        )


def _tellers(report: Report, parts: int) -> list[Callable[..., None]]:
    """Creates a callback for each of several parts, which reports its progress as progress of all."""
    throttle, done = Throttle(report), [0.0] * parts

    def tell(part: int, step: int, steps: int, robust: tuple[float, float] | None = None) -> None:
        done[part] = step / steps
        event = Event(stage="assess", step=round(sum(done) / parts * GRAIN), total=GRAIN, robust=robust)
        # A measurement is told even if something else was told just now.
        (throttle.send if robust is None else report)(event)

    return [partial(tell, part) for part in range(parts)]
