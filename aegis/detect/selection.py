"""Analyses some translated images that a user selected: their mean change, where it lies, and whether it is a trigger.

The mean change is applied to benign images without optimisation, so the result comes at once.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Bool, Float32, Int64

from aegis.core.types import CandidateTrigger, Family, LabelledImages, Stamp
from aegis.records.config import TriggerSearchConfig

if TYPE_CHECKING:
    from aegis.models.classifier import Classifier

START = "the selection's mean change"


def as_patch(change: Float32[np.ndarray, "c h w"], image: Float32[np.ndarray, "c h w"], area: float) -> Stamp:
    """Creates a patch from the pixels that changed most.

    Args:
        change: mean change, shape (c, h, w).
        image: mean translated image in [0, 1], which gives the pattern, shape (c, h, w).
        area: share of the pixels that the patch may replace, in (0, 1].

    Returns:
        The patch.
    """
    weight = np.abs(change).sum(axis=0).ravel()
    chosen = np.argsort(-weight, kind="stable")[: max(1, round(area * weight.size))]
    mask = np.zeros(weight.size, np.float32)
    mask[chosen] = 1
    mask = np.broadcast_to(mask.reshape(change.shape[1:]), change.shape)
    return Stamp(1 - mask, mask * image)


def as_perturbation(change: Float32[np.ndarray, "c h w"], radius: float) -> Stamp:
    """Creates a perturbation in the direction of a change.

    Args:
        change: mean change, shape (c, h, w).
        radius: L2 norm of the perturbation, at least 0.

    Returns:
        The perturbation; zero if the change is.
    """
    norm = float(np.linalg.norm(change))
    add = change * np.float32(radius / norm if norm > 0 else 0)
    return Stamp(np.ones_like(add), add)


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


def try_selection(
    classifier: Classifier,
    seeds: Float32[np.ndarray, "n c h w"],
    translated: Float32[np.ndarray, "n c h w"],
    held_out: LabelledImages,
    label: int,
    config: TriggerSearchConfig,
    generator: np.random.Generator,
) -> tuple[CandidateTrigger, CandidateTrigger]:
    """Measures the success of a selection's mean change, as a patch and as a perturbation, on held-out images of other
    classes.

    Args:
        classifier: the model, prepared by ``Classifier.frozen``.
        seeds: the images before translation in [0, 1], at least one, shape (n, c, h, w).
        translated: the same images after translation, shape (n, c, h, w).
        held_out: held-out benign images.
        label: the class under test.
        config: area of the patch, radius of the perturbation, and number of held-out images of each class.
        generator: draws the held-out images.

    Returns:
        The patch and the perturbation, with their success.
    """
    # Imported here because the dashboard uses the rest of this module and should not wait for torch.
    from aegis.detect.success import fooled_by_trigger_only, hold_out
    from aegis.metrics import confusion_with_trigger, predict

    assert config.area is not None, "a recorded scan has its area"
    assert config.radius is not None, "a recorded scan has its radius"
    change = (translated - seeds).mean(axis=0)
    images = hold_out(held_out, config.held_out, generator)
    images = images.take(fooled_by_trigger_only("patch", predict(classifier, images.pixels), images.labels, label))

    def tried(family: Family, stamp: Stamp) -> CandidateTrigger:
        return CandidateTrigger(family, label, stamp, confusion_with_trigger(classifier, stamp, images)[None], START)

    patch = as_patch(change, translated.mean(axis=0), config.area)
    return tried("patch", patch), tried("perturbation", as_perturbation(change, config.radius))
