"""What some translated images have in common: their change, where it lies, and whether it is a trigger.

No search: the change is put on benign images as it is, which is why it can be tried at once.
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
    """A patch of the pixels that changed most, which replaces them with those of an image.

    Args:
        change: the mean change.
        image: the mean translated image.
        area: share of the pixels it may replace, above 0.
    """
    weight = np.abs(change).sum(axis=0).ravel()
    chosen = np.argsort(-weight, kind="stable")[: max(1, round(area * weight.size))]
    mask = np.zeros(weight.size, np.float32)
    mask[chosen] = 1
    mask = np.broadcast_to(mask.reshape(change.shape[1:]), change.shape)
    return Stamp(1 - mask, mask * image)


def as_perturbation(change: Float32[np.ndarray, "c h w"], radius: float) -> Stamp:
    """A perturbation in the direction of a change, of L2 norm ``radius``; nothing at all if nothing changed."""
    norm = float(np.linalg.norm(change))
    add = change * np.float32(radius / norm if norm > 0 else 0)
    return Stamp(np.ones_like(add), add)


def nearest_training(
    features: Float32[np.ndarray, "p d"], chosen: Bool[np.ndarray, " p"], training: int, count: int
) -> Int64[np.ndarray, " k"]:
    """Rows of the training images that lie nearest to the middle of a selection, nearest first.

    Args:
        features: of training images, then of translated ones.
        chosen: which rows are selected, at least one.
        training: how many of the rows are training images.
        count: at most so many are given.
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
    """The selection's mean change as a patch and as a perturbation, tried on held-out images of other classes.

    Args:
        classifier: prepared for speed.
        seeds: the images before translation, at least one.
        translated: the same images after it.
        held_out: what the stamps are tried on.
        label: the class under test.
        config: the patch's area, the perturbation's radius, and how many images of each class are tried.
        generator: of the held-out choice.
    """
    # The rest of this file is for screens, which should not wait for torch.
    from aegis.detect.trigger_search import hold_out
    from aegis.metrics import confusion_with_trigger

    assert config.area is not None, "a recorded scan has its area"
    assert config.radius is not None, "a recorded scan has its radius"
    change = (translated - seeds).mean(axis=0)
    images = hold_out(held_out, config.held_out, generator)
    images = images.take(images.labels != label)

    def tried(family: Family, stamp: Stamp) -> CandidateTrigger:
        return CandidateTrigger(family, label, stamp, confusion_with_trigger(classifier, stamp, images)[None], START)

    patch = as_patch(change, translated.mean(axis=0), config.area)
    return tried("patch", patch), tried("perturbation", as_perturbation(change, config.radius))
