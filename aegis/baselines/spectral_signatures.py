"""Spectral signatures: images of one label that lie far out along the direction in which its features vary most.

Tran, Li and Madry: Spectral Signatures in Backdoor Attacks, NeurIPS 2018; their code, MadryLab/backdoor_data_poisoning.
This is Algorithm 1 of the paper. Their code looks at the target's label alone, and projects features that are not
centred.
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Float32

from aegis.baselines.activations import activations_by_label
from aegis.baselines.config import SpectralSignaturesConfig
from aegis.baselines.poison_filter import FilterResult
from aegis.core.runtime import Report, silent
from aegis.core.types import LabelledImages
from aegis.models.classifier import Classifier


def find_poison(
    classifier: Classifier,
    images: LabelledImages,
    config: SpectralSignaturesConfig,
    *,
    generator: np.random.Generator,
    report: Report = silent,
) -> FilterResult:
    """Flags a fixed share of each label's images: those with the highest scores.

    Args:
        classifier: the model that was trained on the images, prepared by ``Classifier.frozen``.
        images: the training images with the labels that were learnt.
        config: settings.
        generator: not used, since nothing is drawn.
        report: receives an event of stage ``spectral`` before each class and one at the end; may raise ``Cancelled``.

    Returns:
        Scores are squared projections of centred features on the top right singular vector; statistics are the share
        of the variance along it, in [0, 1], and 0 for a class whose features are all the same. Such a class has the
        share flagged as well, as any clean class.

    Raises:
        DataError: if model and images do not fit together.

    Source: Tran, Li and Madry, Algorithm 1.
    """
    flagged, scores = np.zeros(len(images), bool), np.zeros(len(images), np.float32)
    shares = np.full(classifier.classes, np.nan, np.float32)
    for own in activations_by_label(
        classifier, images, title="spectral signatures", stage="spectral", least=1, report=report
    ):
        scores[own.index], shares[own.label] = _project(own.centred)
        count = min(len(own.index), round(config.excess * config.epsilon * len(own.index)))
        # Of equal scores the first images count, so that equal input gives equal output.
        flagged[own.index[np.argsort(-scores[own.index], kind="stable")[:count]]] = True
    return FilterResult(flagged=flagged, scores=scores, statistics=shares)


def _project(centred: Float32[np.ndarray, "m d"]) -> tuple[Float32[np.ndarray, " m"], float]:
    """Computes squared projections on the top right singular vector, and the share of the variance along it."""
    _, values, directions = np.linalg.svd(centred.astype(np.float64), full_matrices=False)
    variances = values**2
    total = float(variances.sum())
    return ((centred @ directions[0]) ** 2).astype(np.float32), float(variances[0]) / total if total else 0.0
