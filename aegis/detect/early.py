"""Finds out early that a model is not fit to be judged, before hours are spent on many classes or large images."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np

from aegis.core.runtime import Event, Report, Throttle, silent
from aegis.core.types import Applicability, Dataset, Stage
from aegis.detect.assess import check_not_guessing
from aegis.metrics import confusion_under_attack, predict
from aegis.models.classifier import Classifier
from aegis.records.config import AssessConfig, ScanConfig, VerdictConfig

# Test images at most that are predicted, and that are attacked.
PREDICTED, ATTACKED = 500, 60
# Standard errors by which a model must miss what is needed, so that few images suffice to give it up.
CERTAIN = 3.0


def look_settings(config: ScanConfig) -> AssessConfig:
    """Makes the settings of a first look: the one budget that a robust model must withstand.

    Args:
        config: the settings of the scan.
    """
    epsilon = config.verdict.min_half_radius or config.assess.epsilons[0]
    return replace(config.assess, images=ATTACKED, epsilons=(epsilon,))


def first_look(
    classifier: Classifier, data: Dataset, config: AssessConfig, *, report: Report = silent
) -> Applicability:
    """Measures accuracy and robust accuracy on few test images, which takes a minute at most.

    Args:
        classifier: the model, prepared by ``Classifier.frozen``.
        data: the data set; its test split is used.
        config: the budgets of the attacks, their iterations and images.
        report: receives events of stage ``assess``; may raise ``Cancelled``.

    Returns:
        The measurements, without universal perturbations and patches.

    Raises:
        DataError: if accuracy is near chance.
    """
    known = data.test.spread(PREDICTED)
    right = float((predict(classifier, known.pixels) == known.labels).mean())
    check_not_guessing(right, len(data.class_names))
    throttle, rungs = Throttle(report), len(config.epsilons)

    def attacked(rung: int, epsilon: float) -> np.ndarray:
        stage = Stage(epsilon=epsilon, step=2.5 * epsilon / config.iterations, iterations=config.iterations)

        def tell(step: int, steps: int) -> None:
            throttle.send(Event(stage="assess", step=rung * steps + step, total=rungs * steps))

        return confusion_under_attack(classifier, data.test.spread(config.images), stage, tell=tell)

    confusion = np.stack([attacked(rung, epsilon) for rung, epsilon in enumerate(config.epsilons)])
    accuracies = confusion.trace(axis1=1, axis2=2) / confusion.sum(axis=(1, 2))
    return Applicability(right, config.epsilons, tuple(accuracies.tolist()), confusion)


def is_hopeless(seen: Applicability, images: int, config: VerdictConfig) -> bool:
    """Tells whether a first look shows that a model cannot be judged, whatever would be found in its classes.

    Args:
        seen: from ``first_look``.
        images: number of test images.
        config: the least accuracy and half radius.
    """
    if _at_most(seen.accuracy, min(images, PREDICTED)) < config.min_accuracy:
        return True
    # A backdoor makes a model look less robust; so attacks that end in one class, whichever it may be, do not count.
    best = max(row[0] for row in seen.accuracies_excluding_target)
    return config.min_half_radius > 0 and _at_most(best, min(images, ATTACKED)) < seen.accuracy / 2


def _at_most(rate: float, images: int) -> float:
    """Bounds the rate on all images that some of them stand for."""
    return rate + CERTAIN * math.sqrt(max(rate * (1 - rate), 1 / images) / images)
