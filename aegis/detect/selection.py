"""Analyses some translated images that a user selected: what they are near, and whether a trigger starts from them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Bool, Float32, Int64, UInt8

from aegis.core.runtime import Report
from aegis.core.types import CandidateTrigger, LabelledImages
from aegis.records.config import TriggerSearchConfig

if TYPE_CHECKING:
    from aegis.models.classifier import Classifier


def nearest_training(
    features: Float32[np.ndarray, "p d"], chosen: Bool[np.ndarray, " p"], training: int, count: int
) -> Int64[np.ndarray, " k"]:
    """Finds the training images nearest to the centre of a selection in feature space.

    Args:
        features: features of training images, then of translated ones, shape (p, d).
        chosen: mask of the selected rows, at least one, shape (p,).
        training: number of rows that are training images.
        count: the most images to return.

    Returns:
        Rows of the training images, nearest first, shape (k,).
    """
    distances = np.linalg.norm(features[:training] - features[chosen].mean(axis=0), axis=1)
    nearest: np.ndarray = np.argsort(distances, kind="stable")[:count].astype(np.int64)
    return nearest


def search_selection(
    classifier: Classifier,
    seeds: Float32[np.ndarray, "n c h w"],
    sources: Int64[np.ndarray, " n"],
    translated: UInt8[np.ndarray, "n c h w"],
    chosen: Int64[np.ndarray, " k"],
    held_out: LabelledImages,
    label: int,
    config: TriggerSearchConfig,
    generator: np.random.Generator,
    report: Report,
) -> tuple[CandidateTrigger, ...]:
    """Searches for a trigger from what translation changed in selected images, as a scan does from all of them.

    Selected changes may lie in different places, so that the search starts from the mean of each of a few groups of
    them. It is optimised on all seeds, since few images are led anywhere by more than a trigger.

    Args:
        classifier: the model, prepared by ``Classifier.frozen``.
        seeds: images of other classes in [0, 1], shape (n, c, h, w).
        sources: their classes, shape (n,).
        translated: the same images translated into the class at one budget, as 8-bit pictures, shape (n, c, h, w).
        chosen: positions of the selected images, at least one, shape (k,).
        held_out: images that no search uses, on which success is measured.
        label: the class under test.
        config: settings of the search, with area and radius set.
        generator: draws the k-means seeds and the held-out images.
        report: receives events of stage ``search``; may raise ``Cancelled``.

    Returns:
        Patches, then perturbations, the most successful of each first.
    """
    # Imported here because the dashboard uses the rest of this module and should not wait for torch.
    from aegis.detect.optimise import Search
    from aegis.detect.starts import cluster_starts
    from aegis.detect.success import best_first, fooled_by_trigger_only, hold_out
    from aegis.detect.trigger_search import search_everywhere, teller
    from aegis.metrics import predict

    search = Search.of(
        classifier,
        seeds,
        sources,
        label,
        teller(report, label, 2 * (config.steps + config.refine_steps)),
    )
    starts = cluster_starts(seeds[chosen], translated[None, chosen], config.clusters, generator)
    images = hold_out(held_out, config.held_out, generator)
    images = images.take(fooled_by_trigger_only("patch", predict(classifier, images.pixels), images.labels, label))
    found: list[CandidateTrigger] = []
    for family, candidates in search_everywhere(search, starts, [], config):
        found += best_first(search, family, candidates, images, config)
    return tuple(found)
