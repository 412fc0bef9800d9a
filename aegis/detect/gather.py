"""Gathers everything about one class that needs the model: translation, features and trigger inversion."""

from __future__ import annotations

import numpy as np
from jaxtyping import Int64

from aegis.core.errors import DataError
from aegis.core.runtime import Report, numpy_generator, silent
from aegis.core.types import CandidateTrigger, Dataset, Evidence, as_pixels
from aegis.detect.features import represent
from aegis.detect.sources import choose_seeds
from aegis.detect.translate import translate
from aegis.detect.trigger_search import search_triggers
from aegis.metrics import predict
from aegis.models.classifier import Classifier
from aegis.records.config import GatherConfig

# The smallest number of seeds that the settings allow: fewer translated images form no meaningful clusters.
MIN_SEEDS = 10


def gather(
    classifier: Classifier, data: Dataset, label: int, config: GatherConfig, *, report: Report = silent
) -> Evidence:
    """Gathers the evidence of one class.

    Args:
        classifier: the model, prepared by ``Classifier.frozen``.
        data: seeds and training images come from the training split; attack success rates are measured on the test
            split.
        label: the class under test.
        config: settings, with the triggers' area and radius set.
        report: receives events of stages ``translate`` and ``search``; may raise ``Cancelled``.

    Returns:
        The evidence.

    Raises:
        DataError: if the class has no training images, or the other classes have too few images in either split.

    Source: Algorithm 1, steps 1 and 2, and trigger inversion.
    """
    generator = numpy_generator(config.seed, label)
    own = np.flatnonzero(data.train.labels == label)
    if not len(own):
        raise DataError(
            f"training images of class {label}", "none", "Give images of every class, or choose others with --classes."
        )
    own = np.sort(generator.permutation(own)[: config.seeds])
    drawn = choose_seeds(classifier, data.train, label, config.seeds, generator)
    chosen = drawn.index
    _check_others(data, label, chosen, config)
    seeds = data.train.pixels[chosen]
    translated = translate(classifier, seeds, label, config.stages, report)
    features = represent(
        classifier, data.train.pixels[own], translated, components=config.components, pooled=config.pooled
    )
    success = [float((predict(classifier, as_pixels(images)) == label).mean()) for images in translated]
    found: tuple[CandidateTrigger, ...] = ()
    if config.trigger_search is not None:
        sources = data.train.labels[chosen]
        found = search_triggers(
            classifier, seeds, sources, translated, data.test, label, config.trigger_search, generator, report, drawn
        )
    return Evidence(
        label=label,
        budgets=tuple(stage.epsilon for stage in config.stages),
        seed_index=chosen,
        train_index=own,
        translated=translated,
        features=features,
        success=np.array(success, np.float32),
        triggers=found,
    )


def _check_others(data: Dataset, label: int, chosen: Int64[np.ndarray, " n"], config: GatherConfig) -> None:
    if len(chosen) < MIN_SEEDS:
        raise DataError(
            f"at least {MIN_SEEDS} training images of other classes than {label}",
            str(len(chosen)),
            "Give more images; a few hundred per class are enough.",
        )
    # Without them no attack success rate can be measured, and an untested class would pass for benign.
    missing = np.setdiff1d(data.train.labels[chosen], data.test.labels)
    if config.trigger_search is not None and len(missing):
        raise DataError(
            f"test images of all classes but {label}",
            f"none of {', '.join(map(str, missing))}",
            "Give test images of every class; flip rates are measured on them.",
        )
