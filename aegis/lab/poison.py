"""Poisoned training data (Section 4, Backdoor Injection)."""

from __future__ import annotations

from typing import Literal

import numpy as np

from aegis.errors import ConfigError
from aegis.runtime import numpy_generator
from aegis.types import LabelledImages, Stamp

How = Literal["append", "replace"]


def poison(
    images: LabelledImages, stamp: Stamp, target: int, *, rate: float, how: How = "append", seed: int = 0
) -> LabelledImages:
    """Stamp a share of the images, chosen at random, and label them as the target.

    Args:
        images: the clean training data.
        stamp: the trigger.
        target: the class they are labelled as.
        rate: share of the images, in (0, 1]; the paper takes 0.01 for visible and 0.3 for invisible triggers.
        how: ``append`` the poisoned copies, as the paper says, or ``replace`` the originals, as its code does.
        seed: which images are chosen.

    Raises:
        ConfigError: if the rate or the target is out of range.
    """
    if not 0 < rate <= 1:
        raise ConfigError("a poison rate above 0 and at most 1", str(rate), "The paper uses 0.01 and 0.3.")
    if not 0 <= target < len(images.class_names):
        raise ConfigError(
            f"a target class from 0 to {len(images.class_names) - 1}", str(target), "Choose a class of the data set."
        )
    chosen = numpy_generator(seed).choice(len(images), size=max(1, round(rate * len(images))), replace=False)
    poisoned, labels = stamp(images.pixels[chosen]), np.full(len(chosen), target, np.int64)
    if how == "append":
        pixels = np.concatenate([images.pixels, poisoned])
        return LabelledImages(pixels, np.concatenate([images.labels, labels]), images.class_names)
    pixels, all_labels = images.pixels.copy(), images.labels.copy()
    pixels[chosen], all_labels[chosen] = poisoned, labels
    return LabelledImages(pixels, all_labels, images.class_names)
